import * as nodeCrypto from "node:crypto"
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scryptSync,
  timingSafeEqual
} from "node:crypto"
import { createRequire } from "node:module"
import { promisify } from "node:util"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { HashAlgorithm } from "./PreSaveOp.ts"

const version = "dtenc1"
const keys = new Map<string, Buffer>()

/** The key as it is used. Deriving it is slow on purpose, so each is derived once. */
const derived = (key: unknown): Buffer => {
  if (typeof key !== "string" || key === "") {
    throw invalid("key: missing. Give encrypt a key, or preSaveConfig an encryptionKey.", "key")
  }
  const id = createHash("sha256").update(key).digest("base64")
  const known = keys.get(id)
  if (known !== undefined) return known
  const made = scryptSync(key.normalize("NFKC"), "ductape field encryption", 32)
  if (keys.size >= 64) keys.clear()
  keys.set(id, made)
  return made
}

/** AES-256-GCM; the result says its version, so that it can be told from plain text and from later ones. */
export const encryptValue = (value: unknown, key: unknown, algorithm = "aes-256-gcm"): string => {
  if (algorithm !== "aes-256-gcm") {
    throw new DatabaseError({
      code: "UNSUPPORTED_OPERATION",
      message: "algorithm: values are encrypted with aes-256-gcm only."
    })
  }
  const iv = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", derived(key), iv)
  cipher.setAAD(Buffer.from(version))
  const plain = typeof value === "string" ? `s${value}` : `j${JSON.stringify(value)}`
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()])
  return `${version}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url")}`
}

/**
 * The value that `encrypt` sealed, with its type.
 *
 * @throws `VALIDATION_ERROR` for another key, a changed text, or one that is not encrypted
 */
export const decrypt = <T = string>(value: string, options: { readonly key: string }): T => {
  const refuse = (): DatabaseError =>
    invalid("decrypt: the key is not that of the value, or the value is not as it was encrypted.", "value")
  const [head, body] = typeof value === "string" ? value.split(".") : []
  if (head !== version || body === undefined) throw refuse()
  const bytes = Buffer.from(body, "base64url")
  if (bytes.length < 29) throw refuse()
  const decipher = createDecipheriv("aes-256-gcm", derived(options.key), bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(version))
  decipher.setAuthTag(bytes.subarray(12, 28))
  let plain: string
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8")
  } catch {
    throw refuse()
  }
  return (plain.startsWith("s") ? plain.slice(1) : JSON.parse(plain.slice(1))) as T
}

interface Bcrypt {
  readonly hash: (plain: string, rounds: number) => Promise<string>
  readonly compare: (plain: string, stored: string) => Promise<boolean>
  readonly compareSync: (plain: string, stored: string) => boolean
}

/** bcrypt reads 72 bytes; what lies behind would not count. */
const checkLength = (plain: string): void => {
  if (Buffer.byteLength(plain) > 72) {
    throw invalid("hash: bcrypt takes at most 72 bytes. Limit the length, or use argon2.", "hash")
  }
}

interface Argon2Parameters {
  readonly message: Buffer
  readonly nonce: Buffer
  readonly parallelism: number
  readonly tagLength: number
  readonly memory: number
  readonly passes: number
}

type Argon2 = (
  algorithm: "argon2id",
  parameters: Argon2Parameters,
  done: (error: Error | null, tag: Buffer) => void
) => void
type Argon2Sync = (algorithm: "argon2id", parameters: Argon2Parameters) => Buffer

const needArgon2 = (): DatabaseError =>
  new DatabaseError({
    code: "UNSUPPORTED_OPERATION",
    message: "hash: argon2 needs a Node.js that has it (24.7 or later). Use bcrypt, or update Node.js."
  })

/** In Node.js since 24.7. */
const argon2 = (): Argon2 => {
  const found = (nodeCrypto as unknown as { readonly argon2?: Argon2 }).argon2
  if (found === undefined) throw needArgon2()
  return found
}

const argon2Sync = (): Argon2Sync => {
  const found = (nodeCrypto as unknown as { readonly argon2Sync?: Argon2Sync }).argon2Sync
  if (found === undefined) throw needArgon2()
  return found
}

