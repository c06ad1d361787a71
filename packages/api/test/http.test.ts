import { Readable } from "node:stream"
import { text as readText } from "node:stream/consumers"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import type { Action } from "@ductape/registry"
import { faultProxy, httpServer } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import { retryAfter, retryDelay } from "../src/http/retryPolicy.ts"
import { ActionError, type RunResponse } from "../src/index.ts"
import { failure, json, run, workspace } from "./support.ts"

const actions: ReadonlyArray<Action> = [
  { tag: "get", name: "Get", method: "GET", resource: "/get" },
  { tag: "head", name: "Head", method: "HEAD", resource: "/get" },
  { tag: "post", name: "Post", method: "POST", resource: "/post" },
  {
    tag: "upload",
    name: "Upload",
    method: "POST",
    resource: "/up",
    bodyFormat: { contentType: "application/octet-stream", shape: "whole" }
  }
]

const fast = { initialDelay: 1, jitter: false }

const serving = async (handler: Parameters<typeof httpServer>[0], options: { callOn?: "headers" } = {}) => {
  const server = await httpServer(handler, options)
  const made = await workspace({ url: server.url, actions })
  const close = async () => {
    await made.close()
    await server.close()
  }
  return { server, ...made, [Symbol.asyncDispose]: close }
}

const expectAction = (error: unknown): ActionError => {
  if (error instanceof ActionError) return error
  throw error
}

describe("answers", () => {
  it.each([
    ["application/json", '{"a":1}', { a: 1 }],
    ["application/problem+json; charset=utf-8", "\uFEFF[1]", [1]],
    ["text/plain", "hi ü", "hi ü"],
    ["application/xml", "<a/>", "<a/>"],
    ["image/png", "png", Buffer.from("png")],
    ["application/json", "", null]
  ])("%s %j becomes %j", async (type, sent, body) => {
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": type })
      response.end(sent)
    })
    expect(await run(made.api.run({ app: "crm", action: "get" }))).toEqual(body)
  })

  it("returns: 'response' says more", async () => {
    await using made = await serving((_, response) => json(response, { a: 1 }, 201, { "x-a": "b" }))
    const response = await run(made.api.run<RunResponse>({ app: "crm", action: "get", returns: "response" }))
    expect(response).toMatchObject({
      status: 201,
      data: { a: 1 },
      attempts: 1,
      cached: false,
      headers: { "x-a": "b" }
    })
    expect(response.duration).toBeGreaterThanOrEqual(0)
  })

  it("204 and HEAD are null, whatever length they announce", async () => {
    await using made = await serving((request, response) => {
      response.writeHead(
        request.method === "HEAD" ? 200 : 204,
        request.method === "HEAD" ? { "content-length": "99999999" } : {}
      )
      response.end()
    })
    expect(await run(made.api.run({ app: "crm", action: "get" }))).toBeNull()
    expect(await run(made.api.run({ app: "crm", action: "head" }))).toBeNull()
  })

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync]
  ])("decompresses %s", async (encoding, compress) => {
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding })
      response.end(compress(Buffer.from('{"a":1}')))
    })
    expect(await run(made.api.run({ app: "crm", action: "get" }))).toEqual({ a: 1 })
  })

  it("broken JSON and broken compression are RESPONSE_INVALID", async () => {
    let encoded = false
    await using made = await serving((_, response) => {
      response.writeHead(200, {
        "content-type": "application/json",
        ...(encoded ? { "content-encoding": "gzip" } : {})
      })
      response.end('{"a":')
    })
    expect((await failure(made.api.run({ app: "crm", action: "get" }))).code).toBe("RESPONSE_INVALID")
    encoded = true
    expect((await failure(made.api.run({ app: "crm", action: "get", retries: 3 }))).code).toBe(
      "RESPONSE_INVALID"
    )
    expect(made.server.requests).toHaveLength(2)
  })

  it.each([
    [400, "REQUEST_REJECTED", false],
    [401, "UNAUTHORIZED", false],
    [402, "REQUEST_REJECTED", false],
    [403, "FORBIDDEN", false],
    [404, "NOT_FOUND", false],
    [408, "REQUEST_REJECTED", true],
    [425, "REQUEST_REJECTED", true],
    [429, "RATE_LIMITED", true],
    [500, "UPSTREAM_ERROR", true],
    [501, "UPSTREAM_ERROR", false],
    [502, "UPSTREAM_ERROR", true],
    [503, "SERVICE_UNAVAILABLE", true],
    [504, "UPSTREAM_ERROR", true]
  ])("%i is %s; retried: %s", async (status, code, retried) => {
    await using made = await serving((_, response) =>
      json(response, { why: "because" }, status, { "x-id": "7" })
    )
    const error = expectAction(
      await failure(made.api.run({ app: "crm", action: "get", retries: 1, retryConfig: fast }))
    )
    expect(error).toMatchObject({
      code,
      status,
      retryable: retried,
      app: "crm",
      action: "get",
      attempts: retried ? 2 : 1
    })
    expect(error.response).toMatchObject({ status, data: { why: "because" }, headers: { "x-id": "7" } })
    expect(made.server.requests).toHaveLength(retried ? 2 : 1)
  })

  it("an error's body that is no JSON is kept as text", async () => {
    await using made = await serving((_, response) => {
      response.writeHead(500, { "content-type": "application/json" })
      response.end("<html>")
    })
    const error = expectAction(await failure(made.api.run({ app: "crm", action: "get" })))
    expect([error.code, error.response.data]).toEqual(["UPSTREAM_ERROR", "<html>"])
  })
})

