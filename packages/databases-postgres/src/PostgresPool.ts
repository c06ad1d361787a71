import {
  type CallControl,
  DriverFault,
  type DriverOptions,
  type DriverPool,
  type DriverResult,
  type DriverTransaction,
  type Param,
  type StatementOptions
} from "@ductape/databases"
import type postgres from "postgres"
import { drizzleClient } from "./drizzleClient.ts"
import { Slot, type SlotOptions, until } from "./Slot.ts"

interface Waiter {
  readonly exclusive: boolean
  readonly give: (slot: Slot) => void
  readonly fail: (fault: unknown) => void
}

/** Statements that a connection takes before the answer to the first, at most. */
const maxPipeline = 64

export class PostgresPool implements DriverPool {
  readonly #options: SlotOptions
  readonly #max: number
  readonly #acquireTimeout: number
  readonly #slots: Array<Slot> = []
  readonly #waiters: Array<Waiter> = []
  #opening = 0
  #closed = false
  #native: postgres.Sql | undefined
  readonly #onDeath = (slot: Slot): void => this.#bury(slot)

  constructor(options: SlotOptions, driver: DriverOptions) {
    this.#options = options
    this.#max = driver.max ?? 10
    this.#acquireTimeout = driver.acquireTimeout ?? 30_000
  }

