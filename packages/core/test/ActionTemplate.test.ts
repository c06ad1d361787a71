import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ActionTemplateError, compileActionTemplate, type RenderOptions } from "../src/index.ts"

const render = (template: unknown, input: Record<string, unknown>, options?: RenderOptions): unknown =>
  compileActionTemplate(template).render(input, options)

const faultsOf = (run: () => unknown): ReadonlyArray<{ path: string; rule: string; message: string }> => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(ActionTemplateError)
    expect(error).toMatchObject({ code: "VALIDATION_ERROR", status: 400 })
    return (error as ActionTemplateError).details as ReadonlyArray<{
      path: string
      rule: string
      message: string
    }>
  }
  throw new Error("it did not fail")
}

const when = new Date(0)
const input = {
  id: 7,
  name: "Ada",
  nothing: null,
  yes: false,
  list: [1, "a"],
  customer: { email: "ada@example.com", address: { city: "London" } },
  "first.name": "dotted",
  "kebab-case": 1,
  when,
  bytes: new Uint8Array([1]),
  big: 10n,
  mark: "{{id}}"
}

describe("a string that is exactly one placeholder becomes the value", () => {
  it.each<[string, unknown]>([
    ["{{id}}", 7],
    ["{{ id }}", 7],
    ["{{nothing}}", null],
    ["{{yes}}", false],
    ["{{list}}", [1, "a"]],
    ["{{list.1}}", "a"],
    ["{{customer}}", input.customer],
    ["{{customer.address.city}}", "London"],
    ["{{first.name}}", "dotted"],
    ["{{kebab-case}}", 1],
    ["{{when}}", when],
    ["{{big}}", 10n],
    ["{{mark}}", "{{id}}"]
  ])("%s", (template, value) => {
    expect(render(template, input)).toEqual(value)
  })
})

describe("a placeholder within text becomes text", () => {
  it.each<[string, string]>([
    ["#{{id}}", "#7"],
    ["{{name}} {{id}}", "Ada 7"],
    ["{{id}}{{id}}", "77"],
    ["<{{nothing}}>", "<>"],
    ["{{yes}}!", "false!"],
    ["{{list}};", '[1,"a"];'],
    ["{{customer.address}}.", '{"city":"London"}.'],
    ["at {{when}}", "at 1970-01-01T00:00:00.000Z"],
    ["{{big}} km", "10 km"],
    ["{{mark}}?", "{{id}}?"],
    ["{ {id} } }}", "{ {id} } }}"],
    ['{"a":{"b":1}}', '{"a":{"b":1}}']
  ])("%s", (template, text) => {
    expect(render(template, input)).toBe(text)
  })
})

describe("a template", () => {
  it("is walked through arrays and plain objects; the rest passes", () => {
    const template = {
      where: { id: "{{id}}", $or: [{ name: { $like: "{{name}}%" } }, { when }] },
      limit: 5,
      none: null
    }
    const before = structuredClone(template)
    expect(render(template, input)).toEqual({
      where: { id: 7, $or: [{ name: { $like: "Ada%" } }, { when }] },
      limit: 5,
      none: null
    })
    expect(template).toEqual(before)
  })

  it("can be rendered again with another input", () => {
    const compiled = compileActionTemplate({ a: "{{x}}" })
    expect([compiled.render({ x: 1 }), compiled.render({ x: [2] })]).toEqual([{ a: 1 }, { a: [2] }])
  })

  it("tells its placeholders and where each stands", () => {
    const { placeholders } = compileActionTemplate({
      select: ["id", "{{column}}"],
      orderBy: [{ column: "{{sort}}", order: "{{direction:STRING:3:4}}" }],
      note: "by {{user.name}} at {{ time }}"
    })
    expect(placeholders).toEqual([
      { name: "column", whole: true, at: ["select", 1] },
      { name: "sort", whole: true, at: ["orderBy", 0, "column"] },
      { name: "direction", whole: true, at: ["orderBy", 0, "order"], type: "STRING", min: 3, max: 4 },
      { name: "user.name", whole: false, at: ["note"] },
      { name: "time", whole: false, at: ["note"] }
    ])
    expect(compileActionTemplate("SELECT 1").placeholders).toEqual([])
  })

  it.each<[unknown, ReadonlyArray<string>]>([
    ["{{}}", [""]],
    ["{{ 1a }}", [""]],
    [{ a: ["{{a b}}", "{{ok}}", "{{x:DATE}}"] }, ["a[0]", "a[2]"]],
    ["{{a..b}}", [""]],
    ["{{open", [""]],
    ["{{a:STRING:x}}", [""]],
    ["{{a:string}}", [""]],
    [{ "{{key}}": 1 }, ["{{key}}"]],
    ["{{a.{{b}}}}", [""]]
  ])("with a malformed placeholder is refused: %o", (template, paths) => {
    expect(faultsOf(() => compileActionTemplate(template)).map(({ path, rule }) => [path, rule])).toEqual(
      paths.map((path) => [path, "syntax"])
    )
  })

  it("may not nest without end", () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    expect(faultsOf(() => compileActionTemplate(cycle))[0]?.rule).toBe("depth")
  })
})

