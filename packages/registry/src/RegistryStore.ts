import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RegistryError } from "./RegistryError.ts"

/**
 * One record of the workspace. The store neither reads nor changes `value`; what must not be
 * readable at rest is sealed before it gets here.
 */
export interface StoredRecord {
  /** `product`, `action`, `secret`, `session`, … */
  readonly kind: string
  /** Unique within `kind`. */
  readonly key: string
  /** What it belongs to (an app, a product), for listing. `""` if nothing. */
  readonly group: string
  /** A second key to find it by, not unique. `""` if none. */
  readonly index: string
  /** JSON text. */
  readonly value: string
  /** Starts at 1 and grows by one with every write of the record. */
  readonly version: number
  /** Unix milliseconds after which `purge` may drop it; a store still returns it until then. */
  readonly expiresAt: number | null
}

export type Change =
  | {
      readonly op: "put"
      readonly kind: string
      readonly key: string
      readonly group?: string
      readonly index?: string
      readonly value: string
      readonly expiresAt?: number | null
      /** `absent`: the record must not exist; a number: it must have that version. Default: no matter. */
      readonly expect?: "absent" | number
    }
  | {
      readonly op: "delete"
      readonly kind: string
      readonly key: string
      /** A number: it must have that version; else it must not matter whether it exists. */
      readonly expect?: number
    }
  /** Changes nothing; the record must exist in that version, and does until the write is done. */
  | { readonly op: "check"; readonly kind: string; readonly key: string; readonly expect: number }

export interface Query {
  readonly kind: string
  readonly group?: string
  readonly index?: string
  /** Keys greater than this one, in code point order. */
  readonly after?: string
  /** Default: all. */
  readonly limit?: number
}

/** Reads that take microseconds. They throw the {@link RegistryError} that the Effects fail with. */
export interface SyncReads {
  readonly get: (kind: string, key: string) => StoredRecord | undefined
  /** Changes whenever any record may have changed, by whichever process. */
  readonly changes: () => number
  /** The revision; a write by another process may be seen some milliseconds late. */
  readonly revision: () => number
}

/**
 * Where a workspace is kept. Every method is atomic; a write that succeeded survives the process
 * being killed.
 */
export interface RegistryStoreShape {
  /** `memory`, `sqlite`, `postgres`. */
  readonly name: string
  readonly get: (kind: string, key: string) => Effect.Effect<StoredRecord | undefined, RegistryError>
  /** In order of key, by code point. */
  readonly list: (query: Query) => Effect.Effect<ReadonlyArray<StoredRecord>, RegistryError>
  /** The same, keys only: values are not read. */
  readonly keys: (query: Query) => Effect.Effect<ReadonlyArray<string>, RegistryError>
  readonly count: (query: Query) => Effect.Effect<number, RegistryError>
  /**
   * Applies all changes in their order, or none; two changes of one record are two steps. Fails with `WRITE_CONFLICT` (naming the first record whose
   * expectation does not hold) without having changed anything.
   *
   * `definitions: true` makes the revision grow by one; writes of sessions, tokens and other
   * records that nothing is compiled from leave it. No changes at all: nothing happens.
   */
  readonly write: (
    changes: ReadonlyArray<Change>,
    options: { readonly definitions: boolean }
  ) => Effect.Effect<void, RegistryError>
  /** Grows with every write of definitions, by whichever process. Starts at 0. */
  readonly revision: Effect.Effect<number, RegistryError>
  /**
   * Takes or renews the lease `name` for `holder` until `ttl` milliseconds from now by the store's
   * clock; `false` while another holder has it.
   */
  readonly acquireLease: (name: string, holder: string, ttl: number) => Effect.Effect<boolean, RegistryError>
  /** Gives the lease up, if `holder` has it. */
  readonly releaseLease: (name: string, holder: string) => Effect.Effect<void, RegistryError>
  /** Drops records whose `expiresAt` is at or before `now` (Unix milliseconds); returns how many. */
  readonly purge: (kind: string, now: number) => Effect.Effect<number, RegistryError>
  /** For stores that answer without waiting (SQLite, memory). */
  readonly sync?: SyncReads | undefined
}

export class RegistryStore extends Context.Service<RegistryStore, RegistryStoreShape>()(
  "@ductape/registry/RegistryStore"
) {}
