import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** One load under way, and who waits for it. */
export interface Flight {
  /** The entry was written or cleared meanwhile: what is being loaded is already old. */
  tainted: boolean
}

interface Running extends Flight {
  readonly done: Deferred.Deferred<unknown, unknown>
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  waiters: number
  /** Goes on without waiters. */
  background: boolean
}

/** Loads shared by everyone in this process who wants the same entry. */
export class Flights {
  readonly #running = new Map<string, Running>()
  readonly #scope: Scope.Scope

  /** `scope`: its end interrupts the loads. */
  constructor(scope: Scope.Scope) {
    this.#scope = scope
  }

  /** Nothing is being loaded. */
  get idle(): boolean {
    return this.#running.size === 0
  }

  /** Joins the load of `id`, or starts it. It is interrupted once nobody waits any longer. */
  run<A, E>(id: string, load: (flight: Flight) => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const running = this.#running.get(id)
      if (running !== undefined) return this.#join<A, E>(id, running)
      return Effect.flatMap(this.#start(id, load, false), (started) => this.#join<A, E>(id, started))
    })
  }

  /** Starts the load of `id` unless it is under way; nobody waits for it. */
  detach<A, E>(id: string, load: (flight: Flight) => Effect.Effect<A, E>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const running = this.#running.get(id)
      if (running === undefined) return Effect.asVoid(this.#start(id, load, true))
      running.background = true
      return Effect.void
    })
  }

  /** The entry changed: loads under way store nothing, and later callers start their own. */
  taint(id: string): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    running.tainted = true
    this.#running.delete(id)
  }

  /** The same for all whose id starts so. */
  taintAll(prefix: string): void {
    for (const id of Array.from(this.#running.keys())) if (id.startsWith(prefix)) this.taint(id)
  }

  #start<A, E>(
    id: string,
    load: (flight: Flight) => Effect.Effect<A, E>,
    background: boolean
  ): Effect.Effect<Running> {
    const running: Running = {
      done: Deferred.makeUnsafe<unknown, unknown>(),
      fiber: undefined,
      waiters: 0,
      background,
      tainted: false
    }
    this.#running.set(id, running)
    const finish = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.sync(() => {
        this.#remove(id, running)
        Deferred.doneUnsafe(running.done, exit)
      })
    return Effect.suspend(() => load(running)).pipe(
      Effect.onExit(finish),
      Effect.interruptible,
      Effect.forkIn(this.#scope),
      Effect.map((fiber) => {
        running.fiber = fiber
        return running
      })
    )
  }

  #join<A, E>(id: string, running: Running): Effect.Effect<A, E> {
    running.waiters++
    const leave = Effect.suspend(() => {
      running.waiters--
      if (running.waiters > 0 || running.background || Deferred.isDoneUnsafe(running.done)) return Effect.void
      this.#remove(id, running)
      return running.fiber === undefined ? Effect.void : Fiber.interrupt(running.fiber)
    })
    // Whoever joined asked for the same entry, so its load has the same types.
    return Effect.ensuring(Deferred.await(running.done), leave) as Effect.Effect<A, E>
  }

  #remove(id: string, running: Running): void {
    if (this.#running.get(id) === running) this.#running.delete(id)
  }
}
