import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Api } from "@ductape/api"
import type { Adapter } from "@ductape/core"
import { MemoryStore, Registry } from "@ductape/registry"
import { assertNoCanary, httpServer } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import {
  CacheService,
  createWorkspace,
  Ductape,
  type DuctapeError,
  type DuctapeOptions
} from "../src/index.ts"

let folder: string
let store: string
let workspace: { readonly workspaceId: string; readonly accessKey: string }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ductape-sdk-"))
  store = join(folder, "workspace.db")
  workspace = await createWorkspace({ name: "Shop", store })
  await using ductape = new Ductape({ accessKey: workspace.accessKey, store })
  await ductape.product.create({ name: "Shop" })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const rejection = (call: () => Promise<unknown>): Promise<DuctapeError> =>
  call().then(
    () => assert.fail("it resolved"),
    (error) => error
  )

const thrown = (call: () => unknown): DuctapeError => {
  try {
    call()
  } catch (error) {
    return error as DuctapeError
  }
  return assert.fail("it did not throw")
}

describe("new Ductape", () => {
  it.each<[string, (key: string, id: string) => DuctapeOptions]>([
    ["accessKey", (accessKey) => ({ accessKey, product: "shop", env: "dev" })],
    ["apiKey", (apiKey) => ({ apiKey })],
    [
      "workspace_id, private_key",
      (private_key, workspace_id) => ({ workspace_id, private_key, user_id: "u" })
    ],
    [
      "workspace_id, user_id, public_key, token, env_type",
      (token, workspace_id) => ({
        workspace_id,
        user_id: "u",
        public_key: "p",
        token,
        env_type: "development"
      })
    ],
    ["accessKey before the older spellings", (accessKey) => ({ accessKey, token: "wrong", apiKey: "wrong" })],
    ["store as an object", (accessKey) => ({ accessKey, store: { url: store } })]
  ])("takes %s", async (_, options) => {
    await using ductape = new Ductape({ store, ...options(workspace.accessKey, workspace.workspaceId) })
    await ductape.init()
    assert.strictEqual((await ductape.product.fetch("shop")).name, "Shop")
  })

  it.each<[string, unknown, string]>([
    ["nothing", {}, "CREDENTIALS_MISSING"],
    ["a publishable key", { publishableKey: "pk_1" }, "CREDENTIALS_UNSUPPORTED"],
    ["an empty key", { accessKey: "" }, "VALIDATION_ERROR"],
    ["a timeout that is none", { accessKey: "dk_x", timeout: 0 }, "VALIDATION_ERROR"],
    ["a product that is no text", { accessKey: "dk_x", product: 1 }, "VALIDATION_ERROR"],
    ["a logger that cannot warn", { accessKey: "dk_x", logger: { info() {} } }, "VALIDATION_ERROR"],
    ["a misspelt egress range", { accessKey: "dk_x", egress: { deny: ["privat"] } }, "VALIDATION_ERROR"],
    ["an egress policy without deny", { accessKey: "dk_x", egress: "private" }, "VALIDATION_ERROR"],
    [
      "egress.allow that is no list",
      { accessKey: "dk_x", egress: { deny: [], allow: "a" } },
      "VALIDATION_ERROR"
    ],
    ["telemetry without an endpoint", { accessKey: "dk_x", telemetry: {} }, "VALIDATION_ERROR"],
    ["adapters that are no list", { accessKey: "dk_x", adapters: {} }, "VALIDATION_ERROR"],
    ["an adapter that is none", { accessKey: "dk_x", adapters: [() => 1] }, "VALIDATION_ERROR"]
  ])("refuses %s at once", (_, options, code) => {
    assert.strictEqual(thrown(() => new Ductape(options as DuctapeOptions)).code, code)
  })

  it("does no I/O, and no store is made for a workspace that is not there", async () => {
    const nowhere = join(folder, "nowhere", "workspace.db")
    const ductape = new Ductape({ accessKey: workspace.accessKey, store: nowhere })
    ductape.api.config({ app: "stripe", credentials: { "headers:Authorization": "$Secret{KEY}" } })
    const error = await rejection(() => ductape.init())
    assert.strictEqual(error.code, "WORKSPACE_NOT_FOUND")
    assert.match(error.message, /createWorkspace/)
    assert.notInclude(await readdir(folder), "nowhere")
    await ductape.close()
  })

  it("refuses a wrong key, a key of another workspace, and a foreign workspace_id, without showing the key", async () => {
    const other = await createWorkspace({ name: "Other", store: "memory://other" })
    const changed = `${workspace.accessKey.slice(0, -2)}AA`
    for (const accessKey of ["dk_nonsense", other.accessKey, changed]) {
      const ductape = new Ductape({ accessKey, store })
      const error = await rejection(() => ductape.init())
      assert.strictEqual(error.code, "ACCESS_KEY_INVALID")
      assertNoCanary([accessKey], error)
      await ductape.close()
    }
    const ductape = new Ductape({ accessKey: workspace.accessKey, workspace_id: "another", store })
    assert.strictEqual((await rejection(() => ductape.init())).code, "WORKSPACE_MISMATCH")
    await ductape.close()
  })

  it("opens again after a failed open", async () => {
    const later = join(folder, "later.db")
    const { accessKey } = await createWorkspace({ name: "A", store: join(folder, "a.db") })
    const ductape = new Ductape({ accessKey, store: later })
    assert.strictEqual((await rejection(() => ductape.init())).code, "WORKSPACE_NOT_FOUND")
    const { copyFile } = await import("node:fs/promises")
    await copyFile(join(folder, "a.db"), later)
    await ductape.init()
    await ductape.close()
  })

  it("has every alias, and each is the same object", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store })
    for (const [alias, name] of [
      ["action", "api"],
      ["actions", "api"],
      ["apps", "app"],
      ["products", "product"],
      ["secret", "secrets"],
      ["session", "sessions"],
      ["cache", "caches"]
    ] as const)
      assert.strictEqual(ductape[alias], ductape[name])
    assert.strictEqual(ductape.app.variable, ductape.app.variables)
    assert.strictEqual(ductape.product.app, ductape.product.apps)
  })

  it("after close, every call fails with CLIENT_CLOSED; closing twice is fine", async () => {
    const ductape = new Ductape({ accessKey: workspace.accessKey, store })
    await ductape.init()
    await Promise.all([ductape.close(), ductape.close()])
    assert.strictEqual((await rejection(() => ductape.product.fetchAll())).code, "CLIENT_CLOSED")
  })

  it("refuses to make a workspace where one is", async () => {
    const error = await rejection(() => createWorkspace({ name: "Again", store }))
    assert.strictEqual(error.code, "WORKSPACE_EXISTS")
  })
})

