import type { Action } from "@ductape/registry"
import { describe, expect, it } from "vitest"
import type { ImportPlan } from "../../src/index.ts"
import { fault, plan } from "./support.ts"

const schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

const collection = (item: ReadonlyArray<unknown>, rest: object = {}): object => ({
  info: { name: "My Shop", schema, description: { content: "What it does", type: "text/markdown" } },
  item,
  ...rest
})

const read = (item: ReadonlyArray<unknown>, rest: object = {}): Promise<ImportPlan> =>
  plan(collection(item, rest), { type: "postman" })

const request = (source: object | string, name = "Do it"): object => ({ name, request: source })

const only = async (source: object | string, rest: object = {}): Promise<Action> => {
  const { actions } = await read([request(source)], rest)
  const [action] = actions
  if (action === undefined) throw new Error("no action")
  return action
}

describe("the tree", () => {
  it("makes actions of requests and folders of folders", async () => {
    const { actions, title, description } = await read([
      { name: "Orders", item: [{ name: "Deep", item: [request("https://a.example/x", "List all!")] }] },
      request({ url: "https://a.example/y", method: "post" }, "Get User"),
      request({ url: "https://a.example/z", method: "DELETE" }, ""),
      { name: "Users", item: [request("https://a.example/u", "get_user")] }
    ])
    expect(title).toBe("My Shop")
    expect(description).toBe("What it does")
    expect(actions.map(({ tag, method, folder }) => [tag, method, folder])).toEqual([
      ["list-all", "GET", ["Orders", "Deep"]],
      ["get-user", "POST", undefined],
      ["delete-z", "DELETE", undefined],
      ["users-get-user", "GET", ["Users"]]
    ])
  })

  it("skips methods that cannot be sent and requests without a URL, runs no script", async () => {
    const { skipped, warnings } = await read(
      [
        { name: "Purge", request: { url: "https://a.example/", method: "PURGE" } },
        { name: "Empty", request: { method: "GET" } },
        {
          name: "S",
          event: [{ listen: "test", script: { exec: ["throw 1"] } }],
          request: "https://a.example/"
        }
      ],
      { event: [{ listen: "prerequest", script: { exec: ["throw 1"] } }] }
    )
    expect(skipped).toEqual([
      { name: "Purge", reason: "PURGE requests are not supported" },
      { name: "Empty", reason: "the request has no URL" }
    ])
    expect(warnings).toEqual([
      "scripts are not run (undefined, and 1 more)".replace(" (undefined, and 1 more)", "")
    ])
  })

  it("says where an item is none", async () => {
    const error = await fault(collection([{ name: "A", item: [{ name: "B" }] }]), { type: "postman" })
    expect(error.code).toBe("IMPORT_INVALID")
    expect(error.message).toContain("#/item/0/item/0")
  })
})

