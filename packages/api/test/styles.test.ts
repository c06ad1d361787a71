import type { Action, Field } from "@ductape/registry"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compileAction } from "../src/index.ts"

/** Decoders written from OpenAPI's table of styles alone; they share nothing with the encoder. */
const decode = (text: string): string => decodeURIComponent(text)

const pairsOf = (text: string, separator: string): Array<[string, string]> =>
  text === ""
    ? []
    : text.split(separator).map((pair) => {
        const at = pair.indexOf("=")
        return [decode(pair.slice(0, at)), decode(pair.slice(at + 1))]
      })

const alternate = (parts: ReadonlyArray<string>): Record<string, string> => {
  const object: Record<string, string> = {}
  for (let i = 0; i < parts.length; i += 2) object[decode(parts[i] ?? "")] = decode(parts[i + 1] ?? "")
  return object
}

const build = (action: Partial<Action>, input: unknown) =>
  compileAction(
    { tag: "a", name: "a", method: "GET", resource: "/p", ...action },
    { baseUrl: "https://a.example" }
  ).build(input)

const segment = (field: Field, value: unknown): string =>
  build({ resource: "/p/{x}/q", params: { x: field } }, { params: { x: value } }).path.split("/")[2] ?? ""

const query = (field: Field, value: unknown): string =>
  build({ query: { x: field } }, { query: { x: value } }).path.replace(/^[^?]*\??/, "")

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((s) => s.isWellFormed())
const pathText = text.filter((s) => s !== "." && s !== "..")
const plainKey = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/)
const list = fc.array(text, { minLength: 1, maxLength: 5 })
const record = fc.dictionary(plainKey, text, { minKeys: 1, maxKeys: 4 })

describe("path styles", () => {
  it("simple, label, matrix: scalars", () => {
    fc.assert(
      fc.property(pathText, (value) => {
        expect(decode(segment({}, value))).toBe(value)
        const label = segment({ style: "label" }, value)
        expect([label[0], decode(label.slice(1))]).toEqual([".", value])
        expect(pairsOf(segment({ style: "matrix" }, value).slice(1), ";")).toEqual([["x", value]])
      })
    )
  })

  it("simple, label, matrix: arrays", () => {
    fc.assert(
      fc.property(fc.array(pathText, { minLength: 2, maxLength: 5 }), (value) => {
        expect(segment({}, value).split(",").map(decode)).toEqual(value)
        expect(segment({ style: "label" }, value).slice(1).split(",").map(decode)).toEqual(value)
        expect(pairsOf(segment({ style: "matrix", explode: true }, value).slice(1), ";")).toEqual(
          value.map((item) => ["x", item])
        )
        const [name, joined = ""] = segment({ style: "matrix" }, value).split("=")
        expect([name, joined.split(",").map(decode)]).toEqual([";x", value])
      })
    )
    expect(segment({ style: "label", explode: true }, ["a", "b"])).toBe(".a.b")
  })

  it("simple, label, matrix: objects", () => {
    fc.assert(
      fc.property(record, (value) => {
        expect(alternate(segment({}, value).split(","))).toEqual(value)
        expect(Object.fromEntries(pairsOf(segment({ explode: true }, value), ","))).toEqual(value)
        expect(alternate(segment({ style: "label" }, value).slice(1).split(","))).toEqual(value)
        expect(
          Object.fromEntries(pairsOf(segment({ style: "matrix", explode: true }, value).slice(1), ";"))
        ).toEqual(value)
        expect(alternate(segment({ style: "matrix" }, value).slice(3).split(","))).toEqual(value)
      })
    )
    expect(segment({ style: "label", explode: true }, { R: 100, G: 200 })).toBe(".R=100.G=200")
  })
})

