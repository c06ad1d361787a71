import {
  type Change,
  type Query,
  RegistryError,
  RegistryStore,
  type RegistryStoreShape,
  type StoredRecord
} from "@ductape/registry"
import { closedStore, conflict, findsNothing, refuseChanges } from "@ductape/registry/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Row, Sql } from "postgres"
import { classify, isLostConnection, isRolledBack, type Place } from "./classify.ts"
import { type Connections, connector } from "./connections.ts"
import { prepareSchema } from "./schema.ts"
import { versionOf, writeBatch } from "./writeBatch.ts"

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` and the like. */
  readonly url: string | Redacted.Redacted
  /** Connections held at most. Default 10. */
  readonly maxConnections?: number
  /** Milliseconds until a connection must stand. Default 10,000. */
  readonly connectTimeout?: number
  /** Milliseconds for one read or write; writes get one more per record. Default 15,000. */
  readonly timeout?: number
}

/** How often a transaction that lost against another one is repeated. */
const maxRepeats = 10

const toRecord = (row: Row): StoredRecord => ({
  kind: String(row["kind"]),
  key: String(row["key"]),
  group: String(row["grp"]),
  index: String(row["idx"]),
  value: String(row["value"]),
  version: Number(row["version"]),
  expiresAt: row["expires_at"] === null ? null : Number(row["expires_at"])
})

const placeOf = (url: string): Place => {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new RegistryError({
      code: "VALIDATION_ERROR",
      message: "The store's URL is not of the form postgres://user:password@host:port/database.",
      details: [{ path: "url", rule: "url", message: "must be a postgres:// URL" }]
    })
  }
  const { hostname, pathname, port } = new URL(url)
  return {
    host: hostname === "" ? "localhost" : hostname,
    port: port === "" ? "5432" : port,
    database: decodeURIComponent(pathname.slice(1))
  }
}

class Pool {
  readonly place: Place
  readonly #open: () => Connections
  readonly #timeout: number
  #connections: Connections
  #closed = false

  constructor(place: Place, timeout: number, open: () => Connections) {
    this.place = place
    this.#timeout = timeout
    this.#open = open
    this.#connections = open()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connections.close()
  }

  /** Connections that do not answer any more would stay in the pool for ever: start with new ones. */
  #replace(dead: Connections): void {
    if (dead !== this.#connections || this.#closed) return
    this.#connections = this.#open()
    dead.cut()
  }

  async #within<A>(extra: number, work: (sql: Sql) => Promise<A>): Promise<A> {
    if (this.#closed) throw closedStore("postgres")
    const connections = this.#connections
    let timer: NodeJS.Timeout | undefined
    const expiry = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new RegistryError({
            code: "TIMEOUT",
            message: `PostgreSQL at ${this.place.host}:${this.place.port} did not answer within ${this.#timeout + extra} ms.`,
            details: { host: this.place.host, port: this.place.port }
          })
        )
        this.#replace(connections)
      }, this.#timeout + extra)
    })
    try {
      return await Promise.race([work(connections.sql), expiry])
    } finally {
      clearTimeout(timer)
    }
  }

  #run<A>(work: () => Promise<A>): Effect.Effect<A, RegistryError> {
    return Effect.tryPromise({ try: work, catch: (cause) => classify(this.place, cause) })
  }

  /** Asked again once if the connection was lost, as after a restart of the server. */
  read<A>(work: (sql: Sql) => Promise<A>): Effect.Effect<A, RegistryError> {
    return this.#run(() =>
      this.#within(0, work).catch((cause) => {
        if (!isLostConnection(cause) || this.#closed) throw cause
        return this.#within(0, work)
      })
    )
  }

  /** Never asked again when its outcome is unknown, only when the server rolled it back. */
  write<A>(records: number, work: (sql: Sql) => Promise<A>): Effect.Effect<A, RegistryError> {
    const attempt = (left: number): Promise<A> =>
      this.#within(records, work).catch((cause) => {
        if (!isRolledBack(cause) || left === 0) throw cause
        return attempt(left - 1)
      })
    return this.#run(() => attempt(maxRepeats))
  }
}

/** Reads with the conditions of a query; `columns` is ours, never a caller's. */
const select = (sql: Sql, columns: string, query: Query) => {
  const { after, group, index, kind, limit } = query
  return sql`
    select ${sql.unsafe(columns)} from ductape.record where kind = ${kind}
    ${group === undefined ? sql`` : group === "" ? sql`and grp = ''` : sql`and grp = ${group} and grp <> ''`}
    ${index === undefined ? sql`` : index === "" ? sql`and idx = ''` : sql`and idx = ${index} and idx <> ''`}
    ${after === undefined ? sql`` : sql`and key > ${after}`}
    order by key
    ${limit === undefined ? sql`` : sql`limit ${Math.floor(limit)}`}`
}

