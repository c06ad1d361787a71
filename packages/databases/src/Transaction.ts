import { randomUUID } from "node:crypto"
import { BoundCalls } from "./BoundCalls.ts"
import type { CallEnvironment } from "./calls.ts"
import type { DatabaseConnection, RunOptions, Scope } from "./DatabaseConnection.ts"
import type {
  CallControl,
  DriverResult,
  DriverTransaction,
  Param,
  StatementOptions
} from "./DatabaseDriver.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { quoteColumn } from "./sql/identifier.ts"
import type { TxOptions } from "./types.ts"

/** Statements that move savepoints themselves. */
const control = /^(?:SAVEPOINT|RELEASE|ROLLBACK)\b/

export type TransactionStatus = "active" | "committed" | "rolled_back"

const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)

/** One transaction on one connection; every handle of it (savepoints, nested ones) shares this. */
export class TransactionState {
  readonly id = randomUUID()
  readonly connection: DatabaseConnection
  readonly options: TxOptions
  readonly deadline: number | undefined
  status: TransactionStatus = "active"
  savepoints = 0
  /** Runs once the transaction has committed; dropped if it rolls back. */
  readonly afterCommit: Array<() => void> = []
  readonly driver: DriverTransaction
  #timedOut = false
  /** A statement failed and nothing went back to before it: PostgreSQL will not commit. */
  #aborted = false
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    connection: DatabaseConnection,
    driver: DriverTransaction,
    options: TxOptions,
    deadline: number | undefined
  ) {
    this.connection = connection
    this.driver = driver
    this.options = options
    this.deadline = deadline
    if (deadline !== undefined) {
      this.#timer = setTimeout(() => this.#expire(), Math.max(0, deadline - performance.now()))
      this.#timer.unref()
    }
  }

  isActive(): boolean {
    return this.status === "active"
  }

  /** @throws `TRANSACTION_ERROR` or `TIMEOUT` once it has ended */
  check(): void {
    if (this.#timedOut) {
      throw new DatabaseError({
        code: "TIMEOUT",
        message: "The transaction did not end within its timeout and was rolled back.",
        database: this.connection.identity.database,
        details: { outcome: "none" }
      })
    }
    if (this.status !== "active") {
      throw new DatabaseError({
        code: "TRANSACTION_ERROR",
        message: `The transaction is ${this.status === "committed" ? "committed" : "rolled back"}; begin another one.`,
        database: this.connection.identity.database
      })
    }
  }

  /** A callback that returned although its transaction had timed out still failed. @throws `TIMEOUT` */
  expired(): void {
    if (this.#timedOut) this.check()
  }

  control(control: CallControl | undefined): CallControl {
    return { deadline: earliest(control?.deadline, this.deadline), signal: control?.signal }
  }

  query(
    text: string,
    params: ReadonlyArray<Param>,
    statement: StatementOptions,
    options: RunOptions
  ): Promise<DriverResult> {
    this.check()
    if (this.options.statementSavepoints === true && !control.test(text))
      return this.#guarded(text, params, statement, options)
    return this.#run(text, params, statement, options)
  }

  async #run(
    text: string,
    params: ReadonlyArray<Param>,
    statement: StatementOptions,
    options: RunOptions
  ): Promise<DriverResult> {
    try {
      const result = await this.driver.query(text, params, { ...statement, ...this.control(statement) })
      this.#aborted = false
      return result
    } catch (cause) {
      const error = this.connection.error(cause, { ...options, write: false })
      if (error.sqlState !== undefined) this.#aborted = true
      if (error.code === "CONNECTION_LOST" || this.#timedOut) this.#end("rolled_back")
      throw error
    }
  }

  /** One statement at a time, each between a savepoint and its release. */
  #guarded(...args: Parameters<TransactionState["query"]>): Promise<DriverResult> {
    const run = async (): Promise<DriverResult> => {
      this.check()
      const control = this.control(args[2])
      const set = this.driver.query("SAVEPOINT ductape_statement", [], control)
      const [, outcome] = await Promise.allSettled([set, this.#run(...args)])
      if (outcome.status === "fulfilled") {
        await this.driver.query("RELEASE SAVEPOINT ductape_statement", [], control)
        return outcome.value
      }
      if (this.isActive()) {
        await this.undo("ductape_statement")
      }
      throw outcome.reason
    }
    const next = this.#turn.then(run, run)
    this.#turn = next.catch(() => undefined)
    return next
  }

  /** Goes back to a savepoint; never rejects, since it follows a failure that is to be told. */
  async undo(savepoint: string): Promise<void> {
    try {
      await this.driver.query(`ROLLBACK TO SAVEPOINT ${savepoint}`, [], this.control(undefined))
      this.#aborted = false
    } catch {
      this.#aborted = true
    }
  }

  async commit(): Promise<void> {
    this.check()
    if (this.#aborted) {
      await this.rollback()
      throw new DatabaseError({
        code: "TRANSACTION_ERROR",
        message:
          "A statement of the transaction had failed, so it was rolled back instead of committed. Use savepoint() around statements that may fail, or begin with statementSavepoints: true.",
        database: this.connection.identity.database,
        details: { outcome: "none" }
      })
    }
    this.status = "committed"
    clearTimeout(this.#timer)
    try {
      await this.driver.commit(this.control(undefined))
    } catch (cause) {
      this.status = "rolled_back"
      throw this.connection.error(cause, { write: true })
    }
    for (const run of this.afterCommit) run()
  }

  /** Harmless once it has ended. */
  async rollback(): Promise<void> {
    if (this.status !== "active") return
    this.#end("rolled_back")
    await this.driver.rollback()
  }

  #end(status: TransactionStatus): void {
    this.status = status
    clearTimeout(this.#timer)
  }

  #expire(): void {
    if (this.status !== "active") return
    this.#timedOut = true
    this.#end("rolled_back")
    void this.driver.rollback()
  }
}

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

  constructor(state: TransactionState, environment: CallEnvironment) {
    super({ connection: state.connection, transaction: state }, environment)
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
    return nested(this.#state, this.#environment, work)
  }
}

export const nested = async <T>(
  state: TransactionState,
  environment: CallEnvironment,
  run: (tx: Transaction) => Promise<T> | T
): Promise<T> => {
  state.check()
  const scope: Scope = { connection: state.connection, transaction: state }
  const name = `ductape_${++state.savepoints}`
  await state.connection.run(scope, `SAVEPOINT ${name}`, [], {})
  try {
    const result = await run(new Transaction(state, environment))
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
    return new Transaction(new TransactionState(connection, driver, options, deadline), environment)
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
  if (outer?.isActive() === true && outer.connection === connection) return nested(outer, environment, run)
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
