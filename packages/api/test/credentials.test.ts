import { type CachedCall, CallCache, SessionVerifier } from "@ductape/core"
import { type Action, RegistryError } from "@ductape/registry"
import { httpServer } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { describe, expect, it } from "vitest"
import { CredentialBook } from "../src/index.ts"
import { failure, json, last, run, type WorkspaceOptions, workspace } from "./support.ts"

const actions: ReadonlyArray<Action> = [
  { tag: "get", name: "Get", method: "GET", resource: "/get" },
  { tag: "post", name: "Post", method: "POST", resource: "/post/:id", body: { text: {} } },
  { tag: "open", name: "Open", method: "GET", resource: "/open", auth: false },
  { tag: "login", name: "Login", method: "POST", resource: "/login" }
]

const opened = async (
  options: Partial<WorkspaceOptions> = {},
  handler?: Parameters<typeof httpServer>[0]
) => {
  const server = await httpServer(handler ?? ((_, response, { body }) => json(response, { body })))
  const made = await workspace({ url: server.url, actions, ...options })
  const dispose = async () => {
    await made.close()
    await server.close()
  }
  const get = (input: Record<string, unknown> = {}) => made.api.run({ app: "crm", action: "get", input })
  return { server, ...made, get, [Symbol.asyncDispose]: dispose }
}

const auth = (data: Record<string, unknown>): Partial<WorkspaceOptions> => ({
  setup: (registry) =>
    registry.apps.auths.create("crm", {
      tag: "main",
      name: "Main",
      setup_type: "token_access",
      tokens: { headers: {} }
    }),
  env: { auth: [{ auth_tag: "main", data }] }
})

