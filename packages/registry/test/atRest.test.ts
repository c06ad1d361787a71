import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { assertNoCanary, canary } from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll } from "vitest"
import { openRegistry, SqliteStore } from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const folder = mkdtempSync(join(tmpdir(), "ductape-rest-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const names = [
  "secret",
  "updated",
  "put",
  "variable",
  "header",
  "bare",
  "sample",
  "auth",
  "basic",
  "url"
] as const

describe("A workspace at rest", () => {
  it.effect("shows no secret, key or credential in any of its files, nor in what is printed", () =>
    Effect.gen(function* () {
      const hidden = Object.fromEntries(names.map((name) => [name, canary(name)])) as Record<
        (typeof names)[number],
        string
      >
      const store = yield* SqliteStore.make(join(folder, "workspace.db"))
      const registry = yield* testWorkspace({ store })
      const { accessKey } = registry
      const second = yield* registry.accessKeys.create("second")
      yield* registry.secrets.create({ key: "A", value: hidden.secret, description: "seen" })
      yield* registry.secrets.update("A", { value: hidden.updated })
      yield* registry.secrets.put([{ key: "B", value: hidden.put }])
      yield* registry.products.create({ name: "Shop" })
      yield* registry.apps.create({ app_name: "CRM", base_url: "https://crm.test" })
      yield* registry.apps.auths.create("crm", {
        tag: "sampled",
        name: "s",
        setup_type: "token_access",
        tokens: { headers: { Authorization: hidden.sample } }
      })
      yield* registry.auth.create({
        app: "crm",
        type: "api_key",
        envs: [{ slug: "dev", value: hidden.auth }]
      })
      yield* registry.auth.create({
        app: "crm",
        type: "basic",
        envs: [{ slug: "dev", value: `ada:${hidden.basic}` }]
      })
      yield* registry.products.apps.add("shop", {
        access_tag: "crm",
        app: "crm",
        envs: [
          {
            slug: "dev",
            variables: [{ key: "v", value: hidden.variable }],
            auth: { auth_tag: "key", data: { "headers:X": hidden.header, bare: hidden.bare } }
          }
        ]
      })
      yield* registry
        .resources<{ readonly tag: string; readonly url: string }>({ kind: "database", sealed: true })
        .create("shop", { tag: "main", url: `postgres://u:${hidden.url}@db/x` })

      const resolved = yield* registry.connection({ product: "shop", env: "dev" }, "crm")
      assert.include(JSON.stringify(resolved.auth), hidden.header)
      assert.include(JSON.stringify(resolved.auth), hidden.bare)
      assert.deepStrictEqual(resolved.variables, { v: hidden.variable })

      const canaries = [
        ...Object.values(hidden),
        Buffer.from(`ada:${hidden.basic}`).toString("base64"),
        accessKey.slice(20),
        second.accessKey.slice(20)
      ]
      const files = readdirSync(folder)
      assert.includeMembers(files, ["workspace.db", "workspace.db-wal"])
      const bytes = files.map((file) => readFileSync(join(folder, file)).toString("latin1")).join("\n")
      assert.include(bytes, "seen")
      for (const found of canaries) {
        assert.notInclude(bytes, found)
        assert.notInclude(bytes, Buffer.from(found).toString("base64").replace(/=+$/, ""))
        assert.notInclude(bytes, Buffer.from(found).toString("hex"))
      }

      const reopened = yield* openRegistry(store, { accessKey })
      const denied = yield* Effect.flip(
        registry.secrets.resolve(["A", "B", "C"], { env: "dev", scopes: ["crm"] })
      )
      assertNoCanary(
        canaries,
        registry.keyring,
        reopened.keyring,
        store,
        denied,
        yield* registry.secrets.fetchAll
      )
      const everything = inspect(reopened, { depth: 12, showHidden: true })
      for (const found of canaries) assert.notInclude(everything, found)
    })
  )
})
