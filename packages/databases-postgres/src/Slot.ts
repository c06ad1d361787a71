import type { Socket } from "node:net"
import {
  type CallControl,
  DriverFault,
  type DriverResult,
  type Param,
  type StatementOptions,
  sqlFault
} from "@ductape/databases"
import type postgres from "postgres"
import { type Address, connectFault, dialAny } from "./serverAddress.ts"

export type Factory = typeof postgres

export interface SlotOptions {
  readonly postgres: Factory
  readonly url: string
  readonly addresses: ReadonlyArray<Address | { readonly path: string }>
  readonly connectTimeout: number
  readonly types: Record<string, postgres.PostgresType>
}

/** Fields of the driver's query that its types do not tell: which backend has it, if any. */
interface Sent {
  readonly state: { readonly pid: number | null; readonly secret: number | null } | null
}

const prepared = { prepare: true }
const unprepared = { prepare: false }

/** Codes of `postgres` for a connection that is no more. */
const lostCodes = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_DESTROYED",
  "ERR_SOCKET_CLOSED"
])

export const classify = (cause: unknown): DriverFault => {
  if (cause instanceof DriverFault) return cause
  if (typeof cause !== "object" || cause === null)
    return new DriverFault("other", { message: "the driver failed" })
  const fault = sqlFault(cause)
  if (fault !== undefined) return fault
  const { code } = cause as { readonly code?: unknown }
  if (typeof code === "string" && lostCodes.has(code)) return new DriverFault("lost")
  if (code === "CONNECT_TIMEOUT")
    return new DriverFault("connect", { message: "the server did not answer in time" })
  return new DriverFault("other", {
    message: typeof code === "string" ? `the driver answered ${code}` : "the driver failed"
  })
}

/**
 * One connection, used once: when it breaks it is thrown away, so that nothing of what it was doing
 * can come back. Statements of several callers follow each other on it without waiting (pipelining),
 * unless one has it for itself.
 */
export class Slot {
  readonly sql: postgres.Sql
  readonly #addresses: SlotOptions["addresses"]
  readonly #connectTimeout: number
  readonly #onDeath: (slot: Slot) => void
  #socket: Socket | undefined
  #dead = false
  /** Statements under way. */
  pending = 0
  exclusive = false

