import { Readable } from "node:stream"
import type { Action } from "@ductape/registry"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ActionError, type BuiltRequest, compileAction } from "../src/index.ts"

const build = (action: Partial<Action>, input: unknown): BuiltRequest =>
  compileAction(
    { tag: "a", name: "a", method: "POST", resource: "/p", ...action },
    { baseUrl: "https://a.example" }
  ).build(input)

const form = (input: unknown, body?: Action["body"]): Array<[string, string]> => {
  const request = build(
    { request_type: "application/x-www-form-urlencoded", ...(body === undefined ? {} : { body }) },
    { body: input }
  )
  expect(request.headers["content-type"]).toBe("application/x-www-form-urlencoded")
  return [...new URLSearchParams(request.body as string)]
}

const bytes = async (request: BuiltRequest): Promise<Buffer> => {
  const { body } = request
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === "string") return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Array<Uint8Array> = []
  for await (const chunk of body.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Read by the parser of Node's own `fetch`. */
const parts = async (request: BuiltRequest): Promise<Array<[string, FormDataEntryValue]>> => {
  const type = request.headers["content-type"] ?? ""
  const data = await new Response(new Uint8Array(await bytes(request)), {
    headers: { "content-type": type }
  }).formData()
  return [...data.entries()]
}

const text = fc.string({ unit: "grapheme", maxLength: 12 }).filter((s) => s.isWellFormed())
const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 8 })
  .filter((s) => s.isWellFormed() && s !== "__proto__")

describe("JSON bodies", () => {
  it("are what JSON.parse reads back", () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1 }), (value) => {
        const request = build({}, { body: value })
        expect(request.headers["content-type"]).toBe("application/json")
        expect(JSON.parse(request.body as string)).toEqual(JSON.parse(JSON.stringify(value)))
      })
    )
  })

  it("write big integers as numbers, dates as ISO text", () => {
    expect(build({}, { id: 12345678901234567890n, at: new Date(0) }).body).toBe(
      '{"id":12345678901234567890,"at":"1970-01-01T00:00:00.000Z"}'
    )
  })

  it("refuse what has no JSON form", () => {
    const circular: Record<string, unknown> = {}
    circular["self"] = circular
    expect(() => build({}, { body: { circular } })).toThrow(ActionError)
  })

  it("send the exact media type of the document", () => {
    const bodyFormat = { contentType: "application/vnd.api+json", shape: "fields" } as const
    expect(build({ bodyFormat }, { a: 1 }).headers["content-type"]).toBe("application/vnd.api+json")
    expect(build({ bodyFormat: { ...bodyFormat, required: true } }, {}).body).toBe("{}")
    expect(build({ bodyFormat }, {}).body).toBeUndefined()
  })
})

describe("form bodies", () => {
  it("nest with brackets the way Stripe takes it", () => {
    const body = { expand: { style: "deepObject", explode: true } }
    expect(
      form(
        {
          amount: 5,
          on: true,
          card: { number: "4242", exp: { m: 1 } },
          items: [{ id: 1 }, { id: 2 }],
          expand: ["a", "b"]
        },
        body
      )
    ).toEqual([
      ["amount", "5"],
      ["on", "true"],
      ["card[number]", "4242"],
      ["card[exp][m]", "1"],
      ["items[0][id]", "1"],
      ["items[1][id]", "2"],
      ["expand[0]", "a"],
      ["expand[1]", "b"]
    ])
  })

  it("repeat names the way Twilio takes it, and clear with an empty value", () => {
    expect(form({ MediaUrl: ["u1", "u2"], Body: "hi there+&=", Cleared: null })).toEqual([
      ["MediaUrl", "u1"],
      ["MediaUrl", "u2"],
      ["Body", "hi there+&="],
      ["Cleared", ""]
    ])
  })

  it("follow the encoding of a document", () => {
    expect(
      form(
        {
          csv: [1, 2],
          pipes: ["a", "b"],
          spaces: ["a", "b"],
          flat: { a: 1, b: 2 },
          pairs: { a: 1 },
          json: { a: [1] }
        },
        {
          csv: { style: "form", explode: false },
          pipes: { style: "pipeDelimited", explode: false },
          spaces: { style: "spaceDelimited", explode: false },
          flat: { style: "form", explode: true },
          pairs: { style: "form", explode: false },
          json: { contentType: "application/json" }
        }
      )
    ).toEqual([
      ["csv", "1,2"],
      ["pipes", "a|b"],
      ["spaces", "a b"],
      ["a", "1"],
      ["b", "2"],
      ["pairs", "a,1"],
      ["json", '{"a":[1]}']
    ])
  })

  it("read back what was given, whatever the characters", () => {
    fc.assert(
      fc.property(fc.dictionary(key, text), (value) => {
        expect(form(value)).toEqual(Object.entries(value))
      })
    )
  })
})