/** OWASP's parameters for argon2id: 19 MiB, two passes, one lane. */
const argonCost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }

const argonText = (nonce: Buffer, tag: Buffer): string => {
  const text = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "")
  const { memory, parallelism, passes } = argonCost
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(nonce)}$${text(tag)}`
}

const argonForm =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

const readArgon = (plain: string, stored: string) => {
  const match = argonForm.exec(stored)
  if (match === null) return undefined
  const [, memory, passes, parallelism, nonce = "", tag = ""] = match
  const expected = Buffer.from(tag, "base64")
  const parameters: Argon2Parameters = {
    message: Buffer.from(plain),
    nonce: Buffer.from(nonce, "base64"),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length
  }
  return { expected, parameters }
}

const digests = { sha256: 64, sha512: 128, md5: 32 } as const

/** bcrypt as `$2b$…`, argon2id in PHC form, the others as plain hexadecimal digests, which suit no password. */
export const hashText = async (
  plain: string,
  algorithm: HashAlgorithm,
  saltRounds: number
): Promise<string> => {
  switch (algorithm) {
    case "bcrypt": {
      if (!Number.isInteger(saltRounds) || saltRounds < 4 || saltRounds > 31) {
        throw invalid("saltRounds: expected a whole number from 4 to 31.", "saltRounds")
      }
      checkLength(plain)
      const { default: bcrypt } = await import("bcryptjs")
      return (bcrypt as Bcrypt).hash(plain, saltRounds)
    }
    case "argon2": {
      const nonce = randomBytes(16)
      const tag = await promisify(argon2())("argon2id", { ...argonCost, message: Buffer.from(plain), nonce })
      return argonText(nonce, tag as Buffer)
    }
    case "sha256":
    case "sha512":
    case "md5":
      return createHash(algorithm).update(plain).digest("hex")
    default:
      throw invalid("algorithm: expected bcrypt, argon2, sha256, sha512 or md5.", "algorithm")
  }
}

const sameDigest = (plain: string, stored: string): boolean => {
  for (const [algorithm, length] of Object.entries(digests)) {
    if (stored.length !== length || !/^[0-9a-f]+$/i.test(stored)) continue
    const own = createHash(algorithm).update(plain).digest()
    return timingSafeEqual(own, Buffer.from(stored, "hex"))
  }
  return false
}

const isBcrypt = (stored: string): boolean => /^\$2[aby]\$\d\d\$/.test(stored)
const longerThanBcrypt = (plain: string): boolean => Buffer.byteLength(plain) > 72

/**
 * Whether `stored` is a hash of `plain`, whichever algorithm made it. Blocks while bcrypt or argon2
 * work; servers use {@link verifyHashAsync}.
 */
export const verifyHash = (plain: string, stored: string): boolean => {
  if (typeof plain !== "string" || typeof stored !== "string") return false
  if (isBcrypt(stored)) {
    if (longerThanBcrypt(plain)) return false
    const bcrypt = createRequire(import.meta.url)("bcryptjs") as Bcrypt & { readonly default?: Bcrypt }
    return (bcrypt.default ?? bcrypt).compareSync(plain, stored)
  }
  const argon = readArgon(plain, stored)
  if (argon !== undefined) {
    return timingSafeEqual(argon2Sync()("argon2id", argon.parameters), argon.expected)
  }
  return sameDigest(plain, stored)
}

export const verifyHashAsync = async (plain: string, stored: string): Promise<boolean> => {
  if (typeof plain !== "string" || typeof stored !== "string") return false
  if (isBcrypt(stored)) {
    if (longerThanBcrypt(plain)) return false
    const { default: bcrypt } = await import("bcryptjs")
    return (bcrypt as Bcrypt).compare(plain, stored)
  }
  const argon = readArgon(plain, stored)
  if (argon !== undefined) {
    const tag = await promisify(argon2())("argon2id", argon.parameters)
    return timingSafeEqual(tag as Buffer, argon.expected)
  }
  return sameDigest(plain, stored)
}
