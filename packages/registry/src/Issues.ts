import { RegistryError, SecretError } from "./RegistryError.ts"

/** One thing that is wrong with an input. */
export interface Issue {
  readonly path: string
  readonly rule: string
  readonly message: string
}

/** An own property of an input that may be anything. */
export const field = (input: unknown, name: string): unknown =>
  typeof input === "object" && input !== null && Object.hasOwn(input, name)
    ? (input as Record<string, unknown>)[name]
    : undefined

export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Collects everything that is wrong with an input, to say it all at once, before any I/O. */
export class Issues {
  readonly list: Array<Issue> = []

  add(path: string, rule: string, message: string): void {
    this.list.push({ path, rule, message })
  }

  object(path: string, value: unknown): value is Record<string, unknown> {
    if (isPlainObject(value)) return true
    this.add(path, "type", "must be an object")
    return false
  }

  /** A string; `required`: not left out and not empty. */
  text(
    path: string,
    value: unknown,
    options: { readonly required?: boolean; readonly max?: number } = {}
  ): void {
    if (value === undefined || value === null) {
      if (options.required === true) this.add(path, "required", "is required")
    } else if (typeof value !== "string") this.add(path, "type", "must be a string")
    else if (options.required === true && value.trim() === "") this.add(path, "required", "must not be empty")
    else if (value.length > (options.max ?? 10_000)) {
      this.add(path, "maxLength", `must have at most ${options.max ?? 10_000} characters`)
    }
  }

  pattern(path: string, value: unknown, pattern: RegExp, message: string): void {
    if (value === undefined || value === null) this.add(path, "required", "is required")
    else if (typeof value !== "string") this.add(path, "type", "must be a string")
    else if (!pattern.test(value)) this.add(path, "pattern", message)
  }

  boolean(path: string, value: unknown): void {
    if (value !== undefined && typeof value !== "boolean") this.add(path, "type", "must be true or false")
  }

  oneOf(path: string, value: unknown, allowed: ReadonlyArray<string>): void {
    if (typeof value !== "string" || !allowed.includes(value)) {
      this.add(path, "enum", `must be one of ${allowed.join(", ")}`)
    }
  }

  array(path: string, value: unknown): value is ReadonlyArray<unknown> {
    if (Array.isArray(value)) return true
    this.add(path, "type", "must be an array")
    return false
  }

  #summary(what: string): string {
    const [first, ...others] = this.list
    const more = others.length === 0 ? "" : ` (and ${others.length} more, see details)`
    return first === undefined
      ? what
      : `${what}: ${first.path === "" ? "it" : first.path} ${first.message}${more}.`
  }

  registryError(what: string): RegistryError | undefined {
    return this.list.length === 0
      ? undefined
      : new RegistryError({ code: "VALIDATION_ERROR", message: this.#summary(what), details: this.list })
  }

  secretError(what: string): SecretError | undefined {
    return this.list.length === 0
      ? undefined
      : new SecretError({ code: "VALIDATION_ERROR", message: this.#summary(what), details: this.list })
  }
}