describe("credentials", () => {
  it("come from the call, then oauth, then config, then the connection, per target", async () => {
    await using made = await opened(
      auth({ headers: { "X-A": "conn", "X-B": "conn", "X-C": "conn", "X-D": "conn" } })
    )
    made.api.config({
      app: "crm",
      credentials: { "headers:x-a": "config", "headers:X-B": "config", "headers:X-C": "config" }
    })
    await run(
      made.api.oauth({
        app: "crm",
        tokens: { accessToken: "t" },
        credentials: () => ({ "headers:X-A": "oauth", "headers:X-B": "oauth" }),
        onExpiry: async () => ({ tokens: {} })
      })
    )
    await run(made.get({ "headers:X-A": "call" }))
    expect(last(made.server).headers).toMatchObject({
      "x-a": "call",
      "x-b": "oauth",
      "x-c": "config",
      "x-d": "conn"
    })
  })

  it("of a connection may be sectioned, prefixed or bare; bare ones are only for $Auth", async () => {
    await using made = await opened(
      auth({ headers: { "X-A": "$Secret{K}" }, "query:key": "q", account: "bare", nested: { deep: "d" } })
    )
    await run(made.registry.secrets.create({ key: "K", value: "v" }))
    made.api.config({
      app: "crm",
      credentials: {
        "headers:X-1": "$Auth{main}{account}",
        "headers:X-2": "$Auth{account}",
        "headers:X-3": "$Auth{main}{nested}{deep}"
      }
    })
    await run(made.get())
    expect(last(made.server).url).toBe("/get?key=q")
    expect(last(made.server).headers).toMatchObject({ "x-a": "v", "x-1": "bare", "x-2": "bare", "x-3": "d" })
    expect(last(made.server).headers["account"]).toBeUndefined()
  })

  it("of a connection stay away from actions without auth", async () => {
    await using made = await opened(auth({ headers: { "X-A": "conn" } }))
    await run(made.api.run({ app: "crm", action: "open" }))
    expect(last(made.server).headers["x-a"]).toBeUndefined()
  })

  it("unprefixed keys of config are placed for each action", async () => {
    await using made = await opened()
    made.api.config({ app: "crm", credentials: { token: "t" } })
    await run(made.get())
    expect(last(made.server).url).toBe("/get?token=t")
    await run(made.api.run({ app: "crm", action: "post", input: { id: 1 } }))
    expect(last(made.server)).toMatchObject({ url: "/post/1", body: '{"token":"t"}' })
  })

  it("config: the most specific entry alone counts, a second call replaces", async () => {
    const book = new CredentialBook()
    book.config({ app: "crm", credentials: { a: 1 } })
    book.config({ app: "crm", product: "shop", credentials: { a: 2 } })
    book.config({ app: "crm", env: "prd", credentials: { a: 3 } })
    expect(book.find("shop", "prd", ["crm"])).toEqual({ a: 2 })
    expect(book.find("other", "prd", ["crm"])).toEqual({ a: 3 })
    expect(book.find("other", "dev", ["crm"])).toEqual({ a: 1 })
    book.config({ app: "crm", product: "shop", env: "prd", credentials: { b: 4 } })
    expect(book.find("shop", "prd", ["crm"])).toEqual({ b: 4 })
    book.config({ app: "crm", product: "shop", env: "prd", credentials: { c: 5 } })
    expect(book.find("shop", "prd", ["x", "crm"])).toEqual({ c: 5 })
    expect(book.find("shop", "prd", ["x"])).toBeUndefined()
  })

  it("config may name the access tag, the app's tag, or either with the workspace's", async () => {
    await using made = await opened({
      setup: (registry) =>
        registry.products.apps.add("shop", { access_tag: "crm-eu", app: "crm", envs: [{ slug: "prd" }] })
    })
    const sent = async (app: string) => {
      await run(made.api.run({ app, action: "get" }))
      return last(made.server).headers["x-a"]
    }
    const own = made.registry.workspace.tag
    made.api.config({ app: `${own}:crm`, credentials: { "headers:X-A": "app" } })
    expect([await sent("crm-eu"), await sent("crm")]).toEqual(["app", "app"])
    made.api.config({ app: "crm-eu", credentials: { "headers:X-A": "eu" } })
    expect([await sent(`${own}:crm-eu`), await sent("crm")]).toEqual(["eu", "app"])
  })

  it("config takes effect at once, also after runs", async () => {
    await using made = await opened()
    await run(made.get())
    expect(last(made.server).headers["x-a"]).toBeUndefined()
    made.api.config({ app: "crm", credentials: { "headers:X-A": "1" } })
    await run(made.get())
    expect(last(made.server).headers["x-a"]).toBe("1")
    made.api.config({ app: "crm", credentials: {} })
    await run(made.get())
    expect(last(made.server).headers["x-a"]).toBeUndefined()
  })

  it.each([
    [{ app: "" }, "VALIDATION_ERROR"],
    [{ credentials: "x" }, "VALIDATION_ERROR"],
    [{ credentials: undefined }, "VALIDATION_ERROR"],
    [{ env: "" }, "VALIDATION_ERROR"],
    [{ credentials: { "headers:": "x" } }, "VALIDATION_ERROR"],
    [{ credentials: { a: "$Sekret{K}" } }, "REFERENCE_UNKNOWN"],
    [{ credentials: { a: "$Secret{K" } }, "TEMPLATE_SYNTAX"]
  ])("config refuses %j with %s", (broken, code) => {
    const book = new CredentialBook()
    expect(() => book.config({ app: "crm", credentials: {}, ...broken } as never)).toThrow(
      expect.objectContaining({ code })
    )
  })

  it("$Variable and $Constant read the connection, its own or another's", async () => {
    await using made = await opened({
      setup: (registry) =>
        Effect.gen(function* () {
          yield* registry.secrets.create({ key: "K", value: "secret" })
          yield* registry.apps.constants.create("crm", {
            key: "version",
            type: "object",
            value: { major: 3 }
          })
          yield* registry.apps.create({ app_name: "ERP", tag: "erp", base_url: "http://127.0.0.1:9" })
          yield* registry.products.apps.add("shop", {
            access_tag: "books",
            app: "erp",
            envs: [{ slug: "prd", variables: [{ key: "tenant", value: "t-7" }] }]
          })
        }),
      env: {
        variables: [
          { key: "region", value: "eu" },
          { key: "derived", value: "$Variable{region}-$Secret{K}" }
        ]
      }
    })
    await run(
      made.get({
        a: "$Variable{region}",
        b: "$Variable{crm}{region}",
        c: "$Variable{books}{tenant}",
        d: "v$Constant{version}{major}"
      })
    )
    expect(last(made.server).url).toBe("/get?a=eu&b=eu&c=t-7&d=v3")
    made.api.config({ app: "crm", credentials: { "headers:X-A": "$Variable{derived}" } })
    await run(made.get())
    expect(last(made.server).headers["x-a"]).toBe("eu-secret")
    expect((await failure(made.get({ a: "$Variable{none}{x}" }))).code).toBe("REFERENCE_NOT_FOUND")
  })

  it("a value keeps its type, and $Default stands for the field's default", async () => {
    await using made = await opened({
      actions: [
        {
          tag: "post",
          name: "Post",
          method: "POST",
          resource: "/post",
          body: { n: { type: "number", defaultValue: 42 }, sum: { type: "double" } }
        }
      ]
    })
    await run(made.api.run({ app: "crm", action: "post", input: { n: "$Default", sum: "$Add(1, 2.5)" } }))
    expect(last(made.server).body).toBe('{"n":42,"sum":3.5}')
  })
})

