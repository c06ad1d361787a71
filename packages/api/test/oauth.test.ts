import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { createWorkspace, openRegistry, SqliteStore } from "@ductape/registry"
import { assertNoCanary, canary, httpServer, runProcesses } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { OAuthConfig } from "../src/index.ts"
import type { OAuthRunsArgs } from "./fixtures/oauthRuns.ts"
import { failure, json, run, type WorkspaceOptions, workspace } from "./support.ts"

const actions = [
  { tag: "get", name: "Get", method: "GET", resource: "/get" },
  { tag: "refresh", name: "Refresh", method: "POST", resource: "/token" }
] as const

/** An API that takes one access token at a time, and rotates the refresh token. */
const provider = async () => {
  let round = 0
  const valid = { access: "initial", refresh: "refresh-0" }
  const server = await httpServer((request, response, recorded) => {
    if (request.url === "/token") {
      if (recorded.body !== valid.refresh && recorded.body !== JSON.stringify({ token: valid.refresh })) {
        return json(response, { error: "invalid_grant" }, 400)
      }
      round += 1
      valid.access = `access-${round}`
      valid.refresh = `refresh-${round}`
      return json(response, { accessToken: valid.access, refreshToken: valid.refresh })
    }
    const fine = request.headers.authorization === `Bearer ${valid.access}`
    return json(response, { fine }, fine ? 200 : 401)
  })
  const refreshes = () => server.requests.filter(({ url }) => url === "/token").length
  return { server, valid, refreshes, [Symbol.asyncDispose]: server.close }
}

const config = (url: string, over: Partial<OAuthConfig> = {}): OAuthConfig => ({
  app: "crm",
  tokens: { accessToken: "initial", refreshToken: "refresh-0" },
  expiresIn: 3600,
  credentials: ({ accessToken }) => ({ "headers:Authorization": `Bearer ${accessToken}` }),
  onExpiry: async ({ refreshToken }) => {
    const response = await fetch(`${url}/token`, { method: "POST", body: refreshToken ?? "" })
    if (!response.ok) throw new Error(`refused with ${response.status}`)
    return { tokens: (await response.json()) as Record<string, string>, expiresIn: 3600 }
  },
  ...over
})

const opened = async (options: Partial<WorkspaceOptions> = {}) => {
  const api = await provider()
  const made = await workspace({ url: api.server.url, actions, ...options })
  const get = made.api.run({ app: "crm", action: "get" })
  const dispose = async () => {
    await made.close()
    await api[Symbol.asyncDispose]()
  }
  return { ...api, ...made, url: api.server.url, get, [Symbol.asyncDispose]: dispose }
}

