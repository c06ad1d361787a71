import { connect } from "node:net"
import { CacheError, scopeId } from "@ductape/cache"
import { eventually, newEntry, newScope } from "@ductape/cache/testing"
import { assertNoCanary, canary, describeService, faultProxy, startRedis } from "@ductape/testkit"
import { createClient } from "@redis/client"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { redis, redisProvider } from "../src/index.ts"
import { classify } from "../src/RedisConnection.ts"
import { failure, world } from "./support.ts"

const scoped = (body: Effect.Effect<void, unknown, never>) => Effect.runPromise(body as Effect.Effect<void>)

describe("failures of the driver", () => {
  for (const [cause, code, retryable, part] of [
    [
      Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:6379"), { code: "ECONNREFUSED" }),
      "CONNECTION_ERROR",
      true,
      "ECONNREFUSED"
    ],
    [
      Object.assign(new Error("getaddrinfo ENOTFOUND secret.host"), { code: "ENOTFOUND" }),
      "CONNECTION_ERROR",
      true,
      "ENOTFOUND"
    ],
    [new Error("Socket closed unexpectedly"), "CONNECTION_ERROR", true, "reached"],
    [new Error("WRONGPASS invalid username-password pair"), "CONNECTION_ERROR", false, "WRONGPASS"],
    [new Error("NOAUTH Authentication required."), "CONNECTION_ERROR", false, "NOAUTH"],
    [new Error("LOADING Redis is loading the dataset"), "CONNECTION_ERROR", true, "LOADING"],
    [new Error("OOM command not allowed"), "STORE_FAILED", false, "OOM"],
    [new Error("ERR unknown command 'X', with args beginning with: 'canary'"), "STORE_FAILED", false, "ERR"],
    [new CacheError({ code: "TIMEOUT", message: "Redis did not answer in time" }), "TIMEOUT", true, "time"],
    [undefined, "CONNECTION_ERROR", true, "reached"],
    ["canary", "CONNECTION_ERROR", true, "reached"]
  ] as const) {
    it(`${String(cause).slice(0, 40)} is ${code}`, () => {
      const error = classify(cause)
      expect(error).toMatchObject({ code, retryable })
      expect(error.message).toContain(part)
      for (const leak of ["canary", "10.0.0.1", "secret.host"]) expect(error.message).not.toContain(leak)
      expect(error.cause).toBe(undefined)
    })
  }

  it("a URL of another kind is refused without being quoted", async () => {
    for (const url of ["postgres://u:canary@h/d", "canary", "", "redis:canary//"]) {
      const made = Effect.scoped(redis().make({ url }))
      if (url === "redis:canary//") continue
      const error = await Effect.runPromise(Effect.flip(made))
      expect(error).toMatchObject({ code: "VALIDATION_ERROR" })
      assertNoCanary(["canary"], error)
    }
  })
})

describeService("redis", "what is in Redis", (url) => {
  const raw = Effect.acquireRelease(
    Effect.promise(async () => {
      const client = createClient({ url })
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

  it("one JSON text per entry, under a key of five encoded parts, with the time to live of the entry", () =>
    world(url, ({ client, registry }) =>
      Effect.gen(function* () {
        const server = yield* raw
        const caches = yield* client()
        const key = "eur:usd *"
        yield* caches.set({ cache: "fx", key, value: { rate: 1 }, ttl: 100, grace: 50 })
        const name = `dt:${registry.workspace.id}:shop:dev:fx:eur%3Ausd%20%2A`
        const text = yield* Effect.promise(() => server.get(name))
        expect(JSON.parse(text ?? "")).toMatchObject({ v: '{"rate":1}', g: "fx", y: "cache", t: [] })
        const left = yield* Effect.promise(() => server.pTTL(name))
        expect(left).toBeGreaterThan(100_000)
        expect(left).toBeLessThanOrEqual(150_000)
        yield* caches.set({ cache: "fx", key, value: 1 })
        expect(yield* Effect.promise(() => server.pTTL(name))).toBe(-1)
        expect(yield* caches.clearAll({ cache: "fx" })).toEqual({ cleared: 1 })
        expect(yield* Effect.promise(() => server.exists(name))).toBe(0)
      })
    ))

  it("nothing stays behind: neither leases nor sets of tags", () =>
    world(url, ({ client, registry }) =>
      Effect.gen(function* () {
        const server = yield* raw
        const caches = yield* client()
        const left = () =>
          Effect.promise(async () => {
            const names: Array<string> = []
            for await (const batch of server.scanIterator({ MATCH: `dt*:${registry.workspace.id}:*` })) {
              names.push(...batch)
            }
            return names.map((name) => name.slice(0, name.indexOf(":"))).sort()
          })
        const at = { cache: "fx", key: "a", tags: ["x"] }
        yield* caches.get({ ...at, fallback: () => 1 })
        expect(yield* left()).toEqual(["dt", "dtt"])
        yield* caches.clear({ cache: "fx", tag: "x" })
        expect(yield* left()).toEqual([])
        yield* Effect.flip(caches.get({ ...at, fallback: () => Effect.fail("no") }))
        expect(yield* left()).toEqual(["dtt"])
        yield* caches.set({ ...at, value: 1 })
        yield* caches.clearAll({ cache: "fx" })
        expect(yield* left()).toEqual([])
        yield* caches.set({ ...at, value: 1, ttl: 0.05 })
        expect(yield* eventually(() => Effect.map(left(), (names) => names.length === 0))).toBe(true)
      })
    ))

  it("what is sealed is not readable there", () =>
    world(url, ({ client, registry }) =>
      Effect.gen(function* () {
        const server = yield* raw
        const caches = yield* client()
        const secret = canary("value")
        yield* caches.create({ tag: "sealed", encrypt: true })
        yield* caches.set({ cache: "sealed", key: "a", value: { secret } })
        const name = `${scopeId({ workspace: registry.workspace.id, product: "shop", env: "dev", cache: "sealed" })}:a`
        const text = yield* Effect.promise(() => server.get(`dt:${name}`))
        expect(text).toContain('"n":"sealed"')
        assertNoCanary([secret], text)
        expect((yield* caches.get({ cache: "sealed", key: "a" }))?.value).toContain(secret)
      })
    ))

  it("text that this package did not write is a miss", () =>
    scoped(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* raw
          const provider = yield* redisProvider(url)
          const scope = newScope()
          const store = provider.open(scope, { maxEntries: 1 })
          for (const text of ["", "not json", "null", "[]", '{"v":1}']) {
            yield* Effect.promise(() => server.set(`dt:${scopeId(scope)}:a`, text))
            expect(yield* store.get("a")).toBe(undefined)
            expect(yield* store.list).toEqual([])
            expect(yield* store.set("a", newEntry(), { now: Date.now() })).toBe(true)
          }
        })
      )
    ))
})

