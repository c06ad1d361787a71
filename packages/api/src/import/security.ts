import type { AuthDefinition } from "@ductape/registry"
import { isForbiddenName, isRecord, type JsonRecord, own, recordIn, shorten, textIn } from "./json.ts"
import type { Schemas } from "./Schemas.ts"
import { kebab } from "./tags.ts"

type Tokens = NonNullable<AuthDefinition["tokens"]>

/** Where the credentials of a scheme go, with samples; `undefined` if Ductape cannot send them. */
const tokensOf = (scheme: JsonRecord): Tokens | undefined => {
  const bearer = { headers: { Authorization: "Bearer <token>" } }
  switch (textIn(scheme, "type")) {
    case "http":
      switch (textIn(scheme, "scheme")?.toLowerCase()) {
        case "bearer":
          return bearer
        case "basic":
          return { headers: { Authorization: "Basic <base64 of user:password>" } }
        default:
          return undefined
      }
    case "oauth2":
    case "openIdConnect":
      return bearer
    case "apiKey": {
      const name = textIn(scheme, "name")
      if (name === undefined || name === "" || isForbiddenName(name)) return undefined
      const sample = { [name]: "<key>" }
      switch (textIn(scheme, "in")) {
        case "header":
          return { headers: sample }
        case "query":
          return { query: sample }
        case "cookie":
          return { cookies: sample }
        default:
          return undefined
      }
    }
    default:
      return undefined
  }
}

const sections = ["params", "query", "body", "headers", "cookies"] as const

const merge = (all: ReadonlyArray<Tokens>): Tokens => {
  const merged: Record<string, Record<string, unknown>> = {}
  for (const tokens of all) {
    for (const section of sections) {
      if (tokens[section] !== undefined) merged[section] = { ...merged[section], ...tokens[section] }
    }
  }
  return merged
}

/** Reads security schemes, and what each operation wants of them. */
export class SecurityReader {
  readonly #schemas: Schemas
  readonly #schemes: JsonRecord
  readonly #definitions = new Map<string, AuthDefinition>()
  readonly #tags = new Map<string, string>()

  constructor(schemas: Schemas) {
    this.#schemas = schemas
    this.#schemes = recordIn(recordIn(schemas.root, "components"), "securitySchemes")
    // Each supported scheme is defined, used or not: which one a connection takes is the user's choice.
    for (const name of Object.keys(this.#schemes)) this.#define([name])
  }

  definitions(): ReadonlyArray<AuthDefinition> {
    return [...this.#definitions.values()]
  }

  /**
   * `security` as it is effective for one operation: the tag of the first alternative that can be
   * sent, `false` for none at all, `undefined` where the document says nothing or nothing usable.
   */
  auth(security: unknown): string | false | undefined {
    if (!Array.isArray(security)) return undefined
    const alternatives = security.filter(isRecord)
    const named = alternatives.filter((one) => Object.keys(one).length > 0)
    if (named.length === 0) return false
    for (const alternative of named) {
      const tag = this.#define(Object.keys(alternative))
      if (tag !== undefined) return tag
    }
    return undefined
  }

  /** The definition that sends all of these schemes at once. */
  #define(names: ReadonlyArray<string>): string | undefined {
    const id = [...names].sort().join(" ")
    const known = this.#tags.get(id)
    if (known !== undefined) return known
    const found: Array<{ name: string; scheme: JsonRecord; tokens: Tokens }> = []
    for (const name of names) {
      const scheme = this.#schemas.follow(own(this.#schemes, name))
      const tokens = isRecord(scheme) ? tokensOf(scheme) : undefined
      if (!isRecord(scheme) || tokens === undefined) {
        const kind = isRecord(scheme)
          ? [textIn(scheme, "type"), textIn(scheme, "scheme")].filter((part) => part !== undefined).join(" ")
          : "is not defined"
        this.#schemas.warnings.add(
          `the security scheme '${name.slice(0, 60)}' (${kind.slice(0, 60)}) is not supported; set its credentials with config()`
        )
        return undefined
      }
      found.push({ name, scheme, tokens })
    }
    const base = kebab(found.map(({ name }) => name).join(" ")) || "auth"
    let tag = base
    for (let n = 2; this.#definitions.has(tag); n++) tag = `${base}-${n}`
    const description = shorten(found.map(({ scheme }) => textIn(scheme, "description") ?? "").join(" "), 200)
    this.#definitions.set(tag, {
      tag,
      name: found.map(({ name }) => name).join(" + "),
      ...(description === undefined ? {} : { description }),
      setup_type: "token_access",
      tokens: merge(found.map(({ tokens }) => tokens))
    })
    this.#tags.set(id, tag)
    return tag
  }
}