describe("URLs", () => {
  it("takes the most frequent base, others per action", async () => {
    const { actions, base_url } = await read([
      request("https://one.example/a", "a"),
      request(
        { url: { raw: "x", protocol: "https", host: ["two", "example"], port: "8443", path: ["v1", "b"] } },
        "b"
      ),
      request({ url: { raw: "x", protocol: "https", host: "two.example", port: "8443", path: "/c" } }, "c")
    ])
    expect(base_url).toBe("https://two.example:8443")
    expect(actions.map((one) => [one.base_url, one.resource])).toEqual([
      ["https://one.example", "/a"],
      [undefined, "/v1/b"],
      [undefined, "/c"]
    ])
  })

  it("resolves a host variable from the collection's variables, one inside another", async () => {
    const { base_url, actions, variables } = await read(
      [request({ url: { raw: "{{baseUrl}}/users", host: ["{{baseUrl}}"], path: ["users"] } })],
      {
        variable: [
          { key: "baseUrl", value: "https://{{sub}}.example/v2/" },
          { key: "sub", value: "api", description: "region" },
          { key: "apiToken", value: "sk_live_secret" },
          { key: "off", value: "1", disabled: true }
        ]
      }
    )
    expect(base_url).toBe("https://api.example/v2")
    expect(actions[0]?.resource).toBe("/users")
    expect(variables).toEqual([
      { key: "baseUrl", type: "string" },
      { key: "sub", type: "string", description: "region" },
      { key: "apiToken", type: "string" }
    ])
    expect(JSON.stringify(variables)).not.toContain("sk_live")
  })

  it("leaves the base open for a variable without a value, or one that names itself", async () => {
    const open = await read([request("{{host}}/a"), request("{{loop}}/b", "b")], {
      variable: [{ key: "loop", value: "{{loop}}" }]
    })
    expect(open.base_url).toBeUndefined()
    expect(open.warnings.join()).toContain("give base_url")
    const chosen = await plan(collection([request("{{host}}/a"), request("https://b.example/b", "b")]), {
      type: "postmanV21",
      base_url: "https://mine.example"
    })
    expect(chosen.base_url).toBe("https://mine.example")
    expect(chosen.actions.map((one) => one.base_url)).toEqual([undefined, undefined])
  })

  it("adds a scheme: https, but http for this machine", async () => {
    expect((await read([request("api.example/a")])).base_url).toBe("https://api.example")
    expect((await read([request("localhost:3000/a")])).base_url).toBe("http://localhost:3000")
  })

  it("makes required parameters of :x and {{x}}", async () => {
    const action = await only({
      url: {
        raw: "https://a.example/u/:id/{{kind}}/f-{{n}}.json/:odd name",
        host: ["a", "example"],
        path: ["u", ":id", "{{kind}}", "f-{{n}}.json", ":user-id"],
        variable: [{ key: "id", value: "42", description: "whose" }]
      }
    })
    expect(action.resource).toBe("/u/:id/:kind/f-{n}.json/{user-id}")
    expect(action.params).toEqual({
      id: { type: "string", inferred: true, sampleValue: "42", description: "whose", required: true },
      kind: { inferred: true, required: true },
      n: { inferred: true, required: true },
      "user-id": { inferred: true, required: true }
    })
  })

  it("keeps query entries, disabled ones too, all optional; no samples of credentials or variables", async () => {
    const action = await only({
      url: {
        raw: "https://a.example/?q=1",
        host: ["a", "example"],
        query: [
          { key: "q", value: "1" },
          { key: "off", value: "x", disabled: true, description: "maybe" },
          { key: "access_token", value: "sk_live_1" },
          { key: "v", value: "{{v}}" },
          { key: null, value: "x" }
        ]
      }
    })
    expect(action.query).toEqual({
      q: { type: "string", inferred: true, sampleValue: "1" },
      off: { type: "string", inferred: true, sampleValue: "x", description: "maybe" },
      access_token: { type: "string", inferred: true },
      v: { type: "string", inferred: true }
    })
    expect((await only("https://a.example/s?a=1&b=two%20words#frag")).query).toEqual({
      a: { type: "string", inferred: true, sampleValue: "1" },
      b: { type: "string", inferred: true, sampleValue: "two words" }
    })
  })
})

