import { type CachedCall, CallCache, SessionVerifier } from "@ductape/core"
import { createWorkspace, MemoryStore, openRegistry, Registry } from "@ductape/registry"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { Sessions } from "../src/Sessions.ts"
import { decode, openSessions, web } from "./openSessions.ts"

const data = { userId: "u1", role: "admin" }
const context = { product: "shop", env: "prd" }

const registry = Layer.effect(
  Registry,
  Effect.gen(function* () {
    const store = yield* MemoryStore.make()
    const { accessKey } = yield* createWorkspace(store, { name: "Test" })
    const opened = yield* openRegistry(store, { accessKey })
    yield* opened.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
    return opened
  })
)
const layer = Sessions.verifierLayer.pipe(
  Layer.provideMerge(Sessions.layer(context)),
  Layer.provide(registry)
)

describe("the session of other calls", () => {
  it.effect("is verified through core's SessionVerifier, in every form", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      yield* sessions.create(web)
      const { token, sessionId } = yield* sessions.start({ tag: "web", data })
      const verifier = yield* SessionVerifier
      const expected = { tag: "web", sessionId, identifier: "u1", data }
      const { jwt } = decode(token)
      for (const session of [
        token,
        `Bearer ${token}`,
        `${sessionId}:${token}`,
        { tag: "web", token },
        { tag: "web", token: jwt }
      ]) {
        // The first time from the store, then from memory.
        for (const _ of [1, 2])
          assert.deepStrictEqual(yield* verifier?.verify(session, context) ?? Effect.never, expected)
      }
      const refused = (session: unknown, where = context) =>
        Effect.flip(verifier?.verify(session as string, where) ?? Effect.never)
      for (const session of [jwt, "", `${token}A`, `other:${jwt}`, { tag: "web", token: "x" }]) {
        const error = yield* refused(session)
        assert.deepInclude(
          { code: error.code, status: error.status },
          { code: "SESSION_INVALID", status: 401 }
        )
        assert.notInclude(JSON.stringify([error, error.response]), "wrong_tag")
      }
      assert.strictEqual((yield* refused(token, { ...context, env: "dev" })).code, "SESSION_INVALID")
      assert.strictEqual((yield* refused({ tag: "other", token })).code, "SESSION_CONFIG_NOT_FOUND")
      for (const session of [null, 1, {}, { tag: "web" }]) {
        assert.strictEqual((yield* refused(session)).code, "VALIDATION_ERROR")
      }
      yield* sessions.revoke({ tag: "web", sessionId })
      const error = yield* refused(token)
      assert.strictEqual(error.code, "SESSION_INVALID")
      assert.include(String(error.cause), "revoked")
    }).pipe(Effect.provide(layer))
  )

  it.effect("there is no verifier without the layer", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* SessionVerifier)
    })
  )
})

describe("start with a cache", () => {
  /** Keeps everything, and shows what it was given. */
  const fakeCache = () => {
    const kept = new Map<string, unknown>()
    const calls: Array<CachedCall> = []
    const cache = CallCache.of({
      check: () => Effect.void,
      through: (call, load) =>
        Effect.gen(function* () {
          calls.push(call)
          const key = JSON.stringify([
            call.context,
            call.cache,
            call.componentType,
            call.componentTag,
            call.identity
          ])
          if (kept.has(key)) return { value: kept.get(key) as never, cached: true }
          const value = yield* load
          kept.set(key, value)
          return { value, cached: false }
        })
    })
    return { cache, kept, calls }
  }

  it.effect("an equal start gives the same tokens, another its own", () =>
    Effect.gen(function* () {
      const { cache, kept, calls } = fakeCache()
      const { sessions } = yield* openSessions()
      const start = (input: object = {}) =>
        sessions
          .start({ tag: "web", data, cache: "logins", ...input })
          .pipe(Effect.provideService(CallCache, cache))
      const first = yield* start()
      assert.deepStrictEqual(yield* start(), first)
      assert.instanceOf((yield* start()).expiresAt, Date)
      for (const other of [
        { data: { userId: "u2" } },
        { expiresIn: 60 },
        { env: "dev" },
        { cache: undefined }
      ]) {
        assert.notStrictEqual((yield* start(other)).sessionId, first.sessionId)
      }
      assert.deepInclude(calls[0], {
        context,
        cache: "logins",
        componentType: "session",
        componentTag: "web"
      })
      const bytes = JSON.stringify([...kept.values()])
      for (const secret of [decode(first.token).jwt, first.refreshToken, "admin"])
        assert.notInclude(bytes, secret)
    })
  )

  it.effect("tokens that are no longer as good as new are not given again", () =>
    Effect.gen(function* () {
      for (const spoil of ["revoke", "refresh", "expire"] as const) {
        const { cache } = fakeCache()
        const { sessions } = yield* openSessions()
        const start = () =>
          sessions.start({ tag: "web", data, cache: "logins" }).pipe(Effect.provideService(CallCache, cache))
        const first = yield* start()
        if (spoil === "revoke") yield* sessions.revoke({ tag: "web", sessionId: first.sessionId })
        if (spoil === "refresh") yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
        if (spoil === "expire") yield* TestClock.adjust("15 minutes")
        const second = yield* start()
        assert.notStrictEqual(second.sessionId, first.sessionId)
        assert.isTrue((yield* sessions.verify({ tag: "web", token: second.token })).valid)
      }
    })
  )

  it.effect("a value that the cache changed, or that another scope sealed, is not used", () =>
    Effect.gen(function* () {
      const { cache, kept } = fakeCache()
      const { sessions } = yield* openSessions()
      const start = (env: string) =>
        sessions
          .start({ tag: "web", env, data, cache: "logins" })
          .pipe(Effect.provideService(CallCache, cache))
      yield* start("dev")
      const foreign = [...kept.values()][0]
      const first = yield* start("prd")
      for (const value of [foreign, "junk", null, 7]) {
        for (const key of kept.keys()) kept.set(key, value)
        const again = yield* start("prd")
        assert.notStrictEqual(again.sessionId, first.sessionId)
        assert.isTrue((yield* sessions.verify({ tag: "web", token: again.token })).valid)
      }
    })
  )

  it.effect("a cache that there is not fails before a session is started", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const cache = CallCache.of({
        ...fakeCache().cache,
        check: () => Effect.fail(new Error("none") as never)
      } as never)
      yield* Effect.flip(
        sessions.start({ tag: "web", data, cache: "none" }).pipe(Effect.provideService(CallCache, cache))
      )
      assert.strictEqual((yield* sessions.listActive({ tag: "web" })).total, 0)
    })
  )
})