describe("an input", () => {
  it("is told every missing name at once, each once", () => {
    const faults = faultsOf(() =>
      render({ a: "{{id}} {{nope}}", b: ["{{customer.phone}}", "{{nope}}"], c: "{{nothing.x}}" }, input)
    )
    expect(faults).toEqual([
      { path: "nope", rule: "required", message: "is missing" },
      { path: "customer.phone", rule: "required", message: "is missing" },
      { path: "nothing.x", rule: "required", message: "is missing" }
    ])
  })

  it("may leave out what nothing needs, but undefined is missing", () => {
    expect(render("{{id}}", { id: 1, other: 2 })).toBe(1)
    expect(faultsOf(() => render("{{id}}", { id: undefined }))[0]?.rule).toBe("required")
  })

  it.each<[Record<string, unknown>, ReadonlyArray<string>]>([
    [{ id: { $gt: 0 } }, ["id.$gt"]],
    [{ id: 1, unused: [{ deep: { $where: 1 } }], $x: 1 }, ["unused[0].deep.$where", "$x"]]
  ])("with a $ key is refused: %o", (bad, paths) => {
    const faults = faultsOf(() => render("{{id}}", bad))
    expect(faults.map(({ path, rule }) => [path, rule])).toEqual(paths.map((path) => [path, "operator"]))
  })

  it("may hold $ in values", () => {
    expect(render("{{a}}", { a: "$gt" })).toBe("$gt")
  })

  it("may not nest without end", () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = [cycle, cycle]
    expect(faultsOf(() => render("{{a}}", { a: cycle }))[0]?.rule).toBe("depth")
  })

  it("is read by own properties only", () => {
    for (const name of ["constructor", "__proto__", "toString", "customer.constructor", "list.length"]) {
      expect(faultsOf(() => render(`{{${name}}}`, input))[0]).toMatchObject({ path: name, rule: "required" })
    }
  })

  it("that is no text cannot stand within text", () => {
    expect(faultsOf(() => render("x{{bytes}}", input))[0]).toMatchObject({ path: "bytes", rule: "type" })
    expect(render("{{bytes}}", input)).toBe(input.bytes)
  })

  it("is never shown by an error", () => {
    const canary = "canary-2b7d"
    try {
      render("{{a:NUMBER}} {{b:EMAIL}} {{c:STRING:1:3}} {{nope}}", { a: canary, b: canary, c: canary })
      expect.unreachable()
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain(canary)
    }
  })
})

