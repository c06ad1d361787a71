import {
  type CallControl,
  type DatabaseAdapter,
  type DatabaseDriver,
  DriverFault,
  type DriverOptions,
  type DriverPool,
  type DriverResult,
  type DriverTransaction,
  type Param,
  type StatementOptions,
  sqlFault
} from "@ductape/databases"
import { openEmbedded, type PGlite, type QueryOptions, type Transaction } from "@ductape/embedded"

const classify = (cause: unknown): DriverFault => {
  if (cause instanceof DriverFault) return cause
  if (typeof cause === "object" && cause !== null) {
    const fault = sqlFault(cause)
    if (fault !== undefined) return fault
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown }
    if (
      code === "FOLDER_LOCKED" ||
      code === "OPEN_FAILED" ||
      code === "VALIDATION_ERROR" ||
      code === "UNSUPPORTED_OPERATION"
    ) {
      return new DriverFault("connect", { message: String(message).replace(/\.$/, "") })
    }
    if (/closed/i.test(String(message))) return new DriverFault("closed")
  }
  return new DriverFault("other", { message: "the embedded engine failed" })
}

/** What runs statements: the engine, or a transaction of it. */
type Runner = Pick<PGlite, "query"> | Pick<Transaction, "query">

const serialize = (value: unknown, oid: number): string =>
  typeof value === "string" ? value : (value as { forType: (oid: number) => string }).forType(oid)

/** Every type is written from our text and read by our decoders; the engine's own ideas do not apply. */
const queryOptions = (decoders: DriverOptions["decoders"]): QueryOptions => {
  const parsers: Record<number, (text: string) => unknown> = {}
  const serializers: Record<number, (value: unknown) => string> = {}
  for (const [oid, decode] of decoders) {
    parsers[oid] = decode
    serializers[oid] = (value) => serialize(value, oid)
  }
  return { parsers, serializers }
}

const run = async (
  runner: Runner,
  text: string,
  params: ReadonlyArray<Param>,
  options: QueryOptions
): Promise<DriverResult> => {
  const result = await runner.query<Record<string, unknown>>(text, params as Array<unknown>, options)
  return {
    rows: result.rows,
    count: result.rowCount ?? result.affectedRows ?? 0,
    fields: result.fields.map(({ dataTypeID, name }) => ({ name, type: dataTypeID }))
  }
}

/** Waits for `turn` no longer than the call may; then the call is over and its statement never runs. */
const awaitTurn = async <A>(turn: (start: () => boolean) => Promise<A>, control: CallControl): Promise<A> => {
  const { deadline, signal } = control
  if (deadline === undefined && signal === undefined) return turn(() => true)
  if (signal?.aborted === true) throw new DriverFault("aborted")
  let over: DriverFault | undefined
  let started = false
  let stop: (() => void) | undefined
  const ended = new Promise<never>((_, reject) => {
    const end = (fault: DriverFault): void => {
      if (started) return
      over = fault
      reject(fault)
    }
    const onAbort = (): void => end(new DriverFault("aborted"))
    signal?.addEventListener("abort", onAbort, { once: true })
    const timer =
      deadline === undefined
        ? undefined
        : setTimeout(() => end(new DriverFault("timeout")), Math.max(0, deadline - performance.now()))
    stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", onAbort)
    }
  })
  ended.catch(() => undefined)
  try {
    return await Promise.race([
      turn(() => {
        started = over === undefined
        return started
      }),
      ended
    ])
  } finally {
    stop?.()
  }
}

/** What PostgreSQL refuses inside a transaction. */
const alone =
  /^\s*(?:vacuum|(?:create\s+(?:unique\s+)?|drop\s+|re)index\s+concurrently|create\s+database|drop\s+database|begin|start|commit|rollback|checkpoint)\b/i

class PglitePool implements DriverPool {
  readonly native: PGlite
  readonly #options: QueryOptions
  readonly #close: () => Promise<void>
  #closed = false
  #running = 0

  constructor(native: PGlite, options: DriverOptions, close: () => Promise<void>) {
    this.native = native
    this.#options = queryOptions(options.decoders)
    this.#close = close
  }

  async query(
    text: string,
    params: ReadonlyArray<Param>,
    options: StatementOptions = {}
  ): Promise<DriverResult> {
    if (this.#closed) throw new DriverFault("closed")
    this.#running++
    try {
      if ((options.deadline === undefined && options.signal === undefined) || alone.test(text)) {
        return await run(this.native, text, params, this.#options)
      }
      // In a transaction of its own, so that a call that is over before its turn has no effect.
      return await awaitTurn(
        (start) =>
          this.native.transaction((tx) => {
            if (!start()) throw new DriverFault("timeout")
            return run(tx, text, params, this.#options)
          }),
        options
      )
    } finally {
      this.#running--
    }
  }

  begin(modes: string, control: CallControl): Promise<DriverTransaction> {
    if (this.#closed) return Promise.reject(new DriverFault("closed"))
    const options = this.#options
    return awaitTurn(
      (start) =>
        new Promise<DriverTransaction>((resolve, reject) => {
          this.#running++
          // The engine runs the transaction for as long as this promise is open.
          let finish: (commit: boolean) => void = () => undefined
          const finished = new Promise<boolean>((done) => {
            finish = done
          })
          const rollback = new DriverFault("other", { message: "rolled back" })
          const whole = this.native
            .transaction(async (tx) => {
              if (!start()) throw rollback
              if (modes !== "") await tx.query(`SET TRANSACTION ${modes}`)
              resolve({
                native: tx,
                drizzle: (schema) => drizzleOf(tx as unknown as PGlite, schema),
                query: (text, params, statement = {}) => {
                  if (statement.signal?.aborted === true) return Promise.reject(new DriverFault("aborted"))
                  return run(tx, text, params, options)
                },
                commit: async () => {
                  finish(true)
                  await whole
                },
                rollback: async () => {
                  finish(false)
                  await whole.catch(() => undefined)
                }
              })
              if (!(await finished)) throw rollback
            })
            .finally(() => {
              this.#running--
            })
          whole.catch(reject)
        }),
      control
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#close()
  }

  drizzle(schema: Record<string, unknown> | undefined): Promise<unknown> {
    return drizzleOf(this.native, schema)
  }

  stats(): { readonly open: number; readonly busy: number; readonly waiting: number } {
    return {
      open: this.#closed ? 0 : 1,
      busy: Math.min(1, this.#running),
      waiting: Math.max(0, this.#running - 1)
    }
  }
}

const drizzleOf = async (client: PGlite, schema: Record<string, unknown> | undefined): Promise<unknown> => {
  const { drizzle } = await import("drizzle-orm/pglite")
  return schema === undefined ? drizzle({ client }) : drizzle({ client, schema })
}

const driver: DatabaseDriver = {
  name: "pglite",
  capabilities: new Set(),
  open: async (options) => {
    const { close, pglite } = await openEmbedded({ url: options.url, extensions: options.extensions })
    return new PglitePool(pglite, options, close)
  },
  classify
}

/**
 * Embedded PostgreSQL: `new Ductape({ adapters: [pglite()] })`, or
 * `connectDatabase({ adapter: pglite(), url: "pglite://memory" })`.
 */
export const pglite = (): DatabaseAdapter => ({
  capability: "databases",
  type: "pglite",
  schemes: ["pglite"],
  make: driver
})