describe("builders", () => {
  it("take their owner from init, from the first argument, or from the constructor", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store, product: "shop" })
    await ductape.app.create({ app_name: "CRM", base_url: "http://crm.test" })
    assert.strictEqual(
      (await rejection(() => ductape.app.variables.fetchAll())).code,
      "BUILDER_CONTEXT_MISSING"
    )
    await ductape.app.variables.create("crm", { key: "region", type: "string" })
    await ductape.app.init({ app: "crm" })
    await ductape.app.constants.create({ key: "version", type: "string", value: "v1" })
    assert.deepEqual(
      (await ductape.app.variables.fetchAll()).map(({ key }) => key),
      ["region"]
    )
    await ductape.app.environments.create({
      app: "crm",
      envs: [{ slug: "stg", base_url: "http://stg.crm.test" }]
    })
    assert.include(
      (await ductape.app.environments.fetchAll()).map(({ slug }) => slug),
      "stg"
    )
    assert.deepEqual(await ductape.product.apps.connect("crm"), { access_tag: "crm", app: "crm" })
    assert.strictEqual((await ductape.product.apps.fetch("shop", "crm")).app, "crm")
    assert.strictEqual((await rejection(() => ductape.app.delete("crm"))).code, "IN_USE")
  })

  it("update several environments of an app at once; an app can go once it is disconnected", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store, product: "shop" })
    await ductape.app.create({ app_name: "ERP" })
    const envs = [{ slug: "dev", base_url: "http://erp.test" }]
    const updated = await ductape.app.environments.update({ app: "erp", envs })
    assert.strictEqual(updated[0]?.base_url, "http://erp.test")
    await ductape.app.init("erp")
    assert.strictEqual((await ductape.app.environments.update({ envs })).length, 2)
    assert.strictEqual((await ductape.app.environments.update("dev", { active: false })).active, false)
    await ductape.product.apps.connect("erp")
    assert.isTrue(await ductape.product.apps.delete("erp"))
    assert.isTrue(await ductape.app.delete("erp"))
  })

  it("refuse what is missing with an error of their own", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store, product: "shop", env: "dev" })
    const calls: Readonly<Record<string, (...args: ReadonlyArray<never>) => Promise<unknown>>> = {
      createWorkspace,
      "app.init": ductape.app.init,
      "api.run": ductape.api.run as () => Promise<unknown>,
      "api.pages": (...args) =>
        ductape.api
          .pages(...(args as unknown as [never]))
          [Symbol.asyncIterator]()
          .next(),
      "api.oauth": ductape.api.oauth,
      "api.import": ductape.api.import,
      "product.init": ductape.product.init,
      "product.create": ductape.product.create,
      "product.environments.create": ductape.product.environments.create,
      "product.apps.add": ductape.product.apps.add,
      "app.create": ductape.app.create,
      "auth.create": ductape.auth.create,
      "secrets.create": ductape.secrets.create,
      "secrets.resolve": ductape.secrets.resolve,
      "secrets.validate": ductape.secrets.validate
    }
    for (const [name, call] of Object.entries(calls)) {
      assert.strictEqual((await rejection(() => call())).code, "VALIDATION_ERROR", name)
    }
    await ductape.app.create({ app_name: "Blank" })
    await ductape.app.init("blank")
    const create = ductape.app.environments.create as () => Promise<unknown>
    assert.strictEqual((await rejection(create)).code, "VALIDATION_ERROR")
  })

  it("a run names what is missing", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store })
    const missing = await rejection(() => ductape.api.run({ app: "crm", action: "x" }))
    assert.strictEqual(missing.code, "CONTEXT_MISSING")
    const run = (call: object) =>
      rejection(() => ductape.api.run({ app: "crm", action: "x", product: "shop", env: "dev", ...call }))
    assert.strictEqual((await run({ product: "nope" })).code, "PRODUCT_NOT_FOUND")
    assert.strictEqual((await run({ env: "nope" })).code, "ENV_NOT_FOUND")
    assert.strictEqual((await run({ app: "nope" })).code, "APP_NOT_CONNECTED")
    assert.strictEqual((await run({})).code, "ACTION_NOT_FOUND")
  })
})

