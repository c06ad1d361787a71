import { stripeDocument } from "@ductape/testkit"
import { describe, expect, it } from "vitest"
import { ImportDocTypes, type ImportedOperation } from "../../src/index.ts"
import { fault, openapi, plan } from "./support.ts"

const tiny = openapi({ "/a": { get: { operationId: "getA" } } })
const swagger = {
  swagger: "2.0",
  info: { title: "Old", version: "1" },
  host: "api.example.com",
  basePath: "/v1",
  schemes: ["https"],
  paths: {
    "/things/{id}": {
      post: {
        operationId: "addThing",
        consumes: ["application/json"],
        parameters: [
          { name: "id", in: "path", required: true, type: "string" },
          { name: "tags", in: "query", type: "array", items: { type: "string" }, collectionFormat: "csv" },
          { name: "multi", in: "query", type: "array", items: { type: "string" }, collectionFormat: "multi" },
          { name: "body", in: "body", schema: { $ref: "#/definitions/Thing" } }
        ],
        responses: { 200: { description: "ok" } }
      }
    },
    "/upload": {
      post: {
        consumes: ["multipart/form-data"],
        parameters: [{ name: "file", in: "formData", type: "file" }],
        responses: { 200: { description: "ok" } }
      }
    }
  },
  definitions: {
    Thing: {
      type: "object",
      properties: { n: { type: "integer" }, away: { $ref: "https://example.invalid/x.json" } }
    }
  },
  securityDefinitions: { key: { type: "apiKey", in: "header", name: "X-Key" }, basic: { type: "basic" } },
  security: [{ key: [] }]
}

describe("what a document may be", () => {
  const yaml =
    "openapi: 3.1.0\ninfo: { title: Test API, version: '1' }\nservers: [{ url: https://a.example }]\npaths:\n  /a:\n    get: { operationId: getA, responses: { 200: { description: ok } } }\n"

  it.each<[string, string | Uint8Array | object]>([
    ["an object", tiny],
    ["JSON", JSON.stringify(tiny)],
    ["JSON with a byte order mark", `\uFEFF${JSON.stringify(tiny)}`],
    ["bytes", Buffer.from(JSON.stringify(tiny))],
    ["a Uint8Array", new TextEncoder().encode(JSON.stringify(tiny))],
    ["UTF-16", Buffer.from(`\uFEFF${JSON.stringify(tiny)}`, "utf16le")],
    ["YAML", yaml],
    ["YAML bytes", Buffer.from(yaml)],
    [
      "YAML that begins with a brace",
      `{ openapi: 3.0.0, info: {title: T}, paths: { /a: { get: { operationId: getA } } } }`
    ]
  ])("reads %s", async (_, file) => {
    const { actions } = await plan(file)
    expect(actions.map(({ tag }) => tag)).toEqual(["get-a"])
  })

  it("leaves a parsed document as it was", async () => {
    const before = structuredClone(swagger)
    await plan(swagger)
    expect(swagger).toEqual(before)
  })

  it("converts Swagger 2.0, and still fetches nothing", async () => {
    const { actions, auths, base_url, warnings } = await plan(swagger, { type: ImportDocTypes.swagger20 })
    expect(base_url).toBe("https://api.example.com/v1")
    expect(auths.map(({ tag }) => tag)).toEqual(["key", "basic"])
    expect(actions[0]).toMatchObject({
      tag: "add-thing",
      auth: "key",
      params: { id: { type: "string", required: true } },
      query: {
        tags: { type: "array-string", style: "form", explode: false },
        multi: { type: "array-string" }
      },
      body: { n: { type: "number" }, away: {} }
    })
    expect(actions[1]).toMatchObject({
      request_type: "multipart/form-data",
      body: { file: { binary: true } }
    })
    expect(warnings.join()).toContain("example.invalid")
  })

  it("imports Stripe's document", async () => {
    const { actions, auths, base_url, title, skipped, warnings } = await plan(stripeDocument(), {
      type: "openapi30"
    })
    expect(warnings).toEqual([])
    expect({ title, base_url, skipped }).toEqual({
      title: "Stripe API",
      base_url: "https://api.stripe.com",
      skipped: []
    })
    expect(actions).toHaveLength(452)
    expect(new Set(actions.map(({ tag }) => tag)).size).toBe(452)
    expect(auths.map(({ tag }) => tag)).toEqual(["basic-auth", "bearer-auth"])
    expect(actions.find(({ tag }) => tag === "post-charges")).toMatchObject({
      method: "POST",
      resource: "/v1/charges",
      request_type: "application/x-www-form-urlencoded",
      body: { amount: { type: "number" }, metadata: { style: "deepObject" }, currency: { type: "string" } }
    })
    expect(actions.find(({ tag }) => tag === "post-files")?.base_url).toBe("https://files.stripe.com")
  })
})

