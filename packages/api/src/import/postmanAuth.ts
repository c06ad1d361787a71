import type { AuthDefinition } from "@ductape/registry"
import { isForbiddenName, isRecord, type JsonRecord, own, textIn } from "./json.ts"
import { kebab } from "./tags.ts"
import type { Warnings } from "./Warnings.ts"

export interface AuthReading {
  /** `undefined`: no auth on purpose. */
  readonly definition: AuthDefinition | undefined
  /** Headers that carry credentials, and so are no fields. */
  readonly headerNames: ReadonlyArray<string>
}

/** The settings of an auth type: a list of `{ key, value }`. */
const settings = (auth: JsonRecord, type: string): ReadonlyMap<string, unknown> => {
  const written = own(auth, type)
  if (isRecord(written)) return new Map(Object.entries(written))
  const found = new Map<string, unknown>()
  for (const entry of Array.isArray(written) ? written : []) {
    if (isRecord(entry)) found.set(textIn(entry, "key") ?? "", own(entry, "value"))
  }
  return found
}

const setting = (found: ReadonlyMap<string, unknown>, key: string): string | undefined => {
  const value = found.get(key)
  return typeof value === "string" && value !== "" && !value.includes("{{") ? value : undefined
}

const defined = (tag: string, name: string, tokens: NonNullable<AuthDefinition["tokens"]>): AuthReading => ({
  definition: { tag, name, setup_type: "token_access", tokens },
  headerNames: Object.keys(tokens.headers ?? {})
})

/**
 * The auth of a request; values in the collection are never kept. `undefined`: none is given, or
 * one that Ductape cannot send.
 */
export const readAuth = (written: unknown, warnings: Warnings, place: string): AuthReading | undefined => {
  if (!isRecord(written)) return undefined
  const type = textIn(written, "type") ?? ""
  const found = settings(written, type)
  switch (type) {
    case "noauth":
      return { definition: undefined, headerNames: [] }
    case "bearer":
      return defined("bearer", "Bearer token", { headers: { Authorization: "Bearer <token>" } })
    case "basic":
      return defined("basic", "Basic", { headers: { Authorization: "Basic <base64 of user:password>" } })
    case "apikey": {
      const name = setting(found, "key") ?? "X-API-Key"
      if (isForbiddenName(name)) return undefined
      const tag = kebab(name) || "api-key"
      const sample = { [name]: "<key>" }
      return setting(found, "in") === "query"
        ? defined(`${tag}-query`, `API key ${name}`, { query: sample })
        : defined(tag, `API key ${name}`, { headers: sample })
    }
    case "oauth2": {
      if (setting(found, "addTokenTo") === "queryParams") {
        return defined("oauth2-query", "OAuth 2.0", { query: { access_token: "<access token>" } })
      }
      const prefix = setting(found, "headerPrefix")?.trim() ?? "Bearer"
      const tag = prefix === "Bearer" ? "oauth2" : `oauth2-${kebab(prefix)}`
      return defined(tag, "OAuth 2.0", { headers: { Authorization: `${prefix} <access token>` } })
    }
    default:
      warnings.add(
        `the auth type '${type.slice(0, 30)}' is not supported; set its credentials with config()`,
        place
      )
      return undefined
  }
}