describe("api.oauth", () => {
  it("puts the tokens into requests and keeps them as secrets of the app and env", async () => {
    await using made = await opened()
    await run(made.api.oauth(config(made.url)))
    expect(await run(made.get)).toEqual({ fine: true })
    const secret = await run(made.registry.secrets.fetch("OAUTH_SHOP_CRM_PRD_ACCESSTOKEN"))
    expect(secret).toMatchObject({ value: "initial", scope: ["crm"], envs: ["prd"] })
    expect(made.refreshes()).toBe(0)
  })

  it("refreshes before the token expires, at most half its lifetime before", async () => {
    await using made = await opened()
    await run(made.api.oauth(config(made.url, { expiresIn: 59, refreshBuffer: 600_000 })))
    await run(made.get)
    expect(made.refreshes()).toBe(0)
    await run(
      made.api.oauth(
        config(made.url, {
          tokens: { accessToken: "initial", refreshToken: "refresh-0", v: "2" },
          expiresAt: Date.now() + 1000,
          refreshBuffer: 0
        })
      )
    )
    await run(made.get)
    expect(made.refreshes()).toBe(0)
    await sleep(1010)
    expect(await run(made.get)).toEqual({ fine: true })
    expect(made.refreshes()).toBe(1)
  })

  it("refreshes once for many runs at once", async () => {
    await using made = await opened()
    await run(made.api.oauth(config(made.url, { expiresAt: 1 })))
    const all = await run(
      Effect.all(
        Array.from({ length: 100 }, () => made.get),
        { concurrency: "unbounded" }
      )
    )
    expect(all).toEqual(Array.from({ length: 100 }, () => ({ fine: true })))
    expect(made.refreshes()).toBe(1)
  })

  it("on 401 refreshes once and replays once, beside the retries", async () => {
    await using made = await opened()
    await run(
      made.api.oauth(config(made.url, { tokens: { accessToken: "revoked", refreshToken: "refresh-0" } }))
    )
    const response = await run(made.api.run({ app: "crm", action: "get", returns: "response" }))
    expect(response).toMatchObject({ data: { fine: true }, attempts: 2 })
    expect(made.refreshes()).toBe(1)
    made.valid.access = "something else"
    made.valid.refresh = "refresh-1"
    const stubborn = config(made.url, {
      tokens: { accessToken: "wrong" },
      onExpiry: async () => ({ tokens: { accessToken: "wrong too" } })
    })
    await run(made.api.oauth(stubborn))
    const before = made.server.requests.length
    const error = await failure(made.get)
    expect([error.code, made.server.requests.length - before]).toEqual(["UNAUTHORIZED", 2])
  })

  it("lets the refresh itself use api.run for the same app", async () => {
    await using made = await opened()
    const onExpiry: OAuthConfig["onExpiry"] = async ({ refreshToken }) => {
      await sleep(5)
      const tokens = await run(
        made.api.run<Record<string, string>>({
          app: "crm",
          action: "refresh",
          input: { token: refreshToken }
        })
      )
      return { tokens, expiresIn: 3600 }
    }
    await run(made.api.oauth(config(made.url, { expiresAt: 1, onExpiry })))
    const all = await run(Effect.all([made.get, made.get, made.get], { concurrency: "unbounded" }))
    expect(all).toEqual([{ fine: true }, { fine: true }, { fine: true }])
    expect(made.server.requests.find(({ url }) => url === "/token")?.headers.authorization).toBeUndefined()
    expect(made.refreshes()).toBe(1)
  })

  it("keeps what the refresh leaves out, and writes a $Secret back", async () => {
    await using made = await opened()
    await run(made.registry.secrets.create({ key: "MY_TOKEN", value: "initial", description: "mine" }))
    const given = config(made.url, {
      tokens: { accessToken: "$Secret{MY_TOKEN}", refreshToken: "refresh-0" },
      expiresAt: 1,
      onExpiry: async (tokens) => {
        expect(tokens).toEqual({ accessToken: "initial", refreshToken: "refresh-0" })
        made.valid.access = "next"
        return { tokens: { accessToken: "next" } }
      }
    })
    await run(made.api.oauth(given))
    expect(await run(made.get)).toEqual({ fine: true })
    expect(await run(made.registry.secrets.fetch("MY_TOKEN"))).toMatchObject({
      value: "next",
      description: "mine"
    })
    expect((await run(made.registry.secrets.fetch("OAUTH_SHOP_CRM_PRD_REFRESHTOKEN"))).value).toBe(
      "refresh-0"
    )
  })

  it("a failed refresh fails the run if the token is dead, and is tried again by the next", async () => {
    await using made = await opened()
    let down = true
    const flaky = config(made.url, {
      expiresAt: 1,
      onExpiry: async (tokens) => {
        if (down) throw new Error("provider down")
        return await config(made.url).onExpiry(tokens)
      }
    })
    await run(made.api.oauth(flaky))
    const error = await failure(made.get)
    expect(error).toMatchObject({ code: "OAUTH_REFRESH_FAILED", status: 401, retryable: true })
    expect(error.cause).toMatchObject({ message: "provider down" })
    down = false
    expect(await run(made.get)).toEqual({ fine: true })
  })

  it("a failed refresh does not matter while the old token is good", async () => {
    await using made = await opened()
    await run(
      made.api.oauth(
        config(made.url, {
          expiresIn: 2,
          onExpiry: async () => {
            throw new Error("provider down")
          }
        })
      )
    )
    await sleep(1100)
    expect(await run(made.get)).toEqual({ fine: true })
  })

  it.each([[{}], [{ tokens: {} }], [{ tokens: { a: {} } }], [undefined]])(
    "refuses %j from onExpiry",
    async (result) => {
      await using made = await opened()
      await run(made.api.oauth(config(made.url, { expiresAt: 1, onExpiry: async () => result as never })))
      expect((await failure(made.get)).code).toBe("OAUTH_REFRESH_FAILED")
    }
  )

  it("what a token holds is never a template", async () => {
    await using made = await opened()
    await run(made.registry.secrets.create({ key: "OTHER", value: "stolen" }))
    made.valid.access = "$Secret{OTHER} $Add("
    await run(made.api.oauth(config(made.url, { tokens: { accessToken: made.valid.access } })))
    expect(await run(made.get)).toEqual({ fine: true })
    await run(
      made.api.oauth(
        config(made.url, {
          tokens: { accessToken: "x" },
          credentials: () => ({ "headers:Authorization": "Bearer $Secret{OTHER}" })
        })
      )
    )
    made.valid.access = "stolen"
    expect(await run(made.get)).toEqual({ fine: true })
  })

  it("does not take over a secret that is somebody else's", async () => {
    await using made = await opened()
    await run(made.registry.secrets.create({ key: "OAUTH_SHOP_CRM_PRD_ACCESSTOKEN", value: "mine" }))
    expect((await failure(made.api.oauth(config(made.url)))).code).toBe("SECRET_EXISTS")
    expect((await run(made.registry.secrets.fetch("OAUTH_SHOP_CRM_PRD_ACCESSTOKEN"))).value).toBe("mine")
  })

  it("checks its input", async () => {
    await using made = await opened()
    for (const broken of [
      { tokens: {} },
      { tokens: { accessToken: "" } },
      { onExpiry: undefined },
      { credentials: "x" },
      { expiresAt: "soon" },
      { refreshBuffer: -1 },
      { app: "" }
    ]) {
      const error = await failure(made.api.oauth({ ...config(made.url), ...broken } as OAuthConfig))
      expect([broken, error.code]).toEqual([broken, "VALIDATION_ERROR"])
    }
  })

  it("shows no token in errors or on the service", async () => {
    await using made = await opened()
    const tokens = { accessToken: canary("access"), refreshToken: canary("refresh") }
    await run(made.api.oauth(config(made.url, { tokens, expiresAt: 1 })))
    const error = await failure(made.get)
    expect(error.code).toBe("OAUTH_REFRESH_FAILED")
    assertNoCanary(Object.values(tokens), error, made.api)
  })
})

