import { literal, secret, template } from "@ductape/core"
import type { Action } from "@ductape/registry"
import { assertNoCanary, canary, httpServer } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CredentialBook } from "../src/index.ts"
import { failure, json, run, workspace } from "./support.ts"

const actions: ReadonlyArray<Action> = [
  {
    tag: "send",
    name: "Send",
    method: "POST",
    resource: "/messages/:to",
    headers: { "X-Note": {} },
    query: { q: {} }
  },
  { tag: "strict", name: "Strict", method: "POST", resource: "/strict", body: { n: { type: "number" } } },
  { tag: "get", name: "Get", method: "GET", resource: "/get" }
]

const opened = async (handler?: Parameters<typeof httpServer>[0]) => {
  const server = await httpServer(handler ?? ((_, response, { body }) => json(response, { body })))
  const key = canary("key")
  const made = await workspace({
    url: server.url,
    actions,
    setup: (registry) => registry.secrets.create({ key: "KEY", value: key }),
    env: {
      variables: [
        { key: "region", value: "eu" },
        { key: "hidden", value: "$Secret{KEY}" }
      ]
    }
  })
  const dispose = async () => {
    await made.close()
    await server.close()
  }
  return { server, key, ...made, [Symbol.asyncDispose]: dispose }
}

/** Everything that a run says while it runs: spans and logs. */
const observed = async <A, E>(
  effect: Effect.Effect<A, E>
): Promise<{ exit: unknown; spans: unknown; logs: unknown }> => {
  const spans: Array<unknown> = []
  const logs: Array<unknown> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const logger = Logger.make<unknown, void>((entry) => {
    logs.push(entry.message, entry.cause)
  })
  const exit = await Effect.runPromise(
    Effect.exit(effect).pipe(
      Effect.withTracer(tracer),
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "Trace")
    )
  )
  return { exit, spans, logs }
}

const attacks = [
  "$Secret{KEY}",
  "$$Secret{KEY}",
  "x $Secret{KEY} y",
  "$Auth{key}",
  "$Auth{main}{key}",
  '$Concat(["$Secret{KEY}"], "")',
  "$Uppercase($Secret{KEY})",
  "$Default($Secret{KEY}, 1)",
  "$Variable{hidden}",
  "$Variable{crm}{hidden}",
  "$Replace('a', 'a', $Variable{hidden})",
  "$Secret{KEY",
  "${KEY}",
  "{{KEY}}",
  "{{Secret.KEY}}"
]

describe("what a user's text can do", () => {
  it.each(attacks)("%s reads no secret, wherever it stands", async (text) => {
    await using made = await opened()
    for (const input of [
      { to: "x", text },
      { to: "x", deep: { list: [{ text }] } },
      { to: "x", "headers:X-Note": text },
      { to: "x", q: text },
      { to: text, a: 1 },
      { params: { to: "x" }, body: { [text]: text } }
    ]) {
      const result = await observed(made.api.run({ app: "crm", action: "send", input }))
      assertNoCanary([made.key], result.exit, result.spans, result.logs)
    }
    for (const { body, url, rawHeaders } of made.server.requests) {
      assertNoCanary([made.key], body, url, rawHeaders)
      expect(rawHeaders.join("\n").toLowerCase()).not.toContain("x-evil")
    }
  })

  it("$Secret and $Auth are sent as the text that they are", async () => {
    await using made = await opened()
    await run(
      made.api.run({
        app: "crm",
        action: "send",
        input: { to: "x", text: "costs $Secret{KEY} and $Auth{a}{b}" }
      })
    )
    expect(made.server.requests[0]?.body).toBe('{"text":"costs $Secret{KEY} and $Auth{a}{b}"}')
  })

  it("stays in its place: host, path, headers and method are the action's", async () => {
    await using made = await opened()
    const host = new URL(made.server.url).host
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
        fc.string({ unit: "binary", maxLength: 30 }),
        async (to, text) => {
          const before = made.server.requests.length
          const input = { to: literal(to), q: literal(text), text: literal(text) }
          const result = await run(Effect.result(made.api.run({ app: "crm", action: "send", input })))
          if (result._tag === "Failure") {
            expect(result.failure.code).toBe("INPUT_PARAM_INVALID")
            return
          }
          const [request] = made.server.requests.slice(before)
          const url = new URL(request?.url ?? "", made.server.url)
          expect([request?.method, request?.headers.host, url.pathname.split("/").length]).toEqual([
            "POST",
            host,
            3
          ])
          expect(decodeURIComponent(url.pathname.slice("/messages/".length))).toBe(to.toWellFormed())
          expect([...url.searchParams]).toEqual([["q", text.toWellFormed()]])
          expect(JSON.parse(request?.body ?? "")).toEqual({ text })
        }
      ),
      { numRuns: 150 }
    )
  })

  it("cannot make the evaluation run away", async () => {
    await using made = await opened()
    const bombs = [
      "$Add(".repeat(50_000),
      `${"$Trim(".repeat(40)}'a'${")".repeat(40)}`,
      "$Concat([".repeat(30_000),
      `$Join(${Array.from({ length: 2000 }, () => "$Split('aaaaaaaaaa','')").join(",")})`,
      "$".repeat(70_000)
    ]
    for (const text of bombs) {
      await run(Effect.exit(made.api.run({ app: "crm", action: "send", input: { to: "x", text } })))
    }
    let deep: unknown = "x"
    for (let i = 0; i < 5000; i += 1) deep = [deep]
    const exit = await run(
      Effect.exit(made.api.run({ app: "crm", action: "send", input: { to: "x", deep } }))
    )
    expect(exit._tag === "Success" || JSON.stringify(exit).includes("Die") === false).toBe(true)
  })
})

