import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"
import { RegistryError } from "./RegistryError.ts"

/** The workspace's keys: everything is derived from its random 256-bit key, one subkey per purpose. */
export interface Keyring {
  /** 32 bytes by HKDF-SHA-256 (RFC 5869) with `purpose` as info. Kept, so cheap to ask again. */
  readonly subkey: (purpose: string) => Uint8Array
  /**
   * AES-256-GCM under a key of the purpose, with a fresh 96-bit nonce; `associated` must be the same
   * at `open`. Text of the form `v1.<base64url>`.
   */
  readonly seal: (purpose: string, plaintext: string | Uint8Array, associated: string) => string
  /** @throws {RegistryError} `SEAL_BROKEN` if anything of it was changed, naming nothing of the content */
  readonly open: (purpose: string, sealed: string, associated: string) => Uint8Array
  /** HMAC-SHA-256 under a key of the purpose, in hex. Sealing, MACs and `subkey` never share a key. */
  readonly mac: (purpose: string, data: string | Uint8Array) => string
}

const nonceLength = 12
const tagLength = 16
/** Purposes may be made from data, such as a session's key id: the table must not grow for ever. */
const maxSubkeys = 4_096

export const hkdf = (key: Uint8Array, salt: string, info: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", key, salt, info, 32))

/** AES-256-GCM: nonce, ciphertext and tag in one piece. */
export const encrypt = (key: Uint8Array, plaintext: string | Uint8Array, associated: string): Buffer => {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv("aes-256-gcm", key, nonce)
  cipher.setAAD(Buffer.from(associated, "utf8"))
  const text = typeof plaintext === "string" ? Buffer.from(plaintext, "utf8") : plaintext
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

/** `undefined` if key, text or `associated` are not those that it was encrypted with. */
export const decrypt = (key: Uint8Array, sealed: Uint8Array, associated: string): Buffer | undefined => {
  if (sealed.length < nonceLength + tagLength) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceLength), {
    authTagLength: tagLength
  })
  decipher.setAAD(Buffer.from(associated, "utf8"))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  try {
    const text = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength))
    return Buffer.concat([text, decipher.final()])
  } catch {
    return undefined
  }
}

/** The keyring of a workspace, from its random 256-bit key. */
export const makeKeyring = (workspaceKey: Uint8Array, workspaceId: string): Keyring => {
  const kept = new Map<string, Uint8Array>()
  const derive = (info: string): Uint8Array => {
    const known = kept.get(info)
    if (known !== undefined) return known
    if (kept.size >= maxSubkeys) kept.clear()
    const key = hkdf(workspaceKey, workspaceId, info)
    kept.set(info, key)
    return key
  }
  return {
    // A copy: what a caller does to it must not reach the next one.
    subkey: (purpose) => derive(`ductape/subkey/${purpose}`).slice(),
    seal: (purpose, plaintext, associated) =>
      `v1.${encrypt(derive(`ductape/seal/${purpose}`), plaintext, associated).toString("base64url")}`,
    open: (purpose, sealed, associated) => {
      const opened = sealed.startsWith("v1.")
        ? decrypt(derive(`ductape/seal/${purpose}`), Buffer.from(sealed.slice(3), "base64url"), associated)
        : undefined
      if (opened === undefined) {
        throw new RegistryError({
          code: "SEAL_BROKEN",
          message: `A sealed value (${purpose}) could not be opened: it was changed, moved, or sealed in another workspace.`,
          details: { purpose }
        })
      }
      return new Uint8Array(opened)
    },
    mac: (purpose, data) =>
      createHmac("sha256", derive(`ductape/mac/${purpose}`))
        .update(data)
        .digest("hex")
  }
}