describe("api.oauth across processes", () => {
  const shared = async <A>(
    use: (args: OAuthRunsArgs, api: Awaited<ReturnType<typeof provider>>) => Promise<A>
  ) => {
    const folder = await mkdtemp(join(tmpdir(), "ductape-oauth-"))
    const api = await provider()
    const file = join(folder, "workspace.db")
    const prepare = Effect.gen(function* () {
      const store = yield* SqliteStore.make(file)
      const { accessKey } = yield* createWorkspace(store, { name: "Shared" })
      const registry = yield* openRegistry(store, { accessKey })
      yield* registry.products.create({ name: "Shop" })
      yield* registry.apps.create({ app_name: "CRM", tag: "crm", base_url: api.server.url })
      for (const action of actions) yield* registry.actions.create("crm", action)
      yield* registry.products.apps.connect("shop", "crm")
      return accessKey
    })
    try {
      const accessKey = await run(Effect.scoped(prepare))
      await use({ accessKey, file, url: api.server.url, runs: 250, slow: 300 }, api)
      for (const name of await readdir(folder)) {
        const bytes = await readFile(join(folder, name))
        for (const token of ["initial", "refresh-0", "access-1", "refresh-1"])
          expect(bytes.includes(token)).toBe(false)
      }
    } finally {
      await api[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    }
  }
  const script = new URL("./fixtures/oauthRuns.ts", import.meta.url)

  it("4 processes with 250 runs each refresh once; a restart keeps the rotated token", async () => {
    await shared(async (args, api) => {
      const counts = (await runProcesses(script, 4, args)) as Array<number>
      expect(counts.toSorted()).toEqual([0, 0, 0, 1])
      expect(api.refreshes()).toBe(1)
      expect(api.server.requests.filter(({ url }) => url === "/get")).toHaveLength(1000)
      expect(await runProcesses(script, 1, { ...args, runs: 3 })).toEqual([0])
      expect(api.refreshes()).toBe(1)
    })
  }, 60_000)

  it("a process killed in the middle of a refresh does not keep the others out", async () => {
    await shared(async (args, api) => {
      const stuck = runProcesses(script, 1, { ...args, slow: 600_000 })
      await sleep(1500)
      stuck.kill()
      await stuck
      expect(await runProcesses(script, 1, { ...args, runs: 2, slow: 0 })).toEqual([1])
      expect(api.refreshes()).toBe(1)
    })
  }, 60_000)
})