describe("query styles", () => {
  it("form, exploded: scalars, arrays as repeated names, objects as their members", () => {
    fc.assert(
      fc.property(text, list, record, (scalar, array, object) => {
        expect([...new URLSearchParams(query({}, scalar))]).toEqual([["x", scalar]])
        expect(new URLSearchParams(query({}, array)).getAll("x")).toEqual(array)
        expect(Object.fromEntries(new URLSearchParams(query({ type: "object" }, object)))).toEqual(object)
      })
    )
  })

  it("form, not exploded", () => {
    fc.assert(
      fc.property(list, record, (array, object) => {
        expect(query({ explode: false }, array).slice(2).split(",").map(decode)).toEqual(array)
        expect(alternate(query({ explode: false }, object).slice(2).split(","))).toEqual(object)
      })
    )
  })

  it("spaceDelimited and pipeDelimited", () => {
    const items = fc.array(
      text.filter((s) => !/[ |]/.test(s)),
      { minLength: 1, maxLength: 5 }
    )
    fc.assert(
      fc.property(items, (value) => {
        const read = (style: string) => new URLSearchParams(query({ style }, value)).get("x")
        expect(read("spaceDelimited")?.split(" ")).toEqual(value)
        expect(read("pipeDelimited")?.split("|")).toEqual(value)
        expect(
          new URLSearchParams(query({ style: "pipeDelimited", explode: true }, value)).getAll("x")
        ).toEqual(value)
      })
    )
  })

  it("deepObject, nested to any depth; also what no schema knows", () => {
    const tree = fc.letrec((tie) => ({
      node: fc.dictionary(plainKey, fc.oneof({ maxDepth: 3 }, text, tie("node")), { minKeys: 1, maxKeys: 3 })
    })).node
    const unfold = (encoded: string): unknown => {
      const root: Record<string, unknown> = {}
      for (const [name, value] of new URLSearchParams(encoded)) {
        const keys = [...name.matchAll(/\[([^\]]*)\]/g)].map(([, key = ""]) => key)
        let at = root
        keys.forEach((key, index) => {
          if (index === keys.length - 1) at[key] = value
          else {
            at[key] ??= {}
            at = at[key] as Record<string, unknown>
          }
        })
      }
      return root
    }
    fc.assert(
      fc.property(tree, (value) => {
        expect(unfold(query({ style: "deepObject" }, value))).toEqual(value)
        expect(build({}, { query: { x: value } }).path).toBe(`/p?${query({ style: "deepObject" }, value)}`)
      })
    )
    expect(decode(query({ style: "deepObject" }, ["a", "b"]))).toBe("x[0]=a&x[1]=b")
  })

  it("content parameters are JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(value !== null)
        const field = { contentType: "application/json" }
        expect(JSON.parse(new URLSearchParams(query(field, value)).get("x") ?? "")).toEqual(
          JSON.parse(JSON.stringify(value))
        )
      })
    )
  })

  it("allowReserved leaves reserved characters, but never those that end or split the query", () => {
    expect(query({ allowReserved: true }, "a/b:c?d@e,f;g=h[i]")).toBe("x=a/b:c?d@e,f;g=h[i]")
    fc.assert(
      fc.property(text, (value) => {
        const url = new URL(`https://a.example/p?${query({ allowReserved: true }, value)}`)
        expect([...url.searchParams]).toEqual([["x", value]])
        expect(url.hash).toBe("")
      })
    )
  })

  it("drops null and undefined, and writes scalars as text", () => {
    expect(query({}, [1, null, true, undefined, "a"])).toBe("x=1&x=true&x=a")
    expect(query({}, [])).toBe("")
    expect(query({}, 12345678901234567890n)).toBe("x=12345678901234567890")
    expect(query({}, new Date(0))).toBe("x=1970-01-01T00%3A00%3A00.000Z")
    expect(build({}, { q: "x", r: "y" }).path).toBe("/p?q=x&r=y")
  })
})

describe("header and cookie styles", () => {
  const ascii = fc.stringMatching(/^[!-+\--<>-~]{1,8}$/)

  it("header: simple", () => {
    fc.assert(
      fc.property(
        fc.array(ascii, { minLength: 1, maxLength: 4 }),
        fc.dictionary(plainKey, ascii, { minKeys: 1 }),
        (array, object) => {
          const header = (field: Field, value: unknown) =>
            build({ headers: { "X-H": field } }, { headers: { "X-H": value } }).headers["x-h"] ?? ""
          expect(header({}, array).split(",")).toEqual(array)
          const parts = header({}, object).split(",")
          expect(parts.filter((_, i) => i % 2 === 0)).toEqual(Object.keys(object))
          expect(header({ explode: true }, object).split(",")).toEqual(
            Object.entries(object).map(([key, value]) => `${key}=${value}`)
          )
        }
      )
    )
  })

  it("cookie: form", () => {
    const cookie = (field: Field, value: unknown) =>
      build({ cookies: { x: field } }, { cookies: { x: value } }).headers["cookie"] ?? ""
    fc.assert(
      fc.property(text, list, record, (scalar, array, object) => {
        expect(cookie({}, scalar)).toMatch(/^[\x21-\x7e]*$/)
        expect(pairsOf(cookie({}, scalar), "; ")).toEqual([["x", scalar]])
        expect(pairsOf(cookie({}, array), "; ")).toEqual(array.map((item) => ["x", item]))
        expect(Object.fromEntries(pairsOf(cookie({}, object), "; "))).toEqual(object)
      })
    )
    expect(cookie({ explode: false }, ["a", "b"])).toBe("x=a%2Cb")
    expect(build({ cookies: { x: {} } }, { x: "1", "headers:Cookie": "y=2" }).headers["cookie"]).toBe(
      "y=2; x=1"
    )
  })
})
