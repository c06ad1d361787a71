import { existsSync } from "node:fs"
import { resolve } from "node:path"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { RegistryError } from "./RegistryError.ts"
import {
  type Change,
  type Query,
  RegistryStore,
  type RegistryStoreShape,
  type StoredRecord
} from "./RegistryStore.ts"
import { realPause } from "./realPause.ts"
import { classify, isBusy, openSqliteFile } from "./sqliteFile.ts"
import { closedStore, conflict, findsNothing, holds, refuseChanges, stored } from "./storeRules.ts"

/** How long one attempt may wait inside SQLite, where it keeps the event loop waiting too. */
const busyTimeout = 5
/** How long all attempts together may wait before `STORE_BUSY`. */
const patience = 5_000
/** How old the revision that other processes left may be, unless this process wrote since. */
const lookEvery = 1

/** Writes by any store of this process, so that two of them on one file see each other at once. */
let localWrites = 0

interface Statements {
  readonly db: DatabaseSync
  readonly get: StatementSync
  readonly put: StatementSync
  readonly remove: StatementSync
  readonly revision: StatementSync
  readonly bump: StatementSync
  readonly dataVersion: StatementSync
  readonly purge: StatementSync
  readonly leased: StatementSync
  readonly lease: StatementSync
  readonly release: StatementSync
  /** Listing statements by their text: there are few shapes. */
  readonly lists: Map<string, StatementSync>
}

const prepare = (db: DatabaseSync): Statements => ({
  db,
  get: db.prepare(
    "select kind, key, grp, idx, value, version, expires_at from record where kind = ? and key = ?"
  ),
  put: db.prepare(
    `insert into record (kind, key, grp, idx, value, version, expires_at) values (?, ?, ?, ?, ?, 1, ?)
     on conflict (kind, key) do update set grp = excluded.grp, idx = excluded.idx, value = excluded.value,
       version = record.version + 1, expires_at = excluded.expires_at`
  ),
  remove: db.prepare("delete from record where kind = ? and key = ?"),
  revision: db.prepare("select value from counter where name = 'revision'"),
  bump: db.prepare("update counter set value = value + 1 where name = 'revision'"),
  dataVersion: db.prepare("pragma data_version"),
  purge: db.prepare("delete from record where kind = ? and expires_at <= ?"),
  leased: db.prepare("select 1 from lease where name = ? and holder <> ? and until > ?"),
  lease: db.prepare(
    `insert into lease (name, holder, until) values (?, ?, ?)
     on conflict (name) do update set holder = excluded.holder, until = excluded.until`
  ),
  release: db.prepare("delete from lease where name = ? and holder = ?"),
  lists: new Map()
})

type Row = Record<string, unknown>

const toRecord = (row: Row): StoredRecord => ({
  kind: String(row["kind"]),
  key: String(row["key"]),
  group: String(row["grp"]),
  index: String(row["idx"]),
  value: String(row["value"]),
  version: Number(row["version"]),
  expiresAt: row["expires_at"] === null ? null : Number(row["expires_at"])
})

const selection = (query: Query): { readonly where: string; readonly values: ReadonlyArray<string> } => {
  const parts = ["kind = ?"]
  const values = [query.kind]
  const add = (condition: string, value: string | undefined) => {
    if (value === undefined) return
    parts.push(condition)
    values.push(value)
  }
  // The second condition lets SQLite use the partial index of non-empty names.
  add(query.group === "" ? "grp = ?" : "grp = ? and grp <> ''", query.group)
  add(query.index === "" ? "idx = ?" : "idx = ? and idx <> ''", query.index)
  add("key > ?", query.after)
  return { where: parts.join(" and "), values }
}

class SqliteFile {
  readonly #path: string
  readonly #Database: typeof DatabaseSync
  #statements: Statements | undefined
  #closed = false
  #writes = 0
  #seenAt = Number.NEGATIVE_INFINITY
  #seenWrites = -1
  #seenChanges = -1
  #seenRevision = 0

  constructor(Database: typeof DatabaseSync, path: string) {
    this.#Database = Database
    this.#path = path
  }

