import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RegistryError } from "./RegistryError.ts"
import { type Query, RegistryStore, type RegistryStoreShape, type StoredRecord } from "./RegistryStore.ts"
import { compareCodePoints, conflict, findsNothing, holds, refuseChanges, stored } from "./storeRules.ts"

type Table = Map<string, StoredRecord>

const matches = (query: Query) => (record: StoredRecord) =>
  (query.group === undefined || record.group === query.group) &&
  (query.index === undefined || record.index === query.index) &&
  (query.after === undefined || compareCodePoints(record.key, query.after) > 0)

const build = (): RegistryStoreShape => {
  const tables = new Map<string, Table>()
  const leases = new Map<string, { readonly holder: string; readonly until: number }>()
  let revision = 0
  let changes = 0

  const get = (kind: string, key: string) => tables.get(kind)?.get(key)

  const select = (query: Query): ReadonlyArray<StoredRecord> =>
    findsNothing(query) ? [] : [...(tables.get(query.kind)?.values() ?? [])].filter(matches(query))

  const list = (query: Query): ReadonlyArray<StoredRecord> =>
    [...select(query)].sort((a, b) => compareCodePoints(a.key, b.key)).slice(0, query.limit)

  const write: RegistryStoreShape["write"] = (batch, options) =>
    Effect.suspend(() => {
      const refused = refuseChanges(batch)
      if (refused !== undefined) return Effect.fail(refused)
      if (batch.length === 0) return Effect.void
      const undo: Array<() => void> = []
      for (const change of batch) {
        const table: Table = tables.get(change.kind) ?? new Map()
        tables.set(change.kind, table)
        const old = table.get(change.key)
        if (!holds(change, old?.version)) {
          for (const step of undo.reverse()) step()
          return Effect.fail(conflict(change, old?.version))
        }
        if (change.op === "check") continue
        undo.push(() => (old === undefined ? table.delete(change.key) : table.set(change.key, old)))
        if (change.op === "put") table.set(change.key, stored(change, old?.version))
        else table.delete(change.key)
      }
      changes++
      if (options.definitions) revision++
      return Effect.void
    })

  return {
    name: "memory",
    get: (kind, key) => Effect.sync(() => get(kind, key)),
    list: (query) => Effect.sync(() => list(query)),
    keys: (query) => Effect.sync(() => list(query).map((record) => record.key)),
    count: (query) =>
      Effect.sync(() => Math.min(select(query).length, query.limit ?? Number.POSITIVE_INFINITY)),
    write,
    revision: Effect.sync(() => revision),
    acquireLease: (name, holder, ttl) =>
      Effect.sync(() => {
        const now = Date.now()
        const held = leases.get(name)
        if (held !== undefined && held.holder !== holder && held.until > now) return false
        leases.set(name, { holder, until: now + ttl })
        return true
      }),
    releaseLease: (name, holder) =>
      Effect.sync(() => {
        if (leases.get(name)?.holder === holder) leases.delete(name)
      }),
    purge: (kind, now) =>
      Effect.sync(() => {
        const table = tables.get(kind)
        const dead = [...(table?.values() ?? [])].filter((r) => r.expiresAt !== null && r.expiresAt <= now)
        for (const record of dead) table?.delete(record.key)
        if (dead.length > 0) changes++
        return dead.length
      }),
    sync: { get, changes: () => changes, revision: () => revision }
  }
}

const shared = new Map<string, RegistryStoreShape>()

/** A store that lives as long as the process; for tests. */
export const MemoryStore: {
  /** A new one each time. */
  readonly make: () => Effect.Effect<RegistryStoreShape, RegistryError>
  /** The one of that name in this process: what `memory://name` opens. */
  readonly named: (name: string) => Effect.Effect<RegistryStoreShape, RegistryError>
  readonly layer: Layer.Layer<RegistryStore, RegistryError>
} = {
  make: () => Effect.sync(build),
  named: (name) =>
    Effect.sync(() => {
      const store = shared.get(name) ?? build()
      shared.set(name, store)
      return store
    }),
  layer: Layer.effect(RegistryStore, Effect.sync(build))
}
