import { defineError } from "./DuctapeError.ts"
import { jsonText } from "./JsonText.ts"
import { isPlainObject } from "./Kind.ts"
import { readPath } from "./ReadPath.ts"

/**
 * An action template that cannot be read, or an input that does not fit it. `details` lists every
 * fault as `{ path, rule, message }`; no message holds a value.
 */
export class ActionTemplateError extends defineError("ActionTemplateError", {
  VALIDATION_ERROR: { status: 400 }
}) {}

export interface ActionTemplateFault {
  /** A path of the input (`customer.email`) or, for faults of the template itself, of the template. */
  readonly path: string
  readonly rule: "required" | "type" | "min" | "max" | "operator" | "syntax" | "depth" | "position"
  readonly message: string
}

export type PlaceholderType = "STRING" | "NUMBER" | "EMAIL"

/** One `{{path}}` of a template. */
export interface Placeholder {
  /** As written, without the type: `customer.email`. */
  readonly name: string
  readonly type?: PlaceholderType
  /** Least length in characters, or least value of a `NUMBER`. */
  readonly min?: number
  /** Greatest length in characters, or greatest value of a `NUMBER`. */
  readonly max?: number
  /** Whether it is the whole string, and so keeps the type of the input. */
  readonly whole: boolean
  /** Where the string stands in the template: `["orderBy", 0, "column"]`. */
  readonly at: ReadonlyArray<string | number>
}

export interface RenderOptions {
  /**
   * Says what is wrong with a value for the place that it goes to (a column name that is no
   * identifier, say), or nothing. Called once per placeholder that has a value.
   */
  readonly check?: (value: unknown, placeholder: Placeholder) => string | undefined
  /** Whether a missing input may drop the key or element that it is the whole value of. Default: never. */
  readonly dropMissing?: (placeholder: Placeholder) => boolean
}

export interface CompiledActionTemplate {
  /** Every placeholder, in the order of the template. */
  readonly placeholders: ReadonlyArray<Placeholder>
  /**
   * Puts the input in: a string that is exactly one placeholder becomes the value itself, one inside
   * longer text its text. Values are never read as templates.
   *
   * @throws {ActionTemplateError} `VALIDATION_ERROR` with every missing or unfit input, and every key
   *   of the input that starts with `$`
   */
  readonly render: (input: Readonly<Record<string, unknown>>, options?: RenderOptions) => unknown
}

const maxDepth = 64

const errorOf = (what: string, faults: ReadonlyArray<ActionTemplateFault>): ActionTemplateError =>
  new ActionTemplateError({
    code: "VALIDATION_ERROR",
    message: `${what}: ${faults.map(({ path, message }) => `${path || "input"} ${message}`).join("; ")}.`,
    details: faults
  })

const marks = /\{\{([^{}]*)\}\}/g
const mark =
  /^\s*([\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_-]+)*)\s*(?::\s*(STRING|NUMBER|EMAIL)\s*(?::\s*(-?\d+(?:\.\d+)?)?\s*(?::\s*(-?\d+(?:\.\d+)?)?\s*)?)?)?$/u

type Path = ReadonlyArray<string | number>

const printPath = (at: Path): string =>
  at.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    ""
  )

const placeholderOf = (body: string, whole: boolean, at: Path): Placeholder | undefined => {
  const match = mark.exec(body)
  if (match === null) return undefined
  const [, name = "", type, min, max] = match
  return {
    name,
    whole,
    at,
    ...(type === undefined ? {} : { type: type as PlaceholderType }),
    ...(min === undefined ? {} : { min: Number(min) }),
    ...(max === undefined ? {} : { max: Number(max) })
  }
}

/** A dropped key or element. */
const dropped = Symbol("dropped")

type Render = (pass: Pass) => unknown

/** One rendering: the input, and the faults found so far. */
interface Pass {
  readonly input: Readonly<Record<string, unknown>>
  readonly options: RenderOptions
  readonly faults: Array<ActionTemplateFault>
}

const email = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/

const unfit = (
  value: unknown,
  { max, min, type }: Placeholder
): Omit<ActionTemplateFault, "path"> | undefined => {
  if (type === undefined) return undefined
  let size: number
  if (type === "NUMBER") {
    if (typeof value !== "number" || !Number.isFinite(value))
      return { rule: "type", message: "must be a number" }
    size = value
  } else {
    if (typeof value !== "string") return { rule: "type", message: "must be a string" }
    if (type === "EMAIL" && !email.test(value)) return { rule: "type", message: "must be an email address" }
    size = [...value].length
  }
  const unit = type === "NUMBER" ? "" : " characters"
  if (min !== undefined && size < min) return { rule: "min", message: `must be at least ${min}${unit}` }
  if (max !== undefined && size > max) return { rule: "max", message: `must be at most ${max}${unit}` }
  return undefined
}

