import { randomUUID } from "node:crypto"
import { type Scope, type SessionKey, scopeName } from "./SessionKeys.ts"
import type { SessionData } from "./sessionData.ts"

/** Why `verify` refused a token. For logs: an end user learns no more than that it was refused. */
export type RefusalReason =
  | "malformed"
  | "signature"
  | "wrong_tag"
  | "wrong_context"
  | "expired"
  | "not_yet_valid"
  | "revoked"

export interface Claims {
  readonly iss: string
  readonly aud: string
  readonly sub: string
  readonly sid: string
  readonly jti: string
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  /** The session data as a compact JWE. */
  readonly data: string
}

/** Longer ones are not even parsed. */
export const tokenLimit = 16_384
/** Seconds that clocks may differ. */
export const leeway = 5

const typ = "ductape-session+jwt"
const numericClaims = ["iat", "nbf", "exp"] as const
const textClaims = ["iss", "aud", "sub", "sid", "jti", "data"] as const

/** Loaded at the first token, so that importing this package stays cheap. */
let jose: Promise<typeof import("jose")> | undefined
export const loadJose = (): Promise<typeof import("jose")> => {
  jose ??= import("jose")
  return jose
}

export const issuer = (workspaceId: string): string => `ductape:${workspaceId}`

/** Signs a token over the data, which is encrypted under the second key. */
export const issueToken = async (
  key: SessionKey,
  claims: Omit<Claims, "data" | "jti" | "aud">,
  data: string
): Promise<string> => {
  const { CompactEncrypt, SignJWT } = await loadJose()
  const encrypted = await new CompactEncrypt(new TextEncoder().encode(data))
    .setProtectedHeader({ alg: "dir", enc: key.enc })
    .encrypt(await key.encryption())
  return new SignJWT({ ...claims, aud: scopeName(key), jti: randomUUID(), data: encrypted })
    .setProtectedHeader({ alg: key.alg, typ, kid: key.kid })
    .sign(await key.signing())
}

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
const sessionPrefix = new RegExp(`^(${uuid})(?::|$)`)
const bearer = /^bearer +/i

/** A token taken apart, nothing of it verified yet. */
export interface TokenText {
  readonly jwt: string
  /** What stood before the JWT, if anything. */
  readonly tag: string | undefined
  readonly sessionId: string | undefined
}

/** Reads `jwt`, `tag:jwt`, `sessionId:tag:jwt`, each after an optional `Bearer `. */
export const splitToken = (token: unknown): TokenText | undefined => {
  if (typeof token !== "string" || token.length > tokenLimit) return undefined
  const bare = bearer.test(token) ? token.replace(bearer, "") : token
  const at = bare.lastIndexOf(":")
  if (at < 0) return { jwt: bare, tag: undefined, sessionId: undefined }
  const prefix = bare.slice(0, at)
  const jwt = bare.slice(at + 1)
  const sessionId = prefix.includes(":") ? sessionPrefix.exec(prefix)?.[1] : undefined
  if (sessionId === undefined) return { jwt, tag: prefix, sessionId }
  return { jwt, tag: prefix.slice(sessionId.length + 1), sessionId }
}

const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** base64url has several spellings of the same bytes; only the one that an encoder writes is a token. */
const isCanonical = (part: string): boolean => Buffer.from(part, "base64url").toString("base64url") === part

const parseObject = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const hasExactly = (header: object, names: ReadonlyArray<string>): boolean =>
  Object.keys(header).length === names.length && names.every((name) => Object.hasOwn(header, name))

/**
 * The `kid` and `alg` that the header states. A header with anything beside `alg`, `typ` and `kid`
 * (`crit`, `jwk`, `jku`, `x5u`, `x5c`, `zip`, `b64`) is none of ours.
 */
export const readHeader = (
  jwt: string
): { readonly kid: string; readonly alg: string; readonly typ: string } | undefined => {
  if (!compact.test(jwt) || !jwt.split(".").every(isCanonical)) return undefined
  const header = parseObject(Buffer.from(jwt.slice(0, jwt.indexOf(".")), "base64url"))
  if (header === undefined || !hasExactly(header, ["alg", "typ", "kid"])) return undefined
  const { kid, alg, typ } = header
  return typeof kid === "string" && typeof alg === "string" && typeof typ === "string"
    ? { kid, alg, typ }
    : undefined
}

/** Whether the times allow the token now (Unix milliseconds), give or take the leeway. */
export const timeRefusal = (
  { iat, nbf, exp }: Pick<Claims, "iat" | "nbf" | "exp">,
  now: number
): "expired" | "not_yet_valid" | undefined => {
  const at = Math.floor(now / 1_000)
  if (nbf > at + leeway || iat > at + leeway) return "not_yet_valid"
  return exp <= at - leeway ? "expired" : undefined
}

export type Opened =
  | { readonly claims: Claims; readonly data: SessionData }
  | { readonly refused: RefusalReason }

const refuse = (refused: RefusalReason): Opened => ({ refused })

const isClaims = (payload: Readonly<Record<string, unknown>>): boolean =>
  numericClaims.every((name) => Number.isFinite(payload[name])) &&
  textClaims.every((name) => typeof payload[name] === "string")

/**
 * Verifies a token under the key that its `kid` names, for the scope that the caller is in: signature
 * first, then type, issuer, audience and times, then the data is decrypted. What is accepted comes from
 * the key's record; the header's `alg` only has to equal it.
 */
export const openToken = async (
  jwt: string,
  header: { readonly alg: string; readonly typ: string },
  key: SessionKey,
  expected: { readonly scope: Scope; readonly issuer: string; readonly now: number }
): Promise<Opened> => {
  if (header.alg !== key.alg) return refuse("signature")
  const { compactDecrypt, errors, jwtVerify } = await loadJose()
  let claims: Claims
  try {
    const { payload } = await jwtVerify(jwt, await key.signing(), {
      algorithms: [key.alg],
      typ,
      issuer: expected.issuer,
      audience: scopeName(expected.scope),
      requiredClaims: [...numericClaims, ...textClaims],
      clockTolerance: leeway,
      currentDate: new Date(expected.now)
    })
    if (!isClaims(payload) || header.typ !== typ) return refuse("malformed")
    claims = payload as unknown as Claims
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) return refuse("expired")
    if (cause instanceof errors.JWTClaimValidationFailed) {
      if (cause.reason !== "check_failed") return refuse("malformed")
      if (cause.claim === "nbf") return refuse("not_yet_valid")
      if (cause.claim === "iss") return refuse("wrong_context")
      if (cause.claim !== "aud") return refuse("malformed")
      const { product, env } = expected.scope
      return refuse(key.product === product && key.env === env ? "wrong_tag" : "wrong_context")
    }
    return refuse(
      cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof errors.JOSEAlgNotAllowed
        ? "signature"
        : "malformed"
    )
  }
  const time = timeRefusal(claims, expected.now)
  if (time !== undefined) return refuse(time)
  const [first = ""] = claims.data.split(".", 1)
  const inner = parseObject(Buffer.from(first, "base64url"))
  // Without this, a signer's mistake could have us inflate what was compressed.
  if (inner === undefined || !hasExactly(inner, ["alg", "enc"])) return refuse("malformed")
  try {
    const { plaintext } = await compactDecrypt(claims.data, await key.encryption(), {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: [key.enc]
    })
    const data = parseObject(plaintext)
    return data === undefined ? refuse("malformed") : { claims, data }
  } catch {
    return refuse("malformed")
  }
}
