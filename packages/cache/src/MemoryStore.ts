import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import {
  type CacheProvider,
  type CacheScope,
  type CacheStore,
  type Entry,
  isKept,
  isLive,
  scopeId
} from "./CacheStore.ts"
import { byteLength } from "./payload.ts"

/** Bytes of keys and values that one cache may hold in one environment. */
export const memoryLimit = 64 * 1024 * 1024

/** What an entry takes besides its key and value, roughly. */
const overhead = 256

const sweepEvery = 10_000

type Held = LRUCache<string, Entry>

const sizeOf = (key: string, entry: Entry): number => overhead + key.length + byteLength(entry.value)

const put = (held: Held, key: string, entry: Entry): void => {
  held.set(key, entry, { size: sizeOf(key, entry) })
}

/** The store over one LRU. Everything happens in one turn of the event loop, so everything is atomic. */
const storeOf = (held: Held, clock: () => number): CacheStore => {
  const alive = (key: string, now: number): Entry | undefined => {
    const entry = held.peek(key)
    return entry !== undefined && isLive(entry, now) ? entry : undefined
  }
  const set = (key: string, entry: Entry, now: number): void => {
    const old = alive(key, now)
    put(held, key, old === undefined ? entry : entry.withCreatedAt(old.createdAt))
  }
  return {
    get: (key) =>
      Effect.sync(() => {
        const entry = held.get(key)
        if (entry === undefined || isKept(entry, clock())) return entry
        held.delete(key)
        return undefined
      }),
    set: (key, entry, { now }) =>
      Effect.sync(() => {
        set(key, entry, now)
        return true
      }),
    swap: (key, expected, entry, now) =>
      Effect.sync(() => {
        if ((alive(key, now)?.revision ?? null) !== expected) return false
        put(held, key, entry)
        return true
      }),
    remove: (key, now) =>
      Effect.sync(() => {
        const was = alive(key, now) !== undefined
        held.delete(key)
        return was
      }),
    list: Effect.sync(() => Array.from(held.entries(), ([key, entry]) => ({ key, entry }))),
    clear: ({ now, tag }) =>
      Effect.sync(() => {
        let cleared = 0
        for (const [key, entry] of Array.from(held.entries())) {
          if (tag !== undefined && !entry.tags.includes(tag)) continue
          if (isLive(entry, now)) cleared++
          held.delete(key)
        }
        return cleared
      }),
    sync: { get: (key) => held.get(key), set, complete: true }
  }
}

export interface MemoryProvider extends CacheProvider {
  /** The entries themselves, for a tier in front of another store. */
  readonly entries: (scope: CacheScope, maxEntries: number) => MemoryEntries
  /** Drops what is kept no longer; returns how many. A timer does it every ten seconds. */
  readonly sweep: (now: number) => number
  /** Entries held, over all caches. */
  readonly size: () => number
}

export interface MemoryEntries {
  readonly get: (key: string) => Entry | undefined
  readonly put: (key: string, entry: Entry) => void
  readonly drop: (key: string) => void
  readonly clear: () => void
}

/**
 * Entries in this process: gone with it. Least recently used ones leave at `maxEntries`, and at
 * 64 MiB per cache and environment. Its timer does not keep the process alive.
 *
 * `now`: the clock that the timer goes by. Default: `Date.now`.
 */
export const memoryProvider = (
  options: { readonly now?: () => number } = {}
): Effect.Effect<MemoryProvider, never, Scope.Scope> =>
  Effect.gen(function* () {
    const now = options.now ?? Date.now
    const caches = new Map<
      string,
      { readonly max: number; readonly held: Held; readonly store: CacheStore }
    >()
    const open = (scope: CacheScope, max: number) => {
      const id = scopeId(scope)
      const known = caches.get(id)
      if (known?.max === max) return known
      const held: Held = new LRUCache({ max, maxSize: memoryLimit, maxEntrySize: memoryLimit })
      const opened = { max, held, store: storeOf(held, now) }
      caches.set(id, opened)
      return opened
    }
    const sweep = (now: number): number => {
      let dropped = 0
      for (const { held } of caches.values()) {
        const dead: Array<string> = []
        for (const [key, entry] of held.entries()) if (!isKept(entry, now)) dead.push(key)
        for (const key of dead) held.delete(key)
        dropped += dead.length
      }
      return dropped
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(() => sweep(now()), sweepEvery).unref()),
      (timer) =>
        Effect.sync(() => {
          clearInterval(timer)
          for (const { held } of caches.values()) held.clear()
          caches.clear()
        })
    )
    const provider: MemoryProvider = {
      name: "memory",
      capabilities: new Set(["enumerate"] as const),
      open: (scope, { maxEntries }) => open(scope, maxEntries).store,
      entries: (scope, maxEntries) => {
        const { held } = open(scope, maxEntries)
        return {
          get: (key) => held.get(key),
          put: (key, entry) => put(held, key, entry),
          drop: (key) => {
            held.delete(key)
          },
          clear: () => held.clear()
        }
      },
      connect: Effect.void,
      sweep,
      size: () => Array.from(caches.values()).reduce((sum, { held }) => sum + held.size, 0),
      raw: () => undefined
    }
    return provider
  })
