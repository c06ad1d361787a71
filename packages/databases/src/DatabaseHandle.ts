import { BoundCalls } from "./BoundCalls.ts"
import type { CallEnvironment } from "./calls.ts"
import type { DatabaseConnection, Scope } from "./DatabaseConnection.ts"
import type { DriverCapability, DriverResult } from "./DatabaseDriver.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { addHook, type WriteHook } from "./hooks.ts"
import { type MigrationCalls, makeMigrationCalls } from "./migration/MigrationCalls.ts"
import { makeSchema, type SchemaCalls } from "./schema/Schema.ts"
import type { Table } from "./sql/Catalogue.ts"
import { encodeLoose } from "./sql/encode.ts"
import { begin, type Transaction, transact } from "./Transaction.ts"
import { type HandleTriggers, handleTriggers } from "./trigger/TriggerCalls.ts"
import type { TxOptions } from "./types.ts"

/**
 * What migrations, schema calls, actions, pre-save and triggers build on. Nothing of it needs to know
 * which driver there is.
 *
 * - **Statements**: `execute` binds plain JavaScript values to `$1`, `$2`, …; errors are classified.
 *   Pass `transaction` to run in one, `scope` inside a hook to run wherever the hooked call runs.
 *   DDL run through it refreshes the catalogue by itself.
 * - **Transactions**: `transaction(options, run)`; DDL is transactional in PostgreSQL. A run that must
 *   stay outside (CREATE INDEX CONCURRENTLY) calls `execute` without one.
 * - **Catalogue**: `table(name)` as the compiler sees it; `invalidate()` after changes that did not
 *   pass through here.
 * - **Hooks**: `hook(…)` sees every insert, upsert, update and delete of all handles on the connection
 *   (see `WriteHook`): `before` may replace the input (pre-save) or refuse, `after` has the result
 *   (triggers). `afterCommit` runs once the scope's transaction has committed, at once without one.
 */
export interface DatabaseAccess {
  readonly dialect: "postgresql"
  /** Name of the driver. */
  readonly driver: string
  readonly capabilities: ReadonlySet<DriverCapability>
  readonly identity: DatabaseConnection["identity"]
  /** The same object for all handles of one database: what is kept for it hangs on this. */
  readonly connection: DatabaseConnection
  /** A transaction to end by hand; calls elsewhere do not join it by themselves. */
  readonly begin: (options: TxOptions) => Promise<Transaction>
  readonly execute: (
    text: string,
    params?: ReadonlyArray<unknown>,
    options?: {
      readonly transaction?: Transaction | undefined
      readonly scope?: Scope | undefined
      readonly table?: string | undefined
      readonly timeout?: number | undefined
      readonly signal?: AbortSignal | undefined
    }
  ) => Promise<DriverResult>
  readonly transaction: <T>(options: TxOptions, run: (tx: Transaction) => Promise<T> | T) => Promise<T>
  /** `undefined`: there is none. */
  readonly table: (name: string, scope?: Scope) => Promise<Table | undefined>
  readonly invalidate: (table?: string) => void
  /** Returns what takes the hook away. */
  readonly hook: (hook: WriteHook) => () => void
  readonly afterCommit: (scope: Scope, run: () => void) => void
  /** A handle's calls, on the scope of a hook. */
  readonly calls: (scope: Scope) => BoundCalls
}

export const accessOf = (connection: DatabaseConnection, environment: CallEnvironment): DatabaseAccess => {
  const plain: Scope = { connection }
  return {
    dialect: "postgresql",
    driver: connection.driver.name,
    capabilities: connection.driver.capabilities,
    identity: connection.identity,
    connection,
    begin: (options) => begin(connection, environment, options),
    execute: async (text, params = [], options = {}) => {
      const { signal, table, timeout, transaction } = options
      const base: Scope =
        options.scope ?? (transaction === undefined ? plain : { connection, transaction: transaction.state })
      const scope: Scope =
        timeout === undefined && signal === undefined
          ? base
          : {
              ...base,
              control: { deadline: timeout === undefined ? undefined : performance.now() + timeout, signal }
            }
      const bound = params.map((value, i) => encodeLoose(value, `params[${i}]`))
      try {
        return await connection.run(scope, text, bound, { write: true, table })
      } finally {
        connection.noticeStatement(text)
      }
    },
    transaction: (options, run) => transact(connection, environment, options, run),
    table: (name, scope = plain) =>
      connection.catalogue.find(name, (text, params) => connection.run(scope, text, params, { table: name })),
    invalidate: (table) => connection.catalogue.invalidate(table),
    hook: (hook) => addHook(connection, hook),
    afterCommit: (scope, run) => {
      if (scope.transaction === undefined) run()
      else scope.transaction.afterCommit.push(run)
    },
    calls: (scope) => new BoundCalls(scope, environment)
  }
}

