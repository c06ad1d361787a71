import { randomUUID } from "node:crypto"
import type { DatabaseConnection, RunOptions } from "./DatabaseConnection.ts"
import type {
  CallControl,
  DriverResult,
  DriverTransaction,
  Param,
  StatementOptions
} from "./DatabaseDriver.ts"
import { DatabaseError } from "./DatabaseError.ts"
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
