import { assertNoCanary, canary } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { type CacheAdapter, type CacheProvider, memoryProvider } from "../src/index.ts"
import { newScope } from "../src/testing/index.ts"
import { world } from "./support.ts"

/** A provider whose entries the test can look at. */
const openAdapter = () => {
  let opened: CacheProvider | undefined
  const adapter: CacheAdapter = {
    capability: "cache",
    type: "open",
    make: () =>
      Effect.tap(memoryProvider(), (provider) =>
        Effect.sync(() => {
          opened = provider
        })
      )
  }
  return {
    adapter,
    entries: (workspace: string) =>
      opened?.open(newScope({ workspace, cache: "sealed" }), { maxEntries: 10_000 }).list ??
      Effect.succeed([])
  }
}

describe("encrypt", () => {
  const { adapter, entries } = openAdapter()

  it("the provider never sees a value; readers do", () =>
    world(
      ({ caches, registry }) =>
        Effect.gen(function* () {
          const secret = canary("value")
          yield* caches.create({ tag: "sealed", type: "open", encrypt: true })
          const at = { cache: "sealed", key: "a" }
          yield* caches.set({ ...at, value: { secret } })
          yield* caches.get({ cache: "sealed", key: "b", fallback: () => ({ secret }) })
          yield* caches.set({ cache: "sealed", key: "n", value: 1 })
          yield* caches.increment({ cache: "sealed", key: "n", by: 41 })
          yield* caches.compareAndSet({ cache: "sealed", key: "n", expected: 42, value: { secret } })
          const listed = yield* entries(registry.workspace.id)
          expect(listed.length).toBe(3)
          expect(new Set(listed.map(({ entry }) => entry.encoding))).toEqual(new Set(["sealed"]))
          expect((yield* caches.get(at))?.value).toBe(JSON.stringify({ secret }))
          expect(caches.getSync({ ...at, fallback: () => 1 })).toEqual({ secret })
          expect(yield* caches.get({ ...at, fallback: () => 1 })).toEqual({ secret })
          expect((yield* caches.values({ cache: "sealed" })).length).toBe(3)
          assertNoCanary([secret], yield* entries(registry.workspace.id))
        }),
      { adapters: [adapter] }
    ))

  it("a value moved to another key, or changed, is not read", () =>
    world(
      ({ caches, registry }) =>
        Effect.gen(function* () {
          yield* caches.create({ tag: "sealed", type: "open", encrypt: true })
          yield* caches.set({ cache: "sealed", key: "mine", value: "for me" })
          const [listed] = yield* entries(registry.workspace.id)
          if (listed === undefined) return expect.fail("nothing was stored")
          const { entry } = listed
          Object.assign(entry, { value: `${entry.value.slice(0, -2)}AA`, record: undefined })
          expect(yield* caches.get({ cache: "sealed", key: "mine" })).toBe(null)
          expect(yield* caches.get({ cache: "sealed", key: "mine", fallback: () => "loaded" })).toBe("loaded")
        }),
      { adapters: [adapter] }
    ))

  it("switching it starts empty, in both directions", () =>
    world(
      ({ caches }) =>
        Effect.gen(function* () {
          const at = { cache: "sealed", key: "a" }
          yield* caches.create({ tag: "sealed", type: "open" })
          yield* caches.set({ ...at, value: "plain" })
          yield* caches.update({ tag: "sealed", patch: { encrypt: true } })
          expect(yield* caches.get(at)).toBe(null)
          yield* caches.set({ ...at, value: "sealed" })
          yield* caches.update({ tag: "sealed", patch: { encrypt: false } })
          expect(yield* caches.get(at)).toBe(null)
        }),
      { adapters: [adapter] }
    ))
})
