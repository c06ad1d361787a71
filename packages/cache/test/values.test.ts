import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { failure, world } from "./support.ts"

describe("values", () => {
  it("a record says everything about its entry", () =>
    world(({ advance, caches, now, registry }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "k:1", value: "text", ttl: 60, componentType: "quota" })
        advance(5)
        yield* caches.set({ cache: "fx", key: "k:1", value: { a: 1 }, componentTag: "t", tags: ["x", "x"] })
        const record = yield* caches.get({ cache: "fx", key: "k:1" })
        expect({ ...record }).toEqual({
          _id: `${registry.workspace.id}:shop:dev:fx:k%3A1`,
          key: "k:1",
          value: '{"a":1}',
          cache_tag: "fx",
          product_tag: "shop",
          env: "dev",
          component_tag: "t",
          component_type: "cache",
          createdAt: new Date(now() - 5),
          updatedAt: new Date(now()),
          tags: ["x"]
        })
        expect(JSON.parse(JSON.stringify(record)).createdAt).toBe(new Date(now() - 5).toISOString())
      })
    ))

  it("a record that a caller changes stays as it was for the next one", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: 1, ttl: 60 })
        const record = yield* caches.get({ cache: "fx", key: "a" })
        expect(() => Object.assign(record ?? {}, { value: "2" })).toThrow(TypeError)
        record?.expiry?.setTime(0)
        expect(yield* caches.ttl({ cache: "fx", key: "a" })).toBe(60)
        expect(caches.getSync({ cache: "fx", key: "a" })).toMatchObject({ value: "1" })
      })
    ))

  it("a string is kept verbatim, other values as JSON, and what has no JSON form is refused", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const stored = (value: unknown) =>
          Effect.gen(function* () {
            yield* caches.set({ cache: "fx", key: "a", value })
            return (yield* caches.get({ cache: "fx", key: "a" }))?.value
          })
        expect(yield* stored(' {"a": 1}')).toBe(' {"a": 1}')
        expect(yield* stored({ d: new Date(0), u: undefined })).toBe('{"d":"1970-01-01T00:00:00.000Z"}')
        expect(yield* stored(null)).toBe("null")
        const cycle: Record<string, unknown> = {}
        cycle["self"] = cycle
        for (const value of [undefined, () => 1, Symbol("s"), 1n, cycle, "\ud800"]) {
          const error = yield* failure(caches.set({ cache: "fx", key: "a", value }))
          expect(error).toMatchObject({ code: "SET_VALUE_FAILED", status: 400, retryable: false })
        }
        expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe("null")
      })
    ))

  it("the size of a value is counted in bytes of UTF-8", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.update({ tag: "fx", patch: { max_value_bytes: 10 } })
        yield* caches.set({ cache: "fx", key: "a", value: "ééééé" })
        expect((yield* failure(caches.set({ cache: "fx", key: "a", value: "ééééée" }))).code).toBe(
          "SET_VALUE_FAILED"
        )
        expect(yield* caches.fetchDashboard({ cache: "fx" })).toEqual({
          totalValues: 1,
          activeValues: 1,
          expiredValues: 0,
          totalSize: 11
        })
      })
    ))

  it("an entry is dead from its expiry on, to the millisecond", () =>
    world(({ advance, caches, now }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: 1, expiry: new Date(now() + 1_000) })
        yield* caches.set({ cache: "fx", key: "b", value: 1, expiry: new Date(now() + 1_000).toISOString() })
        yield* caches.set({ cache: "fx", key: "c", value: 1, ttl: 1 })
        advance(999)
        expect(yield* caches.keys({ cache: "fx" })).toEqual(["a", "b", "c"])
        expect(yield* caches.ttl({ cache: "fx", key: "a" })).toBe(1)
        advance(1)
        for (const key of ["a", "b", "c"]) {
          expect(yield* caches.get({ cache: "fx", key })).toBe(null)
          expect(yield* caches.has({ cache: "fx", key })).toBe(false)
        }
        expect(yield* caches.keys({ cache: "fx" })).toEqual([])
      })
    ))

  it("a lifetime that makes no sense is refused", () =>
    world(({ caches, now }) =>
      Effect.gen(function* () {
        for (const lifetime of [
          { ttl: 0 },
          { ttl: -1 },
          { ttl: Number.NaN },
          { ttl: Number.POSITIVE_INFINITY },
          { expiry: new Date(now()) },
          { expiry: new Date(Number.NaN) },
          { expiry: "soon" },
          { expiry: new Date(now() + 1_000), ttl: 1 },
          { ttl: 1, grace: -1 },
          { ttl: 1, jitter: 1.5 }
        ]) {
          const error = yield* failure(caches.set({ cache: "fx", key: "a", value: 1, ...lifetime }))
          expect(error.code).toBe("VALIDATION_ERROR")
        }
      })
    ))

  it("jitter shortens a lifetime within its share, and never lengthens it", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const left = new Set<number | null>()
        for (let at = 0; at < 100; at++) {
          yield* caches.set({ cache: "fx", key: `k${at}`, value: 1, ttl: 1_000, jitter: 0.5 })
          left.add(yield* caches.ttl({ cache: "fx", key: `k${at}` }))
        }
        expect(left.size).toBeGreaterThan(20)
        for (const seconds of left) {
          expect(seconds).toBeGreaterThanOrEqual(500)
          expect(seconds).toBeLessThanOrEqual(1_000)
        }
      })
    ))

  it("keys and tags are checked before anything is asked", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        for (const key of ["", "a".repeat(513), "a\nb", "a\u0085", "\ud800", 1, undefined]) {
          const input = { cache: "fx", key: key as string }
          for (const effect of [
            caches.get(input),
            caches.set({ ...input, value: 1 }),
            caches.get({ ...input, fallback: () => 1 }),
            caches.increment(input),
            caches.has(input)
          ]) {
            expect((yield* failure(effect)).code).toBe("VALIDATION_ERROR")
          }
          expect(caches.getSync(input)).toBe(undefined)
        }
        yield* caches.set({ cache: "fx", key: "a".repeat(512), value: 1 })
        for (const tags of [["a\n"], [""], [1], "x", Array.from({ length: 33 }, String)]) {
          const input = { cache: "fx", key: "a", value: 1, tags: tags as ReadonlyArray<string> }
          expect((yield* failure(caches.set(input))).code).toBe("VALIDATION_ERROR")
        }
        expect((yield* failure(caches.clear({ cache: "fx", key: "a", tag: "x" }))).code).toBe(
          "VALIDATION_ERROR"
        )
        expect((yield* failure(caches.clear({ tag: "x" }))).code).toBe("VALIDATION_ERROR")
      })
    ))

  it("an unknown cache is an error, never a miss", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        for (const effect of [
          caches.get({ cache: "no", key: "a" }),
          caches.get({ cache: "no", key: "a", fallback: () => 1 }),
          caches.set({ cache: "no", key: "a", value: 1 }),
          caches.clear({ cache: "no", key: "a" }),
          caches.clearAll({ cache: "no" }),
          caches.fetchValues({ cache: "no" }),
          caches.fetchDashboard({ cache_tag: "no" })
        ]) {
          expect((yield* failure(effect)).code).toBe("CACHE_NOT_FOUND")
        }
      })
    ))

  it("without 'cache' all caches are searched: one hit counts, several are ambiguous", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.create({ tag: "other" })
        expect(yield* caches.get({ key: "a" })).toBe(null)
        expect(yield* caches.clear({ key: "a" })).toBe(false)
        yield* caches.set({ cache: "other", key: "a", value: 1 })
        yield* caches.set({ cache: "fx", key: "a", value: 1, env: "prd" })
        expect(yield* caches.get({ key: "a" })).toMatchObject({ cache_tag: "other", env: "dev" })
        yield* caches.set({ cache: "fx", key: "a", value: 2 })
        expect((yield* failure(caches.get({ key: "a" }))).code).toBe("CACHE_KEY_AMBIGUOUS")
        expect((yield* failure(caches.clear({ key: "a" }))).code).toBe("CACHE_KEY_AMBIGUOUS")
        yield* caches.clear({ cache: "other", key: "a" })
        expect(yield* caches.clear({ key: "a" })).toBe(true)
        expect(yield* caches.get({ key: "a", env: "prd" })).toMatchObject({ env: "prd" })
      })
    ))

  it("an environment is left alone unless it is named or '*' is", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: 1 })
        yield* caches.set({ cache: "fx", key: "a", value: 1, env: "prd" })
        yield* caches.set({ cache: "fx", key: "b", value: 1, env: "prd" })
        expect(yield* caches.fetchDashboard({ cache: "fx", env: "*" })).toMatchObject({ totalValues: 3 })
        expect((yield* caches.fetchValues({ cache: "fx", env: "*" })).total).toBe(3)
        expect(yield* caches.clearAll({ cache: "fx" })).toEqual({ cleared: 1 })
        expect(yield* caches.has({ cache: "fx", key: "a", env: "prd" })).toBe(true)
        expect(yield* caches.clearAll({ cache: "fx", env: "*" })).toEqual({ cleared: 2 })
      })
    ))

  it("listing pages from the newest update to the oldest, then by key", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        for (const key of ["c", "a", "b"])
          yield* caches.set({ cache: "fx", key, value: key, ttl: 10, grace: 60 })
        advance(1)
        yield* caches.set({ cache: "fx", key: "z", value: "z", componentType: "quota" })
        const page = yield* caches.fetchValues({ cache: "fx", page: 1, limit: 3 })
        expect(page.values.map(({ key }) => key)).toEqual(["z", "a", "b"])
        expect(page).toMatchObject({ total: 4, page: 1, limit: 3, totalPages: 2 })
        const second = yield* caches.fetchValues({ cache: "fx", page: 2, limit: 3 })
        expect(second.values.map(({ key }) => key)).toEqual(["c"])
        expect((yield* caches.fetchValues({ cache: "fx", limit: 1_000 })).limit).toBe(200)
        expect((yield* caches.values({ cache_tag: "fx", component_type: "quota" })).length).toBe(1)
        expect((yield* caches.values({ cache_tag: "fx", component_tag: "nope" })).length).toBe(0)
        advance(10_000)
        const filtered = (expiryFilter: "all" | "permanent" | "expired" | "expiring") =>
          Effect.map(caches.fetchValues({ cache: "fx", expiryFilter }), ({ values }) =>
            values.map(({ key }) => key)
          )
        expect(yield* filtered("expired")).toEqual(["a", "b", "c"])
        expect(yield* filtered("permanent")).toEqual(["z"])
        expect(yield* filtered("expiring")).toEqual([])
        expect((yield* caches.values({ cache: "fx" })).map(({ key }) => key)).toEqual(["z"])
        expect((yield* caches.fetchRemote({ cache: "fx", expiry: new Date(0) })).length).toBe(4)
        for (const input of [{ page: 0 }, { limit: 0 }, { page: 1.5 }, { expiryFilter: "old" as "all" }]) {
          expect((yield* failure(caches.fetchValues({ cache: "fx", ...input }))).code).toBe(
            "VALIDATION_ERROR"
          )
        }
      })
    ))

  it("expire gives a live entry another lifetime, and no entry none", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        expect(yield* caches.expire({ cache: "fx", key: "a", ttl: 5 })).toBe(false)
        yield* caches.set({ cache: "fx", key: "a", value: "v", tags: ["x"] })
        const before = yield* caches.get({ cache: "fx", key: "a" })
        advance(10)
        expect(yield* caches.expire({ cache: "fx", key: "a", ttl: 5 })).toBe(true)
        const after = yield* caches.get({ cache: "fx", key: "a" })
        expect(after).toMatchObject({ value: "v", tags: ["x"], updatedAt: before?.updatedAt })
        expect(yield* caches.ttl({ cache: "fx", key: "a" })).toBe(5)
        expect((yield* failure(caches.expire({ cache: "fx", key: "a" }))).code).toBe("VALIDATION_ERROR")
      })
    ))

  it("increment keeps to whole numbers that a double holds exactly", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        expect(yield* caches.increment({ cache: "fx", key: "n", ttl: 10 })).toBe(1)
        expect(yield* caches.increment({ cache: "fx", key: "n", by: -3, ttl: 99 })).toBe(-2)
        expect(yield* caches.ttl({ cache: "fx", key: "n" })).toBe(10)
        yield* caches.set({ cache: "fx", key: "n", value: Number.MAX_SAFE_INTEGER })
        expect((yield* failure(caches.increment({ cache: "fx", key: "n" }))).code).toBe("SET_VALUE_FAILED")
        yield* caches.set({ cache: "fx", key: "n", value: "1e3" })
        expect((yield* failure(caches.increment({ cache: "fx", key: "n" }))).code).toBe("SET_VALUE_FAILED")
        expect((yield* failure(caches.increment({ cache: "fx", key: "m", by: 0.5 }))).code).toBe(
          "VALIDATION_ERROR"
        )
      })
    ))

  it("compareAndSet compares as JSON, and creates only what is absent", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const cas = (expected: unknown, value: unknown) =>
          caches.compareAndSet({ cache: "fx", key: "a", expected, value })
        expect(yield* cas({ a: 1 }, 1)).toBe(false)
        expect(yield* cas(undefined, { a: 1, b: 2 })).toBe(true)
        expect(yield* cas(undefined, 2)).toBe(false)
        expect(yield* cas({ b: 2, a: 1 }, "next")).toBe(true)
        expect(yield* cas(null, "other")).toBe(false)
        expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe("next")
      })
    ))

  it("memory holds max_entries, and drops what was used least recently", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.update({ tag: "fx", patch: { max_entries: 3 } })
        for (const key of ["a", "b", "c"]) yield* caches.set({ cache: "fx", key, value: 1 })
        yield* caches.get({ cache: "fx", key: "a" })
        caches.getSync({ cache: "fx", key: "b" })
        yield* caches.set({ cache: "fx", key: "d", value: 1 })
        expect(yield* caches.keys({ cache: "fx" })).toEqual(["a", "b", "d"])
      })
    ))

  it("what is in memory is there without waiting, as a value and as a promise, and no longer than it lives", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        const at = { cache: "fx", key: "a" }
        const reading = { ...at, fallback: () => "never" }
        expect(caches.setSync({ ...at, value: { a: 1 }, ttl: 10 })).toBe(undefined)
        yield* caches.has(at)
        expect(caches.getSync(at)).toBe(null)
        expect(yield* Effect.promise(async () => caches.getSettled(at))).toBe(null)
        expect(caches.setSync({ ...at, value: { a: 1 }, ttl: 10 })).toBe(true)
        const record = yield* caches.get(at)
        expect(record).toMatchObject({ value: '{"a":1}' })
        const settled = caches.getSettled(at)
        expect(caches.getSettled(at)).toBe(settled)
        expect(yield* Effect.promise(async () => settled)).toBe(record)
        expect(yield* Effect.promise(async () => caches.getSettled(reading))).toEqual({ a: 1 })
        expect(caches.setSync({ ...at, value: 2, ttl: 10 })).toBe(true)
        expect(yield* Effect.promise(async () => caches.getSettled(at))).toMatchObject({ value: "2" })
        for (const wrong of [{ value: undefined }, { value: 1, ttl: -1 }, { value: 1, key: "" }]) {
          expect(caches.setSync({ ...at, ...wrong })).toBe(undefined)
        }
        advance(10_000)
        expect(caches.getSettled(at)).toBe(undefined)
        expect(caches.getSettled(reading)).toBe(undefined)
        expect(caches.getSync(at)).toBe(undefined)
      })
    ))

  it("product and environment are asked for, and must exist", () =>
    world(({ another, caches }) =>
      Effect.gen(function* () {
        const bare = yield* another({ product: undefined, env: undefined })
        expect((yield* failure(bare.get({ cache: "fx", key: "a" }))).code).toBe("CONTEXT_MISSING")
        expect(bare.getSync({ cache: "fx", key: "a" })).toBe(undefined)
        expect((yield* failure(caches.get({ cache: "fx", key: "a", env: "qa" }))).code).toBe("ENV_NOT_FOUND")
        expect((yield* failure(caches.get({ cache: "fx", key: "a", product_tag: "no" }))).code).toBe(
          "PRODUCT_NOT_FOUND"
        )
      })
    ))
})
