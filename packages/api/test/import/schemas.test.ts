import type { Field } from "@ductape/registry"
import { describe, expect, it } from "vitest"
import { jsonBody, only, openapi, plan } from "./support.ts"

/** What a property of a JSON body becomes. */
const fieldOf = async (
  schema: object,
  options: { version?: string; schemas?: object; method?: string } = {}
): Promise<Field | undefined> => {
  const action = await only(jsonBody({ type: "object", properties: { p: schema } }), {
    version: options.version ?? "3.0.3",
    method: options.method ?? "post",
    rest: { components: { schemas: options.schemas ?? {} } }
  })
  return action.body?.["p"]
}

describe("types", () => {
  it.each<[object, object]>([
    [{ type: "string" }, { type: "string" }],
    [{ type: "string", format: "uuid" }, { type: "uuid" }],
    [{ type: "string", format: "email" }, { type: "email_string" }],
    [{ type: "string", format: "date-time" }, { type: "string" }],
    [{ type: "string", format: "byte" }, { type: "string" }],
    [{ type: "integer", format: "int64" }, { type: "number" }],
    [{ type: "number" }, { type: "double" }],
    [{ type: "number", format: "float" }, { type: "float" }],
    [{ type: "number", format: "double" }, { type: "double" }],
    [{ type: "boolean" }, { type: "boolean" }],
    [{ type: "object" }, { type: "object" }],
    [{ type: "object", additionalProperties: { type: "string" } }, { type: "object" }],
    [{ properties: { a: { type: "string" } } }, { type: "object", fields: { a: { type: "string" } } }],
    [{ items: { type: "string" } }, { type: "array-string" }],
    [{ type: "array", items: { type: "string" } }, { type: "array-string" }],
    [{ type: "array", items: { type: "integer" } }, { type: "array-number" }],
    [{ type: "array", items: { type: "number", format: "float" } }, { type: "array-float" }],
    [{ type: "array", items: { type: "number" } }, { type: "array-double" }],
    [{ type: "array", items: { type: "string", format: "uuid" } }, { type: "array-uuid" }],
    [{ type: "array", items: { type: "boolean" } }, { type: "array-boolean" }],
    [{ type: "array", items: {} }, { type: "array" }],
    [{ type: "array" }, { type: "array" }],
    [
      { type: "array", items: { type: "string", nullable: true } },
      { type: "array", items: { type: "string", nullable: true } }
    ],
    [
      { type: "array", items: { type: "array", items: { type: "integer" } } },
      { type: "array", items: { type: "array-number" } }
    ],
    [{}, {}],
    [{ type: "any" }, {}],
    [{ enum: ["a", "b"] }, { type: "string" }],
    [{ enum: [1, "b"] }, {}],
    [{ type: "integer", enum: ["1", "2"] }, {}],
    [{ oneOf: [{ type: "string" }, { type: "integer" }] }, {}],
    [{ anyOf: [{ type: "string" }, { type: "object" }] }, {}],
    [{ oneOf: [{ type: "array" }, { type: "string" }], items: { type: "string" }, maxItems: 20 }, {}],
    [{ anyOf: [{ type: "string" }] }, { type: "string" }],
    [
      { type: "string", nullable: true },
      { type: "string", nullable: true }
    ],
    [
      { type: "string", minLength: 2, maxLength: 5 },
      { type: "string", minLength: 2, maxLength: 5 }
    ],
    [{ type: "string", minLength: 0 }, { type: "string" }],
    [{ type: "string", minLength: 9, maxLength: 5 }, { type: "string" }],
    [
      { type: "array", items: {}, minItems: 1, maxItems: 3 },
      { type: "array", minLength: 1, maxLength: 3 }
    ],
    [{ type: "integer", minLength: 3, exclusiveMinimum: true, minimum: 1 }, { type: "number" }],
    [
      { type: "string", description: "  a\n b " },
      { type: "string", description: "a b" }
    ]
  ])("3.0 %j", async (schema, expected) => {
    expect(await fieldOf(schema)).toEqual(expected)
  })

  it.each<[object, object]>([
    [{ type: ["string", "null"] }, { type: "string", nullable: true }],
    [{ type: ["string", "integer"] }, {}],
    [{ type: ["integer", "number"] }, { type: "double" }],
    [
      { anyOf: [{ type: "string", maxLength: 3 }, { type: "null" }] },
      { type: "string", nullable: true, maxLength: 3 }
    ],
    [{ anyOf: [{ type: "string" }, { type: "integer" }, { type: "null" }] }, { nullable: true }],
    [{ const: "card" }, { type: "string", sampleValue: "card" }],
    [{ const: 3 }, { type: "double", sampleValue: 3 }],
    [
      { type: "string", examples: ["x"] },
      { type: "string", sampleValue: "x" }
    ],
    [
      { $ref: "#/components/schemas/Name", description: "theirs", maxLength: 4 },
      { type: "string", description: "theirs", maxLength: 4 }
    ],
    [{ $ref: "#here" }, { type: "boolean" }]
  ])("3.1 %j", async (schema, expected) => {
    const schemas = {
      Name: { type: "string", maxLength: 9, description: "ours" },
      Flag: { $anchor: "here", type: "boolean" }
    }
    expect(await fieldOf(schema, { version: "3.1.0", schemas })).toEqual(expected)
  })

  it("does not enforce a format that the document's own values do not meet", async () => {
    expect(await fieldOf({ type: "string", format: "uuid", example: "abc" })).toMatchObject({
      type: "string"
    })
    expect(await fieldOf({ type: "string", format: "email", default: "all" })).toMatchObject({
      type: "string"
    })
  })

  it("3.0: what stands beside a $ref does not count", async () => {
    const schemas = { Name: { type: "string" } }
    expect(
      await fieldOf({ $ref: "#/components/schemas/Name", maxLength: 4, readOnly: true }, { schemas })
    ).toEqual({
      type: "string"
    })
  })
})

