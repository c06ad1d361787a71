import { secret, TemplateError } from "@ductape/core"
import { canary } from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { MemoryStore, openRegistry, type SecretInput } from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const code = <A, E extends { readonly code: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.code)

const message = <A, E extends Error, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

const everywhere = { env: "dev", scopes: ["crm"] }

describe("Secrets", () => {
  it.effect("are made, listed without values, fetched with them, updated and deleted", () =>
    Effect.gen(function* () {
      const { secrets, workspace } = yield* testWorkspace()
      yield* TestClock.adjust("1 hour")
      const meta = yield* secrets.create({
        key: "CRM_KEY",
        value: "v1",
        description: "d",
        token_type: "api_key",
        scope: ["crm"],
        envs: ["dev"],
        expires_at: 10_000
      })
      assert.deepInclude(meta, {
        workspace_id: workspace.id,
        key: "CRM_KEY",
        description: "d",
        token_type: "api_key",
        scope: ["crm"],
        envs: ["dev"],
        expires_at: 10_000,
        status: "active",
        createdAt: "1970-01-01T01:00:00.000Z"
      })
      assert.notProperty(meta, "value")
      assert.strictEqual(yield* code(secrets.create({ key: "CRM_KEY", value: "x" })), "SECRET_EXISTS")
      const listed = yield* secrets.fetchAll
      assert.deepStrictEqual(listed, [meta])
      assert.notInclude(JSON.stringify(listed), "v1")
      assert.strictEqual((yield* secrets.fetch("CRM_KEY")).value, "v1")
      assert.isTrue(yield* secrets.exists("CRM_KEY"))

      yield* TestClock.adjust("1 minute")
      const updated = yield* secrets.update("CRM_KEY", { value: "v2", description: null, scope: null })
      assert.notProperty(updated, "description")
      assert.notProperty(updated, "scope")
      assert.strictEqual(updated.createdAt, meta.createdAt)
      assert.strictEqual(updated.updatedAt, "1970-01-01T01:01:00.000Z")
      assert.strictEqual((yield* secrets.fetch("CRM_KEY")).value, "v2")
      assert.strictEqual((yield* secrets.update("CRM_KEY", { expires_at: null })).expires_at, null)

      assert.isTrue(yield* secrets.delete("CRM_KEY"))
      assert.isFalse(yield* secrets.delete("CRM_KEY"))
      assert.isFalse(yield* secrets.exists("CRM_KEY"))
      assert.strictEqual(yield* code(secrets.fetch("CRM_KEY")), "SECRET_NOT_FOUND")
      assert.strictEqual(yield* code(secrets.update("CRM_KEY", {})), "SECRET_NOT_FOUND")
      assert.strictEqual(yield* code(secrets.revoke("CRM_KEY")), "SECRET_NOT_FOUND")
    })
  )

  it.effect("are refused with everything that is wrong with them", () =>
    Effect.gen(function* () {
      const { secrets } = yield* testWorkspace()
      const value = canary("refused")
      const bad = { key: "1x", value, scope: ["a", ""], envs: "dev", expires_at: 1_700_000_000_000 }
      const error = yield* Effect.flip(secrets.create(bad as unknown as SecretInput))
      assert.strictEqual(error.code, "VALIDATION_ERROR")
      assert.deepStrictEqual(
        (error.details as ReadonlyArray<{ path: string }>).map(({ path }) => path),
        ["key", "scope[1]", "envs", "expires_at"]
      )
      assert.notInclude(JSON.stringify(error), value)
      for (const key of ["", "1a", "a b", "a/b", "x".repeat(129), undefined]) {
        assert.strictEqual(
          yield* code(secrets.create({ key: key as string, value: "x" })),
          "VALIDATION_ERROR"
        )
      }
      for (const empty of ["", undefined, 5, "\uD800"]) {
        assert.strictEqual(
          yield* code(secrets.create({ key: "A", value: empty as string })),
          "VALIDATION_ERROR"
        )
      }
      assert.strictEqual(
        yield* code(secrets.update("A", { key: "B" } as unknown as Partial<SecretInput>)),
        "VALIDATION_ERROR"
      )
      assert.deepStrictEqual(yield* secrets.fetchAll, [])
    })
  )

  it.effect("resolve after every check, in the fixed order, all or nothing", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const { accessKey, secrets } = yield* testWorkspace({ store })
      yield* secrets.create({ key: "OPEN", value: "o" })
      yield* secrets.create({ key: "A", value: "a", scope: ["crm"], envs: ["dev"], expires_at: 100 })
      assert.deepStrictEqual(
        yield* secrets.resolve(["A", "OPEN", "A"], everywhere),
        new Map([
          ["A", "a"],
          ["OPEN", "o"]
        ])
      )
      const failing = (use: typeof everywhere, expected: string) =>
        Effect.gen(function* () {
          // What is kept in memory and what the store says must agree.
          assert.strictEqual(yield* message(secrets.resolve(["OPEN", "A"], use)), expected)
          assert.strictEqual(yield* message(secrets.resolveFresh(["OPEN", "A"], use)), expected)
        })
      yield* failing({ env: "prd", scopes: ["crm"] }, "Secret 'A' is not available in environment 'prd'")
      yield* failing({ env: "prd", scopes: ["mail", "x"] }, "Secret 'A' is not accessible by app 'mail'")
      yield* failing({ env: "dev", scopes: [] }, "Secret 'A' is not accessible by app '(none)'")
      yield* secrets.resolve(["A"], { env: "dev", scopes: ["mail", "crm"] })

      yield* TestClock.adjust("99999 millis")
      yield* secrets.resolve(["A"], everywhere)
      yield* TestClock.adjust("1 millis")
      yield* failing({ env: "prd", scopes: ["mail"] }, "Secret 'A' has expired")
      assert.strictEqual((yield* secrets.fetch("A")).status, "expired")

      assert.isTrue(yield* secrets.revoke("A"))
      assert.isTrue(yield* secrets.revoke("A"))
      yield* failing({ env: "prd", scopes: ["mail"] }, "Secret 'A' has been revoked")
      const revoked = yield* secrets.fetch("A")
      assert.deepStrictEqual([revoked.value, revoked.status], [null, "revoked"])
      assert.strictEqual(yield* code(secrets.update("A", { value: "b" })), "SECRET_REVOKED")
      assert.strictEqual(yield* code(secrets.put([{ key: "A", value: "b" }])), "SECRET_REVOKED")
      assert.strictEqual((yield* secrets.update("A", { description: "old" })).status, "revoked")
      assert.notInclude((yield* store.get("secret", "A"))?.value ?? "", "sealed")

      yield* secrets.delete("A")
      yield* failing(everywhere, "Secret 'A' not found")

      // A sealed value moved to another key, or an older one of the same key, does not open.
      const other = yield* openRegistry(store, { accessKey })
      yield* secrets.create({ key: "B", value: "b" })
      const before = yield* store.get("secret", "B")
      yield* secrets.update("B", { value: "b2" })
      const after = yield* store.get("secret", "B")
      const put = (key: string, value: string) =>
        store.write([{ op: "put", kind: "secret", key, value }], { definitions: true })
      yield* put("C", (after?.value ?? "").replace('"key":"B"', '"key":"C"'))
      const sealed = (text: string | undefined) => (JSON.parse(text ?? "{}") as { sealed: string }).sealed
      yield* put("B", (after?.value ?? "").replace(sealed(after?.value), sealed(before?.value)))
      for (const registry of [secrets, other.secrets]) {
        assert.strictEqual(
          yield* message(registry.resolve(["C"], everywhere)),
          "Secret 'C' could not be decrypted"
        )
        assert.strictEqual(yield* code(registry.resolve(["B"], everywhere)), "SECRET_DECRYPT")
        assert.strictEqual(yield* code(registry.fetch("B")), "SECRET_DECRYPT")
      }
    })
  )

  it.effect("are seen changed at once by this process, and checked anew from memory", () =>
    Effect.gen(function* () {
      const { kept, secrets } = yield* testWorkspace()
      yield* secrets.create({ key: "A", value: "1", expires_at: 50, scope: ["crm"] })
      assert.isUndefined(kept.secrets(["A"], everywhere))
      yield* secrets.resolve(["A"], everywhere)
      assert.strictEqual(kept.secrets(["A"], everywhere)?.get("A"), "1")
      assert.isUndefined(kept.secrets(["A"], { env: "dev", scopes: ["mail"] }))
      assert.isUndefined(kept.secrets(["A", "B"], everywhere))
      yield* secrets.update("A", { value: "2" })
      assert.isUndefined(kept.secrets(["A"], everywhere))
      assert.strictEqual((yield* secrets.resolve(["A"], everywhere)).get("A"), "2")
      assert.isDefined(kept.secrets(["A"], everywhere))
      yield* TestClock.adjust("50 seconds")
      assert.isUndefined(kept.secrets(["A"], everywhere))
      assert.strictEqual(yield* code(secrets.resolve(["A"], everywhere)), "SECRET_EXPIRED")
    })
  )

  it.effect("are put together or not at all, and kept from other owners", () =>
    Effect.gen(function* () {
      const { secrets } = yield* testWorkspace()
      yield* secrets.put([
        { key: "A", value: "1", owner: "oauth:shop/crm/dev", scope: ["crm"] },
        { key: "B", value: "1" }
      ])
      yield* secrets.put([{ key: "A", value: "2" }])
      const kept = yield* secrets.fetch("A")
      assert.deepStrictEqual([kept.value, kept.scope], ["2", ["crm"]])
      assert.notProperty(kept, "owner")
      const mixed = secrets.put([
        { key: "B", value: "2" },
        { key: "A", value: "3", owner: "oauth:shop/crm/prd" }
      ])
      assert.strictEqual(yield* code(mixed), "SECRET_EXISTS")
      assert.strictEqual((yield* secrets.fetch("B")).value, "1")
      yield* secrets.put([{ key: "A", value: "4", owner: "oauth:shop/crm/dev" }])
      assert.strictEqual((yield* secrets.fetch("A")).value, "4")
    })
  )

  it.effect("resolve in templates, and can be looked for without being opened", () =>
    Effect.gen(function* () {
      const { secrets } = yield* testWorkspace()
      yield* secrets.create({ key: "USER", value: "ada" })
      yield* secrets.create({ key: "PASS", value: "$Secret{USER}", envs: ["dev"] })
      const source = "$Secret{USER}:$Secret{PASS}"
      assert.strictEqual(yield* secrets.resolveTemplate(source, { env: "dev" }), "ada:$Secret{USER}")
      assert.strictEqual(yield* secrets.resolveTemplate("$Uppercase($Secret{USER})"), "ADA")
      assert.strictEqual(yield* secrets.resolveTemplate("no reference"), "no reference")
      assert.strictEqual(yield* code(secrets.resolveTemplate(source, { env: "prd" })), "SECRET_ENV")
      const unavailable = yield* Effect.flip(secrets.resolveTemplate("$Session{id}"))
      assert.instanceOf(unavailable, TemplateError)
      assert.strictEqual(yield* code(secrets.resolveTemplate("$Secret{USER")), "TEMPLATE_SYNTAX")
      assert.deepStrictEqual(yield* secrets.validate("$Secret{USER} $Secret{NONE} $Secret{USER}"), {
        valid: false,
        references: ["USER", "NONE"],
        missing: ["NONE"]
      })
      assert.isTrue((yield* secrets.validate(source)).valid)
      assert.isFalse((yield* secrets.validate("$Secret{USER")).valid)
    })
  )

  it.effect("named by secret() in a stored definition are stored as a reference", () =>
    Effect.gen(function* () {
      const registry = yield* testWorkspace()
      yield* registry.products.create({ name: "Shop" })
      yield* registry.apps.create({ app_name: "CRM", base_url: "https://crm.test" })
      const made = yield* registry.products.apps.add("shop", {
        access_tag: "crm",
        app: "crm",
        envs: [{ slug: "dev", auth: { auth_tag: "key", data: { "headers:X-Key": secret("CRM_KEY") } } }]
      })
      assert.deepStrictEqual(made.envs[0]?.auth, [
        { auth_tag: "key", data: { headers: { "X-Key": "$Secret{CRM_KEY}" } } }
      ])
    })
  )
})
