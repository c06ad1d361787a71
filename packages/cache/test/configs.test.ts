import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { failure, world } from "./support.ts"

describe("configurations", () => {
  it("are created with a name, fetched, listed, updated and deleted", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const made = yield* caches.create({ tag: "rates", name: "Rates", expiry: 60_000 })
        expect(made).toMatchObject({ tag: "rates", name: "Rates", expiry: 60_000 })
        expect(made._id).toEqual(expect.any(String))
        expect((yield* caches.fetch({ tag: "fx" })).name).toBe("fx")
        expect((yield* caches.fetchAll()).map(({ tag }) => tag).sort()).toEqual(["fx", "rates"])
        expect((yield* caches.list({ product: "shop" })).length).toBe(2)
        const changed = yield* caches.update({ tag: "rates", patch: { expiry: 0, description: "x" } })
        expect(changed).toMatchObject({ name: "Rates", expiry: 0, description: "x" })
        expect(yield* caches.delete({ tag: "rates" })).toBe(true)
        expect(yield* caches.delete({ tag: "rates" })).toBe(false)
        expect((yield* failure(caches.fetch({ tag: "rates" }))).code).toBe("CACHE_NOT_FOUND")
      })
    ))

  it("name what is wrong, before anything is written", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const code = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.map(failure(effect), (error) => error.code)
        expect(yield* code(caches.create({ tag: "fx" }))).toBe("CACHE_EXISTS")
        expect(yield* code(caches.update({ tag: "no", patch: {} }))).toBe("CACHE_NOT_FOUND")
        expect(yield* code(caches.create({ tag: "a", product: "nowhere" }))).toBe("PRODUCT_NOT_FOUND")
        for (const [field, value] of Object.entries({
          tag: "a b",
          name: "",
          expiry: -1,
          type: "memcached",
          max_entries: 0.5,
          max_value_bytes: 65 * 1024 * 1024,
          jitter: 2,
          grace: -1,
          encrypt: "yes",
          envs: [{ slug: "dev" }],
          unknown: 1
        })) {
          const error = yield* failure(caches.create({ tag: "new", [field]: value }))
          expect(error).toMatchObject({ code: "VALIDATION_ERROR" })
          expect(error.message).toContain(`'${field}'`)
        }
        const strange = { tag: "new", envs: [{ slug: "qa", connection_url: "redis://localhost" }] }
        expect((yield* failure(caches.create(strange))).message).toContain("'qa'")
        const retagged = { tag: "fx", patch: { tag: "other" } as object }
        expect(yield* code(caches.update(retagged))).toBe("VALIDATION_ERROR")
        expect((yield* caches.fetchAll()).length).toBe(1)
      })
    ))

  it("an expiry that changed applies to later writes", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "old", value: 1 })
        yield* caches.update({ tag: "fx", patch: { expiry: 1_000 } })
        advance(1)
        yield* caches.set({ cache: "fx", key: "new", value: 1 })
        expect(yield* caches.ttl({ cache: "fx", key: "old" })).toBe(null)
        expect(yield* caches.ttl({ cache: "fx", key: "new" })).toBe(1)
      })
    ))

  it("deleting one clears its values, in every environment", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: 1 })
        yield* caches.set({ cache: "fx", key: "a", value: 1, env: "prd" })
        yield* caches.delete({ tag: "fx" })
        yield* caches.create({ tag: "fx" })
        expect(yield* caches.fetchDashboard({ cache: "fx", env: "*" })).toMatchObject({ totalValues: 0 })
      })
    ))

  it("a connection string is not readable in the workspace's store", () =>
    world(({ caches, registry }) =>
      Effect.gen(function* () {
        const connection_url = "redis://:canary-password@localhost:6379"
        yield* caches.create({ tag: "own", envs: [{ slug: "dev", connection_url }] })
        const records = yield* registry.store.list({ kind: "resource" })
        expect(records.length).toBe(2)
        expect(JSON.stringify(records)).not.toContain("canary-password")
        expect((yield* caches.fetch({ tag: "own" })).envs).toEqual([{ slug: "dev", connection_url }])
      })
    ))

  it("a type without an adapter, or without a server, is said to be so", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.create({ tag: "r", type: "redis" })
        yield* caches.create({ tag: "v", type: "valkey" })
        const noServer = yield* failure(caches.get({ cache: "r", key: "a" }))
        expect(noServer).toMatchObject({ code: "VALIDATION_ERROR" })
        expect(noServer.message).toContain("redis_url")
        expect((yield* failure(caches.get({ cache: "v", key: "a" }))).code).toBe("ADAPTER_MISSING")
      })
    ))

  it("the redis adapter that is missing says how to install it", () =>
    world(
      ({ caches }) =>
        Effect.gen(function* () {
          const error = yield* failure(caches.get({ cache: "fx", key: "a" }))
          expect(error.code).toBe("ADAPTER_MISSING")
          expect(error.message).toContain("npm install @ductape/cache-redis")
          expect(error.message).not.toContain("localhost")
        }),
      { redisUrl: "redis://:secret@localhost:1" }
    ))
})
