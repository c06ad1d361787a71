import { AsyncLocalStorage } from "node:async_hooks"
import {
  type CallControl,
  type DatabaseDriver,
  DriverFault,
  type DriverPool,
  type DriverResult,
  type Param
} from "./DatabaseDriver.ts"
import { DatabaseError } from "./DatabaseError.ts"
import { faultToError } from "./faults.ts"
import type { WriteHook } from "./hooks.ts"
import { Catalogue, type Table } from "./sql/Catalogue.ts"
import { decodeArray, type NumericMode } from "./sql/decode.ts"
import { arrayOids } from "./sql/pgTypes.ts"
import { type Compiled, Misfit } from "./sql/Statement.ts"
import type { TransactionState } from "./TransactionState.ts"

export interface ConnectionIdentity {
  readonly product: string | undefined
  readonly env: string | undefined
  /** Tag of the database. */
  readonly database: string
}

/** What one call runs on: a connection, in a transaction or not, until its deadline. */
export interface Scope {
  readonly connection: DatabaseConnection
  readonly transaction?: TransactionState | undefined
  readonly control?: CallControl | undefined
  /** Identifier of the verified session's subject. */
  readonly user?: string | undefined
}

export interface RunOptions {
  readonly prepare?: boolean
  /** The statement may change something: a failure in flight leaves its outcome unknown. */
  readonly write?: boolean
  readonly table?: string | undefined
}

/** Plans kept for one database; the oldest go first. */
const maxPlans = 2000

/** Server errors that a changed table explains; the statement did not run. */
const staleStates = new Set(["42P01", "42703", "42804", "42883", "0A000", "42P18", "42704"])

const ddl =
  /^\s*(?:--[^\n]*\n\s*|\/\*[\s\S]*?\*\/\s*)*(?:create|alter|drop|rename|comment|truncate|do|call|set|import|reassign)\b/i

/**
 * One pool with what is known about its database: catalogue, compiled statements, hooks. Shared by
 * all handles of the same product, environment and database.
 */
export class DatabaseConnection {
  readonly identity: ConnectionIdentity
  readonly driver: DatabaseDriver
  readonly pool: DriverPool
  readonly catalogue: Catalogue
  readonly numericMode: NumericMode
  /** Signs cursors. */
  readonly cursorKey: Uint8Array
  readonly hooks: Array<WriteHook> = []
  /** The transactions whose callbacks the current call is inside of. */
  readonly inside = new AsyncLocalStorage<TransactionState>()
  readonly concurrent: boolean
  version: string | undefined
  latency: number | undefined
  #plans = new Map<string, unknown>()
  #closed = false

  constructor(options: {
    readonly identity: ConnectionIdentity
    readonly driver: DatabaseDriver
    readonly pool: DriverPool
    readonly numericMode: NumericMode
    readonly cursorKey: Uint8Array
  }) {
    this.identity = options.identity
    this.driver = options.driver
    this.pool = options.pool
    this.numericMode = options.numericMode
    this.cursorKey = options.cursorKey
    this.concurrent = options.driver.capabilities.has("concurrent")
    this.catalogue = new Catalogue(
      (text, params) => this.run({ connection: this }, text, params, {}),
      () => this.#plans.clear()
    )
  }

  get closed(): boolean {
    return this.#closed
  }

  /** A plan by the shape of its call, made on first use. */
  plan<P>(key: string, make: () => P): P {
    return this.known<P>(key) ?? this.keep(key, make())
  }

  /** A plan, if there is one. */
  known<P>(key: string): P | undefined {
    return this.#plans.get(key) as P | undefined
  }