describe("credential_access", () => {
  const login: Partial<WorkspaceOptions> = {
    setup: (registry) =>
      Effect.gen(function* () {
        yield* registry.secrets.create({ key: "PASSWORD", value: "pw" })
        yield* registry.apps.auths.create("crm", {
          tag: "session",
          name: "Session",
          setup_type: "credential_access",
          action_tag: "login",
          expiry: 1,
          period: "hours"
        })
      }),
    env: { auth: [{ auth_tag: "session", data: { user: "u", password: "$Secret{PASSWORD}" } }] }
  }
  const serving = () => {
    let count = 0
    return opened(login, (request, response) => {
      if (request.url === "/login") json(response, { token: `t-${++count}` })
      else json(response, {})
    })
  }
  const logins = (made: Awaited<ReturnType<typeof opened>>) =>
    made.server.requests.filter(({ url }) => url === "/login")

  it("asks the action once, for many runs at once, and seals the answer", async () => {
    await using made = await serving()
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "Bearer $Auth{session}{token}" } })
    await run(
      Effect.all(
        Array.from({ length: 20 }, () => made.get()),
        { concurrency: "unbounded" }
      )
    )
    expect(logins(made).map(({ body, headers }) => [body, headers.authorization])).toEqual([
      ['{"user":"u","password":"pw"}', undefined]
    ])
    expect(last(made.server).headers.authorization).toBe("Bearer t-1")
    const record = await run(made.registry.store.get("auth-answer", "shop/prd/crm/session"))
    expect(record?.value).not.toContain("t-1")
  })

  it("asks again when the data changes", async () => {
    await using made = await serving()
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "$Auth{session}{token}" } })
    await run(made.get())
    await run(
      made.registry.products.apps.update("shop", "crm", {
        envs: [{ slug: "prd", auth: [{ auth_tag: "session", data: { user: "other" } }] }]
      })
    )
    await run(made.get())
    expect(logins(made).map(({ body }) => body)).toEqual(['{"user":"u","password":"pw"}', '{"user":"other"}'])
  })

  it("notices that it would need itself", async () => {
    await using made = await opened({
      ...login,
      env: { auth: [{ auth_tag: "session", data: { t: "$Auth{session}{token}" } }] }
    })
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "$Auth{session}{token}" } })
    expect((await failure(made.get())).code).toBe("REFERENCE_CYCLE")
  })
})