/** A handle, with drizzle loaded if there is a schema. */
export const makeHandle = async (
  connection: DatabaseConnection,
  environment: CallEnvironment,
  schema: Record<string, unknown> | undefined
): Promise<DatabaseHandle> =>
  schema === undefined
    ? new DatabaseHandle(connection, environment)
    : new DatabaseHandle(
        connection,
        { ...environment, schema },
        { drizzle: await connection.pool.drizzle(schema) }
      )

/**
 * One database of one environment of one product, with every call bound to it. Handles are cheap and
 * safe to use concurrently; those of the same database share one pool.
 */
export class DatabaseHandle extends BoundCalls {
  readonly #connection: DatabaseConnection
  readonly #drizzle: unknown
  readonly #release: (() => Promise<void>) | undefined

  constructor(
    connection: DatabaseConnection,
    environment: CallEnvironment = {},
    options: {
      /** A drizzle database over the pool. */
      readonly drizzle?: unknown
      /** What `close` does besides closing the pool. */
      readonly release?: (() => Promise<void>) | undefined
    } = {}
  ) {
    super({ connection }, environment)
    this.#connection = connection
    this.#drizzle = options.drizzle
    this.#release = options.release
  }

  get connected(): boolean {
    return !this.#connection.closed
  }

  /** `PostgreSQL 18.1`, as the server says it. */
  get version(): string | undefined {
    return this.#connection.version
  }

  /** Of the first round trip, in milliseconds. */
  get latency(): number | undefined {
    return this.#connection.latency
  }

  /** Tags that the handle is bound to. */
  get context(): DatabaseConnection["identity"] {
    return this.#connection.identity
  }

  /** Open connections of the pool, those in use, and callers waiting for one. */
  get stats(): { readonly open: number; readonly busy: number; readonly waiting: number } {
    return this.#connection.pool.stats()
  }

  /** A drizzle database over the same pool. There with the `schema` that `connect` was given. */
  get drizzle(): unknown {
    if (this.#drizzle !== undefined) return this.#drizzle
    throw new DatabaseError({
      code: "UNSUPPORTED_OPERATION",
      message:
        "handle.drizzle: give connect a drizzle schema: connect({ database, schema }). Without tables, schema: {} will do.",
      database: this.#connection.identity.database
    })
  }

  /**
   * Commits when the callback returns and rolls back when it throws, rethrowing what it threw. Called
   * inside another transaction of the same database, it is a savepoint of that.
   */
  transaction<T>(run: (tx: Transaction) => Promise<T> | T): Promise<T>
  transaction<T>(options: TxOptions, run: (tx: Transaction) => Promise<T> | T): Promise<T>
  transaction<T>(
    first: TxOptions | ((tx: Transaction) => Promise<T> | T),
    second?: (tx: Transaction) => Promise<T> | T
  ): Promise<T> {
    const [options, run] = typeof first === "function" ? [{}, first] : [first, second]
    if (run === undefined) return Promise.reject(invalid("transaction: expected a callback."))
    return transact(this.#connection, this.environment, options, run)
  }

  /** A transaction to commit or roll back by hand. */
  beginTransaction(options: TxOptions = {}): Promise<Transaction> {
    return begin(this.#connection, this.environment, options)
  }

  /** Tables, columns, indexes and constraints. */
  get schema(): SchemaCalls {
    return makeSchema(async () => this.getAdapter())
  }

  get migration(): MigrationCalls {
    return makeMigrationCalls(async () => this.getAdapter())
  }

  /** Triggers in memory; a service shares them among its databases. */
  get triggers(): HandleTriggers {
    return handleTriggers(this.#connection)
  }

  /** What `new MigrationEngine(…)` and extensions work with. */
  getAdapter(): DatabaseAccess {
    return accessOf(this.#connection, this.environment)
  }

  /** Closes the pool for every handle of this database. */
  async close(): Promise<void> {
    await this.#connection.close()
    await this.#release?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
