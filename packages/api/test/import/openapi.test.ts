import { describe, expect, it } from "vitest"
import { jsonBody, only, openapi, plan } from "./support.ts"

describe("servers", () => {
  const servers = (list: ReadonlyArray<object>, rest: object = {}) =>
    plan(openapi({ "/a": { get: { operationId: "a", ...rest } } }, { servers: list }))

  it("takes the first one, with variables at their defaults, and names the others", async () => {
    const { base_url, warnings } = await servers([
      {
        url: "https://{region}.example.com/{base}/",
        variables: { region: { default: "eu" }, base: { default: "v2" } }
      },
      { url: "https://sandbox.example.com" }
    ])
    expect(base_url).toBe("https://eu.example.com/v2")
    expect(warnings.join()).toContain("https://sandbox.example.com")
  })

  it.each([["/v1"], [""], ["https://{host}/v1"], ["ftp://example.com"], ["https://user:pw@example.com"]])(
    "leaves the base URL open for %j",
    async (url) => {
      expect((await servers([{ url }])).base_url).toBeUndefined()
    }
  )

  it("reads a URL without a scheme as https", async () => {
    expect((await servers([{ url: "//api.example.com/x" }])).base_url).toBe("https://api.example.com/x")
  })

  it("lets the caller's base URL win, and an operation's own server stay", async () => {
    const document = openapi({
      "/a": {
        get: { operationId: "a" },
        post: { operationId: "b", servers: [{ url: "https://files.example.com" }] }
      },
      "/c": { servers: [{ url: "../v9" }], get: { operationId: "c" } }
    })
    const { actions, base_url } = await plan(document, { base_url: "https://mock.example.com/v1/" })
    expect(base_url).toBe("https://mock.example.com/v1")
    expect(actions.map((action) => action.base_url)).toEqual([
      undefined,
      "https://files.example.com",
      "https://mock.example.com/v9"
    ])
  })
})

describe("operations", () => {
  it("names actions in kebab case by operationId, else by method and path", async () => {
    const { actions } = await plan(
      openapi({
        "/users/{id}": {
          get: { operationId: "getUserByID" },
          delete: {},
          patch: { operationId: "users.update_one" }
        },
        "/v1.0/été": { post: { operationId: "PostÉtéV2Token" } }
      })
    )
    expect(actions.map(({ tag }) => tag)).toEqual([
      "get-user-by-id",
      "delete-users-id",
      "users-update-one",
      "post-ete-v2-token"
    ])
  })

  it("puts the first tag in front on a collision, then numbers", async () => {
    const get = (tags: ReadonlyArray<string>) => ({ get: { operationId: "list", tags } })
    const { actions } = await plan(
      openapi({
        "/a": get(["Users", "x"]),
        "/b": get(["Billing Plans"]),
        "/c": get(["Billing Plans"]),
        "/d": get([])
      })
    )
    expect(actions.map(({ tag }) => tag)).toEqual([
      "list",
      "billing-plans-list",
      "billing-plans-list-2",
      "list-2"
    ])
    expect(actions[0]?.folder).toEqual(["Users"])
  })

  it("skips TRACE, ignores extensions, webhooks and callbacks", async () => {
    const { actions, skipped } = await plan(
      openapi(
        {
          "/a": {
            trace: {},
            get: { operationId: "a", callbacks: { done: { "/x": { post: {} } } } },
            "x-y": {}
          },
          "x-z": { get: {} }
        },
        { webhooks: { created: { post: {} } } },
        "3.1.0"
      )
    )
    expect(actions.map(({ tag }) => tag)).toEqual(["a"])
    expect(skipped).toEqual([{ name: "TRACE /a", reason: "TRACE requests are not supported" }])
  })

  it("writes whole-segment parameters as :id, others as {id}, and keeps literal colons", async () => {
    const paths = ["/a/{id}/b", "/v1/{name}:cancel", "/f/{user-id}.json", "/:search/{q}", "/x/{id}#dup"]
    const { actions } = await plan(openapi(Object.fromEntries(paths.map((path) => [path, { get: {} }]))))
    expect(actions.map(({ resource }) => resource)).toEqual([
      "/a/:id/b",
      "/v1/{name}:cancel",
      "/f/{user-id}.json",
      "/%3Asearch/:q",
      "/x/:id"
    ])
    expect(actions[2]?.params).toEqual({ "user-id": { required: true } })
  })

  it("makes query parameters of a query in the path", async () => {
    const action = await only(
      {
        parameters: [
          { name: "file", in: "path", schema: { type: "string" } },
          { name: "size", in: "path", schema: { type: "integer" } }
        ]
      },
      { path: "/export?format=csv&name={file}&{size}=1", method: "get" }
    )
    expect(action.resource).toBe("/export?format=csv")
    expect(action.query).toEqual({
      name: { type: "string", required: true },
      size: { type: "number", required: true }
    })
    expect(action.params).toBeUndefined()
  })
})