describe("multipart bodies", () => {
  const multipart = { request_type: "multipart/form-data" } as const

  it("carry text, files of every kind, repeated names and JSON", async () => {
    const request = build(multipart, {
      name: "Ada",
      n: 5,
      tags: ["a", "b"],
      meta: { a: 1 },
      raw: Buffer.from([0, 255, 13, 10]),
      blob: new Blob(["blob"], { type: "text/css" }),
      file: new File(["file"], "f.txt", { type: "text/plain" }),
      described: { data: "hello", filename: "h.txt", contentType: "text/html" },
      stream: { data: Readable.from([Buffer.from("str"), Buffer.from("eam")]), filename: "s.bin" },
      none: null
    })
    expect(request.replayable).toBe(false)
    const read = await Promise.all(
      (await parts(request)).map(async ([name, value]) =>
        typeof value === "string"
          ? [name, value]
          : [name, value.name, value.type, Buffer.from(await value.arrayBuffer()).toString("latin1")]
      )
    )
    expect(read).toEqual([
      ["name", "Ada"],
      ["n", "5"],
      ["tags", "a"],
      ["tags", "b"],
      ["meta", '{"a":1}'],
      ["raw", "raw", "application/octet-stream", "\0\xff\r\n"],
      ["blob", "blob", "text/css", "blob"],
      ["file", "f.txt", "text/plain", "file"],
      ["described", "h.txt", "text/html", "hello"],
      ["stream", "s.bin", "application/octet-stream", "stream"]
    ])
  })

  it("is read back whatever names, file names and contents hold", async () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 10 })
      .filter((s) => s.isWellFormed() && !/[\r\n]/.test(s))
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
        fc.uint8Array({ maxLength: 40 }),
        async (names, content) => {
          const input = Object.fromEntries(names.map((n) => [n, { data: content, filename: n }]))
          const read = await parts(build(multipart, { body: input }))
          const escaped = (n: string) => n.replaceAll('"', "%22")
          for (const [index, [partName, value]] of read.entries()) {
            const key = Object.keys(input)[index] ?? ""
            expect(partName.replaceAll('"', "%22")).toBe(escaped(key))
            expect(
              typeof value === "string" ? value : [...new Uint8Array(await value.arrayBuffer())]
            ).toEqual([...content])
          }
          expect(read).toHaveLength(names.length)
        }
      ),
      { numRuns: 60 }
    )
  })

  it("cannot be broken out of by a name or a file name", async () => {
    const evil = 'a"\r\nContent-Type: text/html\r\n\r\nevil'
    const request = build(multipart, { body: { [evil]: { data: "x", filename: evil } } })
    const raw = (await bytes(request)).toString()
    expect(raw.match(/Content-Type/g)).toHaveLength(3)
    expect(raw.split("\r\n").filter((line) => line.startsWith("Content-Type"))).toHaveLength(1)
    expect(await parts(request)).toHaveLength(1)
  })

  it("gives the same bytes for the same input, so that a call can be cached", () => {
    const body = () => build(multipart, { a: "1", f: Buffer.from("x") })
    expect(body()).toEqual(body())
    expect(body().headers["content-type"]).not.toBe(
      build(multipart, { a: "2", f: Buffer.from("x") }).headers["content-type"]
    )
  })

  it("uses the media type that the document gives a part", async () => {
    const request = build(
      {
        ...multipart,
        body: { logo: { contentType: "image/png", binary: true }, meta: { contentType: "application/json" } }
      },
      { logo: Buffer.from("x"), meta: [1] }
    )
    const raw = (await bytes(request)).toString()
    expect(raw).toContain('name="logo"; filename="logo"\r\nContent-Type: image/png')
    expect(raw).toContain('name="meta"\r\nContent-Type: application/json\r\n\r\n[1]')
  })

  it("announces its length when all parts have one", async () => {
    const request = build(multipart, { f: new Blob(["abc"]) })
    const { body } = request
    expect(request.replayable).toBe(true)
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array)
      throw new Error("not streamed")
    expect(body.length).toBe((await bytes(request)).byteLength)
  })
})

describe("other bodies", () => {
  const whole = (contentType: string) => ({ bodyFormat: { contentType, shape: "whole" } as const })

  it("text and XML are sent as they are", () => {
    expect(build(whole("application/xml"), { body: "<a/>" })).toMatchObject({
      body: "<a/>",
      headers: { "content-type": "application/xml" }
    })
    expect(build({ request_type: "SOAP" }, { body: "<soap/>", "headers:SOAPAction": "x" }).body).toBe(
      "<soap/>"
    )
    expect(() => build(whole("text/plain"), { body: { a: 1 } })).toThrow(/must be text/)
  })

  it("bytes, blobs and streams are sent as they are", async () => {
    const octets = whole("application/octet-stream")
    expect(await bytes(build(octets, { body: Buffer.from([1, 2]) }))).toEqual(Buffer.from([1, 2]))
    expect(await bytes(build(octets, { body: new Blob(["ab"]) }))).toEqual(Buffer.from("ab"))
    expect(await bytes(build(octets, { body: Readable.from(["a", "b"]) }))).toEqual(Buffer.from("ab"))
    expect(await bytes(build(octets, { body: new Blob(["web"]).stream() }))).toEqual(Buffer.from("web"))
    expect(build(octets, { body: Readable.from([]) }).replayable).toBe(false)
    expect(build(octets, { body: new Blob([]) }).replayable).toBe(true)
  })

  it("the caller may name another media type, but not break a multipart boundary", () => {
    expect(build({}, { a: 1, "headers:Content-Type": "application/json; v=2" }).headers["content-type"]).toBe(
      "application/json; v=2"
    )
    expect(
      build({ request_type: "multipart/form-data" }, { a: 1, "headers:Content-Type": "multipart/form-data" })
        .headers["content-type"]
    ).toMatch(/boundary=/)
  })
})
