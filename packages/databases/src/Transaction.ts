import { BoundCalls } from "./BoundCalls.ts"
import type { CallEnvironment } from "./calls.ts"
import type { DatabaseConnection, Scope } from "./DatabaseConnection.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { quoteColumn } from "./sql/identifier.ts"
import { TransactionState, type TransactionStatus } from "./TransactionState.ts"
import type { TxOptions } from "./types.ts"

/** A point to go back to within a transaction. */
export class Savepoint {
  readonly name: string
  readonly #state: TransactionState
  readonly #sql: string

  constructor(state: TransactionState, name: string, sql: string) {
    this.#state = state
    this.name = name
    this.#sql = sql
  }

  /** Keeps what was done since, and forgets the point. */
  async release(): Promise<void> {
    await this.#state.connection.run(
      { connection: this.#state.connection, transaction: this.#state },
      `RELEASE SAVEPOINT ${this.#sql}`,
      [],
      {}
    )
  }

  /** Undoes what was done since; the transaction can go on, even after a failed statement. */
  async rollback(): Promise<void> {
    await this.#state.connection.run(
      { connection: this.#state.connection, transaction: this.#state },
      `ROLLBACK TO SAVEPOINT ${this.#sql}`,
      [],
      {}
    )
  }
}

/** A running transaction: every call made through it is part of it. */
export class Transaction extends BoundCalls {
  readonly #state: TransactionState
  readonly #environment: CallEnvironment

  readonly #drizzle: unknown

  constructor(state: TransactionState, environment: CallEnvironment, drizzle?: unknown) {
    super({ connection: state.connection, transaction: state }, environment)
    this.#drizzle = drizzle
    this.#state = state
    this.#environment = environment
  }

  get id(): string {
    return this.#state.id
  }

  get status(): TransactionStatus {
    return this.#state.status
  }

  /** What the calls of this package work with; not for applications. */
  get state(): TransactionState {
    return this.#state
  }

  /** drizzle on this transaction. There with the `schema` that `connect` was given. */
  get drizzle(): unknown {
    if (this.#drizzle !== undefined) return this.#drizzle
    throw new DatabaseError({
      code: "UNSUPPORTED_OPERATION",
      message: "tx.drizzle: give connect a drizzle schema: connect({ database, schema }).",
      database: this.#state.connection.identity.database
    })
  }

  isActive(): boolean {
    return this.#state.isActive()
  }

  /** @throws {DatabaseError} `details.outcome: "unknown"` if the connection broke during the commit */
  commit(): Promise<void> {
    return this.#state.commit()
  }

  rollback(): Promise<void> {
    return this.#state.rollback()
  }

  async savepoint(name: string): Promise<Savepoint> {
    const sql = quoteColumn(name, "name")
    await this.scope.connection.run(this.scope, `SAVEPOINT ${sql}`, [], {})
    return new Savepoint(this.#state, name, sql)
  }

  /** A part of this transaction that can fail alone: it is rolled back to where it began. */
  transaction<T>(
    optionsOrRun: TxOptions | ((tx: Transaction) => Promise<T> | T),
    run?: (tx: Transaction) => Promise<T> | T
  ): Promise<T> {
    const work = typeof optionsOrRun === "function" ? optionsOrRun : run
    if (work === undefined) throw invalid("transaction: expected a callback.")
    return nested(this.#state, this.#environment, work, this.#drizzle)
  }
}

export const nested = async <T>(
  state: TransactionState,
  environment: CallEnvironment,
  run: (tx: Transaction) => Promise<T> | T,
  drizzle?: unknown
): Promise<T> => {
  state.check()
  const scope: Scope = { connection: state.connection, transaction: state }
  const name = `ductape_${++state.savepoints}`
  await state.connection.run(scope, `SAVEPOINT ${name}`, [], {})
  try {
    const result = await run(new Transaction(state, environment, drizzle))
    await state.connection.run(scope, `RELEASE SAVEPOINT ${name}`, [], {})
    return result
  } catch (cause) {
    if (state.isActive()) {
      await state.undo(name)
    }
    throw cause
  }
}

const levels: Readonly<Record<string, string>> = {
  READ_UNCOMMITTED: "READ UNCOMMITTED",
  READ_COMMITTED: "READ COMMITTED",
  REPEATABLE_READ: "REPEATABLE READ",
  SERIALIZABLE: "SERIALIZABLE"
}

/** What goes behind `BEGIN`. @throws `VALIDATION_ERROR` */
const modesOf = (options: TxOptions): string => {
  const modes: Array<string> = []
  if (options.isolationLevel !== undefined) {
    const level = Object.hasOwn(levels, options.isolationLevel) ? levels[options.isolationLevel] : undefined
    if (level === undefined) {
      throw invalid(`isolationLevel: expected one of ${Object.keys(levels).join(", ")}.`, "isolationLevel")
    }
    modes.push(`ISOLATION LEVEL ${level}`)
  }
  if (options.readOnly === true) modes.push("READ ONLY")
  if (options.deferrable === true) {
    if (options.isolationLevel !== "SERIALIZABLE" || options.readOnly !== true) {
      throw invalid("deferrable: needs isolationLevel 'SERIALIZABLE' and readOnly.", "deferrable")
    }
    modes.push("DEFERRABLE")
  }
  return modes.join(" ")
}

export const begin = async (
  connection: DatabaseConnection,
  environment: CallEnvironment,
  options: TxOptions
): Promise<Transaction> => {
  const { signal, timeout } = options
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0)) {
    throw invalid("timeout: expected milliseconds, more than 0.", "timeout")
  }
  const modes = modesOf(options)
  const deadline = timeout === undefined ? undefined : performance.now() + timeout
  if (!connection.concurrent) connection.refuseDeadlock()
  try {
    const driver = await connection.pool.begin(modes, { deadline, signal })
    const { schema } = environment
    const drizzle = schema === undefined ? undefined : await driver.drizzle(schema)
    return new Transaction(new TransactionState(connection, driver, options, deadline), environment, drizzle)
  } catch (cause) {
    throw connection.error(cause, {})
  }
}

const canRepeat = (error: unknown): boolean =>
  error instanceof DatabaseError && (error.code === "SERIALIZATION_FAILURE" || error.code === "DEADLOCK")

const once = async <T>(
  connection: DatabaseConnection,
  environment: CallEnvironment,
  options: TxOptions,
  run: (tx: Transaction) => Promise<T> | T
): Promise<T> => {
  const tx = await begin(connection, environment, options)
  let result: T
  try {
    result = await connection.inside.run(tx.state, async () => run(tx))
  } catch (cause) {
    await tx.rollback()
    throw cause
  }
  if (tx.isActive()) await tx.commit()
  else tx.state.expired()
  return result
}

/** Runs `run` in a transaction; inside another one of the same database, in a savepoint of that. */
export const transact = async <T>(
  connection: DatabaseConnection,
  environment: CallEnvironment,
  options: TxOptions,
  run: (tx: Transaction) => Promise<T> | T
): Promise<T> => {
  const outer = options.transaction?.state ?? connection.inside.getStore()
  if (outer?.isActive() === true && outer.connection === connection) {
    const { schema } = environment
    const drizzle = schema === undefined ? undefined : await outer.driver.drizzle(schema)
    return nested(outer, environment, run, drizzle)
  }
  const retries = options.retries ?? 0
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw invalid("retries: expected a whole number, 0 or more.", "retries")
  }
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(connection, environment, options, run)
    } catch (error) {
      if (attempt >= retries || !canRepeat(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** Math.min(attempt, 6)))
    }
  }
}