describe("session and cache", () => {
  const session = {
    tag: "user-session",
    sessionId: "s-1",
    identifier: "u-1",
    data: { user: { id: 7 }, name: "Ada" }
  }
  const verifier = (fails = false) => ({
    verify: () =>
      fails
        ? Effect.fail(new RegistryError({ code: "ACCESS_KEY_INVALID", message: "no" }))
        : Effect.succeed(session)
  })

  it("are refused where nothing provides them", async () => {
    await using made = await opened()
    for (const option of [{ session: "user-session:x" }, { cache: "c" }]) {
      const error = await failure(made.api.run({ app: "crm", action: "get", ...option }))
      expect(error).toMatchObject({ code: "UNSUPPORTED_OPERATION", status: 501 })
    }
    expect(made.server.requests).toHaveLength(0)
  })

  it("$Session reads the session that was verified first; its tag may be written or not", async () => {
    await using made = await opened()
    const input = { a: "$Session{user}{id}", b: "$Session{user-session}{name}", c: "$Session{user.id}" }
    const call = made.api.run({ app: "crm", action: "get", session: "user-session:jwt", input })
    await run(Effect.provideService(call, SessionVerifier, verifier()))
    expect(last(made.server).url).toBe("/get?a=7&b=Ada&c=7")
    expect((await failure(Effect.provideService(call, SessionVerifier, verifier(true)))).code).toBe(
      "ACCESS_KEY_INVALID"
    )
    expect((await failure(made.get({ a: "$Session{user}{id}" }))).code).toBe("REFERENCE_UNAVAILABLE")
    expect(made.server.requests).toHaveLength(1)
  })

  it("a session's id and identifier go into the run's record, its data do not", async () => {
    await using made = await opened()
    const records: Array<unknown> = []
    const logger = Logger.make<unknown, void>(({ message }) => {
      records.push(message)
    })
    const call = made.api.run({ app: "crm", action: "get", session: "user-session:jwt" })
    const logged = <A, E>(effect: Effect.Effect<A, E>) =>
      effect.pipe(
        Effect.provideService(SessionVerifier, verifier()),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Debug")
      )
    await run(logged(call))
    await run(logged(made.get()))
    await failure(logged(made.api.run({ app: "crm", action: "get", input: { a: "$Session{none}" } })))
    expect(records).toEqual([
      [
        "crm.get",
        expect.objectContaining({ status: 200, attempts: 1, session_id: "s-1", session_identifier: "u-1" })
      ],
      ["crm.get", expect.not.objectContaining({ session_id: expect.anything() })],
      ["crm.get", expect.objectContaining({ code: "REFERENCE_UNAVAILABLE", attempts: 0 })]
    ])
    expect(JSON.stringify(records)).not.toContain("Ada")
  })

  const caching = () => {
    const kept = new Map<string, unknown>()
    const calls: Array<CachedCall> = []
    const service = {
      check: (_: unknown, cache: string) =>
        cache === "none" ? Effect.fail(new RegistryError({ code: "NOT_FOUND", message: "no" })) : Effect.void,
      through: <A, E, R>(call: CachedCall, load: Effect.Effect<A, E, R>) =>
        Effect.suspend(() => {
          calls.push(call)
          const key = JSON.stringify(call.identity)
          return kept.has(key)
            ? Effect.succeed({ value: kept.get(key) as A, cached: true })
            : Effect.map(load, (value) => {
                kept.set(key, value)
                return { value, cached: false }
              })
        })
    }
    return {
      calls,
      use: <A, E>(effect: Effect.Effect<A, E>) => Effect.provideService(effect, CallCache, service)
    }
  }

  it("a cached call is told from others by everything that it sends", async () => {
    await using made = await opened()
    const { calls, use } = caching()
    const send = (input: Record<string, unknown>) =>
      run(use(made.api.run({ app: "crm", action: "get", cache: "c", returns: "response", input })))
    expect(await send({ a: 1, b: 2 })).toMatchObject({ cached: false, attempts: 1, status: 200 })
    expect(await send({ b: 2, a: 1 })).toMatchObject({ cached: true, attempts: 0, data: { body: "" } })
    for (const input of [{ a: 1 }, { a: 1, b: 3 }, { a: 1, b: 2, "headers:X-User": "u" }, { a: "1&b=2" }]) {
      expect(await send(input)).toMatchObject({ cached: false })
    }
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "one" } })
    expect(await send({ a: 1, b: 2 })).toMatchObject({ cached: false })
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "two" } })
    expect(await send({ a: 1, b: 2 })).toMatchObject({ cached: false })
    expect(calls[0]).toMatchObject({
      context: { product: "shop", env: "prd" },
      cache: "c",
      componentType: "action",
      componentTag: "get"
    })
  })

  it("a refreshed OAuth token keeps cached answers", async () => {
    await using made = await opened()
    const { use } = caching()
    let token = 1
    await run(
      made.api.oauth({
        app: "crm",
        tokens: { accessToken: "t-0" },
        expiresAt: 1,
        credentials: ({ accessToken }) => ({ "headers:Authorization": accessToken }),
        onExpiry: async () => ({ tokens: { accessToken: `t-${token++}` }, expiresAt: 1 })
      })
    )
    const call = use(made.api.run({ app: "crm", action: "get", cache: "c", returns: "response" }))
    expect(await run(call)).toMatchObject({ cached: false })
    expect(await run(call)).toMatchObject({ cached: true })
    expect(token).toBe(3)
  })

  it("an unknown cache, a stream and a failing call", async () => {
    await using made = await opened({}, (_, response) => json(response, {}, 500))
    const { use } = caching()
    const call = { app: "crm", action: "get", cache: "c" } as const
    expect((await failure(use(made.api.run({ ...call, cache: "none" })))).code).toBe("NOT_FOUND")
    expect((await failure(use(made.api.run({ ...call, returns: "stream" })))).code).toBe("VALIDATION_ERROR")
    expect(made.server.requests).toHaveLength(0)
    expect((await failure(use(made.api.run(call)))).code).toBe("UPSTREAM_ERROR")
    expect((await failure(use(made.api.run(call)))).code).toBe("UPSTREAM_ERROR")
    expect(made.server.requests).toHaveLength(2)
  })
})