/** One change that the revision does not count: a single statement, which is a transaction already. */
const writeOne = async (sql: Sql, change: Change): Promise<void> => {
  const { kind, key } = change
  if (change.op === "put" && change.expect === undefined) {
    await sql`
      insert into ductape.record as r (kind, key, grp, idx, value, version, expires_at)
      values (${kind}, ${key}, ${change.group ?? ""}, ${change.index ?? ""}, ${change.value}, 1, ${change.expiresAt ?? null})
      on conflict (kind, key) do update set grp = excluded.grp, idx = excluded.idx, value = excluded.value,
        version = r.version + 1, expires_at = excluded.expires_at`
    return
  }
  if (change.op === "delete" && change.expect === undefined) {
    await sql`delete from ductape.record where kind = ${kind} and key = ${key}`
    return
  }
  const done =
    change.op === "put" && change.expect === "absent"
      ? await sql`
          insert into ductape.record (kind, key, grp, idx, value, version, expires_at)
          values (${kind}, ${key}, ${change.group ?? ""}, ${change.index ?? ""}, ${change.value}, 1, ${change.expiresAt ?? null})
          on conflict (kind, key) do nothing returning 1`
      : change.op === "put"
        ? await sql`
            update ductape.record set grp = ${change.group ?? ""}, idx = ${change.index ?? ""},
              value = ${change.value}, version = version + 1, expires_at = ${change.expiresAt ?? null}
            where kind = ${kind} and key = ${key} and version = ${Number(change.expect)} returning 1`
        : change.op === "delete"
          ? await sql`
              delete from ductape.record
              where kind = ${kind} and key = ${key} and version = ${Number(change.expect)} returning 1`
          : await sql`
              select 1 from ductape.record
              where kind = ${kind} and key = ${key} and version = ${change.expect}`
  if (done.length > 0) return
  throw conflict(change, await versionOf(sql, change))
}

const all = "kind, key, grp, idx, value, version, expires_at"

const build = (pool: Pool): RegistryStoreShape => ({
  name: "postgres",
  get: (kind, key) =>
    findsNothing({ kind, key })
      ? Effect.succeed(undefined)
      : pool.read(async (sql) => {
          const [row] = await sql`
            select kind, key, grp, idx, value, version, expires_at
            from ductape.record where kind = ${kind} and key = ${key}`
          return row === undefined ? undefined : toRecord(row)
        }),
  list: (query) =>
    findsNothing(query)
      ? Effect.succeed([])
      : pool.read(async (sql) => (await select(sql, all, query)).map(toRecord)),
  keys: (query) =>
    findsNothing(query)
      ? Effect.succeed([])
      : pool.read(async (sql) => (await select(sql, "key", query)).map((row) => String(row["key"]))),
  count: (query) =>
    findsNothing(query)
      ? Effect.succeed(0)
      : pool.read(async (sql) => {
          const [row] = await sql`select count(*) as n from (${select(sql, "key", query)}) as found`
          return Number(row?.["n"])
        }),
  write: (changes, { definitions }) => {
    const refused = refuseChanges(changes)
    if (refused !== undefined) return Effect.fail(refused)
    const [first, ...others] = changes
    if (first === undefined) return Effect.void
    return pool.write(changes.length, async (sql) => {
      if (!definitions && others.length === 0) await writeOne(sql, first)
      else await sql.begin((tx) => writeBatch(tx, changes, definitions))
    })
  },
  revision: pool.read(async (sql) => {
    const [row] = await sql`select value from ductape.counter where name = 'revision'`
    return Number(row?.["value"])
  }),
  acquireLease: (name, holder, ttl) =>
    pool.write(1, async (sql) => {
      const taken = await sql`
        insert into ductape.lease as l (name, holder, until)
        values (${name}, ${holder}, clock_timestamp() + ${ttl}::float8 * interval '1 millisecond')
        on conflict (name) do update set holder = excluded.holder, until = excluded.until
          where l.holder = excluded.holder or l.until <= clock_timestamp()
        returning 1`
      return taken.length > 0
    }),
  releaseLease: (name, holder) =>
    pool.write(1, async (sql) => {
      await sql`delete from ductape.lease where name = ${name} and holder = ${holder}`
    }),
  purge: (kind, now) =>
    pool.write(1, async (sql) => {
      const gone = await sql`delete from ductape.record where kind = ${kind} and expires_at <= ${now}`
      return gone.count
    })
})

/**
 * A workspace in the schema `ductape` of a PostgreSQL database (made at the first opening, which
 * needs the right to create it). Opening connects.
 *
 * Fails with `VALIDATION_ERROR` (URL), `CONNECTION_ERROR` (names host and port; not retryable if the
 * password or the database is wrong), `TIMEOUT`, `STORE_FAILED`.
 */
const make = (
  options: PostgresStoreOptions | string
): Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = typeof options === "string" ? { url: options } : options
    const url = Redacted.isRedacted(settings.url) ? Redacted.value(settings.url) : settings.url
    const place = yield* Effect.try({
      try: () => placeOf(url),
      catch: (cause) => classify({ host: "", port: "", database: "" }, cause)
    })
    const open = yield* Effect.promise(() => connector(url, settings))
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(place, settings.timeout ?? 15_000, open)),
      (made) => Effect.promise(() => made.close())
    )
    yield* pool.read(prepareSchema)
    return build(pool)
  })

export const PostgresStore = {
  make,
  layer: (options: PostgresStoreOptions | string): Layer.Layer<RegistryStore, RegistryError> =>
    Layer.effect(RegistryStore, make(options))
}
