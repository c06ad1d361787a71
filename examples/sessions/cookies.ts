import type { SessionTokens } from "@ductape/sessions"

// `__Host-`: a browser takes the cookie only when it is Secure, for this host alone and for all its paths.
const access = "__Host-access"
const refresh = "__Secure-refresh"
// No script can read either; the refresh token goes to /auth only, and never with another site's request.
const accessScope = "Path=/; HttpOnly; Secure; SameSite=Lax"
const refreshScope = "Path=/auth; HttpOnly; Secure; SameSite=Strict"

/** `Set-Cookie` headers for new tokens. The refresh cookie lives as long as `refresh_expiry`. */
export const tokenCookies = ({ token, refreshToken, expiresAt }: SessionTokens): Array<string> => [
  `${access}=${token}; ${accessScope}; Expires=${expiresAt.toUTCString()}`,
  `${refresh}=${refreshToken}; ${refreshScope}; Max-Age=2592000`
]

export const clearedCookies: Array<string> = [
  `${access}=; ${accessScope}; Max-Age=0`,
  `${refresh}=; ${refreshScope}; Max-Age=0`
]

/** The tokens in a `Cookie` header. */
export const readCookies = (header: string | null | undefined) => {
  const cookies = new Map(
    (header ?? "").split("; ").map((pair) => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    })
  )
  return { token: cookies.get(access), refreshToken: cookies.get(refresh) }
}

/** Browsers say where a request that changes something comes from; refuse what comes from elsewhere. */
export const isSameOrigin = (origin: string | null | undefined, host: string | null | undefined): boolean =>
  origin === null || origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
