import { ActionError } from "../ActionError.ts"
import { isPlainObject } from "../request/plainObject.ts"
import type { FlatCredentials } from "./CredentialBook.ts"

/** Token values by name, such as `{ accessToken, refreshToken }`. */
export type OAuthTokens = Readonly<Record<string, string>>

export interface OAuthRefresh {
  /** What is left out, such as a refresh token that did not change, is kept. */
  readonly tokens: Readonly<Record<string, unknown>>
  /** Unix milliseconds; wins over `expiresIn`. */
  readonly expiresAt?: number | undefined
  /** Seconds. */
  readonly expiresIn?: number | undefined
}

/** Keeps an app's OAuth tokens and refreshes them. */
export interface OAuthConfig {
  /** Access tag of the connection, or tag of the app. */
  readonly app: string
  readonly product?: string | undefined
  readonly product_tag?: string | undefined
  readonly env?: string | undefined
  /**
   * The tokens that you start with, plain or as `$Secret{KEY}`. Later calls with the same initial
   * values keep the tokens that refreshing has led to since.
   */
  readonly tokens: Readonly<Record<string, string>>
  /** Unix milliseconds; wins over `expiresIn`. Without either: in one hour. */
  readonly expiresAt?: number | undefined
  /** Seconds. */
  readonly expiresIn?: number | undefined
  /** Where the tokens go in a request, in flat form: `{ 'headers:Authorization': … }`. */
  readonly credentials: (tokens: OAuthTokens) => FlatCredentials
  /** Gets new tokens. Runs of this app that it makes are sent without these credentials. */
  readonly onExpiry: (tokens: OAuthTokens) => Promise<OAuthRefresh>
  /** Milliseconds before expiry at which tokens are refreshed. Default: 60000; at most half the lifetime. */
  readonly refreshBuffer?: number | undefined
}

const hour = 3_600_000

const invalid = (path: string, message: string): never => {
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `api.oauth({ ${path} }): ${message}.`,
    details: [{ location: "oauth", path, rule: "type", message }]
  })
}

const isMoment = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value)

/** @throws {ActionError} `VALIDATION_ERROR` */
export const checkOAuthConfig = (config: OAuthConfig): void => {
  if (typeof config !== "object" || config === null) invalid("…", "takes an object")
  if (typeof config.app !== "string" || config.app === "") invalid("app", "must be a non-empty string")
  if (typeof config.credentials !== "function") invalid("credentials", "must be a function of the tokens")
  if (typeof config.onExpiry !== "function") invalid("onExpiry", "must be a function")
  if (!isPlainObject(config.tokens) || Object.keys(config.tokens).length === 0) {
    invalid("tokens", "must be an object such as { accessToken, refreshToken }")
  }
  for (const [name, value] of Object.entries(config.tokens)) {
    if (typeof value !== "string" || value === "") invalid(`tokens.${name}`, "must be a non-empty string")
  }
  for (const path of ["expiresAt", "expiresIn"] as const) {
    if (config[path] !== undefined && !isMoment(config[path])) invalid(path, "must be a number")
  }
  const buffer = config.refreshBuffer
  if (buffer !== undefined && !(isMoment(buffer) && buffer >= 0)) {
    invalid("refreshBuffer", "must be a number of milliseconds of at least 0")
  }
}

/** When tokens obtained `now` run out. */
export const expiryOf = (given: Pick<OAuthRefresh, "expiresAt" | "expiresIn">, now: number): number =>
  isMoment(given.expiresAt)
    ? (given.expiresAt as number)
    : now + (isMoment(given.expiresIn) ? (given.expiresIn as number) * 1000 : hour)

/** The key of `$Secret{KEY}`, if that is all of the text. */
export const secretKeyOf = (value: string): string | undefined =>
  /^\$Secret\{([A-Za-z_][A-Za-z0-9_.-]{0,127})\}$/.exec(value)?.[1]

/** `OAUTH_MY_SHOP_CRM_PRD_ACCESSTOKEN` */
export const generatedKey = (product: string, app: string, env: string, token: string): string =>
  `OAUTH_${[product, app, env, token].join("_")}`
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, "_")
    .slice(0, 128)

/** The tokens of a refresh as text, or what is wrong with it. */
export const refreshedTokens = (result: unknown): OAuthTokens | string => {
  if (!isPlainObject(result) || !isPlainObject(result["tokens"])) return "it returned no { tokens }"
  const tokens: Record<string, string> = {}
  for (const [name, value] of Object.entries(result["tokens"])) {
    if (value === undefined || value === null || value === "") continue
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      tokens[name] = String(value)
    } else return `its token '${name}' is not a string`
  }
  return Object.keys(tokens).length === 0 ? "it returned no tokens" : tokens
}