describe("trusted code", () => {
  it("may name a secret with secret() and template``", async () => {
    await using made = await opened()
    const input = {
      to: "x",
      a: secret("KEY"),
      b: template`Bearer $Secret{KEY} for ${"$Secret{KEY}"}`,
      c: literal("$Now")
    }
    await run(made.api.run({ app: "crm", action: "send", input }))
    expect(JSON.parse(made.server.requests[0]?.body ?? "")).toEqual({
      a: made.key,
      b: `Bearer ${made.key} for $Secret{KEY}`,
      c: "$Now"
    })
  })

  it("a secret that is missing, out of scope or of another environment stops the run before it is sent", async () => {
    await using made = await opened()
    await run(made.registry.secrets.create({ key: "FAR", value: "x", scope: ["other"] }))
    await run(made.registry.secrets.create({ key: "DEV", value: "x", envs: ["dev"] }))
    for (const [key, code] of [
      ["NONE", "SECRET_NOT_FOUND"],
      ["FAR", "SECRET_SCOPE"],
      ["DEV", "SECRET_ENV"]
    ] as const) {
      const input = { to: "x", good: secret("KEY"), bad: secret(key) }
      expect((await failure(made.api.run({ app: "crm", action: "send", input }))).code).toBe(code)
    }
    expect(made.server.requests).toHaveLength(0)
  })
})

describe("canaries", () => {
  it("show in no error, log, span, inspection or JSON, whatever goes wrong", async () => {
    let status = 200
    await using made = await opened((_, response, { headers, body }) => {
      if (status === 0) response.destroy()
      else if (status === 1) {
        response.writeHead(200, { "content-type": "application/json" })
        response.end("{")
      } else json(response, { headers, body }, status)
    })
    const book = canary("book")
    const given = canary("given")
    made.api.config({
      app: "crm",
      credentials: { "headers:Authorization": "Bearer $Secret{KEY}", "query:token": book }
    })
    const secrets = [made.key, book, given]
    const calls = [
      { action: "send", input: { to: "x", password: given } },
      { action: "strict", input: { n: given } },
      { action: "send", input: { to: "x", "headers:X-Note": `${given}\r\nX-Evil: 1` } },
      { action: "send", input: { to: "x", a: `$Add('${given}')` } },
      { action: "send", input: { to: "x", a: `$Session{${"x"}}` } },
      { action: "missing", input: { a: given } }
    ]
    for (status of [200, 0, 1, 301, 400, 401, 404, 429, 500]) {
      for (const call of calls) {
        const result = await observed(Effect.flip(made.api.run({ app: "crm", ...call })))
        if (status !== 200 || call.action !== "send") assertNoCanary(secrets, result.exit)
        assertNoCanary(secrets, result.spans, result.logs)
      }
    }
  })

  it("show in neither the service nor the book", async () => {
    await using made = await opened()
    const given = canary("given")
    const book = new CredentialBook()
    book.config({ app: "crm", credentials: { "headers:Authorization": given } })
    made.api.config({ app: "crm", credentials: { "headers:Authorization": given } })
    await run(made.api.run({ app: "crm", action: "get" }))
    assertNoCanary([given, made.key], made.api, book, Object.entries(made.api))
  })

  it("the answer that an error carries is the API's own, and only there", async () => {
    const echoed = canary("echo")
    await using made = await opened((_, response) => json(response, { echoed }, 400))
    const error = await failure(made.api.run({ app: "crm", action: "get" }))
    assertNoCanary([echoed], error)
    expect(error.response).toMatchObject({ data: { echoed } })
  })
})