describe("parameters", () => {
  const parameter = (source: object) => ({ parameters: [source] })

  it("merges those of the path, the operation's own winning by name and place", async () => {
    const { actions } = await plan(
      openapi({
        "/a/{id}": {
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "limit", in: "query", schema: { type: "string" } },
            { name: "limit", in: "header", schema: { type: "string" } }
          ],
          get: { parameters: [{ name: "limit", in: "query", required: true, schema: { type: "integer" } }] }
        }
      })
    )
    expect(actions[0]).toMatchObject({
      params: { id: { type: "string", required: true } },
      query: { limit: { type: "number", required: true } },
      headers: { limit: { type: "string" } }
    })
  })

  it("ignores Accept, Content-Type and Authorization headers, keeps cookies", async () => {
    const action = await only({
      parameters: [
        { name: "Accept", in: "header", schema: { type: "string" } },
        { name: "content-type", in: "header", schema: { type: "string" } },
        { name: "AUTHORIZATION", in: "header", schema: { type: "string" } },
        { name: "Host", in: "header", schema: { type: "string" } },
        { name: "X-Trace", in: "header", schema: { type: "string" } },
        { name: "sid", in: "cookie", schema: { type: "string" } }
      ]
    })
    expect(Object.keys(action.headers ?? {})).toEqual(["X-Trace"])
    expect(action.cookies).toEqual({ sid: { type: "string" } })
  })

  it.each([
    ["query", undefined, undefined, {}],
    ["query", "form", true, {}],
    ["query", "form", false, { style: "form", explode: false }],
    ["query", undefined, false, { style: "form", explode: false }],
    ["query", "deepObject", true, { style: "deepObject", explode: true }],
    ["query", "deepObject", undefined, { style: "deepObject", explode: false }],
    ["query", "spaceDelimited", undefined, { style: "spaceDelimited", explode: false }],
    ["query", "pipeDelimited", false, { style: "pipeDelimited", explode: false }],
    ["query", "nonsense", undefined, {}],
    ["path", "simple", false, {}],
    ["path", "label", true, { style: "label", explode: true }],
    ["path", "matrix", undefined, { style: "matrix", explode: false }],
    ["path", "simple", true, { style: "simple", explode: true }],
    ["header", undefined, true, { style: "simple", explode: true }],
    ["cookie", undefined, undefined, {}],
    ["cookie", undefined, false, { style: "form", explode: false }]
  ])("serialisation: %s style %s explode %s", async (place, style, explode, expected) => {
    const written = {
      ...(style === undefined ? {} : { style }),
      ...(explode === undefined ? {} : { explode })
    }
    const action = await only(
      parameter({ name: "p", in: place, schema: { type: "array", items: { type: "string" } }, ...written }),
      { path: place === "path" ? "/a/{p}" : "/a" }
    )
    const section = {
      query: action.query,
      path: action.params,
      header: action.headers,
      cookie: action.cookies
    }[place]
    const required = place === "path" ? { required: true } : {}
    expect(section?.["p"]).toEqual({ type: "array-string", ...required, ...expected })
  })

  it("takes parameters with content as JSON, and allowReserved", async () => {
    const action = await only({
      parameters: [
        { name: "filter", in: "query", content: { "application/json": { schema: { type: "object" } } } },
        { name: "url", in: "query", allowReserved: true, schema: { type: "string" } }
      ]
    })
    expect(action.query).toEqual({
      filter: { type: "object", contentType: "application/json" },
      url: { type: "string", allowReserved: true }
    })
  })

  it("follows references to parameters, and their examples", async () => {
    const { actions } = await plan(
      openapi(
        { "/a": { get: { parameters: [{ $ref: "#/components/parameters/Page" }] } } },
        {
          components: {
            parameters: {
              Page: {
                name: "page",
                in: "query",
                schema: { type: "integer" },
                examples: { one: { value: 3 } }
              }
            }
          }
        }
      )
    )
    expect(actions[0]?.query).toEqual({ page: { type: "number", sampleValue: 3 } })
  })

  it("drops samples of what is named like a credential, at any depth", async () => {
    const action = await only({
      parameters: [{ name: "api_token", in: "query", schema: { type: "string" }, example: "sk_live_1" }],
      ...jsonBody({
        type: "object",
        properties: {
          Password: { type: "string", example: "hunter2" },
          account: { type: "object", example: { name: "Ada", secretKey: "sk_live_2" } }
        }
      }),
      responses: {
        200: {
          content: {
            "application/json": { example: { id: 1, access_token: "sk_live_3", deep: [{ my_key: "k" }] } }
          }
        }
      }
    })
    expect(JSON.stringify(action)).not.toMatch(/sk_live|hunter2/)
    expect(action.body?.["account"]?.sampleValue).toEqual({ name: "Ada" })
    expect(action.response).toEqual([{ status: 200, sample: { id: 1, deep: [{}] } }])
  })
})

