import { type ContextDefaults, compileValue } from "@ductape/core"
import { ActionError } from "../ActionError.ts"
import { isPlainObject } from "../request/plainObject.ts"

/** Credentials for every run of an app, kept in memory. */
export interface CredentialConfig {
  /** Access tag of the connection, or tag of the app. */
  readonly app: string
  /** In flat form; values may be templates, resolved at each run. */
  readonly credentials: Readonly<Record<string, unknown>>
  readonly product?: string | undefined
  readonly product_tag?: string | undefined
  readonly env?: string | undefined
}

export type FlatCredentials = Readonly<Record<string, unknown>>

const invalid = (path: string, message: string): never => {
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `api.config({ ${path} }): ${message}.`,
    details: [{ location: "config", path, rule: "type", message }]
  })
}

const any = "*"

const keyOf = (product: string | undefined, env: string | undefined, app: string): string =>
  `${product ?? any}\0${env ?? any}\0${app}`

/**
 * What `api.config()` was told. Synchronous and without I/O, so that it works before anything is
 * opened. Values are in private fields: nothing prints them.
 */
export class CredentialBook {
  readonly #entries = new Map<string, FlatCredentials>()
  readonly #defaults: ContextDefaults
  #version = 0

  /** `defaults`: product and env of entries that name none. */
  constructor(defaults: ContextDefaults = {}) {
    this.#defaults = defaults
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  /**
   * Replaces the credentials of (product, env, app). Without a product or env, here or by default,
   * they are those of every one.
   *
   * @throws {ActionError} `VALIDATION_ERROR`; {@link TemplateError} for a template that cannot be read
   */
  config(input: CredentialConfig): void {
    if (!isPlainObject(input)) invalid("…", "takes an object")
    const { app, credentials } = input
    if (typeof app !== "string" || app === "") invalid("app", "must be a non-empty string")
    if (!isPlainObject(credentials)) invalid("credentials", "must be an object")
    const product = input.product ?? input.product_tag ?? this.#defaults.product
    const env = input.env ?? this.#defaults.env
    for (const [field, value] of Object.entries({ product, env })) {
      if (value !== undefined && (typeof value !== "string" || value === "")) {
        invalid(field, "must be a non-empty string")
      }
    }
    for (const key of Object.keys(credentials)) {
      if (/^(?:body|query|params|headers?|cookies):$/.test(key)) {
        invalid("credentials", `the key '${key}' names no field`)
      }
    }
    compileValue(credentials, "definition")
    this.#entries.set(keyOf(product, env, app), { ...credentials })
    this.#version += 1
  }

  /** The most specific entry, by the first of `names` that has one. */
  find(product: string, env: string, names: ReadonlyArray<string>): FlatCredentials | undefined {
    if (this.#entries.size === 0) return undefined
    for (const [p, e] of [
      [product, env],
      [product, undefined],
      [undefined, env],
      [undefined, undefined]
    ] as const) {
      for (const name of names) {
        const found = this.#entries.get(keyOf(p, e, name))
        if (found !== undefined) return found
      }
    }
    return undefined
  }
}
