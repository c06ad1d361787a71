import type { LookupFunction } from "node:net"
import type { Action } from "@ductape/registry"
import { httpServer } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { ConnectionGate } from "../src/http/ConnectionGate.ts"
import { EgressPolicy } from "../src/http/EgressPolicy.ts"
import { nextHop } from "../src/http/redirect.ts"
import { failure, json, run, workspace } from "./support.ts"

const actions: ReadonlyArray<Action> = [
  { tag: "get", name: "Get", method: "GET", resource: "/get" },
  { tag: "post", name: "Post", method: "POST", resource: "/get" }
]

const get = { app: "crm", action: "get" } as const

/** Answers names as told, one answer per question; the last one again and again. */
const dns = (...answers: ReadonlyArray<ReadonlyArray<string>>): LookupFunction & { asked: () => number } => {
  let count = 0
  const lookup = (_host: string, options: { all?: boolean }, callback: (...args: Array<unknown>) => void) => {
    const found = (answers[Math.min(count, answers.length - 1)] ?? []).map((address) => ({
      address,
      family: address.includes(":") ? 6 : 4
    }))
    count += 1
    if (options.all === true) callback(null, found)
    else callback(null, found[0]?.address, found[0]?.family)
  }
  return Object.assign(lookup as unknown as LookupFunction, { asked: () => count })
}

