import type { CachesShape } from "@ductape/cache"
import { eventually } from "@ductape/cache/testing"
import {
  describeService,
  type Fault,
  type FaultProxy,
  faultProxy,
  type ServerInstance,
  startRedis
} from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest"
import { failure, type World, world } from "./support.ts"

const deadline = 1_500

describeService("redis", "Redis behind a bad network", () => {
  let server: ServerInstance
  let proxy: FaultProxy
  let proxied: string

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    proxy = await faultProxy({ port: server.port })
    proxied = `redis://127.0.0.1:${proxy.port}`
  })
  afterEach(() => proxy.close())

  /** Every call answers with what its loader brings, or with what is stored, within its deadline. */
  const answers = (caches: CachesShape, key: string) =>
    Effect.gen(function* () {
      for (let at = 0; at < 5; at++) {
        const read = caches.get({ cache: "fx", key, timeout: deadline, fallback: async () => "answer" })
        expect(yield* read).toBe("answer")
      }
      const many = Array.from({ length: 50 }, (_, at) =>
        caches.get({ cache: "fx", key: `${key} ${at}`, timeout: deadline, fallback: async () => "answer" })
      )
      expect(new Set(yield* Effect.all(many, { concurrency: "unbounded" }))).toEqual(new Set(["answer"]))
    })

  const recovers = (caches: CachesShape) =>
    Effect.gen(function* () {
      const works = eventually(
        () =>
          Effect.match(caches.set({ cache: "fx", key: "after", value: "again" }), {
            onFailure: () => false,
            onSuccess: () => true
          }),
        20_000
      )
      expect(yield* works, "the client never reconnected").toBe(true)
      expect((yield* caches.get({ cache: "fx", key: "after" }))?.value).toBe("again")
    })

  const faults: Readonly<Record<string, { readonly fault: Fault; readonly cut?: boolean }>> = {
    refused: { fault: { kind: "refuse" }, cut: true },
    "a black hole": { fault: { kind: "blackHole" } },
    "cut in the middle of a reply": { fault: { kind: "cutAfter", bytes: 3, direction: "down" } },
    "cut before the request": { fault: { kind: "cutAfter", bytes: 0, direction: "up" } },
    slow: { fault: { kind: "latency", ms: 700 } },
    "slower than every deadline": { fault: { kind: "latency", ms: 5_000 } },
    reset: { fault: { kind: "reset" } },
    "half-open": { fault: { kind: "halfOpen" } }
  }

  for (const [name, { cut, fault }] of Object.entries(faults)) {
    it(
      `${name}: read-through answers within its deadline, and the client reconnects`,
      { timeout: 60_000 },
      () =>
        world(proxied, ({ client, logged }: World) =>
          Effect.gen(function* () {
            const caches = yield* client()
            yield* answers(caches, "before")
            logged.length = 0
            proxy.set(fault)
            if (cut === true) proxy.cutAll()
            yield* answers(caches, "during")
            expect(logged.filter((line) => line.includes("fails")).length).toBeLessThanOrEqual(1)
            proxy.set({ kind: "pass" })
            yield* recovers(caches)
            yield* answers(caches, "before")
          })
        )
    )

    it(`${name} from the start: the same`, { timeout: 60_000 }, () =>
      world(proxied, ({ client }) =>
        Effect.gen(function* () {
          const caches = yield* client()
          proxy.set(fault)
          yield* answers(caches, "first")
          proxy.set({ kind: "pass" })
          yield* recovers(caches)
        })
      )
    )
  }

  it(
    "a restart that loses the data: entries are loaded anew, scripts are sent again",
    { timeout: 60_000 },
    () =>
      world(`redis://127.0.0.1:${server.port}`, ({ client }) =>
        Effect.gen(function* () {
          const caches = yield* client()
          yield* caches.set({ cache: "fx", key: "a", value: "old" })
          yield* Effect.promise(() => server.kill())
          const read = caches.get({ cache: "fx", key: "a", timeout: deadline, fallback: async () => "new" })
          expect(yield* read).toBe("new")
          yield* Effect.promise(() => server.restart())
          yield* recovers(caches)
          expect(yield* read).toBe("new")
          expect((yield* caches.get({ cache: "fx", key: "a" }))?.value).toBe("new")
          expect(yield* caches.increment({ cache: "fx", key: "n" })).toBe(1)
        })
      )
  )

  it("a call without a loader fails soon, and says why without the address", { timeout: 60_000 }, () =>
    world(proxied, ({ client }) =>
      Effect.gen(function* () {
        const caches = yield* client()
        yield* caches.monitor
        proxy.set({ kind: "blackHole" })
        const hanging = yield* failure(caches.get({ cache: "fx", key: "a" }))
        expect(hanging).toMatchObject({ code: "GET_VALUE_FAILED", retryable: true })
        proxy.set({ kind: "refuse" })
        proxy.cutAll()
        const refused = yield* failure(caches.set({ cache: "fx", key: "a", value: 1 }))
        expect(refused).toMatchObject({ code: "SET_VALUE_FAILED", retryable: true })
        for (const error of [hanging, refused]) {
          expect(error.message).not.toContain("127.0.0.1")
          expect(error.message).not.toContain(String(proxy.port))
        }
      })
    )
  )

  for (const [name, fault] of Object.entries<Fault>({
    cut: { kind: "pass" },
    "refused for a while": { kind: "refuse" },
    "a black hole": { kind: "blackHole" },
    "half-open": { kind: "halfOpen" }
  })) {
    it(`a memory tier never serves what changed while its feed was down (${name})`, { timeout: 60_000 }, () =>
      world(proxied, ({ client }) =>
        Effect.gen(function* () {
          const caches = yield* client()
          const direct = yield* client({ redisUrl: `redis://127.0.0.1:${server.port}` })
          const at = { cache: "tier", key: "a" }
          const sync = () => caches.getSync(at) as { readonly value: string } | null | undefined
          yield* direct.set({ ...at, value: "1" })
          // Read into memory once the feed is there.
          yield* eventually(() => Effect.map(caches.get(at), () => sync()?.value === "1"))
          expect(sync()?.value).toBe("1")
          proxy.set(fault)
          if (fault.kind === "pass" || fault.kind === "refuse") proxy.cutAll()
          yield* direct.set({ ...at, value: "2" })
          // A silent loss is noticed within seconds; from then on nothing old is served.
          expect(yield* eventually(() => sync() === undefined || sync()?.value === "2")).toBe(true)
          proxy.set({ kind: "pass" })
          const read = Effect.match(caches.get(at), {
            onFailure: () => undefined,
            onSuccess: (record) => record?.value
          })
          let served: string | undefined
          yield* eventually(() =>
            Effect.map(read, (value) => {
              served = value ?? served
              expect(value ?? "2").toBe("2")
              return sync()?.value === "2"
            })
          )
          expect(served).toBe("2")
          expect(sync()?.value).toBe("2")
          yield* direct.set({ ...at, value: "3" })
          expect(yield* eventually(() => Effect.map(read, (value) => value === "3"))).toBe(true)
        })
      )
    )
  }
})
