import { randomBytes } from "node:crypto"
import type { RegistryError, RegistryShape, StoredRecord } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type SessionError, storeFailed } from "./SessionError.ts"

/** Where sessions of one configuration live. */
export interface Scope {
  readonly product: string
  readonly env: string
  readonly tag: string
}

/** `<product>/<env>/<tag>`: the audience of its tokens. Neither env nor tag can hold a `/`. */
export const scopeName = ({ product, env, tag }: Scope): string => `${product}/${env}/${tag}`

/** A key as the store has it: for which tokens, and for which algorithm. Its bytes are derived, never stored. */
export interface KeyRecord extends Scope {
  readonly kid: string
  readonly alg: "HS256"
  readonly enc: "A256GCM"
  /** Unix milliseconds. The newest of a scope signs. */
  readonly createdAt: number
}

export interface SessionKey extends KeyRecord {
  /** Imported once, not extractable. */
  readonly signing: () => Promise<CryptoKey>
  readonly encryption: () => Promise<CryptoKey>
}

export interface SessionKeys {
  /** The key that signs now; made at the first use of a scope. */
  readonly newest: (scope: Scope) => Effect.Effect<SessionKey, SessionError>
  /** By the `kid` of a token: an opaque value, looked up whole. */
  readonly find: (kid: string) => Effect.Effect<SessionKey | undefined, SessionError>
  readonly all: (scope: Scope) => Effect.Effect<ReadonlyArray<SessionKey>, SessionError>
  /** Makes a new key, which signs from now on, and removes those named. */
  readonly rotate: (scope: Scope, drop: ReadonlyArray<string>) => Effect.Effect<SessionKey, SessionError>
}

const kind = "session-key"
const kidPattern = /^[A-Za-z0-9_-]{22}$/

const once = <A>(make: () => Promise<A>): (() => Promise<A>) => {
  let made: Promise<A> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** `subkey` hands out its own bytes; copied, so that they are an ArrayBuffer of nothing else. */
const bytes = (key: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(key)

/** Keys of all scopes, kept in memory until the registry's revision changes. */
export const makeSessionKeys = (registry: RegistryShape): SessionKeys => {
  const byKid = new Map<string, SessionKey>()
  const newestOf = new Map<string, SessionKey>()
  let seen = -1

  const failed = (operation: string) => (cause: RegistryError) => storeFailed(operation, cause)

  const open = (record: KeyRecord): SessionKey => {
    // The path of derivation, as a JSON list: no two scopes can spell the same one.
    const derive = (purpose: string) =>
      bytes(
        registry.keyring.subkey(JSON.stringify([purpose, record.product, record.env, record.tag, record.kid]))
      )
    return {
      ...record,
      signing: once(() =>
        crypto.subtle.importKey("raw", derive("session-sign"), { name: "HMAC", hash: "SHA-256" }, false, [
          "sign",
          "verify"
        ])
      ),
      encryption: once(() =>
        crypto.subtle.importKey("raw", derive("session-encrypt"), { name: "AES-GCM" }, false, [
          "encrypt",
          "decrypt"
        ])
      )
    }
  }

  const refresh = Effect.gen(function* () {
    const revision = yield* registry.revision.pipe(Effect.mapError(failed("read the workspace's revision")))
    if (revision === seen) return
    byKid.clear()
    newestOf.clear()
    seen = revision
  })

  /** `asOf`: a read that began before a change of definitions must not outlive it in memory. */
  const keep = (stored: StoredRecord, asOf: number): SessionKey => {
    const known = byKid.get(stored.key)
    if (known !== undefined) return known
    const key = open(JSON.parse(stored.value) as KeyRecord)
    if (asOf === seen) byKid.set(stored.key, key)
    return key
  }

  const listed = (scope: Scope) =>
    Effect.suspend(() => {
      const asOf = seen
      return registry.store.list({ kind, group: scopeName(scope) }).pipe(
        Effect.mapError(failed("list session keys")),
        Effect.map((records) =>
          records
            .map((record) => keep(record, asOf))
            .sort((a, b) => b.createdAt - a.createdAt || (a.kid < b.kid ? 1 : -1))
        )
      )
    })

  const add = Effect.fnUntraced(function* (scope: Scope, after: number, drop: ReadonlyArray<string>) {
    const now = yield* Clock.currentTimeMillis
    const record: KeyRecord = {
      kid: randomBytes(16).toString("base64url"),
      alg: "HS256",
      enc: "A256GCM",
      product: scope.product,
      env: scope.env,
      tag: scope.tag,
      createdAt: Math.max(now, after + 1)
    }
    yield* registry.store
      .write(
        [
          {
            op: "put",
            kind,
            key: record.kid,
            group: scopeName(scope),
            value: JSON.stringify(record),
            expect: "absent"
          },
          ...drop.map((kid) => ({ op: "delete" as const, kind, key: kid }))
        ],
        { definitions: true }
      )
      .pipe(Effect.mapError(failed("write a session key")))
    const key = open(record)
    for (const kid of drop) byKid.delete(kid)
    byKid.set(key.kid, key)
    newestOf.set(scopeName(scope), key)
    return key
  })

  return {
    newest: Effect.fnUntraced(function* (scope) {
      yield* refresh
      const known = newestOf.get(scopeName(scope))
      if (known !== undefined) return known
      const asOf = seen
      const [found] = yield* listed(scope)
      if (found === undefined) return yield* add(scope, 0, [])
      if (asOf === seen) newestOf.set(scopeName(scope), found)
      return found
    }),
    find: Effect.fnUntraced(function* (kid) {
      if (!kidPattern.test(kid)) return undefined
      yield* refresh
      const known = byKid.get(kid)
      if (known !== undefined) return known
      const asOf = seen
      const stored = yield* registry.store.get(kind, kid).pipe(Effect.mapError(failed("read a session key")))
      return stored === undefined ? undefined : keep(stored, asOf)
    }),
    all: (scope) => refresh.pipe(Effect.andThen(listed(scope))),
    rotate: Effect.fnUntraced(function* (scope, drop) {
      const [newest] = yield* listed(scope)
      return yield* add(scope, newest?.createdAt ?? 0, drop)
    })
  }
}
