import type { RegistryShape } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "vitest"
import { withRules } from "../../src/fieldRules.ts"
import { type ImportOptions, importApp } from "../../src/index.ts"
import { jsonBody, openapi } from "./support.ts"

const inWorkspace = <A, E>(body: (registry: RegistryShape) => Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(testWorkspace(), body)))

const document = openapi(
  {
    "/a/{id}": {
      get: { operationId: "getA", parameters: [{ name: "limit", in: "query", schema: { type: "integer" } }] }
    },
    "/b": {
      post: {
        operationId: "post_b",
        ...jsonBody({ type: "object", properties: { n: { type: "integer", maxLength: 3 } } })
      }
    }
  },
  { components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "X-Key" } } } }
)

const run = (registry: RegistryShape, options: Partial<ImportOptions> = {}) =>
  importApp(registry, { file: document, type: "openapi", ...options })

describe("importApp", () => {
  it("makes an app of the document", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        const result = yield* run(registry)
        expect(result).toEqual({
          app: "test-api",
          created: ["get-a", "post-b"],
          updated: [],
          skipped: [],
          warnings: ["a parameter of the path is not described and accepts anything (GET /a/{id} id)"],
          auths: ["key"],
          variables: []
        })
        const app = yield* registry.apps.fetch("test-api")
        expect(app).toMatchObject({ app_name: "Test API", version: "0.0.1" })
        expect(app.envs.map(({ base_url, slug }) => [slug, base_url])).toEqual([
          ["dev", "https://api.example.com/v1"],
          ["prd", "https://api.example.com/v1"]
        ])
        expect(app.auths).toMatchObject([{ tag: "key", tokens: { headers: { "X-Key": "<key>" } } }])
        expect(yield* registry.actions.fetch("test-api", "get_A")).toMatchObject({
          tag: "get-a",
          resource: "/a/:id",
          query: { limit: { type: "number" } }
        })
      })
    ))

  it("refuses a title that is taken, and leaves the app alone", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        yield* registry.apps.create({ app_name: "Test API" })
        const error = yield* Effect.flip(run(registry))
        expect(error).toMatchObject({ _tag: "ActionError", code: "APP_EXISTS", details: { app: "test-api" } })
        expect(yield* registry.actions.tags("test-api")).toEqual([])
      })
    ))

  it("adds to an app that is named, and makes one that is not there", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        yield* registry.apps.create({ app_name: "Mine", tag: "mine" })
        const result = yield* run(registry, { app: "mine", tags: { "get-a": "read-a" } })
        expect([result.app, result.created]).toEqual(["mine", ["read-a", "post-b"]])
        expect((yield* registry.apps.fetch("mine")).envs[0]?.base_url).toBe("https://api.example.com/v1")
        yield* run(registry, { app: "other", version: "2.1" })
        expect(yield* registry.apps.fetch("other")).toMatchObject({ app_name: "Test API", version: "2.1" })
      })
    ))

  it("keeps the base URL that an app has", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        yield* registry.apps.create({ app_name: "Mine", base_url: "https://mine.example" })
        yield* run(registry, { app: "mine" })
        expect((yield* registry.apps.fetch("mine")).envs[0]?.base_url).toBe("https://mine.example")
      })
    ))

  it("rejects the whole import when tags clash, listing them, whatever their spelling", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        yield* registry.apps.create({ app_name: "Mine" })
        yield* registry.actions.create("mine", { tag: "Post_B", name: "b", method: "POST", resource: "/old" })
        const error = yield* Effect.flip(run(registry, { app: "mine" }))
        expect(error).toMatchObject({ code: "IMPORT_CONFLICT", status: 409, details: { tags: ["post-b"] } })
        expect(error.message).toContain("post-b")
        expect(yield* registry.actions.tags("mine")).toEqual(["Post_B"])
      })
    ))

  it("updates with updateIfExists: keeps rules set by hand, deletes nothing", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        yield* run(registry)
        yield* registry.actions.create("test-api", { tag: "mine", name: "m", method: "GET", resource: "/m" })
        yield* registry.actions.update("test-api", "post-b", (old) =>
          withRules(
            withRules(withRules(old, "body", ["n"], { required: true, maxLength: null }), "body", ["extra"], {
              type: "string"
            }),
            "body",
            ["deep", "inner"],
            { minLength: 2 }
          )
        )
        const next = openapi({
          "/b": {
            post: {
              operationId: "post_b",
              ...jsonBody({
                type: "object",
                properties: { n: { type: "string", maxLength: 9 }, added: { type: "boolean" } }
              })
            }
          },
          "/c": { get: { operationId: "c" } }
        })
        const result = yield* run(registry, { file: next, updateIfExists: true })
        expect([result.created, result.updated]).toEqual([["c"], ["post-b"]])
        const updated = yield* registry.actions.fetch("test-api", "post-b")
        expect(updated.body?.["n"]).toMatchObject({ type: "string", required: true })
        expect(updated.body?.["n"]).not.toHaveProperty("maxLength")
        expect(updated.body?.["added"]).toEqual({ type: "boolean" })
        expect(updated.body?.["extra"]).toMatchObject({ type: "string" })
        expect(updated.body?.["deep"]?.fields?.["inner"]).toMatchObject({ minLength: 2 })
        expect([...(yield* registry.actions.tags("test-api"))].sort()).toEqual([
          "c",
          "get-a",
          "mine",
          "post-b"
        ])
      })
    ))

  it("asks for a base URL where the document has none", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        const relative = openapi({ "/a": { get: {} } }, { servers: [{ url: "/v1" }] })
        const error = yield* Effect.flip(run(registry, { file: relative }))
        expect(error).toMatchObject({ code: "IMPORT_INVALID", details: { missing: "base_url" } })
        expect(error.message).toContain("base_url: 'https://…'")
        expect(yield* registry.apps.fetchAll).toEqual([])
        expect((yield* run(registry, { file: relative, base_url: "https://x.example/v1" })).created).toEqual([
          "get-a"
        ])
      })
    ))

  it("writes nothing for a document that cannot be read", () =>
    inWorkspace((registry) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(run(registry, { file: "{" }))).toMatchObject({ code: "IMPORT_INVALID" })
        expect(yield* registry.apps.fetchAll).toEqual([])
      })
    ))
})