describe("headers and auth", () => {
  const header = [
    { key: "Content-Type", value: "application/json" },
    { key: "accept", value: "*/*" },
    { key: "Host", value: "x" },
    { key: "Content-Length", value: "3" },
    { key: "Authorization", value: "Bearer sk_live_1" },
    { key: "X-Trace", value: "t-1" },
    { key: "X-Off", value: "1", disabled: true }
  ]

  it("keeps headers less those that are written elsewhere", async () => {
    const expected = {
      "X-Trace": { type: "string", inferred: true, sampleValue: "t-1" },
      "X-Off": { type: "string", inferred: true, sampleValue: "1" }
    }
    expect((await only({ url: "https://a.example/", header })).headers).toEqual(expected)
    const text = { "X-Trace": { type: "string", inferred: true, sampleValue: "t-1" } }
    expect(
      (await only({ url: "https://a.example/", header: "Accept: a\nX-Trace: t-1\nbroken" })).headers
    ).toEqual(text)
  })

  it.each<[object, string | false | undefined, object | undefined]>([
    [
      { type: "bearer", bearer: [{ key: "token", value: "sk_live" }] },
      "bearer",
      { headers: { Authorization: "Bearer <token>" } }
    ],
    [{ type: "basic" }, "basic", { headers: { Authorization: "Basic <base64 of user:password>" } }],
    [
      {
        type: "apikey",
        apikey: [
          { key: "key", value: "X-Trace" },
          { key: "value", value: "sk_live" }
        ]
      },
      "x-trace",
      { headers: { "X-Trace": "<key>" } }
    ],
    [
      {
        type: "apikey",
        apikey: [
          { key: "key", value: "k" },
          { key: "in", value: "query" }
        ]
      },
      "k-query",
      { query: { k: "<key>" } }
    ],
    [
      { type: "oauth2", oauth2: [{ key: "accessToken", value: "sk_live" }] },
      "oauth2",
      { headers: { Authorization: "Bearer <access token>" } }
    ],
    [
      { type: "oauth2", oauth2: [{ key: "addTokenTo", value: "queryParams" }] },
      "oauth2-query",
      { query: { access_token: "<access token>" } }
    ],
    [
      { type: "oauth2", oauth2: [{ key: "headerPrefix", value: "OAuth " }] },
      "oauth2-o-auth",
      { headers: { Authorization: "OAuth <access token>" } }
    ],
    [{ type: "noauth" }, false, undefined],
    [{ type: "awsv4" }, undefined, undefined]
  ])("auth %j → %s", async (auth, tag, tokens) => {
    const { actions, auths, warnings } = await read([request({ url: "https://a.example/", auth, header })])
    expect(actions[0]?.auth).toBe(tag)
    expect(auths[0]?.tokens).toEqual(tokens)
    expect(JSON.stringify({ actions, auths })).not.toContain("sk_live")
    expect(warnings.length).toBe(tag === undefined ? 1 : 0)
    // The header that carries the credential is no field.
    expect(Object.hasOwn(actions[0]?.headers ?? {}, "X-Trace")).toBe(tag !== "x-trace")
  })

  it("inherits from folder and collection; noauth stops", async () => {
    const { actions } = await read(
      [
        request("https://a.example/1", "one"),
        {
          name: "F",
          auth: { type: "bearer" },
          item: [
            request("https://a.example/2", "two"),
            request({ url: "https://a.example/3", auth: { type: "noauth" } }, "three")
          ]
        }
      ],
      { auth: { type: "basic" } }
    )
    expect(actions.map(({ auth }) => auth)).toEqual(["basic", "bearer", false])
  })
})

