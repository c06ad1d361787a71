import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import { eventually } from "../src/testing/index.ts"
import { failure, gatedLoader, world } from "./support.ts"

const until = (holds: () => boolean) =>
  Effect.map(eventually(holds), (held) => expect(held, "it never came to that").toBe(true))

describe("read-through", () => {
  it("loads a missing value once for all who ask, stores it, and serves it from then on", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        const loader = gatedLoader<object>()
        const input = { cache: "fx", key: "a", ttl: 10, fallback: loader.load }
        const fiber = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 200 }, () => caches.get(input)),
            { concurrency: "unbounded" }
          )
        )
        yield* until(() => loader.calls() > 0)
        loader.resolve({ rate: 1.5, at: new Date(0) })
        const results = yield* Fiber.join(fiber)
        expect(loader.calls()).toBe(1)
        for (const result of results) expect(result).toEqual({ rate: 1.5, at: "1970-01-01T00:00:00.000Z" })
        expect(new Set(results).size).toBe(200)
        expect(yield* caches.get(input)).toEqual(results[0])
        advance(9_999)
        expect(caches.getSync(input)).toEqual(results[0])
        advance(1)
        expect(yield* caches.get({ ...input, fallback: () => "new" })).toBe("new")
        expect(loader.calls()).toBe(1)
      })
    ))

  it("takes plain values, promises and Effects", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        expect(yield* caches.get({ cache: "fx", key: "a", fallback: () => 1 })).toBe(1)
        expect(yield* caches.get({ cache: "fx", key: "b", fallback: async () => 2 })).toBe(2)
        expect(yield* caches.get({ cache: "fx", key: "c", fallback: () => Effect.succeed(3) })).toBe(3)
        const bad = yield* failure(caches.get({ cache: "fx", key: "d", fallback: 1 as never }))
        expect(bad.code).toBe("VALIDATION_ERROR")
      })
    ))

  it("returns on a miss what a hit will return", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const twice = (value: unknown) =>
          Effect.gen(function* () {
            const first = yield* caches.get({ cache: "fx", key: "a", refresh: true, fallback: () => value })
            expect(yield* caches.get({ cache: "fx", key: "a", fallback: () => "never" })).toEqual(first)
            expect(caches.getSync({ cache: "fx", key: "a", fallback: () => "never" })).toEqual(first)
            return first
          })
        for (const value of [
          "text",
          "",
          "0042",
          "42",
          "true",
          "null",
          '"quoted"',
          "{",
          " 1",
          7,
          null,
          false,
          [],
          { a: 1 }
        ]) {
          expect(yield* twice(value)).toEqual(value)
        }
        expect(yield* twice(new Date(0))).toBe("1970-01-01T00:00:00.000Z")
        expect(yield* twice({ a: undefined, b: Number.NaN })).toEqual({ b: null })
      })
    ))

  it("shares its entries with set and with get for the record", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const read = caches.get({ cache: "fx", key: "a", fallback: () => ({ loaded: true }) })
        yield* read
        expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe('{"loaded":true}')
        yield* caches.set({ cache: "fx", key: "a", value: "not json {" })
        expect(yield* read).toBe("not json {")
        yield* caches.set({ cache: "fx", key: "a", value: "[1, 2]" })
        expect(yield* read).toEqual([1, 2])
      })
    ))

  it("a value that its caller changes is whole for the next", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const read = caches.get({ cache: "fx", key: "a", fallback: () => ({ list: [1] }) })
        for (let at = 0; at < 3; at++) (yield* read).list.push(2)
        expect(yield* read).toEqual({ list: [1] })
      })
    ))

  it("a failing loader fails every waiter with its own error, and nothing is stored", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const loader = gatedLoader<number>()
        const boom = new Error("boom")
        const read = caches.get({ cache: "fx", key: "a", fallback: loader.load })
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Effect.flip(read)))
        yield* until(() => loader.calls() > 0)
        loader.reject(boom)
        for (const fiber of fibers) expect(yield* Fiber.join(fiber)).toBe(boom)
        expect(loader.calls()).toBe(1)
        expect(yield* caches.has({ cache: "fx", key: "a" })).toBe(false)
        const thrown = Effect.flip(
          caches.get({
            cache: "fx",
            key: "a",
            fallback: () => {
              throw boom
            }
          })
        )
        expect(yield* thrown).toBe(boom)
        const effectful = caches.get({ cache: "fx", key: "a", fallback: () => Effect.fail(boom) })
        expect(yield* Effect.flip(effectful)).toBe(boom)
      })
    ))

  it("undefined is returned and not stored; null is stored", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        let calls = 0
        const read = (value: unknown) =>
          caches.get({
            cache: "fx",
            key: "a",
            fallback: () => {
              calls++
              return value
            }
          })
        expect(yield* read(undefined)).toBe(undefined)
        expect(yield* read(null)).toBe(null)
        expect(yield* read(1)).toBe(null)
        expect(calls).toBe(2)
      })
    ))

  it("what has no JSON form is an error; what is too large is returned and not stored", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const error = yield* failure(caches.get({ cache: "fx", key: "a", fallback: () => 1n }))
        expect(error.code).toBe("SET_VALUE_FAILED")
        yield* caches.update({ tag: "fx", patch: { max_value_bytes: 4 } })
        expect(yield* caches.get({ cache: "fx", key: "a", fallback: () => "12345" })).toBe("12345")
        expect(yield* caches.has({ cache: "fx", key: "a" })).toBe(false)
      })
    ))

  it("the lifetime begins when the value was loaded", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        const fallback = () => {
          advance(5_000)
          return 1
        }
        yield* caches.get({ cache: "fx", key: "a", ttl: 10, fallback })
        expect(yield* caches.ttl({ cache: "fx", key: "a" })).toBe(10)
        yield* caches.update({ tag: "fx", patch: { expiry: 2_000 } })
        yield* caches.get({ cache: "fx", key: "b", fallback })
        expect(yield* caches.ttl({ cache: "fx", key: "b" })).toBe(2)
      })
    ))

  it("refresh skips the lookup, overwrites, and outdates loads that began before", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const slow = gatedLoader<string>()
        const before = yield* Effect.forkChild(caches.get({ cache: "fx", key: "a", fallback: slow.load }))
        yield* until(() => slow.calls() > 0)
        const input = { cache: "fx", key: "a", refresh: true }
        expect(caches.getSync({ ...input, fallback: () => 1 })).toBe(undefined)
        expect(yield* caches.get({ ...input, fallback: () => "new" })).toBe("new")
        slow.resolve("old")
        expect(yield* Fiber.join(before)).toBe("old")
        expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe("new")
        const boom = new Error("boom")
        expect(yield* Effect.flip(caches.get({ ...input, fallback: () => Promise.reject(boom) }))).toBe(boom)
        expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe("new")
      })
    ))

  for (const change of ["set", "clear", "clear by tag", "clearAll", "increment"] as const) {
    it(`what was being loaded when the entry changed by ${change} is not stored`, () =>
      world(({ caches }) =>
        Effect.gen(function* () {
          const slow = gatedLoader<string>()
          const read = caches.get({ cache: "fx", key: "a", tags: ["x"], fallback: slow.load })
          const before = yield* Effect.forkChild(read)
          yield* until(() => slow.calls() === 1)
          const at = { cache: "fx", key: "a" }
          if (change === "set") yield* caches.set({ ...at, value: "set" })
          if (change === "clear") yield* caches.clear(at)
          if (change === "clear by tag") yield* caches.clear({ cache: "fx", tag: "x" })
          if (change === "clearAll") yield* caches.clearAll({ cache: "fx" })
          if (change === "increment") yield* caches.increment(at)
          const after = yield* Effect.forkChild(caches.get({ ...at, fallback: () => "fresh" }))
          const expected = { set: "set", increment: 1 }[change as string] ?? "fresh"
          expect(yield* Fiber.join(after)).toBe(expected)
          slow.resolve("old")
          expect(yield* Fiber.join(before)).toBe("old")
          expect((yield* caches.get(at))?.value).toBe(String(expected))
        })
      ))
  }

  it("a caller that gives up does not take the load from the others; the last one ends it", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const ended = yield* Deferred.make<void>()
        const loader = gatedLoader<number>()
        const first = { cache: "fx", key: "a", fallback: loader.load }
        const one = yield* Effect.forkChild(caches.get(first))
        const two = yield* Effect.forkChild(caches.get(first))
        yield* until(() => loader.calls() > 0)
        yield* Fiber.interrupt(one)
        loader.resolve(7)
        expect(yield* Fiber.join(two)).toBe(7)

        const started = yield* Deferred.make<void>()
        const endless = () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(ended, undefined))
          )
        const alone = yield* Effect.forkChild(caches.get({ cache: "fx", key: "b", fallback: endless }))
        yield* Deferred.await(started)
        yield* Fiber.interrupt(alone)
        yield* Deferred.await(ended)
        expect(yield* caches.get({ cache: "fx", key: "b", fallback: () => 1 })).toBe(1)
      })
    ))

  it("a deadline ends the wait with TIMEOUT", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const never = () => Effect.never
        const error = yield* failure(caches.get({ cache: "fx", key: "a", timeout: 30, fallback: never }))
        expect(error).toMatchObject({ code: "TIMEOUT", retryable: true })
        expect((yield* failure(caches.get({ cache: "fx", key: "a", timeout: 0 }))).code).toBe(
          "VALIDATION_ERROR"
        )
      })
    ))
})