describe("secrets and keys", () => {
  it("fills a template in, and says what is missing without opening anything", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store })
    await ductape.secrets.create({ key: "CRM_KEY", value: "s3cret", envs: ["dev"] })
    assert.strictEqual(
      await ductape.secrets.resolve("Bearer $Secret{CRM_KEY}", { env: "dev" }),
      "Bearer s3cret"
    )
    const error = await rejection(() => ductape.secrets.resolve("$Secret{CRM_KEY}", { env: "prd" }))
    assert.strictEqual(error.code, "SECRET_ENV")
    assert.deepEqual(await ductape.secrets.validate("$Secret{CRM_KEY} $Secret{NOPE}"), {
      valid: false,
      references: ["CRM_KEY", "NOPE"],
      missing: ["NOPE"]
    })
  })

  it("another key opens the workspace until it is revoked", async () => {
    await using ductape = new Ductape({ accessKey: workspace.accessKey, store })
    const { accessKey, id } = await ductape.accessKeys.create("deploy")
    await using second = new Ductape({ accessKey, store })
    await second.init()
    assert.include(
      (await ductape.accessKeys.list()).map((key) => key.id),
      id
    )
    await ductape.accessKeys.revoke(id)
    await using third = new Ductape({ accessKey, store })
    assert.strictEqual((await rejection(() => third.init())).code, "ACCESS_KEY_INVALID")
  })
})

describe("Ductape.layer", () => {
  it("gives Effect programs every service", async () => {
    const server = await httpServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}')
    })
    const program = Effect.gen(function* () {
      const registry = yield* Registry
      const api = yield* Api
      yield* registry.apps.create({ app_name: "Effectful", base_url: server.url })
      yield* api.create("effectful", { tag: "ping", name: "ping", method: "GET", resource: "/ping" })
      yield* registry.products.apps.connect("shop", "effectful")
      return yield* api.run({ app: "effectful", action: "ping", product: "shop", env: "dev" })
    })
    const result = await Effect.runPromise(
      program.pipe(Effect.provide(Ductape.layer({ accessKey: workspace.accessKey, store })))
    )
    assert.deepEqual(result, { ok: true })
    await server.close()
  })
})

describe("CacheService", () => {
  it("is the caches alone", async () => {
    await using caches = new CacheService({
      accessKey: workspace.accessKey,
      store,
      product: "shop",
      env: "dev"
    })
    await caches.create({ tag: "fx", name: "Rates" })
    await caches.set({ cache: "fx", key: "eur", value: { rate: 1.08 }, ttl: 600 })
    assert.strictEqual((await caches.get({ cache: "fx", key: "eur" }))?.value, '{"rate":1.08}')
    let loads = 0
    const read = () =>
      caches.get({
        cache: "fx",
        key: "usd",
        fallback: async () => {
          loads += 1
          return { rate: 1 }
        }
      })
    assert.deepEqual(await Promise.all([read(), read()]), [{ rate: 1 }, { rate: 1 }])
    assert.deepEqual(await read(), { rate: 1 })
    assert.strictEqual(loads, 1)
  })
})

describe("adapters", () => {
  it("one passed to the constructor opens its own scheme", async () => {
    const demo: Adapter = {
      capability: "registry",
      type: "demo",
      schemes: ["demo"],
      make: (url: string) => MemoryStore.named(new URL(url).hostname)
    }
    const options = { store: "demo://shop", adapters: [demo] }
    const { accessKey } = await createWorkspace({ name: "Shop", ...options })
    await using ductape = new Ductape({ accessKey, ...options })
    await ductape.product.create({ name: "Shop" })
    const refused = new Ductape({ accessKey, store: "demo://shop" })
    assert.strictEqual((await rejection(() => refused.init())).code, "VALIDATION_ERROR")
    await refused.close()
  })

  it("a store that cannot be reached says so, without its password", async () => {
    const ductape = new Ductape({
      accessKey: workspace.accessKey,
      store: "postgres://me:pa55word@127.0.0.1:1/x"
    })
    const error = await rejection(() => ductape.init())
    assert.strictEqual(error.code, "CONNECTION_ERROR")
    assert.isTrue(error.retryable)
    assertNoCanary(["pa55word"], error)
    await ductape.close()
  })
})