describe("bodies", () => {
  const body = (source: object, header: ReadonlyArray<object> = []) =>
    only({ url: "https://a.example/", method: "POST", header, body: source })
  const raw = (text: string, language?: string) => ({
    mode: "raw",
    raw: text,
    ...(language === undefined ? {} : { options: { raw: { language } } })
  })

  it("infers fields from a JSON sample, with comments and bare variables", async () => {
    const action = await body(
      raw(
        '{\n // who\n "name": "Ada", "age": 3, "w": 1.5, "on": true, "id": {{id}}, "tags": ["a"], "o": {"x": [{"y": 1}]}, "url": "http://x//y", "password": "hunter2", }',
        "json"
      )
    )
    expect(action).toMatchObject({
      request_type: "application/json",
      bodyFormat: { contentType: "application/json", shape: "fields" }
    })
    expect(action.body).toEqual({
      name: { type: "string", inferred: true, sampleValue: "Ada" },
      age: { type: "number", inferred: true, sampleValue: 3 },
      w: { type: "double", inferred: true, sampleValue: 1.5 },
      on: { type: "boolean", inferred: true, sampleValue: true },
      id: { inferred: true },
      tags: { type: "array-string", inferred: true, sampleValue: ["a"] },
      o: {
        type: "object",
        inferred: true,
        fields: {
          x: {
            type: "array",
            inferred: true,
            items: {
              type: "object",
              inferred: true,
              fields: { y: { type: "number", inferred: true, sampleValue: 1 } }
            },
            sampleValue: [{ y: 1 }]
          }
        }
      },
      url: { type: "string", inferred: true, sampleValue: "http://x//y" },
      password: { type: "string", inferred: true }
    })
  })

  it("takes other JSON whole, and JSON that is none with a warning", async () => {
    expect((await body(raw("[1,2]"))).bodyFormat).toMatchObject({
      shape: "whole",
      field: { type: "array-number" }
    })
    const { actions, warnings } = await read([
      request({ url: "https://a.example/", method: "POST", body: raw("{{payload}} {", "json") })
    ])
    expect(actions[0]?.bodyFormat).toMatchObject({
      contentType: "application/json",
      shape: "whole",
      field: { inferred: true }
    })
    expect(warnings.join()).toContain("is no JSON")
  })

  it.each([
    [raw("<a/>", "xml"), [], "application/xml"],
    [raw("hi", "text"), [], "text/plain"],
    [raw("hi"), [], "text/plain"],
    [raw("<a/>"), [{ key: "content-type", value: "application/soap+xml" }], "application/soap+xml"]
  ])("takes text whole: %j", async (source, header, contentType) => {
    expect((await body(source, header)).bodyFormat).toEqual({
      contentType,
      shape: "whole",
      field: { type: "string", inferred: true }
    })
  })

  it("reads urlencoded and formdata, marking files", async () => {
    const form = await body({
      mode: "urlencoded",
      urlencoded: [
        { key: "a", value: "1" },
        { key: "b", disabled: true }
      ]
    })
    expect(form).toMatchObject({
      request_type: "application/x-www-form-urlencoded",
      body: { a: { type: "string" }, b: { type: "string" } }
    })
    const parts = await body({
      mode: "formdata",
      formdata: [
        { key: "file", type: "file", src: "/etc/passwd", contentType: "image/png", description: "a picture" },
        { key: "name", type: "text", value: "x" }
      ]
    })
    expect(parts.request_type).toBe("multipart/form-data")
    expect(parts.body).toEqual({
      file: { binary: true, inferred: true, contentType: "image/png", description: "a picture" },
      name: { type: "string", inferred: true, sampleValue: "x" }
    })
  })

  it("sends the query of a graphql body unless another is given", async () => {
    const action = await body({
      mode: "graphql",
      graphql: { query: "query Q($n: Int) { a(n: $n) }", variables: '{"n": 3}' }
    })
    expect(action.body).toEqual({
      query: { type: "string", required: true, defaultValue: "query Q($n: Int) { a(n: $n) }" },
      variables: {
        type: "object",
        inferred: true,
        fields: { n: { type: "number", inferred: true, sampleValue: 3 } }
      }
    })
  })

  it("takes a file body as bytes, and no body where it is disabled or the method has none", async () => {
    expect((await body({ mode: "file", file: { src: "/etc/passwd" } })).bodyFormat).toEqual({
      contentType: "application/octet-stream",
      shape: "whole",
      field: { binary: true }
    })
    expect((await body({ ...raw("x"), disabled: true })).bodyFormat).toBeUndefined()
    const { actions, warnings } = await read([
      request({ url: "https://a.example/", method: "GET", body: raw("{}") })
    ])
    expect(actions[0]?.bodyFormat).toBeUndefined()
    expect(warnings.join()).toContain("left out")
  })

  it("keeps saved responses as samples", async () => {
    const { actions } = await read([
      {
        name: "R",
        request: "https://a.example/",
        response: [{ code: 200, body: '{"id":1,"secret":"s"}' }, { code: 404, body: "gone" }, {}]
      }
    ])
    expect(actions[0]?.response).toEqual([
      { status: 200, sample: { id: 1 } },
      { status: 404, sample: "gone" }
    ])
  })
})