describe("grace", () => {
  it("serves a stale value at once while one load refreshes it", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        const loader = gatedLoader<string>()
        const input = { cache: "fx", key: "a", ttl: 10, grace: 60 }
        yield* caches.get({ ...input, fallback: () => "old" })
        advance(10_000)
        const read = caches.get({ ...input, fallback: loader.load })
        expect(caches.getSync({ ...input, fallback: loader.load })).toBe(undefined)
        for (let at = 0; at < 5; at++) expect(yield* read).toBe("old")
        yield* until(() => loader.calls() > 0)
        expect(loader.calls()).toBe(1)
        expect(yield* caches.get({ cache: "fx", key: "a" })).toBe(null)
        loader.resolve("new")
        yield* until(() => caches.getSync({ cache: "fx", key: "a" }) !== undefined)
        expect(yield* read).toBe("new")
        expect(loader.calls()).toBe(1)
      })
    ))

  it("serves it while the loader fails, tries again after a rest, and stops at the end of the grace", () =>
    world(({ advance, caches, logged }) =>
      Effect.gen(function* () {
        let calls = 0
        const boom = new Error("boom")
        const fallback = async () => {
          calls++
          throw boom
        }
        const input = { cache: "fx", key: "a", ttl: 10, grace: 60 }
        yield* caches.set({ ...input, value: "old" })
        advance(10_000)
        const read = caches.get({ ...input, fallback })
        expect(yield* read).toBe("old")
        yield* until(() => logged.length > 0)
        expect(yield* read).toBe("old")
        yield* eventually(() => calls > 1, 100)
        expect(calls).toBe(1)
        advance(1_000)
        expect(yield* read).toBe("old")
        yield* until(() => logged.length > 1)
        expect(calls).toBe(2)
        advance(58_999)
        expect(yield* Effect.flip(caches.get({ ...input, grace: 59, fallback }))).toBe(boom)
        expect(yield* read).toBe("old")
        advance(1)
        expect(yield* Effect.flip(read)).toBe(boom)
        expect(logged.join()).not.toContain("boom")
      })
    ))

  it("a caller without grace is never served a stale value", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: "old", ttl: 10, grace: 60 })
        advance(10_000)
        expect(yield* caches.get({ cache: "fx", key: "a", fallback: () => "new" })).toBe("new")
        yield* caches.update({ tag: "fx", patch: { grace: 60 } })
        yield* caches.set({ cache: "fx", key: "b", value: "old", ttl: 10 })
        advance(10_000)
        expect(yield* caches.get({ cache: "fx", key: "b", fallback: () => "new" })).toBe("old")
      })
    ))
})
