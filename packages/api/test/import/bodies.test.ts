import { describe, expect, it } from "vitest"
import { jsonBody, only, openapi, plan } from "./support.ts"

const content = (media: object, rest: object = {}) => ({ requestBody: { content: media, ...rest } })
const object = { type: "object", properties: { a: { type: "string" } } }

describe("request bodies", () => {
  it.each<[ReadonlyArray<string>, string]>([
    [
      [
        "application/octet-stream",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json"
      ],
      "application/json"
    ],
    [["multipart/form-data", "application/vnd.api+json"], "application/vnd.api+json"],
    [
      ["application/octet-stream", "text/csv", "multipart/form-data", "application/x-www-form-urlencoded"],
      "application/x-www-form-urlencoded"
    ],
    [["application/octet-stream", "application/xml", "multipart/form-data"], "multipart/form-data"],
    [["image/png", "application/xml"], "application/xml"],
    [["image/png", "application/pdf"], "image/png"],
    [["application/json; charset=utf-8"], "application/json; charset=utf-8"],
    [["application/*+json"], "application/json"],
    [["application/*"], "application/json"],
    [["*/*"], "application/json"],
    [["text/*"], "text/plain"],
    [["applicationjson;version=1"], "application/json"],
    [[""], "application/json"]
  ])("of %j takes %s", async (media, expected) => {
    const action = await only(content(Object.fromEntries(media.map((type) => [type, { schema: object }]))))
    expect(action.bodyFormat?.contentType).toBe(expected)
  })

  it("makes fields of an object, and keeps the media type", async () => {
    const action = await only(jsonBody(object, { required: true }))
    expect(action).toMatchObject({
      request_type: "application/json",
      bodyFormat: { contentType: "application/json", shape: "fields", required: true },
      body: { a: { type: "string" } }
    })
  })

  it.each<[object, object]>([
    [{ type: "array", items: { type: "string" } }, { type: "array-string" }],
    [
      { type: "string", maxLength: 3 },
      { type: "string", maxLength: 3 }
    ],
    [{}, {}],
    [{ oneOf: [{ type: "string" }, object] }, {}]
  ])("takes %j whole", async (schema, field) => {
    const action = await only(jsonBody(schema))
    expect(action.bodyFormat).toEqual({
      contentType: "application/json",
      shape: "whole",
      required: false,
      field
    })
    expect(action.body).toBeUndefined()
  })

  it("names the fields of alternatives, untyped", async () => {
    const action = await only(
      jsonBody({
        type: "object",
        properties: { id: { type: "string" } },
        oneOf: [object, { type: "object", properties: { b: { type: "integer" } } }]
      })
    )
    expect(action.bodyFormat?.shape).toBe("fields")
    expect(action.body).toEqual({ id: { type: "string" }, a: {}, b: {} })
  })

  it("takes text, XML and bytes whole", async () => {
    const whole = async (type: string, schema: object) =>
      (await only(content({ [type]: { schema } }))).bodyFormat
    expect(await whole("text/plain", { type: "string" })).toMatchObject({
      shape: "whole",
      field: { type: "string" }
    })
    expect(await whole("application/xml", object)).toMatchObject({ shape: "whole", field: {} })
    expect(await whole("application/octet-stream", { type: "string", format: "binary" })).toMatchObject({
      shape: "whole",
      field: { binary: true }
    })
    expect(await whole("*/*", { type: "string", format: "binary" })).toMatchObject({
      contentType: "application/octet-stream",
      field: { binary: true }
    })
  })

  it("keeps how a form property is encoded", async () => {
    const action = await only(
      content({
        "application/x-www-form-urlencoded": {
          schema: {
            type: "object",
            properties: {
              expand: { type: "array", items: { type: "string" } },
              meta: { type: "object" },
              j: {}
            }
          },
          encoding: {
            expand: { style: "deepObject", explode: true },
            meta: { explode: false },
            j: { contentType: "application/json" },
            ghost: { style: "form" }
          }
        }
      })
    )
    expect(action).toMatchObject({
      request_type: "application/x-www-form-urlencoded",
      body: {
        expand: { type: "array-string", style: "deepObject", explode: true },
        meta: { type: "object", style: "form", explode: false },
        j: { contentType: "application/json" }
      }
    })
  })

  it("marks files in multipart, also in lists and in 3.1", async () => {
    const multipart = (schema: object) =>
      content({
        "multipart/form-data": {
          schema: { type: "object", properties: schema },
          encoding: { doc: { contentType: "application/pdf" } }
        }
      })
    const action = await only(
      multipart({
        doc: { type: "string", format: "binary" },
        many: { type: "array", items: { type: "string", format: "binary" } },
        name: { type: "string" },
        inline: { type: "string", format: "byte" }
      })
    )
    expect(action.body).toEqual({
      doc: { binary: true, contentType: "application/pdf" },
      many: { type: "array", items: { binary: true } },
      name: { type: "string" },
      inline: { type: "string" }
    })
    const newer = await only(
      multipart({ doc: { type: "string", contentMediaType: "application/octet-stream" } }),
      { version: "3.1.0" }
    )
    expect(newer.body?.["doc"]).toEqual({ binary: true, contentType: "application/pdf" })
  })

  it("follows a reference to a body, and leaves out that of GET and HEAD", async () => {
    const components = { requestBodies: { B: { content: { "application/json": { schema: object } } } } }
    const reference = { requestBody: { $ref: "#/components/requestBodies/B" } }
    const { actions, warnings } = await plan(
      openapi({ "/a": { get: reference, head: reference, delete: reference } }, { components })
    )
    expect(actions.map(({ bodyFormat }) => bodyFormat?.shape)).toEqual([undefined, undefined, "fields"])
    expect(warnings).toEqual([
      "the body of a GET request is left out (GET /a)",
      "the body of a HEAD request is left out (HEAD /a)"
    ])
  })
})
