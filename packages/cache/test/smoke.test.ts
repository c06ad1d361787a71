import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import { expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Caches } from "../src/index.ts"

it("smoke", async () => {
  const program = Effect.gen(function* () {
    const registry = yield* Registry
    yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
    const caches = yield* Caches
    yield* caches.create({ tag: "fx" })
    yield* caches.set({ cache: "fx", key: "a", value: { x: 1 } })
    const got = yield* caches.get({ cache: "fx", key: "a" })
    expect(got).toMatchObject({ value: '{"x":1}' })
    expect(caches.getSync({ cache: "fx", key: "a" })).toBe(got)
    let n = 0
    const all = yield* Effect.all(
      Array.from({ length: 50 }, () => caches.get({ cache: "fx", key: "b", ttl: 5, fallback: async () => ({ n: ++n }) })),
      { concurrency: "unbounded" }
    )
    expect(n).toBe(1)
    expect(all[49]).toEqual({ n: 1 })
    expect(yield* caches.increment({ cache: "fx", key: "c", by: 3 })).toBe(3)
    expect(yield* caches.compareAndSet({ cache: "fx", key: "c", expected: 3, value: 9 })).toBe(true)
    console.log(yield* caches.fetchValues({ cache: "fx" }), yield* caches.fetchDashboard({ cache: "fx", env: "*" }))
    expect(yield* caches.clearAll({ cache: "fx" })).toEqual({ cleared: 3 })
    expect(yield* caches.delete({ tag: "fx" })).toBe(true)
    return yield* Effect.flip(caches.get({ cache: "fx", key: "a" }))
  })
  const error = await Effect.runPromise(
    program.pipe(
      Effect.provide(Caches.layer({ product: "shop", env: "dev" }).pipe(Layer.provideMerge(Layer.effect(Registry, testWorkspace())))),
      Effect.scoped
    ) as Effect.Effect<unknown>
  )
  expect(error).toMatchObject({ code: "CACHE_NOT_FOUND" })
})
