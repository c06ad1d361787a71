import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import { type CacheListener, type CacheStore, memoryProvider } from "../src/index.ts"
import { tieredStore } from "../src/TieredStore.ts"
import { eventually, newEntry, newScope } from "../src/testing/index.ts"

/** A memory tier before another memory, whose feed and answers the test holds in its hands. */
const tiers = (
  body: (at: {
    readonly store: CacheStore
    readonly far: CacheStore
    readonly listener: CacheListener
    readonly reads: () => number
    /** Until it is called, answers of the far store wait. */
    readonly hold: () => () => void
    readonly setLive: (live: boolean) => void
    readonly advance: (milliseconds: number) => void
  }) => Effect.Effect<void, unknown>
) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const provider = yield* memoryProvider()
        const nearProvider = yield* memoryProvider()
        const scope = newScope()
        const far = provider.open(scope, { maxEntries: 100 })
        let reads = 0
        let live = true
        let now = 1_000
        let gate: Deferred.Deferred<void> | undefined
        let listener: CacheListener | undefined
        const slow: CacheStore = {
          ...far,
          get: (key) =>
            Effect.tap(far.get(key), () => {
              reads++
              return gate === undefined ? Effect.void : Deferred.await(gate)
            })
        }
        const store = yield* tieredStore(
          nearProvider.entries(scope, 100),
          slow,
          (given) => {
            listener = given
            return Effect.succeed({ live: () => live })
          },
          () => now
        )
        if (listener === undefined) return expect.fail("it does not listen")
        yield* body({
          store,
          far,
          listener,
          reads: () => reads,
          hold: () => {
            const held = Deferred.makeUnsafe<void>()
            gate = held
            return () => {
              gate = undefined
              Deferred.doneUnsafe(held, Effect.void)
            }
          },
          setLive: (value) => {
            live = value
          },
          advance: (milliseconds) => {
            now += milliseconds
          }
        })
      })
    ) as Effect.Effect<void>
  )

const now = 1_000

describe("a memory tier", () => {
  it("answers what was read before, without asking again", () =>
    tiers(({ far, reads, store }) =>
      Effect.gen(function* () {
        yield* far.set("a", newEntry({ value: "1" }), { now })
        expect(store.sync?.get("a")).toBe(undefined)
        expect((yield* store.get("a"))?.value).toBe("1")
        expect((yield* store.get("a"))?.value).toBe("1")
        expect(store.sync?.get("a")?.value).toBe("1")
        expect(store.sync?.complete).toBe(false)
        expect(reads()).toBe(1)
      })
    ))

  it("forgets an entry that another process changed or removed, and keeps one that it announced itself", () =>
    tiers(({ far, listener, store }) =>
      Effect.gen(function* () {
        const [one, two] = [newEntry({ value: "1" }), newEntry({ value: "2" })]
        yield* far.set("a", one, { now })
        yield* store.get("a")
        listener.changed("a", one.revision)
        listener.changed("b", two.revision)
        expect(store.sync?.get("a")?.value).toBe("1")
        yield* far.set("a", two, { now })
        listener.changed("a", two.revision)
        expect(store.sync?.get("a")).toBe(undefined)
        expect((yield* store.get("a"))?.value).toBe("2")
        yield* far.remove("a", now)
        listener.changed("a", null)
        expect(yield* store.get("a")).toBe(undefined)
      })
    ))

  for (const event of ["change", "removal", "flush", "own write", "own clear", "loss"] as const) {
    it(`does not keep what was being read when there was a ${event}`, () =>
      tiers(({ far, hold, listener, reads, setLive, store }) =>
        Effect.gen(function* () {
          const two = newEntry({ value: "2" })
          yield* far.set("a", newEntry({ value: "1" }), { now })
          const release = hold()
          const reading = yield* Effect.forkChild(store.get("a"))
          yield* eventually(() => reads() === 1)
          if (event === "change") {
            yield* far.set("a", two, { now })
            listener.changed("a", two.revision)
          }
          if (event === "removal") listener.changed("a", null)
          if (event === "flush") listener.flushed()
          if (event === "own write") yield* store.set("a", two, { now })
          if (event === "own clear") yield* store.clear({ now, tag: "x" })
          if (event === "loss") setLive(false)
          release()
          expect((yield* Fiber.join(reading))?.value).toBe("1")
          setLive(true)
          expect(store.sync?.get("a")).toBe(undefined)
        })
      ))
  }

  it("keeps what it read if the last announcement was of just that", () =>
    tiers(({ far, hold, listener, reads, store }) =>
      Effect.gen(function* () {
        const one = newEntry({ value: "1" })
        yield* far.set("a", one, { now })
        const release = hold()
        const reading = yield* Effect.forkChild(store.get("a"))
        yield* eventually(() => reads() === 1)
        listener.changed("a", "an earlier one")
        listener.changed("a", one.revision)
        release()
        yield* Fiber.join(reading)
        expect(store.sync?.get("a")?.value).toBe("1")
      })
    ))

  it("is not used while changes may be missed", () =>
    tiers(({ far, listener, reads, setLive, store }) =>
      Effect.gen(function* () {
        yield* far.set("a", newEntry({ value: "1" }), { now })
        yield* store.get("a")
        setLive(false)
        yield* far.set("a", newEntry({ value: "2" }), { now })
        expect(store.sync?.get("a")).toBe(undefined)
        expect((yield* store.get("a"))?.value).toBe("2")
        expect((yield* store.get("a"))?.value).toBe("2")
        expect(reads()).toBe(3)
        listener.flushed()
        setLive(true)
        expect((yield* store.get("a"))?.value).toBe("2")
        expect(reads()).toBe(4)
      })
    ))

  it("reads its own writes, removals and clears at once, refused ones included", () =>
    tiers(({ store }) =>
      Effect.gen(function* () {
        const [one, two] = [newEntry({ value: "1", tags: ["x"] }), newEntry({ value: "2" })]
        yield* store.set("a", one, { now })
        expect((yield* store.get("a"))?.value).toBe("1")
        yield* store.swap("a", one.revision, two, now)
        expect((yield* store.get("a"))?.value).toBe("2")
        yield* store.swap("a", one.revision, one, now)
        expect((yield* store.get("a"))?.value).toBe("2")
        yield* store.remove("a", now)
        expect(yield* store.get("a")).toBe(undefined)
        yield* store.set("a", one, { now })
        yield* store.get("a")
        yield* store.clear({ now, tag: "x" })
        expect(yield* store.get("a")).toBe(undefined)
      })
    ))

  it("asks again for what is dead", () =>
    tiers(({ advance, far, reads, store }) =>
      Effect.gen(function* () {
        yield* far.set("a", newEntry({ expiresAt: 2_000, keptUntil: 9e15 }), { now })
        yield* store.get("a")
        advance(999)
        yield* store.get("a")
        expect(reads()).toBe(1)
        advance(1)
        expect(store.sync?.get("a")).toBe(undefined)
        yield* store.get("a")
        expect(reads()).toBe(2)
      })
    ))
})