describe("types", () => {
  const at = (version: string) => ({ ...tiny, openapi: version })
  const postman = (schema: string) => ({ info: { name: "P", schema }, item: [] })
  const v21 = postman("https://schema.getpostman.com/json/collection/v2.1.0/collection.json")

  it.each<[string, object]>([
    ["openapi", at("3.0.0")],
    ["openapi", at("3.1.0")],
    ["OpenAPI", swagger],
    ["openapi30", at("3.0.3")],
    ["openapi_3_1".replace("_3_1", "31"), at("3.1.1")],
    ["swagger2.0", swagger],
    ["postman", v21],
    ["postmanV21", v21]
  ])("%s is accepted", async (type, document) => {
    await expect(plan(document, { type })).resolves.toBeDefined()
  })

  it.each<[string, object, string]>([
    ["openapi30", at("3.1.0"), "OpenAPI 3.1.0"],
    ["openapi31", at("3.0.0"), "OpenAPI 3.0.0"],
    ["openapi", at("3.2.0"), "OpenAPI 3.2.0"],
    ["openapi", at("4.0.0"), "OpenAPI 4.0.0"],
    ["openapi", { swaggerVersion: "1.2" }, "Swagger 1.2"],
    ["openapi", v21, "Postman collection 2.1"],
    ["openapi", { hello: 1 }, "neither"],
    ["postman", tiny, "OpenAPI 3.0.3"],
    ["postman", postman("https://schema.getpostman.com/json/collection/v2.0.0/collection.json"), "2.0"],
    ["postman", { id: "1", requests: [] }, "collection 1"],
    ["raml", tiny, "unknown"],
    ["constructor", tiny, "unknown"]
  ])("%s refuses %j", async (type, document, words) => {
    const error = await fault(document, { type })
    expect(error.code).toBe("IMPORT_TYPE_UNSUPPORTED")
    expect(error.message).toContain(words)
  })
})

describe("broken documents", () => {
  const pathsOf = (paths: unknown) => ({ openapi: "3.0.0", info: { title: "T" }, paths })

  it.each<[string, unknown, string]>([
    ["empty", "  \n", "empty"],
    ["HTML", "<!doctype html>", "HTML"],
    ["cut JSON", '{"openapi": "3.0.0",', "valid JSON"],
    ["a slip in JSON", '{\n "openapi": "3.0.0",\n "paths": {,}\n}', "line 3, column"],
    ["a slip in YAML", "openapi: 3.0.0\npaths:\n  /a: [1, 2\n", "line 4"],
    ["a list", "[]", "must be an object at #"],
    ["a number", "42", "must be an object"],
    ["a path", "./openapi.yaml", "not its path"],
    ["not text", new Uint8Array([0x1f, 0x8b, 0xff, 0xfe, 0x00]), "UTF-8"],
    ["no paths", { openapi: "3.0.0", info: {} }, "no `paths` at #/paths"],
    ["paths as a list", pathsOf([]), "must be an object at #/paths"],
    ["a path that is none", pathsOf({ "/a": 3 }), "#/paths/~1a"],
    ["an operation that is none", pathsOf({ "/a": { get: "x" } }), "#/paths/~1a/get"],
    ["no Swagger paths", { swagger: "2.0", info: {} }, "#/paths"]
  ])("%s", async (_, document, words) => {
    const error = await fault(document)
    expect(error.code).toBe("IMPORT_INVALID")
    expect(error.status).toBe(400)
    expect(error.message).toContain(words)
  })

  it("names the line in YAML", async () => {
    const error = await fault("openapi: 3.0.0\ninfo: {title: T}\npaths:\n  /a:\n    get: 1\n")
    expect(error.message).toContain("#/paths/~1a/get (line 5)")
    expect(error.details).toEqual({ pointer: "#/paths/~1a/get", line: 5 })
  })

  it("survives parts of the wrong kind", async () => {
    const { actions } = await plan({
      openapi: "3.0.0",
      info: null,
      servers: [null, 3, { url: 4 }, { url: "https://a.example" }],
      tags: 5,
      components: { schemas: [], securitySchemes: { a: null, b: 3 } },
      security: [{ a: [] }, 3, null],
      paths: {
        "/a": null,
        "/b/{x}": {
          parameters: "none",
          get: {
            tags: "x",
            parameters: [
              null,
              3,
              { in: "query" },
              { name: 3, in: "query" },
              { name: "q", in: "body" },
              { name: "q", in: "query", schema: 3 }
            ],
            requestBody: 3,
            responses: [],
            security: "x",
            servers: {}
          },
          post: {
            requestBody: { content: { "application/json": null } },
            responses: { 200: null, 201: { content: { "application/json": 3 } }, abc: {} }
          },
          put: {
            requestBody: {
              content: {
                "application/json": {
                  schema: {
                    type: "object",
                    required: "a",
                    properties: {
                      a: null,
                      b: 3,
                      c: { type: 3, enum: "x", maxLength: "9", items: 3, allOf: {}, oneOf: [null] }
                    }
                  }
                }
              }
            }
          }
        }
      }
    })
    expect(actions).toHaveLength(3)
    expect(actions[2]?.body).toEqual({ a: {}, b: {}, c: {} })
  })
})

