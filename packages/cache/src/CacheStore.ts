import type { Adapter } from "@ductape/core"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CacheError } from "./CacheError.ts"
import type { CacheValue } from "./CacheValue.ts"

/** Where the entries of one cache in one environment are. */
export interface CacheScope {
  readonly workspace: string
  readonly product: string
  readonly env: string
  readonly cache: string
}

/** `base64`: bytes. `sealed…`: encrypted under a key of the workspace. */
export type EntryEncoding = "base64" | "sealed" | "sealed-base64"

export interface EntryFields {
  /** Differs with every write. At most 40 characters of `[A-Za-z0-9_-]`. */
  readonly revision: string
  /** Text as it is kept, perhaps sealed. */
  readonly value: string
  /** How to read `value`; left out: as it is. */
  readonly encoding?: EntryEncoding | undefined
  /** Unix milliseconds, as all times here. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Dead from here on; `null`: never. */
  readonly expiresAt: number | null
  /** May be served stale until here, so the store keeps it: at least `expiresAt`; `null`: forever. */
  readonly keptUntil: number | null
  readonly componentTag: string
  readonly componentType: string
  readonly tags: ReadonlyArray<string>
}

/** One cached value with what is known of it. Never changed once made. */
export class Entry implements EntryFields {
  readonly revision: string
  readonly value: string
  readonly encoding: EntryEncoding | undefined
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number | null
  readonly keptUntil: number | null
  readonly componentTag: string
  readonly componentType: string
  readonly tags: ReadonlyArray<string>
  /** What `get` returned before, so that the next hit costs nothing. Kept by the service. */
  record: CacheValue | undefined = undefined
  /** A promise of that record: whoever awaits the next hit shares it. */
  settled: Promise<CacheValue> | undefined = undefined
  /** The parsed value, where it cannot be changed by who gets it (a string, a number, …). */
  primitive: string | number | boolean | null | undefined = undefined

  constructor(fields: EntryFields) {
    this.revision = fields.revision
    this.value = fields.value
    this.encoding = fields.encoding
    this.createdAt = fields.createdAt
    this.updatedAt = fields.updatedAt
    this.expiresAt = fields.expiresAt
    this.keptUntil = fields.keptUntil
    this.componentTag = fields.componentTag
    this.componentType = fields.componentType
    this.tags = fields.tags
  }

  withCreatedAt(createdAt: number): Entry {
    return new Entry({ ...this, createdAt })
  }
}

/** Alive: `now` is before its expiry. */
export const isLive = (entry: EntryFields, now: number): boolean =>
  entry.expiresAt === null || now < entry.expiresAt

/** Still kept, alive or not. */
export const isKept = (entry: EntryFields, now: number): boolean =>
  entry.keptUntil === null || now < entry.keptUntil

/**
 * - `enumerate`: `list` and `clear` work.
 * - `lease`: `lease` is there, so that one process loads while others wait.
 * - `shared`: other processes see the entries.
 * - `watch`: the provider tells of changes made by other processes.
 */
export type CacheCapability = "enumerate" | "lease" | "shared" | "watch"

/**
 * The entries of one cache in one environment: what an adapter implements. Validation, lifetimes,
 * sealing, read-through and counters are written once, above it.
 *
 * Every method is atomic. `now` is the caller's clock in Unix milliseconds: an entry whose
 * `expiresAt` is at or before it counts as gone, though `get` and `list` return it while it is kept.
 *
 * Failures are `CONNECTION_ERROR` (not reached, connection lost), `TIMEOUT` (no answer in time) or
 * `STORE_FAILED` (refused); none of their messages holds a connection string or a value. After the
 * first two, a write may or may not have happened; repeating it is safe.
 */