describe("typed placeholders", () => {
  it.each<[string, unknown, string | undefined]>([
    ["{{v:STRING}}", "x", undefined],
    ["{{v:STRING}}", 5, "type"],
    ["{{v:STRING}}", null, "type"],
    ["{{v:STRING:2}}", "a", "min"],
    ["{{v:STRING:2}}", "ab", undefined],
    ["{{v:STRING:0:2}}", "abc", "max"],
    ["{{v:STRING::2}}", "abc", "max"],
    ["{{v:STRING:2:2}}", "a\u{1f600}", undefined],
    ["{{v:NUMBER}}", 5, undefined],
    ["{{v:NUMBER}}", "5", "type"],
    ["{{v:NUMBER}}", Number.NaN, "type"],
    ["{{v:NUMBER:-1.5:10}}", -1.5, undefined],
    ["{{v:NUMBER:-1.5:10}}", -2, "min"],
    ["{{v:NUMBER:0:10}}", 10.5, "max"],
    ["{{ v : NUMBER : 0 : 10 }}", 3, undefined],
    ["{{v:EMAIL}}", "a@b.co", undefined],
    ["{{v:EMAIL}}", "a@b", "type"],
    ["{{v:EMAIL}}", "a b@c.de", "type"],
    ["{{v:EMAIL:1:5}}", "ab@c.de", "max"],
    ["to {{v:EMAIL}}", "nobody", "type"]
  ])("%s with %o: %s", (template, v, rule) => {
    if (rule === undefined) expect(render(template, { v })).toEqual(v)
    else expect(faultsOf(() => render(template, { v }))).toMatchObject([{ path: "v", rule }])
  })
})

describe("hooks", () => {
  const template = { orderBy: [{ column: "{{sort}}" }], where: { name: "{{name}}" }, limit: "{{limit}}" }

  it("check() says what a place does not take", () => {
    const check: RenderOptions["check"] = (value, { at }) =>
      at[0] === "orderBy" && !/^\w+$/.test(String(value)) ? "must be an identifier" : undefined
    const good = { sort: "name", name: "a; drop", limit: 1 }
    expect(render(template, good, { check })).toEqual({
      orderBy: [{ column: "name" }],
      where: { name: "a; drop" },
      limit: 1
    })
    expect(faultsOf(() => render(template, { sort: "a; drop", limit: 1 }, { check }))).toEqual([
      { path: "sort", rule: "position", message: "must be an identifier" },
      { path: "name", rule: "required", message: "is missing" }
    ])
  })

  it("dropMissing() lets a key or element go, but no piece of text", () => {
    const dropMissing: RenderOptions["dropMissing"] = ({ at }) => at[0] !== "where"
    expect(render(template, { name: "x" }, { dropMissing })).toEqual({ orderBy: [{}], where: { name: "x" } })
    expect(render(["{{a}}", 1, "{{b}}"], { b: 2 }, { dropMissing })).toEqual([1, 2])
    expect(render("{{a}}", {}, { dropMissing })).toBeUndefined()
    expect(faultsOf(() => render(template, {}, { dropMissing })).map(({ path }) => path)).toEqual(["name"])
    expect(faultsOf(() => render({ limit: "x{{a}}" }, {}, { dropMissing }))).toHaveLength(1)
  })
})

describe("properties", () => {
  it("any JSON value passes whole and is never read as a template", () => {
    const clean = fc.jsonValue().filter((json) => !/"\$/.test(JSON.stringify(json)))
    fc.assert(
      fc.property(clean, fc.string(), (json, text) => {
        expect(render({ a: "{{v}}", b: ["{{t}}"], c: "<{{t}}>" }, { v: json, t: text })).toEqual({
          a: json,
          b: [text],
          c: `<${text}>`
        })
      })
    )
  })

  it("a template throws nothing but ActionTemplateError", () => {
    const piece = fc.constantFrom("{{", "}}", "{", "}", "a", ".", ":", "STRING", "NUMBER", "1", " ", "$", "é")
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("")
        try {
          const result = compileActionTemplate(text).render({ a: "{{a}}" })
          if (!text.includes("{{")) expect(result).toBe(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ActionTemplateError)
        }
      }),
      { numRuns: 3_000 }
    )
  })
})