describe("bounds", () => {
  it("refuses an answer over the limit, announced or not", async () => {
    let announce = true
    await using made = await serving((_, response) => {
      response.writeHead(200, {
        "content-type": "text/plain",
        ...(announce ? { "content-length": String(200 << 20) } : {})
      })
      const chunk = Buffer.alloc(1 << 20, 97)
      let sent = 0
      const more = () => {
        while (!response.destroyed && sent < 200) {
          sent += 1
          if (!response.write(chunk)) return void response.once("drain", more)
        }
        response.end()
      }
      more()
    })
    expect((await failure(made.api.run({ app: "crm", action: "get" }))).code).toBe("RESPONSE_TOO_LARGE")
    announce = false
    const before = process.memoryUsage().rss
    expect((await failure(made.api.run({ app: "crm", action: "get" }))).code).toBe("RESPONSE_TOO_LARGE")
    expect(process.memoryUsage().rss - before).toBeLessThan(120 << 20)
  })

  it.each(["gzip", "br", "deflate"])(
    "refuses a small %s answer that unfolds to a huge one",
    async (encoding) => {
      const compress = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }[encoding] ?? gzipSync
      const bomb = compress(Buffer.alloc(40 << 20))
      await using made = await serving((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding })
        response.end(bomb)
      })
      expect((await failure(made.api.run({ app: "crm", action: "get" }))).code).toBe("RESPONSE_TOO_LARGE")
    }
  )

  it.each([
    ["never answers", () => undefined],
    [
      "never ends",
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-type": "text/plain" })
        const timer = setInterval(() => response.write("x"), 5)
        response.on("close", () => clearInterval(timer))
      }
    ]
  ])("a server that %s is TIMEOUT at the deadline", async (_, handler) => {
    await using made = await serving((_request, response) => handler(response))
    const error = expectAction(await failure(made.api.run({ app: "crm", action: "get", timeout: 400 })))
    expect(error).toMatchObject({ code: "TIMEOUT", attempts: 1, retryable: true })
  })

  it("the deadline covers retries and their waits", async () => {
    await using made = await serving((_, response) => json(response, {}, 503))
    const error = await failure(
      made.api.run({
        app: "crm",
        action: "get",
        timeout: 200,
        retries: 10,
        retryConfig: { initialDelay: 60_000 }
      })
    )
    expect(error).toMatchObject({ code: "TIMEOUT", attempts: 1 })
  })

  it("a black hole, a refusal, a reset and a cut-off answer are retryable", async () => {
    const server = await httpServer((_, response) => json(response, { text: "x".repeat(5000) }))
    const proxy = await faultProxy({ port: server.port })
    await using made = await workspace({ url: `http://127.0.0.1:${proxy.port}`, actions, timeout: 300 })
    for (const [fault, code] of [
      [{ kind: "blackHole" }, "TIMEOUT"],
      [{ kind: "refuse" }, "CONNECTION_ERROR"],
      [{ kind: "reset" }, "CONNECTION_ERROR"],
      [{ kind: "cutAfter", bytes: 1000, direction: "down" }, "CONNECTION_ERROR"]
    ] as const) {
      proxy.cutAll()
      proxy.set(fault)
      const error = await failure(made.api.run({ app: "crm", action: "get" }))
      expect([fault.kind, error.code, error.retryable]).toEqual([fault.kind, code, true])
    }
    proxy.cutAll()
    proxy.set({ kind: "pass" })
    expect(
      await run(made.api.run({ app: "crm", action: "get", retries: 2, retryConfig: fast }))
    ).toHaveProperty("text")
    await proxy.close()
    await server.close()
  })

  it("aborts: before, during the exchange, and during the wait for a retry", async () => {
    let hang = true
    await using made = await serving((_, response) => {
      if (!hang) json(response, {}, 503)
    })
    const call = { app: "crm", action: "get", retries: 5, retryConfig: { initialDelay: 60_000 } }
    expect((await failure(made.api.run({ ...call, signal: AbortSignal.abort() }))).code).toBe("ABORTED")
    expect(made.server.requests).toHaveLength(0)
    expect((await failure(made.api.run({ ...call, signal: AbortSignal.timeout(50) }))).code).toBe("ABORTED")
    hang = false
    const error = await failure(made.api.run({ ...call, signal: AbortSignal.timeout(100) }))
    expect(error).toMatchObject({ code: "ABORTED", attempts: 1, retryable: false })
  })

  it("interrupting the Effect ends the request", async () => {
    const closed = Promise.withResolvers<void>()
    await using made = await serving((request) => {
      request.on("close", () => closed.resolve())
    })
    const fiber = Effect.runFork(made.api.run({ app: "crm", action: "get" }))
    while (made.server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await run(Fiber.interrupt(fiber))
    await closed.promise
  })
})