describe("egress policy", () => {
  const policy = (...deny: ConstructorParameters<typeof EgressPolicy>[0]["deny"]) =>
    new EgressPolicy({ deny })

  it.each([
    ["10.1.2.3", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.0.1", "private"],
    ["100.64.0.1", "private"],
    ["fc00::1", "private"],
    ["fd12::1", "private"],
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["0.0.0.0", "loopback"],
    ["::1", "loopback"],
    ["::", "loopback"],
    ["169.254.1.1", "link-local"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["169.254.169.254", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["100.100.100.200", "metadata"],
    ["::ffff:10.0.0.1", "private"],
    ["::ffff:7f00:1", "loopback"],
    ["::127.0.0.1", "loopback"],
    ["64:ff9b::a00:1", "private"],
    ["2002:a00:1::", "private"],
    ["64:ff9b::a9fe:a9fe", "metadata"]
  ])("knows %s as %s", (address, range) => {
    expect(policy("private", "link-local", "metadata", "loopback").denied(address)).toBe(range)
  })

  it.each([
    "8.8.8.8",
    "172.32.0.1",
    "172.15.0.1",
    "192.169.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8"
  ])("lets %s through", (address) => {
    expect(policy("private", "link-local", "metadata", "loopback").denied(address)).toBeUndefined()
  })

  it("denies only what it is told", () => {
    expect(policy("metadata").denied("10.0.0.1")).toBeUndefined()
    expect(policy("link-local").denied("169.254.169.254")).toBe("metadata")
    expect(policy("private").denied("127.0.0.1")).toBe("loopback")
    expect(policy("private").denied("169.254.0.1")).toBeUndefined()
    expect(policy("loopback").denied("10.0.0.1")).toBeUndefined()
  })

  it.each([
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0"
  ])("refuses the host %s before connecting", async (host) => {
    await using made = await workspace({ url: `http://${host}:9`, actions, egress: { deny: ["private"] } })
    const error = await failure(made.api.run({ ...get, retries: 3 }))
    expect(error).toMatchObject({ code: "EGRESS_DENIED", status: 403, retryable: false, attempts: 0 })
  })

  it("refuses a name that resolves to a denied address, even as one of several", async () => {
    for (const answer of [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:192.168.1.1"]]) {
      await using made = await workspace({
        url: "http://api.example:9",
        actions,
        egress: { deny: ["private"], lookup: dns(answer) }
      })
      expect((await failure(made.api.run(get))).code).toBe("EGRESS_DENIED")
    }
  })

  it("connects to the very address that it checked, so that rebinding the name gains nothing", async () => {
    await using server = await httpServer((_, response) =>
      json(response, { fine: true }, 200, { connection: "close" })
    )
    // Were the name resolved a second time for connecting, it would be another address.
    const lookup = dns(["127.0.0.1"], ["10.255.255.1"])
    await using made = await workspace({
      url: `http://api.example:${server.port}`,
      actions,
      egress: { deny: ["private"], allow: ["api.example"], lookup }
    })
    expect(await run(made.api.run(get))).toEqual({ fine: true })
    expect(lookup.asked()).toBe(1)
    await using strict = await workspace({
      url: `http://api.example:${server.port}`,
      actions,
      timeout: 500,
      egress: { deny: ["loopback"], lookup: dns(["192.0.2.1"], ["127.0.0.1"]) }
    })
    // First a harmless address that nobody answers at, then one that is denied.
    expect((await failure(strict.api.run(get))).code).toMatch(/TIMEOUT|CONNECTION_ERROR/)
    expect((await failure(strict.api.run(get))).code).toBe("EGRESS_DENIED")
    expect(server.requests).toHaveLength(1)
  })

  it("lets allowed hosts through", async () => {
    await using server = await httpServer((_, response) => json(response, 1))
    await using made = await workspace({
      url: server.url,
      actions,
      egress: { deny: ["private"], allow: ["127.0.0.1"] }
    })
    expect(await run(made.api.run(get))).toBe(1)
  })

  it("holds for every hop of a redirect", async () => {
    await using inner = await httpServer((_, response) => json(response, "secret"))
    await using server = await httpServer((_, response) => {
      response.writeHead(302, { location: inner.url.replace("127.0.0.1", "127.0.0.2") })
      response.end()
    })
    await using made = await workspace({
      url: server.url,
      actions,
      egress: { deny: ["loopback"], allow: ["127.0.0.1"] }
    })
    expect((await failure(made.api.run(get))).code).toBe("EGRESS_DENIED")
    expect(inner.requests).toHaveLength(0)
  })
})

describe("redirects", () => {
  const serving = async (route: (url: string) => string | undefined) => {
    const server = await httpServer((request, response) => {
      const location = route(request.url ?? "")
      if (location === undefined) return json(response, { at: request.url })
      response.writeHead(302, { location })
      response.end()
    })
    const made = await workspace({ url: server.url, actions })
    const dispose = async () => {
      await made.close()
      await server.close()
    }
    return { server, ...made, [Symbol.asyncDispose]: dispose }
  }

  it("are followed for GET, with credentials on the same origin", async () => {
    await using made = await serving((url) => (url === "/get" ? "/next?a=1" : undefined))
    const body = await run(made.api.run({ ...get, input: { "headers:Authorization": "Bearer t" } }))
    expect(body).toEqual({ at: "/next?a=1" })
    expect(made.server.requests[1]?.headers.authorization).toBe("Bearer t")
  })

  it("drop every credential and every given header when the origin changes, and do not bring them back", async () => {
    await using other = await httpServer((_, response) => {
      response.writeHead(307, { location: `${made.server.url}/back` })
      response.end()
    })
    await using made = await serving((url) => (url === "/get" ? `${other.url}/x` : undefined))
    made.api.config({ app: "crm", credentials: { "headers:X-Api-Key": "k", "cookies:sid": "s" } })
    expect(await run(made.api.run({ ...get, input: { "headers:Authorization": "Bearer t" } }))).toEqual({
      at: "/back"
    })
    expect(made.server.requests[0]?.headers).toMatchObject({
      authorization: "Bearer t",
      "x-api-key": "k",
      cookie: "sid=s"
    })
    for (const request of [...other.requests, ...made.server.requests.slice(1)]) {
      expect(request.headers.authorization).toBeUndefined()
      expect(request.headers["x-api-key"]).toBeUndefined()
      expect(request.headers.cookie).toBeUndefined()
    }
  })

  it("end after five", async () => {
    await using made = await serving((url) => `${url}x`)
    expect(await failure(made.api.run(get))).toMatchObject({ code: "REDIRECT_REFUSED", attempts: 1 })
    expect(made.server.requests).toHaveLength(6)
  })

  it("are not followed for POST", async () => {
    await using made = await serving((url) => (url === "/get" ? "/next" : undefined))
    const error = await failure(made.api.run({ app: "crm", action: "post", input: { a: 1 } }))
    expect(error).toMatchObject({ code: "REDIRECT_REFUSED", status: 302 })
    expect(made.server.requests).toHaveLength(1)
  })

  it.each(["file:///etc/passwd", "javascript:alert(1)", "http://[bad", ""])(
    "to %j are refused",
    async (location) => {
      await using made = await serving(() => location)
      expect((await failure(made.api.run(get))).code).toBe("REDIRECT_REFUSED")
    }
  )

  it("from https to http are refused", () => {
    const request = { method: "GET", origin: "https://a.example", path: "/", headers: {}, body: undefined }
    expect(nextHop(request, "http://a.example/")).toMatch(/https to http/)
  })
})

describe("limits of a connection", () => {
  it("hold attempts under way at once", async () => {
    let now = 0
    let most = 0
    await using server = await httpServer(async (_, response) => {
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setTimeout(resolve, 10))
      now -= 1
      json(response, 1)
    })
    await using made = await workspace({ url: server.url, actions, env: { limits: { concurrency: 3 } } })
    const all = Effect.all(
      Array.from({ length: 20 }, () => made.api.run(get)),
      { concurrency: "unbounded" }
    )
    await run(all)
    expect([most, server.requests.length]).toEqual([3, 20])
  })

  it("hand turns out in the order of asking, so many a second, and a waiter may leave", async () => {
    const order: Array<[number, number]> = []
    await run(
      Effect.gen(function* () {
        const gate = new ConnectionGate({ perSecond: 2 })
        const start = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const enter = (id: number) =>
          Effect.andThen(
            gate.enter,
            Effect.clockWith((clock) =>
              Effect.map(clock.currentTimeMillis, (now) => {
                order.push([id, now - start])
              })
            )
          )
        const fibers = []
        for (let id = 0; id < 7; id += 1) fibers.push(yield* Effect.forkChild(enter(id)))
        yield* TestClock.adjust(1)
        yield* Fiber.interrupt(fibers[3] as Fiber.Fiber<void>)
        yield* TestClock.adjust(5000)
      }).pipe(Effect.provide(TestClock.layer()))
    )
    // Within one instant the order in which they go on is the scheduler's.
    expect(order.toSorted(([a, x], [b, y]) => x - y || a - b)).toEqual([
      [0, 0],
      [1, 0],
      [2, 1000],
      [4, 1000],
      [5, 2000],
      [6, 2000]
    ])
  })

  it("never lose a slot to interruption", async () => {
    await run(
      Effect.gen(function* () {
        const gate = new ConnectionGate({ concurrency: 1 })
        for (let round = 0; round < 200; round += 1) {
          yield* gate.enter
          const waiting = yield* Effect.forkChild(gate.enter)
          yield* Effect.yieldNow
          gate.leave()
          const before = waiting.pollUnsafe()
          yield* Fiber.interrupt(waiting)
          if (before !== undefined || waiting.pollUnsafe()?._tag === "Success") gate.leave()
        }
        yield* gate.enter
      }).pipe(Effect.timeout(5000))
    )
  })

  it("a waiting run can be aborted", async () => {
    await using server = await httpServer(() => undefined)
    await using made = await workspace({ url: server.url, actions, env: { limits: { concurrency: 1 } } })
    const first = Effect.runFork(made.api.run(get))
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await failure(made.api.run({ ...get, signal: AbortSignal.timeout(30) }))).toMatchObject({
      code: "ABORTED",
      attempts: 0
    })
    expect(await failure(made.api.run({ ...get, timeout: 30 }))).toMatchObject({
      code: "TIMEOUT",
      attempts: 0
    })
    await run(Fiber.interrupt(first))
  })

  it("a stream holds its slot until it is read", async () => {
    await using server = await httpServer((_, response) => json(response, 1))
    await using made = await workspace({ url: server.url, actions, env: { limits: { concurrency: 1 } } })
    const stream = await run(made.api.run<AsyncIterable<unknown>>({ ...get, returns: "stream" }))
    expect((await failure(made.api.run({ ...get, timeout: 50 }))).code).toBe("TIMEOUT")
    for await (const _ of stream);
    expect(await run(made.api.run({ ...get, timeout: 5000 }))).toBe(1)
  })
})
