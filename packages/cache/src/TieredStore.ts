import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CacheError } from "./CacheError.ts"
import { type CacheListener, type CacheStore, type Entry, isLive } from "./CacheStore.ts"
import type { MemoryEntries } from "./MemoryStore.ts"

/** A read under way: what it brings must not be kept if the entry changed meanwhile. */
interface Reading {
  dirty: boolean
  /** The revision that was last announced, `null` for a removal. */
  last: string | null | undefined
}

/**
 * Memory in front of a shared store. Reads are answered from memory while every change made by other
 * processes is known to arrive; once that is in doubt, memory is emptied and not used.
 *
 * Writes go to the shared store and drop the entry here. So a process reads what it wrote, and sees
 * what others wrote as soon as the announcement arrives.
 */
export const tieredStore = (
  near: MemoryEntries,
  far: CacheStore,
  watch: (listener: CacheListener) => Effect.Effect<{ readonly live: () => boolean }, never, Scope.Scope>,
  now: () => number
): Effect.Effect<CacheStore, never, Scope.Scope> =>
  Effect.gen(function* () {
    const readings = new Map<string, Set<Reading>>()

    const taint = (key: string): void => {
      near.drop(key)
      for (const reading of readings.get(key) ?? []) reading.dirty = true
    }
    const taintAll = (): void => {
      near.clear()
      for (const set of readings.values()) for (const reading of set) reading.dirty = true
    }

    const feed = yield* watch({
      changed: (key, revision) => {
        if (revision === null || near.get(key)?.revision !== revision) near.drop(key)
        for (const reading of readings.get(key) ?? []) reading.last = revision
      },
      flushed: taintAll
    })

    const held = (key: string): Entry | undefined => {
      if (!feed.live()) return undefined
      const entry = near.get(key)
      if (entry === undefined || isLive(entry, now())) return entry
      near.drop(key)
      return undefined
    }

    const fetch = (key: string): Effect.Effect<Entry | undefined, CacheError> =>
      Effect.suspend(() => {
        const reading: Reading = { dirty: !feed.live(), last: undefined }
        const set = readings.get(key) ?? new Set()
        readings.set(key, set.add(reading))
        return far.get(key).pipe(
          Effect.tap((entry) =>
            Effect.sync(() => {
              if (entry === undefined || reading.dirty || !feed.live()) return
              if (reading.last === undefined || reading.last === entry.revision) near.put(key, entry)
            })
          ),
          Effect.ensuring(
            Effect.sync(() => {
              set.delete(reading)
              if (set.size === 0) readings.delete(key)
            })
          )
        )
      })

    /** Tainted before, so that nobody reads the old value meanwhile, and after, whatever came of it. */
    const writing = <A>(change: () => void, effect: Effect.Effect<A, CacheError>) =>
      Effect.suspend(() => {
        change()
        return Effect.ensuring(effect, Effect.sync(change))
      })

    return {
      get: (key) =>
        Effect.suspend(() => {
          const entry = held(key)
          return entry === undefined ? fetch(key) : Effect.succeed(entry)
        }),
      set: (key, entry, options) => writing(() => taint(key), far.set(key, entry, options)),
      // A comparison is made where the truth is.
      swap: (key, expected, entry, at) => writing(() => taint(key), far.swap(key, expected, entry, at)),
      remove: (key, at) => writing(() => taint(key), far.remove(key, at)),
      list: far.list,
      clear: (options) => writing(taintAll, far.clear(options)),
      lease: far.lease,
      sync: { get: held, complete: false }
    }
  })