describe("security", () => {
  const components = {
    securitySchemes: {
      Bearer: { type: "http", scheme: "bearer" },
      basicAuth: { type: "http", scheme: "Basic" },
      headerKey: { type: "apiKey", in: "header", name: "X-Key" },
      queryKey: { type: "apiKey", in: "query", name: "key" },
      cookieKey: { type: "apiKey", in: "cookie", name: "sid" },
      oauth: { type: "oauth2", flows: {} },
      oidc: { type: "openIdConnect", openIdConnectUrl: "https://example.com" },
      digest: { type: "http", scheme: "digest" },
      tls: { type: "mutualTLS" }
    }
  }
  const secured = (security: unknown, root?: unknown) =>
    plan(
      openapi(
        { "/a": { get: security === undefined ? {} : { security } } },
        { components, ...(root === undefined ? {} : { security: root }) }
      )
    )

  it("makes definitions with samples in the right section", async () => {
    const { auths, warnings } = await secured(undefined)
    const tokens = Object.fromEntries(auths.map((auth) => [auth.tag, auth.tokens]))
    expect(tokens).toEqual({
      bearer: { headers: { Authorization: "Bearer <token>" } },
      "basic-auth": { headers: { Authorization: "Basic <base64 of user:password>" } },
      "header-key": { headers: { "X-Key": "<key>" } },
      "query-key": { query: { key: "<key>" } },
      "cookie-key": { cookies: { sid: "<key>" } },
      oauth: { headers: { Authorization: "Bearer <token>" } },
      oidc: { headers: { Authorization: "Bearer <token>" } }
    })
    expect(auths.every((auth) => auth.setup_type === "token_access")).toBe(true)
    expect(warnings.join("\n")).toMatch(/'digest' \(http digest\)[\s\S]*'tls' \(mutualTLS\)/)
  })

  it.each([
    [[{ digest: [] }, { headerKey: [] }, { Bearer: [] }], undefined, "header-key"],
    [undefined, [{ Bearer: [] }], "bearer"],
    [[], [{ Bearer: [] }], false],
    [[{}, { Bearer: [] }], undefined, "bearer"],
    [[{}], undefined, false],
    [undefined, undefined, undefined],
    [[{ tls: [] }], undefined, undefined]
  ])("operation %j, document %j → %s", async (security, root, expected) => {
    expect((await secured(security, root)).actions[0]?.auth).toBe(expected)
  })

  it("joins schemes that are wanted together", async () => {
    const { actions, auths } = await secured([{ headerKey: [], queryKey: [] }])
    expect(actions[0]?.auth).toBe("header-key-query-key")
    expect(auths.find(({ tag }) => tag === "header-key-query-key")?.tokens).toEqual({
      headers: { "X-Key": "<key>" },
      query: { key: "<key>" }
    })
  })
})

describe("responses", () => {
  it("keeps schema and sample of a success, the status of the others", async () => {
    const action = await only(
      {
        responses: {
          "201": {
            content: {
              "text/plain": { schema: { type: "string" } },
              "application/json": {
                schema: { $ref: "#/components/schemas/Thing" },
                examples: { a: { value: { id: 7 } } }
              }
            }
          },
          "4XX": { content: { "application/json": { schema: { type: "object" } } } },
          default: { description: "error" }
        },
        ...{}
      },
      {
        rest: {
          components: {
            schemas: {
              Thing: {
                type: "object",
                required: ["id"],
                properties: { id: { type: "integer" }, parent: { $ref: "#/components/schemas/Thing" } }
              }
            }
          }
        }
      }
    )
    expect(action.response).toEqual([
      {
        status: 201,
        schema: {
          type: "object",
          required: ["id"],
          properties: { id: { type: "integer" }, parent: { type: "object" } }
        },
        sample: { id: 7 }
      },
      { status: 400 }
    ])
  })

  it("takes a sole default for the success, and JSON that is shown as text", async () => {
    const action = await only({
      responses: { default: { content: { "application/json": { example: '{"a":1,"token":"t"}' } } } }
    })
    expect(action.response).toEqual([{ sample: { a: 1 } }])
  })

  it("bounds what it keeps of a wide and deep schema", async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`p${n}`, { $ref: "#/components/schemas/Wide" }])
    )
    const wide = {
      Wide: { type: "object", properties: { a: { $ref: "#/components/schemas/Other" }, ...properties } }
    }
    const other = { Other: { type: "object", properties: { ...properties, b: { type: "string" } } } }
    const action = await only(
      {
        responses: {
          200: { content: { "application/json": { schema: { $ref: "#/components/schemas/Wide" } } } }
        }
      },
      { rest: { components: { schemas: { ...wide, ...other } } } }
    )
    expect(JSON.stringify(action).length).toBeLessThan(10_000)
  })
})
