import { type CachedCall, CallCache, SessionVerifier } from "@ductape/core"
import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import { assertNoCanary, canary } from "@ductape/testkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, it } from "vitest"
import { Caches } from "../src/index.ts"
import { failure, world } from "./support.ts"

const context = { product: "shop", env: "dev" }

const callOf = (identity: unknown, more: Partial<CachedCall> = {}): CachedCall => ({
  context,
  cache: "fx",
  componentType: "action",
  componentTag: "get-rates",
  identity,
  ...more
})

describe("caching other calls", () => {
  it("is what Caches.layer provides as CallCache", async () => {
    const program = Effect.gen(function* () {
      const registry = yield* testWorkspace()
      const context = yield* Layer.build(
        Caches.layer().pipe(Layer.provide(Layer.succeed(Registry, registry)))
      )
      expect(Context.get(context, CallCache)).toBe(Context.get(context, Caches).calls)
      expect(yield* CallCache).toBe(undefined)
    })
    await Effect.runPromise(Effect.scoped(program) as Effect.Effect<void>)
  })

  it("loads once per identity, whatever the order of its members", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        let calls = 0
        const load = Effect.sync(() => ({ call: ++calls }))
        const { through } = caches.calls
        const identity = { url: "https://a/b", query: { x: "1", y: ["2"] }, headers: { authorization: "A" } }
        expect(yield* through(callOf(identity), load)).toEqual({ value: { call: 1 }, cached: false })
        const shuffled = { headers: { authorization: "A" }, query: { y: ["2"], x: "1" }, url: "https://a/b" }
        expect(yield* through(callOf(shuffled), load)).toEqual({ value: { call: 1 }, cached: true })
        for (const other of [
          callOf({ ...identity, headers: { authorization: "B" } }),
          callOf({ ...identity, query: { x: "1", y: ["2", "3"] } }),
          callOf({ ...identity, body: null }),
          callOf(identity, { componentTag: "other" }),
          callOf(identity, { componentType: "database" }),
          callOf(identity, { context: { product: "shop", env: "prd" } })
        ]) {
          expect((yield* through(other, load)).cached).toBe(other.identity === undefined)
        }
        expect(calls).toBe(7)
      })
    ))

  it("concurrent equal calls share one load, each with its own copy", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        let calls = 0
        const load = Effect.as(Effect.sleep(5).pipe(Effect.andThen(Effect.sync(() => calls++))), {
          list: [1]
        })
        const results = yield* Effect.all(
          Array.from({ length: 50 }, () => caches.calls.through(callOf("same"), load)),
          { concurrency: "unbounded" }
        )
        expect(calls).toBe(1)
        results[0]?.value.list.push(2)
        expect(results[1]?.value).toEqual({ list: [1] })
        expect((yield* caches.calls.through(callOf("same"), load)).value).toEqual({ list: [1] })
      })
    ))

  it("keeps bytes as bytes, and a body that looks like their marker as it is", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const bytes = new Uint8Array([0, 255, 128, 10])
        const load = Effect.succeed(bytes)
        expect((yield* caches.calls.through(callOf("bytes"), load)).value).toEqual(bytes)
        const again = yield* caches.calls.through(callOf("bytes"), load)
        expect(again).toEqual({ value: bytes, cached: true })
        const text = Effect.succeed(Buffer.from(bytes).toString("base64"))
        yield* caches.calls.through(callOf("text"), text)
        expect((yield* caches.calls.through(callOf("text"), text)).value).toBe("AP+ACg==")
      })
    ))

  it("stores no failure, and nothing without a JSON form", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const boom = new Error("boom")
        expect(yield* Effect.flip(caches.calls.through(callOf("e"), Effect.fail(boom)))).toBe(boom)
        const twice = (value: unknown) =>
          Effect.all([
            caches.calls.through(callOf(String(value)), Effect.succeed(value)),
            caches.calls.through(callOf(String(value)), Effect.succeed(value))
          ])
        expect(yield* twice(1n)).toEqual([
          { value: 1n, cached: false },
          { value: 1n, cached: false }
        ])
        expect(yield* twice(undefined)).toEqual([
          { value: undefined, cached: false },
          { value: undefined, cached: false }
        ])
        expect(yield* twice(null)).toEqual([
          { value: null, cached: false },
          { value: null, cached: true }
        ])
        expect((yield* caches.keys({ cache: "fx" })).length).toBe(1)
      })
    ))

  it("a key shows what was called and nothing of the call", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        const token = canary("token")
        const identity = { headers: { authorization: token } }
        yield* caches.calls.through(callOf(identity), Effect.succeed({ ok: true }))
        const [value] = yield* caches.values({ cache: "fx" })
        expect(value).toMatchObject({ component_type: "action", component_tag: "get-rates" })
        expect(value?.key).toMatch(/^action:get-rates:[0-9a-f]{64}$/)
        assertNoCanary([token], value)
      })
    ))

  it("two workspaces have different keys for the same call", () => {
    const keys: Array<string> = []
    const once = () =>
      world(({ caches }) =>
        Effect.gen(function* () {
          yield* caches.calls.through(callOf("same"), Effect.succeed(1))
          keys.push(...(yield* caches.keys({ cache: "fx" })))
        })
      )
    return once()
      .then(once)
      .then(() => expect(new Set(keys).size).toBe(2))
  })

  it("uses the lifetime of the cache, which must exist", () =>
    world(({ advance, caches }) =>
      Effect.gen(function* () {
        yield* caches.update({ tag: "fx", patch: { expiry: 1_000 } })
        let calls = 0
        const load = Effect.sync(() => ++calls)
        yield* caches.calls.through(callOf("a"), load)
        advance(1_000)
        expect(yield* caches.calls.through(callOf("a"), load)).toEqual({ value: 2, cached: false })
        yield* caches.calls.check(context, "fx")
        expect((yield* failure(caches.calls.check(context, "no"))).code).toBe("CACHE_NOT_FOUND")
        const unknown = caches.calls.through(callOf("a", { cache: "no" }), load)
        expect((yield* failure(unknown)).code).toBe("CACHE_NOT_FOUND")
        expect(calls).toBe(2)
      })
    ))
})

describe("session", () => {
  const input = { cache: "fx", key: "a", session: "web:token" }

  it("is checked before anything is read, and a hit does not pass it by", () =>
    world(({ caches }) =>
      Effect.gen(function* () {
        yield* caches.set({ cache: "fx", key: "a", value: 1 })
        expect(caches.getSync(input)).toBe(undefined)
        expect((yield* failure(caches.get(input))).code).toBe("UNSUPPORTED_OPERATION")
        const seen: Array<unknown> = []
        const refuse = Effect.provideService(caches.get(input), SessionVerifier, {
          verify: (session, at) => {
            seen.push(session, at)
            return Effect.fail(Object.assign(new Error("no"), { code: "SESSION_INVALID" })) as never
          }
        })
        expect((yield* failure(refuse)).code).toBe("SESSION_INVALID")
        expect(seen).toEqual(["web:token", context])
        const accept = Effect.provideService(caches.get(input), SessionVerifier, {
          verify: () => Effect.succeed({ tag: "web", sessionId: "1", identifier: "u", data: {} })
        })
        expect((yield* accept)?.value).toBe("1")
      })
    ))
})