describe("retries", () => {
  it("send the same headers each time, with an idempotency key for POST", async () => {
    let count = 0
    await using made = await serving((_, response) => json(response, {}, ++count < 3 ? 500 : 200))
    await run(made.api.run({ app: "crm", action: "post", input: { a: 1 }, retries: 2, retryConfig: fast }))
    const [first, ...others] = made.server.requests
    expect(made.server.requests).toHaveLength(3)
    expect(first?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/)
    for (const other of others) expect([other.headers, other.body]).toEqual([first?.headers, first?.body])
  })

  it("leave a given key alone, and send none when told so, without retries or for GET", async () => {
    await using made = await serving((_, response) => json(response, {}))
    const keyOf = async (call: object) => {
      await run(made.api.run({ app: "crm", action: "post", retries: 1, ...call }))
      return made.server.requests.at(-1)?.headers["idempotency-key"]
    }
    expect(await keyOf({ input: { "headers:Idempotency-Key": "mine" } })).toBe("mine")
    expect(await keyOf({ idempotencyKey: "named" })).toBe("named")
    expect(await keyOf({ idempotencyKey: false })).toBeUndefined()
    expect(await keyOf({ retries: 0 })).toBeUndefined()
    expect(await keyOf({ action: "get" })).toBeUndefined()
  })

  it("honour Retry-After up to maxDelay", async () => {
    let count = 0
    await using made = await serving((_, response) =>
      json(response, {}, ++count === 1 ? 429 : 200, { "retry-after": "3600" })
    )
    await run(made.api.run({ app: "crm", action: "get", retries: 1, retryConfig: { maxDelay: 5 } }))
    expect(count).toBe(2)
  })

  it("wait as configured", () => {
    expect([0, 1, 2, 9].map((n) => retryDelay({ jitter: false }, n, undefined, 0.5))).toEqual([
      1000, 2000, 4000, 30_000
    ])
    expect([0, 1].map((random) => retryDelay(undefined, 1, undefined, random))).toEqual([1000, 2000])
    expect(retryDelay({ initialDelay: 10, backoffMultiplier: 3, jitter: false }, 2, undefined, 0)).toBe(90)
    expect(retryDelay(undefined, 0, 7000, 0.1)).toBe(7000)
    expect(retryDelay({ maxDelay: 500 }, 0, 7000, 0.1)).toBe(500)
    const now = Date.parse("2026-01-01T00:00:00Z")
    expect(retryAfter({ "retry-after": "120" }, now)).toBe(120_000)
    expect(retryAfter({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, now)).toBe(30_000)
    expect(retryAfter({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, now)).toBe(0)
    expect(retryAfter({ "retry-after": "soon" }, now)).toBeUndefined()
  })

  it("narrow by code", async () => {
    await using made = await serving((_, response) => json(response, {}, 503))
    const tries = async (retryConfig: object) => {
      const before = made.server.requests.length
      await failure(
        made.api.run({ app: "crm", action: "get", retries: 1, retryConfig: { ...fast, ...retryConfig } })
      )
      return made.server.requests.length - before
    }
    expect(await tries({ retryableErrors: ["TIMEOUT"] })).toBe(1)
    expect(await tries({ retryableErrors: ["SERVICE_UNAVAILABLE"] })).toBe(2)
    expect(await tries({ nonRetryableErrors: ["SERVICE_UNAVAILABLE"] })).toBe(1)
  })

  it("never repeat a body that was a stream, but do repeat a Blob", async () => {
    await using made = await serving((_, response) => json(response, {}, 503))
    const call = { app: "crm", action: "upload", retries: 2, retryConfig: fast }
    expect(await failure(made.api.run({ ...call, input: { body: Readable.from(["a"]) } }))).toMatchObject({
      attempts: 1
    })
    expect(await failure(made.api.run({ ...call, input: { body: new Blob(["a"]) } }))).toMatchObject({
      attempts: 3
    })
    expect(made.server.requests.map(({ body }) => body)).toEqual(["a", "a", "a", "a"])
  })
})

describe("streams", () => {
  it("up: a stream is sent as it comes", async () => {
    await using made = await serving((_, response, recorded) => json(response, recorded.bytes.length))
    const body = Readable.from(
      (function* () {
        for (let i = 0; i < 10; i += 1) yield Buffer.alloc(1000, i)
      })()
    )
    expect(await run(made.api.run({ app: "crm", action: "upload", input: { body } }))).toBe(10_000)
  })

  it("down: the body is there with the headers, and unpacked", async () => {
    const release = Promise.withResolvers<void>()
    await using made = await serving(async (_, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
      response.flushHeaders()
      await release.promise
      response.end(gzipSync("streamed"))
    })
    const stream = await run(made.api.run<Readable>({ app: "crm", action: "get", returns: "stream" }))
    release.resolve()
    expect(await readText(stream)).toBe("streamed")
  })

  it("down: closing it closes the connection, aborting the signal ends it", async () => {
    const closed: Array<() => void> = []
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": "text/plain" })
      response.write("x")
      response.on("close", () => closed.shift()?.())
    })
    const call = { app: "crm", action: "get", returns: "stream" } as const
    const first = await run(made.api.run<Readable>(call))
    const gone = new Promise<void>((resolve) => closed.push(resolve))
    first.destroy()
    await gone
    const abort = new AbortController()
    const second = await run(made.api.run<Readable>({ ...call, signal: abort.signal }))
    const failed = new Promise<Error>((resolve) => second.once("error", resolve))
    abort.abort()
    expect(await failed).toMatchObject({ code: "ABORTED" })
  })

  it("down: a stream that nobody reads may break off without ending the process", async () => {
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": "text/plain" })
      response.write("x", () => setTimeout(() => response.destroy(), 20))
    })
    const stream = await run(made.api.run<Readable>({ app: "crm", action: "get", returns: "stream" }))
    await new Promise((resolve) => stream.once("close", resolve))
    expect(stream.errored).not.toBeNull()
  })

  it("down: whoever reads a stream that breaks off gets an error of the run", async () => {
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": "text/plain" })
      response.write("x", () => setTimeout(() => response.destroy(), 20))
    })
    const stream = await run(made.api.run<Readable>({ app: "crm", action: "get", returns: "stream" }))
    const reading = async () => {
      for await (const _ of stream);
    }
    await expect(reading()).rejects.toMatchObject({
      _tag: "ActionError",
      code: "CONNECTION_ERROR",
      app: "crm",
      action: "get",
      attempts: 1
    })
  })

  it("down: a slow reader holds the sender back", async () => {
    let written = 0
    await using made = await serving((_, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" })
      const more = () => {
        while (!response.destroyed && written < 64 << 20) {
          written += 1 << 16
          if (!response.write(Buffer.alloc(1 << 16))) return void response.once("drain", more)
        }
        response.end()
      }
      more()
    })
    const stream = await run(made.api.run<Readable>({ app: "crm", action: "get", returns: "stream" }))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(written).toBeLessThan(32 << 20)
    let size = 0
    for await (const chunk of stream) size += (chunk as Buffer).byteLength
    expect(size).toBe(64 << 20)
  })

  it("down: an error status is still an error", async () => {
    await using made = await serving((_, response) => json(response, { a: 1 }, 404))
    const error = expectAction(await failure(made.api.run({ app: "crm", action: "get", returns: "stream" })))
    expect([error.code, error.response.data]).toEqual(["NOT_FOUND", { a: 1 }])
  })
})