export interface CacheStore {
  /** The entry, dead or alive, or `undefined`. An entry that is no longer kept may still be returned. */
  readonly get: (key: string) => Effect.Effect<Entry | undefined, CacheError>
  /**
   * Replaces what is there; the last writer wins. If an entry is alive at `now`, its `createdAt` is
   * kept. Gives up the lease of the key, whoever holds it.
   *
   * With `lease`, writes only while that holder still has the lease; `false` if it does not.
   */
  readonly set: (
    key: string,
    entry: Entry,
    options: { readonly now: number; readonly lease?: string | undefined }
  ) => Effect.Effect<boolean, CacheError>
  /**
   * Writes `entry`, exactly as it is, if the entry alive at `now` has the revision `expected`
   * (`null`: if there is none alive); else changes nothing and returns `false`.
   */
  readonly swap: (
    key: string,
    expected: string | null,
    entry: Entry,
    now: number
  ) => Effect.Effect<boolean, CacheError>
  /** Whether an entry alive at `now` was removed; one that is dead goes too. Gives up the key's lease. */
  readonly remove: (key: string, now: number) => Effect.Effect<boolean, CacheError>
  /** All entries, dead ones that are still kept included, in no order. */
  readonly list: Effect.Effect<ReadonlyArray<{ readonly key: string; readonly entry: Entry }>, CacheError>
  /**
   * Removes all entries, or those with `tag`; returns how many of them were alive at `now`. Gives up
   * their leases.
   */
  readonly clear: (options: {
    readonly now: number
    readonly tag?: string | undefined
  }) => Effect.Effect<number, CacheError>
  /** With the capability `lease`. */
  readonly lease?: CacheLease | undefined
  /** For stores that answer without waiting. */
  readonly sync?: CacheSync | undefined
}

/** A right to load one key, among processes. */
export interface CacheLease {
  /** Takes the lease for `ttl` milliseconds unless someone holds it. `tags`: those of the entry to come. */
  readonly acquire: (
    key: string,
    holder: string,
    options: { readonly ttl: number; readonly now: number; readonly tags: ReadonlyArray<string> }
  ) => Effect.Effect<boolean, CacheError>
  /** Holds it for another `ttl` milliseconds; `false` if it was lost. */
  readonly renew: (key: string, holder: string, ttl: number) => Effect.Effect<boolean, CacheError>
  /** Gives it up, if `holder` has it. */
  readonly release: (key: string, holder: string) => Effect.Effect<void, CacheError>
}

export interface CacheSync {
  /** As `get`; marks the entry as used. */
  readonly get: (key: string) => Entry | undefined
  /** As `set` without a lease; left out where a write has to wait. */
  readonly set?: ((key: string, entry: Entry, now: number) => void) | undefined
  /** `true`: what it does not return does not exist. */
  readonly complete: boolean
}

/** What other processes changed. */
export interface CacheListener {
  /** The entry was written with that revision, or removed (`null`). */
  readonly changed: (key: string, revision: string | null) => void
  /** Anything may have changed. */
  readonly flushed: () => void
}

/** One server, or this process's memory. */
export interface CacheProvider {
  /** `memory`, `redis`, … */
  readonly name: string
  readonly capabilities: ReadonlySet<CacheCapability>
  /** Without I/O; the same store for the same scope. `maxEntries` is for providers that evict themselves. */
  readonly open: (scope: CacheScope, options: { readonly maxEntries: number }) => CacheStore
  /** Connects now. */
  readonly connect: Effect.Effect<void, CacheError>
  /**
   * With the capability `watch`: calls the listener for every change to the scope by whatever client
   * of the server, from when it returns until the scope is closed. `live` is `true` while no change
   * can have been missed; whenever it turns `true`, `flushed` was called just before.
   */
  readonly watch?:
    | ((
        scope: CacheScope,
        listener: CacheListener
      ) => Effect.Effect<{ readonly live: () => boolean }, never, Scope.Scope>)
    | undefined
  /** The driver's own client, once connected. */
  readonly raw: () => unknown
}

export interface CacheProviderOptions {
  /** With credentials: never part of a message. */
  readonly url: string
}

/** What an adapter package's factory returns: `redis()`. `make` does no I/O; its scope closes connections. */
export type CacheAdapter = Adapter<
  "cache",
  (options: CacheProviderOptions) => Effect.Effect<CacheProvider, CacheError, Scope.Scope>
>

const encodePart = (part: string): string => encodeURIComponent(part).replace(/[*!'()~]/g, encodeOne)

const encodeOne = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`

/** `workspace:product:env:cache`, each part percent-encoded so that none can forge a separator. */
export const scopeId = (scope: CacheScope): string =>
  [scope.workspace, scope.product, scope.env, scope.cache].map(encodePart).join(":")

/** A key as it stands after `scopeId(scope) + ":"`. */
export const encodeKey = encodePart

export const decodeKey = (encoded: string): string => decodeURIComponent(encoded)