describe("composition", () => {
  it("merges allOf: properties, required, the tighter limit, the deeper reference", async () => {
    const schemas = {
      Base: {
        type: "object",
        required: ["id"],
        properties: { id: { type: "string", maxLength: 10 }, at: { type: "string", readOnly: true } }
      },
      More: {
        allOf: [
          { $ref: "#/components/schemas/Base" },
          { properties: { id: { maxLength: 5 }, n: { type: "integer" } }, required: ["n"] }
        ]
      }
    }
    expect(await fieldOf({ $ref: "#/components/schemas/More" }, { schemas })).toEqual({
      type: "object",
      fields: { id: { type: "string", required: true, maxLength: 5 }, n: { type: "number", required: true } }
    })
  })

  it("lets later members of allOf refine what earlier ones say, and the schema itself all of them", async () => {
    const base = { type: "object", properties: { n: { type: "integer", default: 1, description: "base" } } }
    const later = { properties: { n: { default: 2 } } }
    const bodyOf = async (schema: object) => (await only(jsonBody(schema))).body?.["n"]
    expect(await bodyOf({ allOf: [base, later] })).toEqual({
      type: "number",
      defaultValue: 2,
      description: "base"
    })
    expect(await bodyOf({ allOf: [later, base] })).toEqual({
      type: "number",
      defaultValue: 1,
      description: "base"
    })
    expect(await bodyOf({ allOf: [base, later], properties: { n: { default: 3 } } })).toMatchObject({
      defaultValue: 3
    })
  })

  it("cuts a type inside itself, and allOf and $ref that lead nowhere", async () => {
    const schemas = {
      Node: {
        type: "object",
        properties: {
          v: { type: "integer" },
          next: { $ref: "#/components/schemas/Node" },
          all: { type: "array", items: { $ref: "#/components/schemas/Node" } }
        }
      },
      Self: { $ref: "#/components/schemas/Self" },
      Loop: {
        allOf: [
          { $ref: "#/components/schemas/Loop" },
          { type: "object", properties: { a: { type: "string" } } }
        ]
      }
    }
    expect(await fieldOf({ $ref: "#/components/schemas/Node" }, { schemas })).toEqual({
      type: "object",
      fields: { v: { type: "number" }, next: { type: "object" }, all: { type: "array" } }
    })
    expect(await fieldOf({ $ref: "#/components/schemas/Self" }, { schemas })).toEqual({})
    expect(await fieldOf({ $ref: "#/components/schemas/Loop" }, { schemas })).toEqual({
      type: "object",
      fields: { a: { type: "string" } }
    })
  })

  it("never fetches: a $ref outside is a warning and stands for anything", async () => {
    const { actions, warnings } = await plan(
      openapi({
        "/a": {
          post: jsonBody({
            type: "object",
            properties: {
              a: { $ref: "https://example.invalid/schemas.json#/A" },
              b: { $ref: "other.yaml" },
              c: { $ref: "file:///etc/passwd" },
              d: { $ref: "#/components/schemas/Missing" }
            }
          })
        }
      })
    )
    expect(actions[0]?.body).toEqual({ a: {}, b: {}, c: {}, d: {} })
    expect(warnings).toEqual([
      "a $ref to another document is not followed and stands for anything (https://example.invalid/schemas.json#/A, and 2 more)",
      "a $ref points to nothing and stands for anything (#/components/schemas/Missing)"
    ])
  })

  it("reads deep and wide schemas level by level, within bounds", async () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [
        `S${n}`,
        {
          type: "object",
          properties: Object.fromEntries(
            Array.from({ length: 30 }, (_, m) => [`f${m}`, { $ref: `#/components/schemas/S${m}` }])
          )
        }
      ])
    )
    const { actions, warnings } = await plan(
      openapi({ "/a": { post: jsonBody({ $ref: "#/components/schemas/S0" }) } }, { components: { schemas } })
    )
    expect(Object.keys(actions[0]?.body ?? {})).toHaveLength(30)
    expect(JSON.stringify(actions).length).toBeLessThan(30_000)
    expect(warnings.join()).toContain("more nested fields than are kept")
  })
})

