import { hash } from "node:crypto"
import type { Scope } from "./SessionKeys.ts"
import type { SessionData } from "./sessionData.ts"

/** A token whose signature and claims were found right once; times and session are checked each time. */
export interface VerifiedToken {
  readonly scope: Scope
  readonly kid: string
  readonly sessionId: string
  readonly subject: string
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  /** Frozen. */
  readonly data: SessionData
  /** Of the session: what its record said last, and which state of the store and the registry said so. */
  identifier: string
  version: number
  changes: number | undefined
  revision: number | undefined
  /** Unix milliseconds of when `last_seen` was last written, as far as is known here. */
  touchedAt: number
}

export const tokenDigest = (jwt: string): string => hash("sha256", jwt, "hex")

/**
 * Verified tokens by the digest of the whole token, never by a part of it. Two halves: the newer one
 * fills up, then takes the place of the older, so what was used lately stays and neither a list nor a
 * timer is kept.
 */
export class VerifiedTokens {
  #newer = new Map<string, VerifiedToken>()
  #older = new Map<string, VerifiedToken>()
  readonly #half: number

  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2)
  }

  get size(): number {
    return this.#newer.size + this.#older.size
  }

  get(digest: string): VerifiedToken | undefined {
    const found = this.#newer.get(digest)
    if (found !== undefined) return found
    const older = this.#older.get(digest)
    if (older === undefined) return undefined
    this.#older.delete(digest)
    this.set(digest, older)
    return older
  }

  set(digest: string, token: VerifiedToken): void {
    if (this.#half === 0) return
    if (this.#newer.size >= this.#half) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(digest, token)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }
}
