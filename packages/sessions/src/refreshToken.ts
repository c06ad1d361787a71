import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import type { Keyring } from "@ductape/registry"

/**
 * `<id>:<secret>`. The secret is 32 random bytes, kept only as its SHA-256. The id says which session
 * and which turn of its rotation, under a MAC that also covers the secret's digest: so a token that was
 * never issued is told from a retired one without a list of all retired ones, and before the store is
 * asked. Text of 50 + 1 + 43 base64url characters.
 *
 * id = session (16 bytes), generation (4), kind (1), MAC (16, HMAC-SHA-256 cut to 128 bits)
 */
export interface RefreshToken {
  readonly sessionId: string
  readonly generation: number
  /** Issued beside the generation's own token, to one who came with its predecessor within the leeway. */
  readonly sibling: boolean
  /** SHA-256 of the secret, base64url. */
  readonly digest: string
}

const idBytes = 37
const secretBytes = 32
const form = /^[A-Za-z0-9_-]{50}:[A-Za-z0-9_-]{43}$/

const digestOf = (secret: Buffer): string => createHash("sha256").update(secret).digest("base64url")

/** The 21 bytes that say which token it is. */
const head = ({ sessionId, generation, sibling }: Omit<RefreshToken, "digest">): Buffer => {
  const bytes = Buffer.alloc(21)
  bytes.write(sessionId.replaceAll("-", ""), 0, "hex")
  bytes.writeUInt32BE(generation, 16)
  bytes.writeUInt8(sibling ? 1 : 0, 20)
  return bytes
}

const macOf = (keyring: Keyring, scope: string, named: Buffer, digest: string): Buffer =>
  Buffer.from(
    keyring.mac("session-refresh", JSON.stringify([scope, named.toString("hex"), digest])),
    "hex"
  ).subarray(0, 16)

/** A new token with its own secret. */
export const issueRefreshToken = (
  keyring: Keyring,
  scope: string,
  named: Omit<RefreshToken, "digest">
): { readonly token: string; readonly digest: string } => {
  const secret = randomBytes(secretBytes)
  const digest = digestOf(secret)
  const first = head(named)
  const id = Buffer.concat([first, macOf(keyring, scope, first, digest)])
  return { token: `${id.toString("base64url")}:${secret.toString("base64url")}`, digest }
}

/** Compares digests of equal length in constant time. */
export const sameDigest = (a: string, b: string): boolean => {
  const [x, y] = [Buffer.from(a, "base64url"), Buffer.from(b, "base64url")]
  return x.length === y.length && timingSafeEqual(x, y)
}

/** What the token names, if this workspace issued it for this scope; retired or not. */
export const readRefreshToken = (
  keyring: Keyring,
  scope: string,
  token: unknown
): RefreshToken | undefined => {
  if (typeof token !== "string" || !form.test(token)) return undefined
  const [idText = "", secretText = ""] = token.split(":")
  const id = Buffer.from(idText, "base64url")
  const secret = Buffer.from(secretText, "base64url")
  if (id.length !== idBytes || secret.length !== secretBytes) return undefined
  // Several spellings decode to the same bytes; only the one that was issued is the token.
  if (id.toString("base64url") !== idText || secret.toString("base64url") !== secretText) return undefined
  const digest = digestOf(secret)
  if (!timingSafeEqual(id.subarray(21), macOf(keyring, scope, id.subarray(0, 21), digest))) return undefined
  const hex = id.toString("hex", 0, 16)
  const sessionId = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20)
  ].join("-")
  return { sessionId, generation: id.readUInt32BE(16), sibling: id.readUInt8(20) === 1, digest }
}