  private constructor(options: SlotOptions, onDeath: (slot: Slot) => void) {
    this.#addresses = options.addresses
    this.#connectTimeout = options.connectTimeout
    this.#onDeath = onDeath
    let dialled = false
    const [first] = options.addresses
    this.sql = options.postgres(options.url, {
      max: 1,
      fetch_types: false,
      types: options.types,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: Math.ceil(options.connectTimeout / 1000),
      onnotice: () => undefined,
      onclose: () => this.kill(),
      ...(first !== undefined && "host" in first ? { host: first.host, port: first.port } : {}),
      connection: { application_name: "ductape" },
      // Ours to hold, so that a connection that hangs can be destroyed. `postgres` would also dial
      // again by itself; a slot never does.
      socket: async () => {
        if (dialled) throw new DriverFault("lost")
        dialled = true
        this.#socket = await dialAny(options.addresses, options.connectTimeout)
        if (this.#dead) this.#socket.destroy()
        return this.#socket
      }
    } as postgres.Options<Record<string, postgres.PostgresType>>) as unknown as postgres.Sql
  }

  /** @throws {DriverFault} `connect`, or what the server refused the connection with */
  static async open(options: SlotOptions, onDeath: (slot: Slot) => void): Promise<Slot> {
    const slot = new Slot(options, onDeath)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new DriverFault("connect", {
              message: `the server did not answer within ${options.connectTimeout} ms`
            })
          ),
        options.connectTimeout
      )
    })
    try {
      await Promise.race([slot.sql.unsafe("SELECT 1"), late])
      return slot
    } catch (cause) {
      slot.kill()
      const fault = classify(cause)
      throw fault.kind === "lost" || fault.kind === "other" ? connectFault(cause) : fault
    } finally {
      clearTimeout(timer)
    }
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Destroys the connection; statements under way fail as `lost`. Idempotent. */
  kill(): void {
    if (this.#dead) return
    this.#dead = true
    this.#socket?.destroy()
    this.sql.end({ timeout: 0 }).catch(() => undefined)
    this.#onDeath(this)
  }

  async close(): Promise<void> {
    if (this.#dead) return
    this.#dead = true
    await this.sql.end({ timeout: 1 }).catch(() => undefined)
    this.#socket?.destroy()
  }

  /** Without a deadline. The caller counts `pending`, and may go on from `after`. */
  run(
    text: string,
    params: ReadonlyArray<Param>,
    prepare: boolean,
    after?: (slot: Slot) => void
  ): Promise<DriverResult> {
    const query = this.sql.unsafe(text, params as Array<never>, prepare ? prepared : unprepared)
    return query.then(
      (result) => {
        after?.(this)
        return toResult(result)
      },
      (cause: unknown) => {
        after?.(this)
        throw this.#fault(cause, query)
      }
    )
  }

  #fault(cause: unknown, query: unknown): DriverFault {
    const fault = classify(cause)
    if (fault.kind === "sql" || fault.kind === "connect") return fault
    return new DriverFault(fault.kind, {
      message: fault.message,
      sent: fault.sent || ((query as Sent).state ?? null) !== null
    })
  }

  /**
   * With a deadline or signal, on a slot that no one else uses. When it passes, the server is asked to
   * stop; if it does not say so soon, the connection is destroyed and the outcome is unknown.
   */
  async runUntil(
    text: string,
    params: ReadonlyArray<Param>,
    options: StatementOptions
  ): Promise<DriverResult> {
    const { deadline, signal } = options
    if (deadline === undefined && signal === undefined)
      return this.run(text, params, options.prepare === true)
    if (signal?.aborted === true) throw new DriverFault("aborted")
    const remaining = deadline === undefined ? undefined : deadline - performance.now()
    if (remaining !== undefined && remaining <= 0) throw new DriverFault("timeout")
    const query = this.sql.unsafe(
      text,
      params as Array<never>,
      options.prepare === true ? prepared : unprepared
    )
    return new Promise<DriverResult>((resolve, reject) => {
      let why: "timeout" | "aborted" | undefined
      let grace: NodeJS.Timeout | undefined
      let cancelled: Promise<void> | undefined
      const stop = (reason: "timeout" | "aborted", patience: number): void => {
        if (why !== undefined) return
        why = reason
        cancelled = this.cancel(query)
        grace = setTimeout(() => {
          settle()
          reject(new DriverFault(reason, { sent: true }))
          this.kill()
        }, patience)
      }
      const timer =
        remaining === undefined
          ? undefined
          : setTimeout(() => stop("timeout", Math.min(1000, remaining * 0.06)), remaining)
      const onAbort = (): void => stop("aborted", 500)
      signal?.addEventListener("abort", onAbort, { once: true })
      const settle = (): void => {
        clearTimeout(timer)
        clearTimeout(grace)
        signal?.removeEventListener("abort", onAbort)
        // A cancel that arrives late would hit the next statement: absorb it before anyone else comes.
        if (cancelled !== undefined) this.#busy = this.#absorb(cancelled)
      }
      query.then(
        (result) => {
          settle()
          resolve(toResult(result))
        },
        (cause: unknown) => {
          settle()
          const fault = this.#fault(cause, query)
          if (why === undefined) reject(fault)
          else if (fault.sqlState === "57014") reject(new DriverFault(why))
          else if (fault.kind === "sql") reject(fault)
          else reject(new DriverFault(why, { sent: true }))
        }
      )
    })
  }

  #busy: Promise<void> | undefined

  /** Until nothing of an earlier statement can disturb the next one. */
  async quiet(): Promise<void> {
    while (this.#busy !== undefined) {
      const busy = this.#busy
      await busy
      if (this.#busy === busy) this.#busy = undefined
    }
  }

  get needsQuiet(): boolean {
    return this.#busy !== undefined
  }

  async #absorb(cancelled: Promise<void>): Promise<void> {
    await cancelled
    if (this.#dead) return
    const timer = setTimeout(() => this.kill(), 2000)
    try {
      await this.sql.unsafe("SELECT 1").catch(() => undefined)
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Asks the server, on a connection of its own, to stop what the query's backend does (CancelRequest,
   * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS).
   * Resolves once the server has taken the request, or it could not be delivered.
   */
  async cancel(query: unknown): Promise<void> {
    const backend = (query as Sent).state
    if (backend === null || backend.pid === null || backend.secret === null) return
    try {
      const socket = await dialAny(this.#addresses, Math.min(this.#connectTimeout, 1000))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => socket.destroy(), 1000)
        socket.on("error", () => undefined)
        socket.on("close", () => {
          clearTimeout(timer)
          resolve()
        })
        const message = Buffer.alloc(16)
        message.writeInt32BE(16, 0)
        message.writeInt32BE(80877102, 4)
        message.writeInt32BE(backend.pid as number | 0, 8)
        message.writeInt32BE((backend.secret as number) | 0, 12)
        socket.resume()
        socket.end(message)
      })
    } catch {
      // The grace period decides.
    }
  }
}

/** The rows as a plain array: the driver's is a class of its own, which would show in comparisons. */
const toResult = (result: postgres.RowList<Array<postgres.Row>>): DriverResult => {
  const { length } = result
  const rows = new Array<Record<string, unknown>>(length)
  for (let i = 0; i < length; i++) rows[i] = result[i] as postgres.Row
  // What is left of the driver's last answers is reachable from its next ones for a while: rows must not be.
  result.length = 0
  return {
    rows,
    count: result.count ?? 0,
    fields: (result.columns as ReadonlyArray<{ readonly name: string; readonly type: number }> | null) ?? []
  }
}

/** Rejects when the control says so, while something that cannot be stopped goes on. */
export const until = <A>(work: Promise<A>, control: CallControl, onLate: (value: A) => void): Promise<A> => {
  const { deadline, signal } = control
  if (deadline === undefined && signal === undefined) return work
  return new Promise<A>((resolve, reject) => {
    let over = false
    const end = (fault: DriverFault): void => {
      over = true
      finish()
      reject(fault)
    }
    const onAbort = (): void => end(new DriverFault("aborted"))
    const timer =
      deadline === undefined
        ? undefined
        : setTimeout(() => end(new DriverFault("timeout")), Math.max(0, deadline - performance.now()))
    const finish = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", onAbort)
    }
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener("abort", onAbort, { once: true })
    work.then(
      (value) => {
        if (over) onLate(value)
        else {
          finish()
          resolve(value)
        }
      },
      (cause: unknown) => {
        finish()
        reject(cause)
      }
    )
    return undefined
  })
}
