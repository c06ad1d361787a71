import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import {
  type CacheAdapter,
  CacheError,
  type CacheProvider,
  type CacheStore,
  memoryProvider
} from "../src/index.ts"
import { eventually } from "../src/testing/index.ts"
import { failure, world } from "./support.ts"

type Mood = "well" | "fails" | "hangs"

/** A shared provider that fails or hangs when told to. */
const moody = () => {
  const state = { mood: "well" as Mood, asked: 0 }
  const wrap = <A>(effect: Effect.Effect<A, CacheError>): Effect.Effect<A, CacheError> =>
    Effect.suspend(() => {
      state.asked++
      if (state.mood === "hangs") return Effect.never
      if (state.mood === "well") return effect
      return Effect.fail(new CacheError({ code: "CONNECTION_ERROR", message: "the wire is cut" }))
    })
  const wrapStore = (store: CacheStore): CacheStore => ({
    get: (key) => wrap(store.get(key)),
    set: (...args) => wrap(store.set(...args)),
    swap: (...args) => wrap(store.swap(...args)),
    remove: (...args) => wrap(store.remove(...args)),
    list: wrap(store.list),
    clear: (options) => wrap(store.clear(options))
  })
  const adapter: CacheAdapter = {
    capability: "cache",
    type: "moody",
    make: () =>
      Effect.map(
        memoryProvider(),
        (provider): CacheProvider => ({
          ...provider,
          name: "moody",
          open: (...args) => wrapStore(provider.open(...args))
        })
      )
  }
  return { adapter, state }
}

const at = { cache: "remote", key: "a" }

