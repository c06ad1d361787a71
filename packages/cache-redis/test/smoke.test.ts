import { Caches } from "@ductape/cache"
import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import { describeService } from "@ductape/testkit"
import { expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { redis } from "../src/index.ts"

describeService("redis", "smoke", (url) => {
for (const memory_tier of [false, true]) it("smoke " + memory_tier, async () => {
  const program = Effect.gen(function* () {
    const registry = yield* Registry
    yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
    const caches = yield* Caches
    yield* caches.create({ tag: "fx", memory_tier, encrypt: true })
    yield* caches.monitor
    yield* caches.set({ cache: "fx", key: "a", value: { x: 1 }, tags: ["t1", "t2"] })
    const got = yield* caches.get({ cache: "fx", key: "a" })
    expect(got).toMatchObject({ value: '{"x":1}' })
    yield* Effect.sleep(1500)
    yield* caches.get({ cache: "fx", key: "a" })
    console.log(caches.getSync({ cache: "fx", key: "a" }))
    let n = 0
    const all = yield* Effect.all(
      Array.from({ length: 50 }, () => caches.get({ cache: "fx", key: "b", ttl: 5, tags: ["t1"], fallback: async () => ({ n: ++n }) })),
      { concurrency: "unbounded" }
    )
    expect(n).toBe(1)
    expect(all[49]).toEqual({ n: 1 })
    expect(yield* Effect.all(Array.from({length: 20}, () => caches.increment({ cache: "fx", key: "c", by: 3 })), {concurrency: 20})).toHaveLength(20)
    expect(yield* caches.compareAndSet({ cache: "fx", key: "c", expected: 60, value: 9 })).toBe(true)
    console.log(yield* caches.fetchDashboard({ cache: "fx", env: "*" }))
    expect(yield* caches.clear({ cache: "fx", tag: "t1" })).toBe(true)
    expect(yield* caches.keys({ cache: "fx" })).toEqual(["c"])
    expect(yield* caches.clearAll({ cache: "fx" })).toEqual({ cleared: 1 })
    expect(yield* caches.delete({ tag: "fx" })).toBe(true)
    return yield* Effect.flip(caches.get({ cache: "fx", key: "a" }))
  })
  const error = await Effect.runPromise(
    program.pipe(
      Effect.provide(Caches.layer({ product: "shop", env: "dev", redisUrl: url, adapters: [redis()] }).pipe(Layer.provideMerge(Layer.effect(Registry, testWorkspace())))),
      Effect.scoped
    ) as Effect.Effect<unknown>
  )
  expect(error).toMatchObject({ code: "CACHE_NOT_FOUND" })
})
})
