import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { RecordMeta } from "./entities.ts"
import type { Keyring } from "./Keyring.ts"
import type { RegistryError } from "./RegistryError.ts"
import type { Change, Query, RegistryStoreShape, StoredRecord } from "./RegistryStore.ts"
import { type RevisionWatch, watchRevision } from "./RevisionWatch.ts"
import { realPause } from "./realPause.ts"
import { attempt, parseRecord } from "./records.ts"
import type { Workspace } from "./workspace.ts"

/** A record read: its JSON value, and the version that a write may expect. */
export interface Found<T> {
  readonly value: T
  readonly version: number
}

/** How long an update is repeated while other writers are faster, in milliseconds. */
const patience = 20_000
/** Above this many entries, the oldest of a cache table goes. */
const maxEntries = 20_000

const freeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freeze(member)
  }
  return value
}

/** What every part of the registry works with: records of the open workspace, and what is kept of them. */
export class Definitions {
  readonly store: RegistryStoreShape
  readonly keyring: Keyring
  readonly workspace: Workspace
  /** Unix milliseconds. */
  readonly now: () => number
  readonly #prefix: string
  readonly #watch: RevisionWatch
  #revision = -1
  #tables = new Map<string, Map<string, unknown>>()

  constructor(store: RegistryStoreShape, keyring: Keyring, workspace: Workspace, now: () => number) {
    this.store = store
    this.keyring = keyring
    this.workspace = workspace
    this.now = now
    this.#prefix = `${workspace.tag}:`
    this.#watch = watchRevision(store)
  }

  get close(): Effect.Effect<void> {
    return this.#watch.close
  }

  get revision(): Effect.Effect<number, RegistryError> {
    return this.#watch.current
  }

  knownRevision(): number | undefined {
    return this.#watch.known()
  }

  newMeta(): RecordMeta {
    const time = new Date(this.now()).toISOString()
    return { _id: randomUUID(), workspace_id: this.workspace.id, createdAt: time, updatedAt: time }
  }

  time(): string {
    return new Date(this.now()).toISOString()
  }

  /** Loses a prefix equal to the own workspace's tag. */
  ownTag(tag: string): string {
    return typeof tag === "string" && tag.startsWith(this.#prefix) ? tag.slice(this.#prefix.length) : tag
  }

  get<T>(kind: string, key: string): Effect.Effect<Found<T> | undefined, RegistryError> {
    return Effect.flatMap(this.store.get(kind, key), (record) =>
      attempt(() =>
        record === undefined ? undefined : { value: parseRecord<T>(record), version: record.version }
      )
    )
  }

  list<T>(query: Query): Effect.Effect<ReadonlyArray<Found<T>>, RegistryError> {
    return Effect.flatMap(this.store.list(query), (records) =>
      attempt(() => records.map((record) => ({ value: parseRecord<T>(record), version: record.version })))
    )
  }

  parse<T>(record: StoredRecord): Effect.Effect<T, RegistryError> {
    return attempt(() => parseRecord<T>(record))
  }

  seal(purpose: string, value: unknown, associated: string): string {
    return this.keyring.seal(purpose, JSON.stringify(value), associated)
  }

  unseal<T>(purpose: string, sealed: string, associated: string): Effect.Effect<T, RegistryError> {
    return attempt(
      () => JSON.parse(Buffer.from(this.keyring.open(purpose, sealed, associated)).toString("utf8")) as T
    )
  }

  commit(changes: ReadonlyArray<Change>): Effect.Effect<void, RegistryError> {
    return Effect.ensuring(
      this.store.write(changes, { definitions: true }),
      Effect.sync(() => this.#watch.forget())
    )
  }

  /** Repeats a read-change-write step while other writers are faster. */
  repeat<A, E extends { readonly code: string }>(step: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const started = performance.now()
      const once = (attempts: number): Effect.Effect<A, E> =>
        Effect.catchIf(
          step,
          (error) => error.code === "WRITE_CONFLICT" && performance.now() - started < patience,
          () =>
            Effect.andThen(
              realPause(Math.min(100, 2 * attempts)),
              Effect.suspend(() => once(attempts + 1))
            )
        )
      return once(1)
    })
  }

  /** Whether what is kept is still true, told without waiting; forgets it if not. */
  isFresh(): boolean {
    const revision = this.#watch.known()
    if (revision === undefined) return false
    this.#adopt(revision)
    return true
  }

  #adopt(revision: number): void {
    if (revision === this.#revision) return
    this.#revision = revision
    this.#tables = new Map()
  }

  /**
   * What is kept of one kind of things; only after {@link isFresh} or {@link current}. A loader
   * holds on to the table that it started with, so that something old never gets into a newer one.
   */
  table<T>(name: string): Map<string, T> {
    const found = this.#tables.get(name) as Map<string, T> | undefined
    if (found !== undefined) return found
    const made = new Map<string, T>()
    this.#tables.set(name, made)
    return made
  }

  /** The kept value, or `load`ed, frozen and kept until the revision changes. */
  cached<T, E>(name: string, key: string, load: Effect.Effect<T, E>): Effect.Effect<T, E | RegistryError> {
    return Effect.suspend(() => {
      if (this.isFresh()) {
        const found = this.table<T>(name).get(key)
        if (found !== undefined) return Effect.succeed(found)
      }
      return Effect.flatMap(this.#watch.current, (revision): Effect.Effect<T, E> => {
        this.#adopt(revision)
        const table = this.table<T>(name)
        const found = table.get(key)
        if (found !== undefined) return Effect.succeed(found)
        return Effect.map(load, (value) => {
          const oldest = table.size >= maxEntries ? table.keys().next() : undefined
          if (oldest?.done === false) table.delete(oldest.value)
          table.set(key, freeze(value))
          return value
        })
      })
    })
  }

  /** The kept value without waiting, if it is there and still true. */
  kept<T>(name: string, key: string): T | undefined {
    return this.isFresh() ? this.table<T>(name).get(key) : undefined
  }
}