describe("defaults and samples", () => {
  const body = (schema: object, method = "post") => fieldOf(schema, { method })

  it("maps defaults of the top level, not of children, and not for partial updates", async () => {
    expect(await body({ type: "integer", default: 20 })).toEqual({ type: "number", defaultValue: 20 })
    expect(await body({ type: "integer", default: "20" })).toEqual({ type: "number", defaultValue: 20 })
    expect(await body({ type: "boolean", default: "false" })).toEqual({
      type: "boolean",
      defaultValue: false
    })
    expect(await body({ type: "integer", default: 20 }, "patch")).toEqual({ type: "number" })
    expect(await body({ type: "object", properties: { a: { type: "integer", default: 1 } } })).toEqual({
      type: "object",
      fields: { a: { type: "number" } }
    })
  })

  it.each<[object]>([
    [{ type: "integer", default: "many" }],
    [{ type: "string", default: null }],
    [{ type: "string", default: "null" }],
    [{ type: "string", default: "" }],
    [{ type: "string", default: "the current user's name" }],
    [{ type: "string", enum: ["a"], default: "b" }],
    [{ type: "string", maxLength: 2, default: "long" }],
    [{ type: "object", default: {} }],
    [{ type: "array", items: { type: "string" }, default: [] }],
    [{ type: "array", items: { type: "string" }, default: "a" }]
  ])("drops a default that is none: %j", async (schema) => {
    expect(await body(schema)).not.toHaveProperty("defaultValue")
  })

  it("keeps a listed value that reads like prose, and sends a required const", async () => {
    expect(
      await body({ type: "string", enum: ["as soon as possible"], default: "as soon as possible" })
    ).toMatchObject({
      defaultValue: "as soon as possible"
    })
    const action = await only(
      jsonBody({
        type: "object",
        required: ["kind"],
        properties: { kind: { const: "card" }, other: { const: "x" } }
      }),
      { version: "3.1.0" }
    )
    expect(action.body).toEqual({
      kind: { type: "string", required: true, defaultValue: "card" },
      other: { type: "string", sampleValue: "x" }
    })
  })

  it("leaves readOnly out, and with it what it requires", async () => {
    const action = await only(
      jsonBody({
        type: "object",
        required: ["id", "name"],
        properties: {
          id: { type: "string", readOnly: true, default: "x" },
          name: { type: "string" },
          pw: { type: "string", writeOnly: true }
        }
      })
    )
    expect(action.body).toEqual({ name: { type: "string", required: true }, pw: { type: "string" } })
  })

  it("cannot be made to touch a prototype", async () => {
    const document = JSON.parse(
      '{"openapi":"3.0.0","info":{"title":"T"},"servers":[{"url":"https://a.example"}],"paths":{"/a/{__proto__}":{"post":{"parameters":[{"name":"__proto__","in":"query","schema":{}},{"name":"constructor","in":"query","schema":{"type":"string"}}],"requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"__proto__":{"type":"string"},"toString":{"type":"string"}}}}}}}}}}'
    ) as object
    const { actions } = await plan(document)
    expect(Object.keys(actions[0]?.query ?? {})).toEqual(["constructor"])
    expect(Object.keys(actions[0]?.body ?? {})).toEqual(["toString"])
    expect(Object.getPrototypeOf(actions[0]?.body)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)["type"]).toBeUndefined()
  })
})
