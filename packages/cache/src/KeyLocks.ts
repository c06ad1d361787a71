import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/**
 * One at a time per id within this process, so that only processes compete for an entry and not every
 * caller in them.
 */
export class KeyLocks {
  readonly #locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()

  hold<A, E, R>(id: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const lock = this.#locks.get(id) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
      this.#locks.set(id, lock)
      lock.users++
      return Effect.ensuring(
        lock.semaphore.withPermits(1)(effect),
        Effect.sync(() => {
          lock.users--
          if (lock.users === 0) this.#locks.delete(id)
        })
      )
    })
  }
}