describeService("redis", "the connection to Redis", () => {
  const own = Effect.acquireRelease(
    Effect.promise(() => startRedis()),
    (server) => Effect.promise(() => server.stop())
  )

  it(
    "is one per URL, made at the first call, and closed with the client",
    () =>
      scoped(
        Effect.scoped(
          Effect.gen(function* () {
            const server = yield* own
            const proxy = yield* Effect.acquireRelease(
              Effect.promise(() => faultProxy({ port: server.port })),
              (opened) => Effect.promise(() => opened.close())
            )
            const url = `redis://127.0.0.1:${proxy.port}`
            yield* Effect.promise(() =>
              world(url, ({ client }) =>
                Effect.gen(function* () {
                  const caches = yield* client()
                  expect(proxy.total()).toBe(0)
                  yield* caches.create({ tag: "other", envs: [{ slug: "dev", connection_url: url }] })
                  yield* Effect.all(
                    Array.from({ length: 20 }, (_, at) =>
                      caches.set({ cache: at % 2 === 0 ? "fx" : "other", key: "a", value: 1 })
                    ),
                    { concurrency: "unbounded" }
                  )
                  expect(proxy.total()).toBe(1)
                  expect(caches.raw().map(({ name }) => name)).toEqual(["redis"])
                  yield* caches.get({ cache: "tier", key: "a" })
                  expect(yield* eventually(() => proxy.total() === 2)).toBe(true)
                })
              )
            )
            expect(yield* eventually(() => proxy.connections() === 0)).toBe(true)
          })
        )
      ),
    60_000
  )

  it(
    "never asks for KEYS, FLUSHDB or FLUSHALL",
    () =>
      scoped(
        Effect.scoped(
          Effect.gen(function* () {
            const server = yield* own
            yield* Effect.promise(() =>
              world(server.url, ({ client }) =>
                Effect.gen(function* () {
                  const caches = yield* client()
                  yield* caches.set({ cache: "fx", key: "a", value: 1, tags: ["x"] })
                  yield* caches.fetchValues({ cache: "fx" })
                  yield* caches.keys({ cache: "fx" })
                  yield* caches.clear({ cache: "fx", tag: "x" })
                  yield* caches.clearAll({ cache: "fx", env: "*" })
                })
              )
            )
            const used = yield* Effect.promise(
              () =>
                new Promise<string>((resolve, reject) => {
                  const socket = connect(server.port, "127.0.0.1", () => socket.end("INFO commandstats\r\n"))
                  let text = ""
                  socket.on("data", (chunk) => {
                    text += chunk
                  })
                  socket.on("error", reject)
                  socket.on("end", () => resolve(text))
                })
            )
            expect(used).toContain("cmdstat_scan")
            expect(used).toContain("cmdstat_unlink")
            expect(used).not.toMatch(/cmdstat_(keys|flushdb|flushall)/)
          })
        )
      ),
    60_000
  )

  it(
    "credentials are in no error, log or span, whatever goes wrong",
    () =>
      scoped(
        Effect.scoped(
          Effect.gen(function* () {
            const server = yield* own
            const secret = canary("password")
            for (const port of [server.port, 1]) {
              yield* Effect.promise(() =>
                world(`redis://user:${secret}@127.0.0.1:${port}/0`, ({ client, logged }) =>
                  Effect.gen(function* () {
                    const caches = yield* client()
                    const errors = [
                      yield* failure(caches.monitor),
                      yield* failure(caches.get({ cache: "fx", key: "a" })),
                      yield* failure(caches.fetchDashboard({ cache: "fx" }))
                    ]
                    expect(yield* caches.get({ cache: "fx", key: "a", fallback: () => 1 })).toBe(1)
                    expect(logged.length).toBe(1)
                    for (const error of errors) expect(error).toBeInstanceOf(CacheError)
                    assertNoCanary([secret], ...errors, logged)
                  })
                )
              )
            }
          })
        )
      ),
    60_000
  )

  it(
    "a script that the server forgot is sent again",
    () =>
      scoped(
        Effect.scoped(
          Effect.gen(function* () {
            const server = yield* own
            const provider = yield* redisProvider(server.url)
            const store = provider.open(newScope(), { maxEntries: 1 })
            expect(yield* store.set("a", newEntry(), { now: 0 })).toBe(true)
            const client = provider.raw()
            yield* Effect.promise(async () => client?.sendCommand(["SCRIPT", "FLUSH"]))
            expect(yield* store.set("a", newEntry(), { now: 0 })).toBe(true)
            expect(yield* store.remove("a", 0)).toBe(true)
          })
        )
      ),
    60_000
  )
})
