import type { Action } from "@ductape/registry"
import { describe, expect, it } from "vitest"
import { ActionError, compileAction } from "../src/index.ts"

const base = "https://api.example.com/v1"

const plan = (action: Partial<Action>) =>
  compileAction(
    { tag: "act", name: "Act", method: "POST", resource: "/things", ...action },
    { baseUrl: base }
  )

const thrown = (run: () => unknown): ActionError => {
  try {
    run()
  } catch (error) {
    if (error instanceof ActionError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const body = (action: Partial<Action>, input: unknown): unknown => {
  const built = plan(action).build(input).body
  return typeof built === "string" ? JSON.parse(built) : built
}

describe("placing input", () => {
  it("is structured only if every key is a section holding an object", () => {
    expect(body({}, { body: { a: 1 }, query: { q: 2 } })).toEqual({ a: 1 })
    expect(body({}, { body: [1, 2] })).toEqual([1, 2])
    expect(plan({}).build({ body: Buffer.from("x") }).body).toEqual(Buffer.from("x"))
    expect(body({}, { to: "a", body: "text" })).toEqual({ to: "a", body: "text" })
    expect(body({}, { body: "text" })).toEqual({ body: "text" })
    expect(plan({ method: "GET" }).build({ header: { "X-A": 1 } }).headers["x-a"]).toBe("1")
    expect(plan({}).build({}).body).toBeUndefined()
  })

  it("puts a prefixed key where it says, the rest of the name verbatim", () => {
    const built = plan({ method: "PUT", resource: "/t/:id" }).build({
      "params:id": 7,
      "query:a:b": "c",
      "headers:X-Y": "z",
      "body:deep": { er: true },
      "other:x": 1
    })
    expect(built.url).toBe("https://api.example.com/v1/t/7?a%3Ab=c")
    expect(built.headers["x-y"]).toBe("z")
    expect(JSON.parse(built.body as string)).toEqual({ deep: { er: true }, "other:x": 1 })
    expect(thrown(() => plan({}).build({ "query:": 1 })).code).toBe("INPUT_KEY_INVALID")
  })

  it("finds a bare key in the schema: path names first, headers in any case, others exactly", () => {
    const built = plan({
      resource: "/t/{id}",
      query: { limit: {} },
      headers: { "X-Trace": {} },
      cookies: { sid: {} },
      body: { name: {} }
    }).build({ id: "a b", limit: 5, "x-trace": "t", sid: "s", name: "n", Limit: 6 })
    expect(built.path).toBe("/v1/t/a%20b?limit=5")
    expect(built.headers).toMatchObject({ "x-trace": "t", cookie: "sid=s" })
    expect(JSON.parse(built.body as string)).toEqual({ name: "n", Limit: 6 })
  })

  it("asks which is meant when several sections have the name, unless all but one are given", () => {
    const action: Partial<Action> = { query: { email: {} }, body: { email: {} } }
    const error = thrown(() => plan(action).build({ email: "x" }))
    expect(error.code).toBe("INPUT_CONFLICT")
    expect(error.message).toContain("'query:email' or 'body:email'")
    const built = plan(action).build({ email: "b", "query:email": "q" })
    expect(built.path).toBe("/v1/things?email=q")
    expect(JSON.parse(built.body as string)).toEqual({ email: "b" })
  })

  it("puts unknown keys into the body where there is one, else into the query", () => {
    expect(plan({ method: "GET" }).build({ a: 1 }).path).toBe("/v1/things?a=1")
    expect(plan({ method: "DELETE" }).build({ a: 1 }).path).toBe("/v1/things?a=1")
    expect(body({ method: "DELETE", body: { b: {} } }, { a: 1 })).toEqual({ a: 1 })
    for (const method of ["POST", "PUT", "PATCH"] as const)
      expect(body({ method }, { a: 1 })).toEqual({ a: 1 })
  })

  it("takes a section in a flat input unless the schema has a field of its name", () => {
    const built = plan({ resource: "/t/:id" }).build({ id: 1, query: { q: 2 }, body: { b: 3 } })
    expect(built.path).toBe("/v1/t/1?q=2")
    expect(JSON.parse(built.body as string)).toEqual({ b: 3 })
    expect(body({ resource: "/t/:id", body: { query: {} } }, { id: 1, query: { graph: "ql" } })).toEqual({
      query: { graph: "ql" }
    })
  })

  it("refuses one target given twice", () => {
    for (const input of [
      { a: 1, "body:a": 2 },
      { "headers:X-A": 1, "header:x-a": 2 },
      { body: { a: 1 }, "body:a": 2 }
    ]) {
      expect(thrown(() => plan({}).build(input)).code).toBe("INPUT_DUPLICATE")
    }
  })

  it("drops undefined everywhere, null outside of bodies", () => {
    const built = plan({ query: { q: {} }, headers: { h: {} } }).build({
      q: null,
      h: null,
      a: null,
      b: undefined
    })
    expect(built.path).toBe("/v1/things")
    expect(built.headers["h"]).toBeUndefined()
    expect(built.body).toBe('{"a":null}')
  })

  it("takes a whole body as it is, also when it is a scalar", () => {
    const whole = { contentType: "text/plain", shape: "whole" } as const
    expect(plan({ bodyFormat: whole }).build({ body: "hello" }).body).toBe("hello")
    expect(plan({ bodyFormat: whole, resource: "/t/:id" }).build({ id: 1, body: "hello" }).body).toBe("hello")
    expect(
      plan({ bodyFormat: { contentType: "application/json", shape: "whole" } }).build({ body: "x" }).body
    ).toBe('"x"')
  })

  it("merges credentials below the input, per target, header names in any case", () => {
    const built = plan({ method: "GET" }).build(
      { "headers:authorization": "call" },
      { "headers:Authorization": "config", "headers:X-Key": "k", "query:v": 1 },
      { "query:v": 2, "query:w": 3 }
    )
    expect(built.headers).toMatchObject({ authorization: "call", "x-key": "k" })
    expect(built.path).toBe("/v1/things?v=1&w=3")
    // What is dropped leaves its place to them.
    expect(plan({}).build({ "headers:x-a": null }, { "headers:X-A": "1" }).headers["x-a"]).toBe("1")
  })

  it("leaves out credentials for a part that the action has not", () => {
    const built = plan({ method: "GET" }).build({}, { "params:account": "a", "body:key": "k" })
    expect(built).toMatchObject({ path: "/v1/things", body: undefined })
    expect(plan({ resource: "/a/:account" }).build({}, { "params:account": "a" }).path).toBe("/v1/a/a")
  })

  it("treats __proto__ as a name like any other", () => {
    const input = JSON.parse('{"__proto__":{"polluted":1},"body:__proto__":2,"a":1}') as unknown
    expect(thrown(() => plan({}).build(input)).code).toBe("INPUT_DUPLICATE")
    const sent = plan({}).build(JSON.parse('{"a":1,"__proto__":{"polluted":1}}')).body
    expect(sent).toBe('{"a":1,"__proto__":{"polluted":1}}')
    for (const key of ["constructor", "hasOwnProperty", "toString"]) {
      expect(body({}, { [key]: 1 })).toEqual({ [key]: 1 })
      expect(plan({ method: "GET" }).build({ [key]: 1 }).path).toBe(`/v1/things?${key}=1`)
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})

describe("what input cannot do", () => {
  it.each(["", ".", ".."])("refuses %j as a path value", (value) => {
    const action: Partial<Action> = { resource: "/t/:id/x" }
    expect(thrown(() => plan(action).build({ id: value })).code).toBe("INPUT_PARAM_INVALID")
    expect(thrown(() => plan(action).build({ id: [value] })).code).toBe("INPUT_PARAM_INVALID")
  })

  it("refuses values that together make a dot segment", () => {
    const action = { resource: "/t/{a}{b}", params: { a: { style: "label" }, b: {} } } as const
    expect(thrown(() => plan(action).build({ a: ".", b: "" })).code).toBe("INPUT_PARAM_INVALID")
    expect(thrown(() => plan({ resource: "/t/.{a}" }).build({ a: "." })).code).toBe("INPUT_PARAM_INVALID")
  })

  it.each([
    "a/../../b",
    "a\\..\\b",
    "a?b=c",
    "a#b",
    "//evil.example",
    "a%2f..%2fb",
    "ü\u0000",
    "a;b",
    "@evil"
  ])("keeps %j within its path segment", (value) => {
    const { origin, path } = plan({ resource: "/t/:id/x" }).build({ id: value })
    const parsed = new URL(origin + path)
    expect(parsed.origin).toBe("https://api.example.com")
    expect(parsed.pathname.split("/")).toHaveLength(5)
    expect(decodeURIComponent(parsed.pathname.split("/")[3] ?? "")).toBe(value)
    expect(parsed.search + parsed.hash).toBe("")
  })

  it.each(["a\r\nX-Evil: 1", "a\nb", "a\0b", "snow ☃", "bell \u0007"])("refuses %j in a header", (value) => {
    const error = thrown(() => plan({}).build({ "headers:X-A": value }))
    expect(error.code).toBe("INPUT_HEADER_INVALID")
    expect(error.message).not.toContain("Evil")
  })

  it.each(["X-A\r\nX-Evil", "X A", "", "X:A\n", "Host", "Content-Length", "Transfer-Encoding", "Connection"])(
    "refuses the header name %j",
    (name) => {
      const code = thrown(() => plan({}).build({ headers: { [name]: "1" } })).code
      expect(code).toBe("INPUT_HEADER_INVALID")
    }
  )

  it("refuses a body with GET and HEAD", () => {
    for (const method of ["GET", "HEAD"] as const) {
      expect(thrown(() => plan({ method }).build({ "body:a": 1 })).code).toBe("VALIDATION_ERROR")
    }
  })

  it("refuses a path parameter that the path has not", () => {
    expect(thrown(() => plan({}).build({ "params:id": 1 }))).toMatchObject({
      code: "VALIDATION_ERROR",
      details: [{ location: "params", path: "id", rule: "unknown" }]
    })
  })

  it.each(["", "nonsense", "ftp://a.example", "https://user:pass@a.example", "javascript:alert(1)"])(
    "refuses %j as a base URL",
    (baseUrl) => {
      const error = thrown(() =>
        compileAction({ tag: "a", name: "a", method: "GET", resource: "/" }, { baseUrl, app: "crm" })
      )
      expect(error).toMatchObject({ code: "VALIDATION_ERROR", app: "crm", action: "a" })
      expect(error.message).not.toContain("pass@")
    }
  )
})

describe("paths", () => {
  it.each([
    ["/a/:id/b", { id: 1 }, "/v1/a/1/b"],
    ["a/{id}", { id: 1 }, "/v1/a/1"],
    ["/a/:id.json", { id: 1 }, "/v1/a/1.json"],
    ["/a/:name:cancel", { name: "n" }, "/v1/a/n:cancel"],
    ["/a/people:search", {}, "/v1/a/people:search"],
    ["/a/{from}...{to}", { from: "x", to: "y" }, "/v1/a/x...y"],
    ["/a?fixed=1", {}, "/v1/a?fixed=1"],
    ["", {}, "/v1"],
    ["/sp ace/ü", {}, "/v1/sp%20ace/%C3%BC"]
  ])("%s with %j is %s", (resource, input, path) => {
    const params = Object.fromEntries(Object.keys(input).map((name) => [name, {}]))
    expect(plan({ method: "GET", resource, params }).build(input).path).toBe(path)
  })
})