  /** `undefined` while the file does not exist: reading makes none. */
  open(create: boolean): Statements | undefined {
    if (this.#closed) throw closedStore("sqlite")
    if (this.#statements === undefined && (create || existsSync(this.#path))) {
      const db = openSqliteFile(this.#Database, this.#path, busyTimeout)
      try {
        this.#statements = prepare(db)
      } catch (cause) {
        db.close()
        throw cause
      }
    }
    return this.#statements
  }

  close(): void {
    this.#closed = true
    this.#statements?.db.close()
    this.#statements = undefined
  }

  /** Runs `work`, again and again while other processes hold the file, without blocking this one. */
  attempt<A>(work: () => A): Effect.Effect<A, RegistryError> {
    return Effect.suspend(() => {
      const started = performance.now()
      const once = (attempt: number): Effect.Effect<A, RegistryError> =>
        Effect.suspend(() => {
          try {
            return Effect.succeed(work())
          } catch (cause) {
            return isBusy(cause) && performance.now() - started < patience
              ? Effect.andThen(
                  realPause(Math.min(50, 2 + attempt * 3)),
                  Effect.suspend(() => once(attempt + 1))
                )
              : Effect.fail(classify(this.#path, cause))
          }
        })
      return once(0)
    })
  }

  transaction<A>(work: (statements: Statements) => A): A {
    const statements = this.open(true)
    if (statements === undefined) throw closedStore("sqlite")
    statements.db.exec("begin immediate")
    try {
      const result = work(statements)
      statements.db.exec("commit")
      this.#writes++
      localWrites++
      return result
    } catch (cause) {
      // A failed commit may have ended the transaction already.
      if (statements.db.isTransaction) statements.db.exec("rollback")
      throw cause
    }
  }

  get(kind: string, key: string): StoredRecord | undefined {
    if (findsNothing({ kind, key })) return undefined
    const row = this.open(false)?.get.get(kind, key)
    return row === undefined ? undefined : toRecord(row)
  }

  select(columns: string, query: Query): ReadonlyArray<Row> {
    const statements = this.open(false)
    if (statements === undefined || findsNothing(query)) return []
    const { values, where } = selection(query)
    const limited = query.limit === undefined ? "" : " limit ?"
    const text = `select ${columns} from record where ${where} order by key${limited}`
    const statement = statements.lists.get(text) ?? statements.db.prepare(text)
    statements.lists.set(text, statement)
    return statement.all(...values, ...(query.limit === undefined ? [] : [Math.floor(query.limit)]))
  }

  count(query: Query): number {
    const statements = this.open(false)
    if (statements === undefined || findsNothing(query)) return 0
    const { values, where } = selection(query)
    const found = Number(
      statements.db.prepare(`select count(*) as n from record where ${where}`).get(...values)?.["n"]
    )
    return Math.min(found, query.limit ?? Number.POSITIVE_INFINITY)
  }

  apply(statements: Statements, changes: ReadonlyArray<Change>, definitions: boolean): void {
    for (const change of changes) {
      if (change.expect !== undefined) {
        const row = statements.get.get(change.kind, change.key)
        const found = row === undefined ? undefined : Number(row["version"])
        if (!holds(change, found)) throw conflict(change, found)
      }
      if (change.op === "put") {
        const record = stored(change, undefined)
        statements.put.run(
          record.kind,
          record.key,
          record.group,
          record.index,
          record.value,
          record.expiresAt
        )
      } else if (change.op === "delete") statements.remove.run(change.kind, change.key)
    }
    if (definitions) statements.bump.run()
  }

  readRevision(): number {
    const statements = this.open(false)
    return statements === undefined ? 0 : Number(statements.revision.get()?.["value"])
  }

  changes(): number {
    const statements = this.open(false)
    // SQLite's number leaves out this connection's own commits.
    return statements === undefined
      ? 0
      : Number(statements.dataVersion.get()?.["data_version"]) + this.#writes
  }

  recentRevision(): number {
    const now = performance.now()
    if (this.#seenWrites === localWrites && now - this.#seenAt < lookEvery) return this.#seenRevision
    const changes = this.changes()
    if (changes !== this.#seenChanges) {
      this.#seenRevision = this.readRevision()
      this.#seenChanges = changes
    }
    this.#seenAt = now
    this.#seenWrites = localWrites
    return this.#seenRevision
  }

  /** For the synchronous reads, which cannot wait: SQLite's own few milliseconds have to do. */
  now<A>(work: () => A): A {
    try {
      return work()
    } catch (cause) {
      throw classify(this.#path, cause)
    }
  }
}

const open = (
  Database: typeof DatabaseSync,
  path: string
): RegistryStoreShape & { readonly close: () => void } => {
  const file = new SqliteFile(Database, path)
  return {
    name: "sqlite",
    close: () => file.close(),
    get: (kind, key) => file.attempt(() => file.get(kind, key)),
    list: (query) =>
      file.attempt(() => file.select("kind, key, grp, idx, value, version, expires_at", query).map(toRecord)),
    keys: (query) => file.attempt(() => file.select("key", query).map((row) => String(row["key"]))),
    count: (query) => file.attempt(() => file.count(query)),
    write: (changes, { definitions }) =>
      Effect.suspend(() => {
        const refused = refuseChanges(changes)
        if (refused !== undefined) return Effect.fail(refused)
        if (changes.length === 0) return Effect.void
        return file.attempt(() =>
          file.transaction((statements) => file.apply(statements, changes, definitions))
        )
      }),
    revision: file.attempt(() => file.readRevision()),
    acquireLease: (name, holder, ttl) =>
      file.attempt(() =>
        file.transaction(({ lease, leased }) => {
          const now = Date.now()
          if (leased.get(name, holder, now) !== undefined) return false
          lease.run(name, holder, now + Math.ceil(ttl))
          return true
        })
      ),
    releaseLease: (name, holder) =>
      file.attempt(() => {
        file.transaction(({ release }) => release.run(name, holder))
      }),
    purge: (kind, now) =>
      file.attempt(() => file.transaction(({ purge }) => Number(purge.run(kind, now).changes))),
    sync: {
      get: (kind, key) => file.now(() => file.get(kind, key)),
      changes: () => file.now(() => file.changes()),
      revision: () => file.now(() => file.recentRevision())
    }
  }
}

/**
 * A workspace in one SQLite file, safe for several processes at once. The file is made at the first
 * write, readable by its owner only; reading a file that does not exist finds nothing.
 *
 * Fails with `STORE_FAILED` (folder missing, no permission, written by a newer version),
 * `STORE_CORRUPT` (no workspace file, or damaged) and, after 5 s of waiting for other processes,
 * `STORE_BUSY`.
 */
const make = (path: string): Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => import("node:sqlite")).pipe(
      Effect.flatMap(({ DatabaseSync }) => {
        const store = open(DatabaseSync, resolve(path))
        // What is wrong with an existing file is said now, not at some later call.
        return Effect.as(store.revision, store)
      })
    ),
    (store) => Effect.sync(() => store.close())
  )

export const SqliteStore = {
  make,
  layer: (path: string): Layer.Layer<RegistryStore, RegistryError> => Layer.effect(RegistryStore, make(path))
}
