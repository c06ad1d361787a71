import type { ConnectionLimits } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Permits handed out in the order in which they were asked for. */
class Permits {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  readonly take: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#free > 0) {
      this.#free -= 1
      return Effect.void
    }
    return Effect.callback<void>((resume) => {
      const granted = () => resume(Effect.void)
      this.#waiting.add(granted)
      return Effect.sync(() => {
        // Granted and interrupted in the same instant: the permit goes to the next.
        if (!this.#waiting.delete(granted)) this.give()
      })
    })
  })

  give(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      next()
      return
    }
    this.#free += 1
  }
}

/** Holds attempts of one connection to its limits; whoever asked first goes first. */
export class ConnectionGate {
  readonly limits: ConnectionLimits
  readonly #slots: Permits | undefined
  /** Held by whoever waits for its turn in time, so that only one does. */
  readonly #turn = new Permits(1)
  /** When the last attempts started, as many as may start within `#window`; a ring. */
  readonly #starts: Array<number>
  readonly #window: number
  #next = 0

  constructor(limits: ConnectionLimits) {
    this.limits = limits
    this.#slots = limits.concurrency === undefined ? undefined : new Permits(Math.max(1, limits.concurrency))
    const perSecond = limits.perSecond
    const burst = perSecond === undefined ? 0 : Math.max(1, Math.floor(perSecond))
    this.#starts = new Array<number>(burst).fill(Number.NEGATIVE_INFINITY)
    this.#window = perSecond === undefined ? 0 : (burst / perSecond) * 1000
  }

  /** Waits for a slot and a turn. Interruptible; give the slot back with {@link leave}. */
  readonly enter: Effect.Effect<void> = Effect.suspend(() => {
    const turn = this.#starts.length === 0 ? Effect.void : this.#awaitTurn
    if (this.#slots === undefined) return turn
    return Effect.andThen(
      this.#slots.take,
      Effect.onInterrupt(turn, () => Effect.sync(() => this.#slots?.give()))
    )
  })

  leave(): void {
    this.#slots?.give()
  }

  /** No window of one second sees more than `perSecond` starts. */
  readonly #awaitTurn: Effect.Effect<void> = Effect.andThen(
    this.#turn.take,
    Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const start = Math.max(now, (this.#starts[this.#next] ?? 0) + this.#window)
      const stamp = Effect.sync(() => {
        this.#starts[this.#next] = start
        this.#next = (this.#next + 1) % this.#starts.length
      })
      return start <= now ? stamp : Effect.andThen(Effect.sleep(start - now), stamp)
    }).pipe(Effect.ensuring(Effect.sync(() => this.#turn.give())))
  )
}