const read = (placeholder: Placeholder, { faults, input, options }: Pass): unknown => {
  const value = readPath(input, [placeholder.name])
  if (value === undefined) {
    if (placeholder.whole && options.dropMissing?.(placeholder) === true) return dropped
    faults.push({ path: placeholder.name, rule: "required", message: "is missing" })
    return undefined
  }
  const fault = unfit(value, placeholder)
  if (fault !== undefined) {
    faults.push({ path: placeholder.name, ...fault })
    return undefined
  }
  const message = options.check?.(value, placeholder)
  if (message !== undefined) faults.push({ path: placeholder.name, rule: "position", message })
  return value
}

const textOf = (value: unknown, { name }: Placeholder, { faults }: Pass): string => {
  if (value === undefined || value === null) return ""
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  if (Array.isArray(value) || isPlainObject(value)) return jsonText(value)
  faults.push({ path: name, rule: "type", message: "cannot stand within text" })
  return ""
}

/** Reads a template once; collects its placeholders and the faults of its text. */
class Reader {
  readonly placeholders: Array<Placeholder> = []
  readonly faults: Array<ActionTemplateFault> = []

  value(value: unknown, at: Path): Render {
    if (at.length > maxDepth) {
      this.fault(at, "depth", `nests deeper than ${maxDepth} levels`)
      return () => undefined
    }
    if (typeof value === "string") return this.string(value, at)
    if (Array.isArray(value)) {
      const items = value.map((item: unknown, i) => this.value(item, [...at, i]))
      return (pass) => items.map((item) => item(pass)).filter((item) => item !== dropped)
    }
    if (!isPlainObject(value)) return () => value
    const members = Object.keys(value).map((key) => {
      const path = [...at, key]
      if (key.includes("{{")) this.fault(path, "syntax", "has a placeholder in the name of a key")
      return [key, this.value(value[key], path)] as const
    })
    return (pass) =>
      Object.fromEntries(
        members.map(([key, member]) => [key, member(pass)]).filter(([, item]) => item !== dropped)
      )
  }

  string(text: string, at: Path): Render {
    if (!text.includes("{{")) return () => text
    const parts: Array<string | Placeholder> = []
    let from = 0
    for (const match of text.matchAll(marks)) {
      const placeholder = placeholderOf(match[1] ?? "", match[0].length === text.length, at)
      if (placeholder === undefined) continue
      if (match.index > from) parts.push(text.slice(from, match.index))
      parts.push(placeholder)
      this.placeholders.push(placeholder)
      from = match.index + match[0].length
    }
    if (from < text.length) parts.push(text.slice(from))
    if (parts.some((part) => typeof part === "string" && part.includes("{{"))) {
      this.fault(
        at,
        "syntax",
        "has a '{{' that starts no placeholder such as {{name}} or {{name:STRING:1:50}}"
      )
    }
    const [first] = parts
    if (parts.length === 1 && first !== undefined && typeof first !== "string")
      return (pass) => read(first, pass)
    return (pass) =>
      parts.map((part) => (typeof part === "string" ? part : textOf(read(part, pass), part, pass))).join("")
  }

  fault(at: Path, rule: ActionTemplateFault["rule"], message: string): void {
    this.faults.push({ path: printPath(at), rule, message })
  }
}

/** Finds keys that start with `$`; stops where the input is too deep, or a cycle. */
const refuseOperators = (value: unknown, at: Path, faults: Array<ActionTemplateFault>): void => {
  if (at.length > maxDepth) {
    throw errorOf("The input is not valid", [
      { path: String(at[0]), rule: "depth", message: `nests deeper than ${maxDepth} levels` }
    ])
  }
  if (Array.isArray(value)) {
    for (const [i, element] of value.entries()) refuseOperators(element, [...at, i], faults)
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) {
      const path = [...at, key]
      if (key.startsWith("$")) {
        faults.push({
          path: printPath(path),
          rule: "operator",
          message: "starts with '$', which input may not"
        })
      }
      refuseOperators(value[key], path, faults)
    }
  }
}

/**
 * Reads the template of a stored action: any value in whose strings `{{path}}` stands for a part of
 * the input. `path` is a name with dots (`customer.address.city`, `items.0`); a type may follow:
 * `{{name:STRING:1:50}}`, `{{age:NUMBER:0:150}}`, `{{to:EMAIL}}`. Keys are never templates.
 *
 * Nothing is known here of what the places mean: `placeholders` and `RenderOptions.check` tell where
 * each value goes.
 *
 * @throws {ActionTemplateError} `VALIDATION_ERROR` with every malformed placeholder
 */
export const compileActionTemplate = (template: unknown): CompiledActionTemplate => {
  const reader = new Reader()
  const run = reader.value(template, [])
  if (reader.faults.length > 0) throw errorOf("The template is not valid", reader.faults)
  return {
    placeholders: reader.placeholders,
    render: (input, options = {}) => {
      const faults: Array<ActionTemplateFault> = []
      refuseOperators(input, [], faults)
      if (faults.length > 0) throw errorOf("The input is not valid", faults)
      const result = run({ input, options, faults })
      if (faults.length > 0) throw errorOf("The input is not valid", unique(faults))
      return result === dropped ? undefined : result
    }
  }
}

/** One input may stand in several places: each fault of it is told once. */
const unique = (faults: ReadonlyArray<ActionTemplateFault>): ReadonlyArray<ActionTemplateFault> => [
  ...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()
]