describe("a provider that fails", () => {
  for (const mood of ["fails", "hangs"] as const) {
    it(`never fails a read-through, within its deadline (${mood})`, () => {
      const { adapter, state } = moody()
      return world(
        ({ caches, logged }) =>
          Effect.gen(function* () {
            yield* caches.create({ tag: "remote", type: "moody" })
            yield* caches.get({ ...at, fallback: () => "stored" })
            state.mood = mood
            let calls = 0
            const fallback = async () => {
              const result = `loaded ${++calls}`
              await new Promise((resolve) => setTimeout(resolve, 60))
              return result
            }
            const read = caches.get({ ...at, timeout: 500, fallback })
            expect(yield* read).toBe("loaded 1")
            expect(yield* read).toBe("loaded 2")
            const many = yield* Effect.all(
              Array.from({ length: 20 }, () => read),
              { concurrency: "unbounded" }
            )
            expect(new Set(many)).toEqual(new Set(["loaded 3"]))
            const through = yield* caches.calls.through(
              {
                context: { product: "shop", env: "dev" },
                cache: "remote",
                componentType: "action",
                componentTag: "t",
                identity: 1,
                timeout: 500
              },
              Effect.succeed("called")
            )
            expect(through).toEqual({ value: "called", cached: false })
            expect(logged.length).toBe(1)
            expect(logged[0]).toContain("'moody'")
            state.mood = "well"
            expect(yield* read).toBe("stored")
            expect(logged.length).toBe(2)
            expect(logged[1]).toContain("answers again")
          }),
        { adapters: [adapter] }
      )
    })
  }

  it("fails what asks for it, with the code of the operation and the reason", () => {
    const { adapter, state } = moody()
    return world(
      ({ caches }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "remote", type: "moody" })
          state.mood = "fails"
          for (const [code, effect] of [
            ["GET_VALUE_FAILED", caches.get(at)],
            ["GET_VALUE_FAILED", caches.has(at)],
            ["GET_VALUE_FAILED", caches.ttl(at)],
            ["SET_VALUE_FAILED", caches.set({ ...at, value: 1 })],
            ["GET_VALUE_FAILED", caches.increment(at)],
            ["CLEAR_VALUE_FAILED", caches.clear(at)],
            ["CLEAR_VALUE_FAILED", caches.clear({ cache: "remote", tag: "x" })],
            ["CLEAR_VALUES_FAILED", caches.clearAll({ cache: "remote" })],
            ["FETCH_VALUES_FAILED", caches.fetchValues({ cache: "remote" })],
            ["FETCH_VALUES_FAILED", caches.values({ cache_tag: "remote" })],
            ["FETCH_DASHBOARD_FAILED", caches.fetchDashboard({ cache: "remote" })]
          ] as ReadonlyArray<[string, Effect.Effect<unknown, unknown>]>) {
            const error = yield* failure(effect)
            expect(error).toMatchObject({ code, status: 502, retryable: true })
            expect(error.message).toContain("the wire is cut")
            expect(error.message).toContain("'remote'")
          }
          expect(yield* caches.delete({ tag: "remote" })).toBe(true)
        }),
      { adapters: [adapter] }
    )
  })

  it("a call that hangs ends with its deadline", () => {
    const { adapter, state } = moody()
    return world(
      ({ caches }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "remote", type: "moody" })
          state.mood = "hangs"
          expect((yield* failure(caches.get({ ...at, timeout: 30 }))).code).toBe("TIMEOUT")
          const read = caches.get({ ...at, timeout: 60, fallback: () => Effect.never })
          expect((yield* failure(read)).code).toBe("TIMEOUT")
        }),
      { adapters: [adapter] }
    )
  })

  it("a change that others were faster with is made again", () => {
    let refusals = 3
    const adapter: CacheAdapter = {
      capability: "cache",
      type: "crowded",
      make: () =>
        Effect.map(
          memoryProvider(),
          (provider): CacheProvider => ({
            ...provider,
            open: (...args) => {
              const store = provider.open(...args)
              return {
                ...store,
                swap: (...given) => (refusals-- > 0 ? Effect.succeed(false) : store.swap(...given))
              }
            }
          })
        )
    }
    return world(
      ({ caches }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "remote", type: "crowded" })
          expect(yield* caches.increment(at)).toBe(1)
          expect((yield* caches.get(at))?.value).toBe("1")
          refusals = 3
          expect(yield* caches.compareAndSet({ ...at, expected: 1, value: 5 })).toBe(true)
          expect((yield* caches.get(at))?.value).toBe("5")
        }),
      { adapters: [adapter] }
    )
  })

  it("a provider without listing says so", () => {
    const adapter: CacheAdapter = {
      capability: "cache",
      type: "narrow",
      make: () =>
        Effect.map(
          memoryProvider(),
          (provider): CacheProvider => ({
            ...provider,
            name: "narrow",
            capabilities: new Set()
          })
        )
    }
    return world(
      ({ caches }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "remote", type: "narrow" })
          yield* caches.set({ ...at, value: 1 })
          for (const effect of [
            caches.fetchValues({ cache: "remote" }),
            caches.values({ cache: "remote" }),
            caches.clearAll({ cache: "remote" }),
            caches.fetchDashboard({ cache: "remote" }),
            caches.keys({ cache: "remote" })
          ] as ReadonlyArray<Effect.Effect<unknown, unknown>>) {
            expect((yield* failure(effect)).code).toBe("CACHE_UNSUPPORTED")
          }
          yield* caches.create({ tag: "tier", type: "narrow", memory_tier: true })
          expect((yield* failure(caches.get({ cache: "tier", key: "a" }))).code).toBe("CACHE_UNSUPPORTED")
          expect((yield* caches.get(at))?.value).toBe("1")
        }),
      { adapters: [adapter] }
    )
  })

  it("an interrupted wait for it leaves nothing behind", () => {
    const { adapter, state } = moody()
    return world(
      ({ caches }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "remote", type: "moody" })
          state.mood = "hangs"
          const asked = state.asked
          const fiber = yield* Effect.forkChild(caches.increment(at))
          yield* eventually(() => state.asked > asked)
          yield* Fiber.interrupt(fiber)
          state.mood = "well"
          expect(yield* caches.increment(at)).toBe(1)
        }),
      { adapters: [adapter] }
    )
  })
})