  query(text: string, params: ReadonlyArray<Param>, options: StatementOptions = {}): Promise<DriverResult> {
    if (options.deadline !== undefined || options.signal !== undefined)
      return this.#alone(text, params, options)
    const slot = this.#pick()
    if (slot !== undefined) return this.#shared(slot, text, params, options.prepare === true)
    return this.#acquire(false, options).then((taken) => {
      // Counted when it was given.
      taken.pending--
      return this.#shared(taken, text, params, options.prepare === true)
    })
  }

  #shared(slot: Slot, text: string, params: ReadonlyArray<Param>, prepare: boolean): Promise<DriverResult> {
    slot.pending++
    return slot.run(text, params, prepare, this.#onAnswer)
  }

  readonly #onAnswer = (slot: Slot): void => {
    slot.pending--
    if (this.#waiters.length > 0) this.#dispatch(slot)
  }

  async #alone(text: string, params: ReadonlyArray<Param>, options: StatementOptions): Promise<DriverResult> {
    const slot = await this.#acquire(true, options)
    try {
      return await slot.runUntil(text, params, options)
    } finally {
      this.#release(slot)
    }
  }

  /** A connection for a statement to join: an idle one, a new one while there may be more, the least busy. */
  #pick(): Slot | undefined {
    if (this.#closed || this.#waiters.length > 0) return undefined
    let best: Slot | undefined
    for (const slot of this.#slots) {
      if (slot.exclusive || slot.dead) continue
      if (slot.pending === 0) return slot
      if (best === undefined || slot.pending < best.pending) best = slot
    }
    if (this.#slots.length + this.#opening < this.#max) return undefined
    return best !== undefined && best.pending < maxPipeline ? best : undefined
  }

  #acquire(exclusive: boolean, control: CallControl): Promise<Slot> {
    if (this.#closed) return Promise.reject(new DriverFault("closed"))
    if (this.#waiters.length === 0) {
      const idle = this.#slots.find((slot) => !slot.exclusive && slot.pending === 0 && !slot.dead)
      if (idle !== undefined) return Promise.resolve(this.#take(idle, exclusive))
    }
    const late = (slot: Slot): void => this.#giveBack(slot, exclusive)
    if (this.#slots.length + this.#opening < this.#max) {
      return until(
        this.#open().then((slot) => this.#take(slot, exclusive)),
        control,
        late
      )
    }
    return until(this.#wait(exclusive), control, late)
  }

  #take(slot: Slot, exclusive: boolean): Slot {
    if (exclusive) slot.exclusive = true
    slot.pending++
    return slot
  }

  #giveBack(slot: Slot, exclusive: boolean): void {
    if (exclusive) {
      this.#release(slot)
      return
    }
    slot.pending--
    this.#dispatch(slot)
  }

  #wait(exclusive: boolean): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        exclusive,
        give: (slot) => {
          clearTimeout(timer)
          resolve(this.#take(slot, exclusive))
        },
        fail: (fault) => {
          clearTimeout(timer)
          reject(fault)
        }
      }
      const timer = setTimeout(() => {
        const at = this.#waiters.indexOf(waiter)
        if (at >= 0) this.#waiters.splice(at, 1)
        reject(new DriverFault("busy"))
      }, this.#acquireTimeout)
      this.#waiters.push(waiter)
    })
  }

  async #open(): Promise<Slot> {
    this.#opening++
    try {
      const slot = await Slot.open(this.#options, this.#onDeath)
      if (this.#closed) {
        await slot.close()
        throw new DriverFault("closed")
      }
      this.#slots.push(slot)
      return slot
    } finally {
      this.#opening--
    }
  }

  #release(slot: Slot): void {
    if (slot.needsQuiet && !slot.dead) {
      void slot.quiet().then(() => this.#release(slot))
      return
    }
    slot.pending--
    slot.exclusive = false
    this.#dispatch(slot)
  }

  /** Hands a slot that came free, or freer, to those who wait, in the order of their coming. */
  #dispatch(slot: Slot): void {
    if (slot.dead || slot.exclusive) return
    while (this.#waiters.length > 0) {
      const [next] = this.#waiters
      if (next === undefined || (next.exclusive ? slot.pending > 0 : slot.pending >= maxPipeline)) return
      this.#waiters.shift()
      next.give(slot)
      if (next.exclusive) return
    }
  }

  #bury(slot: Slot): void {
    const at = this.#slots.indexOf(slot)
    if (at >= 0) this.#slots.splice(at, 1)
    if (this.#closed) return
    // Those who wait would wait for a connection that is no more.
    const missing = Math.min(this.#waiters.length, this.#max - this.#slots.length - this.#opening)
    for (let i = 0; i < missing; i++) {
      this.#open().then(
        (opened) => this.#dispatch(opened),
        (fault: unknown) => this.#waiters.shift()?.fail(fault)
      )
    }
  }

  async begin(modes: string, control: CallControl): Promise<DriverTransaction> {
    const slot = await this.#acquire(true, control)
    try {
      await slot.runUntil(modes === "" ? "BEGIN" : `BEGIN ${modes}`, [], control)
    } catch (cause) {
      slot.kill()
      this.#release(slot)
      throw cause
    }
    return new PostgresTransaction(slot, () => this.#release(slot))
  }

  get native(): postgres.Sql {
    // A client of its own: what is done to it (types, listeners) cannot reach the pool's connections.
    this.#native ??= this.#options.postgres(this.#options.url, { max: this.#max, onnotice: () => undefined })
    return this.#native
  }

  drizzle(schema: Record<string, unknown> | undefined): Promise<unknown> {
    return drizzleOver(
      drizzleClient({
        acquire: async (text, params, raw) => {
          const picked = this.#pick()
          const slot = picked ?? (await this.#acquire(false, {}))
          if (picked !== undefined) slot.pending++
          try {
            return await raw(slot.sql, text, params)
          } finally {
            slot.pending--
            if (this.#waiters.length > 0) this.#dispatch(slot)
          }
        },
        begin: async (run) => {
          const tx = (await this.begin("", {})) as PostgresTransaction
          try {
            const result = await run(tx.drizzleSource)
            await tx.commit()
            return result
          } catch (cause) {
            await tx.rollback()
            throw cause
          }
        }
      }),
      schema
    )
  }

  async close(timeout = 5000): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const waiter of this.#waiters.splice(0)) waiter.fail(new DriverFault("closed"))
    const end = performance.now() + timeout
    while (this.#slots.some((slot) => slot.pending > 0 && !slot.dead) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all([...this.#slots.map((slot) => slot.close()), this.#native?.end({ timeout: 1 })])
    this.#slots.length = 0
  }

  stats(): { readonly open: number; readonly busy: number; readonly waiting: number } {
    return {
      open: this.#slots.length,
      busy: this.#slots.filter((slot) => slot.pending > 0).length,
      waiting: this.#waiters.length
    }
  }
}

/** A connection between BEGIN and COMMIT or ROLLBACK. */
class PostgresTransaction implements DriverTransaction {
  readonly #slot: Slot
  readonly #release: () => void
  #over = false
  #running = new Set<Promise<unknown>>()

  constructor(slot: Slot, release: () => void) {
    this.#slot = slot
    this.#release = release
  }

  get native(): postgres.Sql {
    return this.#slot.sql
  }

  query(text: string, params: ReadonlyArray<Param>, options: StatementOptions = {}): Promise<DriverResult> {
    const run = this.#slot.needsQuiet
      ? this.#slot.quiet().then(() => this.#slot.runUntil(text, params, options))
      : this.#slot.runUntil(text, params, options)
    this.#running.add(run)
    const done = (): void => {
      this.#running.delete(run)
    }
    run.then(done, done)
    return run
  }

  async commit(control: CallControl = {}): Promise<void> {
    try {
      await this.#slot.runUntil("COMMIT", [], control)
    } catch (cause) {
      if (!this.#slot.dead) this.#slot.kill()
      throw cause
    } finally {
      this.#finish()
    }
  }

  async rollback(): Promise<void> {
    if (this.#over) return
    const slot = this.#slot
    // What still runs is stopped by its own deadline; a connection that stays silent is destroyed.
    const timer = setTimeout(() => slot.kill(), 3000)
    try {
      await Promise.allSettled([...this.#running])
      await slot.quiet()
      if (!slot.dead) await slot.run("ROLLBACK", [], false)
    } catch {
      slot.kill()
    } finally {
      clearTimeout(timer)
      this.#finish()
    }
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#release()
  }

  get drizzleSource() {
    return drizzleClient({
      acquire: (text, params, raw) => raw(this.#slot.sql, text, params),
      savepoints: true
    })
  }

  drizzle(schema: Record<string, unknown> | undefined): Promise<unknown> {
    return drizzleOver(this.drizzleSource, schema)
  }
}

const drizzleOver = async (
  client: unknown,
  schema: Record<string, unknown> | undefined
): Promise<unknown> => {
  const { drizzle } = await import("drizzle-orm/postgres-js")
  const over = client as postgres.Sql
  return schema === undefined ? drizzle(over) : drizzle(over, { schema })
}