  /** Keeps a plan until a table changes: it must be made of tables that the catalogue has now. */
  keep<P>(key: string, made: P): P {
    if (this.#plans.size >= maxPlans) {
      for (const oldest of this.#plans.keys()) {
        this.#plans.delete(oldest)
        if (this.#plans.size < maxPlans * 0.9) break
      }
    }
    this.#plans.set(key, made)
    return made
  }

  /** Runs a statement where the scope says. @throws {DatabaseError} */
  run(scope: Scope, text: string, params: ReadonlyArray<Param>, options: RunOptions): Promise<DriverResult> {
    const control = scope.control
    const statement = { prepare: options.prepare, deadline: control?.deadline, signal: control?.signal }
    if (scope.transaction !== undefined) {
      return scope.transaction.query(text, params, statement, options)
    }
    if (!this.concurrent) this.refuseDeadlock()
    return this.pool.query(text, params, statement).catch((cause: unknown) => {
      throw this.error(cause, options)
    })
  }

  /** On a single connection, a call that waits for the transaction that it is in would never end. */
  refuseDeadlock(): void {
    const state = this.inside.getStore()
    if (state === undefined || !state.isActive()) return
    throw new DatabaseError({
      code: "TRANSACTION_ERROR",
      message:
        "A call inside a transaction's callback did not join it, and the embedded database has one connection only: it would wait for ever. Use the callback's argument (tx.find(…)), or pass transaction: tx.",
      database: this.identity.database
    })
  }

  error(cause: unknown, options: RunOptions): DatabaseError {
    if (cause instanceof DatabaseError) return cause
    const fault = cause instanceof DriverFault ? cause : this.driver.classify(cause)
    const error = faultToError(fault, {
      database: this.identity.database,
      table: options.table,
      write: options.write === true
    })
    if (error.sqlState !== undefined && staleStates.has(error.sqlState)) this.catalogue.invalidate()
    return error
  }

  /** After a statement that someone wrote: if it may have changed a table, what is known of them goes. */
  noticeStatement(text: string): void {
    if (ddl.test(text)) this.catalogue.invalidate()
  }

  /**
   * The table, from the catalogue; inside a transaction looked up there.
   *
   * @throws `TABLE_NOT_FOUND`
   */
  table(scope: Scope, name: string): Promise<Table> {
    return this.catalogue.table(name, (text, params) => this.run(scope, text, params, { table: name }))
  }

  /**
   * Does `attempt` with the table, again with a fresh one if it turns out to have changed. Nothing
   * ran the first time: the statement was refused before execution.
   */
  async withTable<A>(scope: Scope, name: string, attempt: (table: Table) => Promise<A>): Promise<A> {
    const known = this.catalogue.peek(name)
    const table = known ?? (await this.table(scope, name))
    try {
      return await attempt(table)
    } catch (error) {
      if (known === undefined || !this.#isStale(error, scope)) throw error
    }
    this.catalogue.invalidate(name)
    return attempt(await this.table(scope, name))
  }

  #isStale(error: unknown, scope: Scope): boolean {
    if (!(error instanceof DatabaseError)) return false
    if (error.sqlState === undefined) return error.code === "COLUMN_NOT_FOUND"
    return staleStates.has(error.sqlState) && scope.transaction === undefined
  }

  async close(timeout?: number): Promise<void> {
    this.#closed = true
    await this.pool.close(timeout)
  }
}

/** Binds, or says that the exact form of the statement is needed. */
export const bindOr = <A>(
  compile: (wide: boolean) => { readonly compiled: Compiled } & A,
  values: ReadonlyArray<unknown>
): { readonly plan: { readonly compiled: Compiled } & A; readonly params: Array<Param> } => {
  const plan = compile(false)
  try {
    return { plan, params: plan.compiled.bind(values) }
  } catch (cause) {
    if (cause !== Misfit) throw cause
  }
  const exact = compile(true)
  return { plan: exact, params: exact.compiled.bind(values) }
}

/** Arrays of types that did not come with PostgreSQL (enums, mostly) arrive as text: this reads them. */
export const foreignArrays = (table: Table, columns: Iterable<string>): ReadonlyArray<string> => {
  const out: Array<string> = []
  for (const name of columns) {
    const column = table.columns.get(name)
    if (column?.kind === "array" && arrayOids[column.oid] === undefined) out.push(name)
  }
  return out
}

export const readForeignArrays = (
  rows: ReadonlyArray<Record<string, unknown>>,
  columns: ReadonlyArray<string>
): void => {
  for (const row of rows) {
    for (const column of columns) {
      const text = row[column]
      if (typeof text === "string") row[column] = decodeArray(text, (element) => element)
    }
  }
}
