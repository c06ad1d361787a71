import { randomBytes } from "node:crypto"
import { decrypt, encrypt, hkdf } from "./Keyring.ts"
import { RegistryError } from "./RegistryError.ts"

/** An access key taken apart: `dk_<id>_<256 random bits>`. */
export interface AccessKey {
  readonly id: string
  readonly secret: Uint8Array
}

/** What the store keeps of an access key: the workspace key, wrapped under it. */
export interface WrappedKey {
  readonly id: string
  readonly name?: string
  /** AES-256-GCM, base64url. */
  readonly wrapped: string
  readonly createdAt: string
}

const form = /^dk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

/** One message for every way in which a key can be wrong, so that it tells nothing about others. */
export const accessKeyInvalid = (): RegistryError =>
  new RegistryError({
    code: "ACCESS_KEY_INVALID",
    message:
      "The access key does not open this workspace. Check that it was copied whole (dk_…) and that the store is the right one; any other key of the workspace opens it too."
  })

export const makeAccessKey = (): AccessKey & { readonly text: string } => {
  const id = randomBytes(8).toString("hex")
  const secret = randomBytes(32)
  return { id, secret, text: `dk_${id}_${secret.toString("base64url")}` }
}

/** `undefined` if it has not the form of an access key. */
export const parseAccessKey = (text: unknown): AccessKey | undefined => {
  const parts = typeof text === "string" ? form.exec(text.trim()) : null
  const [, id, encoded] = parts ?? []
  if (id === undefined || encoded === undefined) return undefined
  const secret = Buffer.from(encoded, "base64url")
  // The last character has two bits to spare: only one spelling of a key is that key.
  return secret.toString("base64url") === encoded ? { id, secret } : undefined
}

const wrappingKey = (key: AccessKey, workspaceId: string): Uint8Array =>
  hkdf(key.secret, workspaceId, `ductape/access-key/${key.id}`)

const bound = (key: AccessKey, workspaceId: string): string => `${workspaceId}/${key.id}`

export const wrapWorkspaceKey = (
  key: AccessKey,
  workspaceId: string,
  workspaceKey: Uint8Array,
  meta: { readonly name?: string | undefined; readonly createdAt: string }
): WrappedKey => ({
  id: key.id,
  ...(meta.name === undefined ? {} : { name: meta.name }),
  wrapped: encrypt(wrappingKey(key, workspaceId), workspaceKey, bound(key, workspaceId)).toString(
    "base64url"
  ),
  createdAt: meta.createdAt
})

/** Unwrapped in place of a key that is not there, so that both answers cost the same. */
const decoy = randomBytes(12 + 32 + 16)

/** The workspace key, or `undefined`. An unknown id takes the same work as a wrong secret. */
export const unwrapWorkspaceKey = (
  key: AccessKey,
  workspaceId: string,
  wrapped: WrappedKey | undefined
): Uint8Array | undefined => {
  const sealed = wrapped === undefined ? decoy : Buffer.from(wrapped.wrapped, "base64url")
  const opened = decrypt(wrappingKey(key, workspaceId), sealed, bound(key, workspaceId))
  return wrapped !== undefined && opened?.length === 32 ? new Uint8Array(opened) : undefined
}