describe("limits", () => {
  it("refuses more than 20 MiB, unless told otherwise", async () => {
    const big = JSON.stringify({ ...tiny, "x-big": "x".repeat(21 * 1024 * 1024) })
    expect((await fault(big)).message).toContain("20971520")
    expect((await fault(Buffer.from(big))).code).toBe("IMPORT_INVALID")
    expect((await plan(big, { maxBytes: 30_000_000 })).actions).toHaveLength(1)
    expect((await fault(tiny, { maxBytes: 0 })).code).toBe("VALIDATION_ERROR")
  })

  const nested = (depth: number): object => {
    let value: object = {}
    for (let n = 0; n < depth; n++) value = { a: value }
    return value
  }

  it("refuses nesting above 100, in JSON, YAML and objects, and what contains itself", async () => {
    expect((await plan({ ...tiny, "x-deep": nested(90) })).actions).toHaveLength(1)
    for (const file of [
      { ...tiny, "x-deep": nested(100) },
      JSON.stringify({ ...tiny, "x-deep": nested(200) }),
      `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
      `openapi: 3.0.0\nx: ${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      `openapi: 3.0.0\n${Array.from({ length: 300 }, (_, n) => `${" ".repeat(n)}a:\n`).join("")}`
    ]) {
      const error = await fault(file)
      expect(error.code).toBe("IMPORT_INVALID")
      expect(error.message).toContain("nested deeper than 100")
    }
    const self: Record<string, unknown> = { ...tiny }
    self["x-self"] = self
    expect((await fault(self)).message).toContain("contains itself")
  })

  it("refuses aliases that multiply, takes those that do not", async () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for (let n = 1; n < 12; n++) {
      const [name, before] = [String.fromCharCode(97 + n), String.fromCharCode(96 + n)]
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`)
    }
    expect((await fault(bomb.join("\n"))).message).toContain("aliases multiply")
    const fine = "openapi: 3.0.0\ninfo: {title: T}\npaths:\n  /a: &a\n    get: {}\n  /b: *a\n"
    expect((await plan(fine)).actions.map(({ tag }) => tag)).toEqual(["get-a", "get-b"])
  })
})

describe("tags", () => {
  const two = openapi({
    "/a": { get: { operationId: "getA", tags: ["x"] } },
    "/b": { post: { operationId: "PostB" } }
  })
  const tagsOf = async (tags: NonNullable<Parameters<typeof plan>[1]>["tags"]) =>
    (await plan(two, { tags })).actions.map(({ tag }) => tag)

  it("replaces by generated tag or operationId, and lets tags swap", async () => {
    expect(await tagsOf({ "get-a": "read-a" })).toEqual(["read-a", "post-b"])
    expect(await tagsOf({ PostB: "create_b" })).toEqual(["get-a", "create_b"])
    expect(await tagsOf({ "get-a": "post-b", "post-b": "get-a" })).toEqual(["post-b", "get-a"])
  })

  it("asks a function with what it knows of the operation", async () => {
    const seen: Array<ImportedOperation> = []
    const tags = await tagsOf((operation) => {
      seen.push(operation)
      return operation.method === "POST" ? `create-${operation.path.slice(1)}` : undefined
    })
    expect(tags).toEqual(["get-a", "create-b"])
    expect(seen[0]).toEqual({ tag: "get-a", id: "getA", method: "GET", path: "/a", folder: ["x"] })
  })

  it.each([
    [{ nothing: "x" }, "no operation"],
    [{ "get-a": "POST_B" }, "both GET /a and POST /b"],
    [{ "get-a": "post-b" }, "both"],
    [{ "get-a": "a b" }, "letters, digits"],
    [{ "get-a": "" }, "letters, digits"]
  ])("refuses %j", async (tags, words) => {
    const error = await fault(two, { tags })
    expect(error.code).toBe("VALIDATION_ERROR")
    expect(error.message).toContain(words)
  })

  it("refuses a base URL that is none", async () => {
    for (const base_url of ["nope", "ftp://a.example", "https://user:secret@a.example"]) {
      const error = await fault(two, { base_url })
      expect(error.code).toBe("VALIDATION_ERROR")
      expect(error.message).not.toContain("secret")
    }
  })
})
