import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import {
  compileTemplate,
  compileValue,
  escapeTemplate,
  Literal,
  literal,
  readPath,
  SecretReference,
  secret,
  secretsOf,
  type TemplateMode,
  type TemplateScope,
  TrustedTemplate,
  template,
  validateTemplate
} from "../src/index.ts"
import { failureOf, from, over } from "./templates.ts"

const input = {
  n: 5,
  s: "text",
  yes: true,
  nothing: null,
  list: [1, "a", { b: null }],
  object: { x: { y: 1 }, "a.b": 2 },
  tricky: "$Secret{K} $$Now $Input{n}",
  "odd}key": "odd",
  "back\\slash": "slash",
  date: new Date(0),
  bytes: new Uint8Array([1])
}

const secrets: TemplateScope["sources"] = {
  Secret: ([key]) => (key === "K" ? { value: "opened" } : undefined),
  Auth: from({ main: { token: "auth-token" } })
}
const scope = over(input, { sources: { Input: from(input), Session: from({ id: "s1" }), ...secrets } })

const define = (source: string, at: TemplateScope = scope): unknown =>
  compileTemplate(source, "definition").evaluate(at)
const plain = (source: string, at: TemplateScope = scope): unknown =>
  compileTemplate(source, "input").evaluate(at)

describe("a template that is exactly one expression keeps its type", () => {
  it.each<[string, unknown]>([
    ["$Input{n}", 5],
    ["$Input{yes}", true],
    ["$Input{nothing}", null],
    ["$Input{list}", input.list],
    ["$Input{object}{x}", { y: 1 }],
    ["$Input{object}{x}{y}", 1],
    ["$Input{object.x.y}", 1],
    ["$Input{object}{a.b}", 2],
    ["$Input{list}{2}{b}", null],
    ["$Input{list.1}", "a"],
    ["$Input{odd\\}key}", "odd"],
    ["$Input{back\\\\slash}", "slash"],
    ["$Input{date}", input.date],
    ["$Input{bytes}", input.bytes],
    [
      "$Join([$Input{list}, [true, null, 'x', \"y\", -1.5e2, 0]])",
      [...input.list, true, null, "x", "y", -150, 0]
    ],
    ["$Pick([{a: 1, \"b c\": [ ], 'd' : {}, _e: $Input{n}}], 0)", { a: 1, "b c": [], d: {}, _e: 5 }],
    ["$Pick([1, 2 , ], 1)", 2],
    ["$Concat([ \t\r\n'a' , 'b' ])", "ab"],
    ["$Concat(['\\'\\\"\\\\\\n\\t\\r\\u00e9', \"'\"])", "'\"\\\n\t\ré'"]
  ])("%s", (source, value) => {
    expect(define(source)).toEqual(value)
  })
})

describe("text around expressions", () => {
  it.each<[string, string]>([
    ["a$Input{n}b", "a5b"],
    ["$Input{n}$Input{n}", "55"],
    ["$Input{yes}!", "true!"],
    ["<$Input{nothing}>", "<>"],
    ["$Input{list};", '[1,"a",{"b":null}];'],
    ["o=$Input{object}", 'o={"x":{"y":1},"a.b":2}'],
    ["at $Input{date}", "at 1970-01-01T00:00:00.000Z"],
    [" $Input{n}", " 5"],
    ["$Input{n} ", "5 "],
    ['{"id": $Input{n}}', '{"id": 5}'],
    ["$Now(1)", "1700000000000(1)"],
    ["$Now.", "1700000000000."],
    ["$Now-$Now()", "1700000000000-1700000000000"]
  ])("%s", (source, value) => {
    expect(define(source)).toBe(value)
  })

  it("refuses bytes within text", () => {
    expect(failureOf(() => define("x$Input{bytes}"))).toMatchObject({
      code: "OPERATOR_TYPE",
      details: { offset: 1 }
    })
  })
})

describe("a dollar that starts nothing is text", () => {
  it.each([
    "",
    "plain",
    "$",
    "$$",
    "$80",
    "$80.00",
    "$eq",
    "$LT",
    "$input{n}",
    "$Input",
    "$Input (n)",
    "$Nowhere",
    "$Now_",
    "$Now1",
    "$Nowé",
    "$Defaults",
    "$Size",
    "$Add",
    "$Add 1",
    "$ Input{n}",
    "$Inputé{n}",
    "$valueFromVariable",
    "{{NAME}}",
    "\\$",
    "a$"
  ])("%j", (source) => {
    for (const mode of ["definition", "input"] as const) {
      const compiled = compileTemplate(source, mode)
      expect(compiled.constant).toBe(true)
      expect(compiled.references).toEqual([])
      expect(compiled.evaluate({ sources: {} })).toBe(source)
    }
  })
})

describe("$$ before a name yields the name as text", () => {
  it.each<[string, string]>([
    ["$$Input{n}", "$Input{n}"],
    ["$$Now", "$Now"],
    ["$$Secret{K}", "$Secret{K}"],
    ["$$Add(1)", "$Add(1)"],
    ["$$Size{", "$Size{"],
    ["$$Default", "$Default"],
    ["$$Unknown{x}", "$Unknown{x}"],
    ["$$$Input{n}", "$$Input{n}"],
    ["$$80", "$$80"],
    ["$$Nowhere", "$$Nowhere"],
    ["$$Concat($Input{n})", "$Concat(5)"],
    ["$$", "$$"]
  ])("%s → %s", (source, value) => {
    expect(define(source)).toBe(value)
    expect(plain(source)).toBe(value)
  })
})

describe("what a definition refuses", () => {
  it.each<[string, string, number]>([
    ["$Input{", "TEMPLATE_SYNTAX", 6],
    ["$Input{n", "TEMPLATE_SYNTAX", 6],
    ["$Input{}", "TEMPLATE_SYNTAX", 6],
    ["$Input{a{b}}", "TEMPLATE_SYNTAX", 6],
    ["$Input{a}{", "TEMPLATE_SYNTAX", 9],
    ["$Input{a}{}", "TEMPLATE_SYNTAX", 9],
    ["$Input{a\\b}", "TEMPLATE_SYNTAX", 8],
    ["$Secret{A}{B}", "TEMPLATE_SYNTAX", 0],
    ["$Add(1", "TEMPLATE_SYNTAX", 6],
    ["$Add(1,,2)", "TEMPLATE_SYNTAX", 7],
    ["$Add(,1)", "TEMPLATE_SYNTAX", 5],
    ["$Add(1 2)", "TEMPLATE_SYNTAX", 7],
    ["$Add(one)", "TEMPLATE_SYNTAX", 5],
    ["$Add(1.)", "TEMPLATE_SYNTAX", 6],
    ["$Add(.5)", "TEMPLATE_SYNTAX", 5],
    ["$Add(+5)", "TEMPLATE_SYNTAX", 5],
    ["$Add(1e999)", "TEMPLATE_SYNTAX", 5],
    ["$Add(trueish)", "TEMPLATE_SYNTAX", 5],
    ["$Add($80)", "TEMPLATE_SYNTAX", 5],
    ["$Add($eq)", "TEMPLATE_SYNTAX", 5],
    ["$Add($$Now)", "TEMPLATE_SYNTAX", 5],
    ["$Trim('a)", "TEMPLATE_SYNTAX", 6],
    ["$Trim('\\x')", "TEMPLATE_SYNTAX", 7],
    ["$Trim('\\u12g4')", "TEMPLATE_SYNTAX", 7],
    ["$Trim('\\", "TEMPLATE_SYNTAX", 7],
    ["$Size{1", "TEMPLATE_SYNTAX", 7],
    ["$Size{1)", "TEMPLATE_SYNTAX", 7],
    ["$Size(1}", "TEMPLATE_SYNTAX", 7],
    ["$Size{}", "TEMPLATE_SYNTAX", 6],
    ["$Size{name}", "TEMPLATE_SYNTAX", 6],
    ["$Size{[1}", "TEMPLATE_SYNTAX", 8],
    ["$Size{{a 1}}", "TEMPLATE_SYNTAX", 9],
    ["$Size{{a: 1,}}", "TEMPLATE_SYNTAX", 12],
    ["$Size{{1: 1}}", "TEMPLATE_SYNTAX", 7],
    ["$Size{{__proto__: 1}}", "TEMPLATE_SYNTAX", 7],
    ["$Size{{'constructor': 1}}", "TEMPLATE_SYNTAX", 7],
    ["x$Default", "TEMPLATE_SYNTAX", 1],
    ["$Default ", "TEMPLATE_SYNTAX", 0],
    ["$Trim($Default)", "TEMPLATE_SYNTAX", 6],
    ["$Unknown{x}", "REFERENCE_UNKNOWN", 0],
    ["a $Body{x}", "REFERENCE_UNKNOWN", 2],
    ["$Add{x}", "REFERENCE_UNKNOWN", 0],
    ["$Now{x}", "REFERENCE_UNKNOWN", 0],
    ["$Default{x}", "REFERENCE_UNKNOWN", 0],
    ["$Var(x)", "OPERATOR_UNKNOWN", 0],
    ["$Input(n)", "OPERATOR_UNKNOWN", 0],
    ["$ADD(1)", "OPERATOR_UNKNOWN", 0],
    ["$Add($Plus(1))", "OPERATOR_UNKNOWN", 5],
    ["$Add($Body{x})", "REFERENCE_UNKNOWN", 5],
    ["$Input{__proto__}", "REFERENCE_FORBIDDEN", 0],
    ["$Input{a}{constructor}", "REFERENCE_FORBIDDEN", 0],
    ["$Input{a.prototype.b}", "REFERENCE_FORBIDDEN", 0]
  ])("%s: %s at %d", (source, code, offset) => {
    expect(failureOf(() => compileTemplate(source, "definition"))).toMatchObject({
      code,
      details: { offset }
    })
  })
})

describe("plain input", () => {
  it.each([
    "$Secret{K}",
    "Bearer $Secret{K}",
    "$Auth{main}{token}",
    "$Secret{unclosed",
    "$Secret{}",
    "$Auth{",
    "$Unknown{x}",
    "$Var(x)",
    "$Secret{__proto__}"
  ])("takes %s for text", (source) => {
    expect(compileTemplate(source, "input").constant).toBe(true)
    expect(plain(source)).toBe(source)
    expect(secretsOf(compileTemplate(source, "input"), scope).size).toBe(0)
  })

  it("resolves what is no secret, also beside one", () => {
    expect(plain("$Session{id}")).toBe("s1")
    expect(plain("$Secret{K} $Session{id} $Add(1, $Input{n})")).toBe("$Secret{K} s1 6")
    expect(plain("$Secret{$Session{id}}")).toBe("$Secret{s1}")
  })

  it.each([
    ["$Uppercase($Secret{K})", 11],
    ["$Concat([$Auth{main}{token}])", 9],
    ["$Default($Secret{K}, 'x')", 9],
    ["$Add($Unknown{x})", 5]
  ])("refuses %s", (source, offset) => {
    expect(failureOf(() => plain(source as string))).toMatchObject({
      code: "TEMPLATE_SYNTAX",
      details: { offset }
    })
  })

  it("reads no secret by way of a stored definition either", () => {
    const stored: TemplateScope = {
      sources: {
        ...secrets,
        Variable: ([key = ""]) => ({
          template: { token: "Bearer $Secret{K}", deep: "$Constant{token}", open: "$Session{id}" }[key],
          id: `variable:${key}`
        }),
        Constant: () => ({ template: "$Auth{main}{token}", id: "constant" }),
        Session: from({ id: "s1" })
      }
    }
    expect(define("$Variable{token}", stored)).toBe("Bearer opened")
    expect(define("$Variable{deep}", stored)).toBe("auth-token")
    expect(plain("$Variable{open}", stored)).toBe("s1")
    for (const source of ["$Variable{token}", "x $Variable{deep}", "$Default($Variable{token}, 'x')"]) {
      const error = failureOf(() => plain(source, stored))
      expect(error.code).toBe("REFERENCE_UNAVAILABLE")
      expect(error.message).toContain("plain input")
    }
    // Trust is that of each string, not of the whole input.
    expect(
      compileValue({ a: "$Variable{open}", b: template`$Variable{token}` }, "input").evaluate(stored)
    ).toEqual({ a: "s1", b: "Bearer opened" })
    expect(
      failureOf(() =>
        compileValue([template`$Variable{token}`, "$Variable{token}"], "input").evaluate(stored)
      )
    ).toMatchObject({ code: "REFERENCE_UNAVAILABLE" })
  })
})

describe("references", () => {
  it("are REFERENCE_UNAVAILABLE without a source", () => {
    const error = failureOf(() => define("a $Session{x}{y\\}}", { sources: {} }))
    expect(error).toMatchObject({
      code: "REFERENCE_UNAVAILABLE",
      details: { offset: 2, reference: "$Session{x}{y\\}}" }
    })
  })

  it("are REFERENCE_NOT_FOUND where the source has nothing", () => {
    const expected = { code: "REFERENCE_NOT_FOUND", details: { offset: 0, reference: "$Input{nope}" } }
    expect(failureOf(() => define("$Input{nope}"))).toMatchObject(expected)
    expect(
      failureOf(() => define("$Input{nope}", { sources: { Input: () => ({ value: undefined }) } }))
    ).toMatchObject(expected)
  })

  it("hand every segment to the source, unescaped", () => {
    const seen: Array<ReadonlyArray<string>> = []
    const Sequence = (segments: ReadonlyArray<string>) => {
      seen.push(segments)
      return { value: 1 }
    }
    define("$Sequence{a b}{c.d}{\\{e\\}}", { sources: { Sequence } })
    expect(seen).toEqual([["a b", "c.d", "{e}"]])
  })

  it("let errors of a source through", () => {
    const failing = (): never => {
      throw new RangeError("revoked")
    }
    expect(() => define("$Default($Secret{K}, 1)", { sources: { Secret: failing } })).toThrow(RangeError)
  })

  it("are listed by the compiled template", () => {
    const { references } = compileTemplate("$Input{a}{b} $Add($Session{x}, $Size{$Input{a}})", "definition")
    expect(references).toEqual([
      { name: "Input", segments: ["a", "b"] },
      { name: "Session", segments: ["x"] },
      { name: "Input", segments: ["a"] }
    ])
    expect(validateTemplate("$Secret{K}")).toEqual({ references: [{ name: "Secret", segments: ["K"] }] })
    expect(failureOf(() => validateTemplate("$Nope{K}")).code).toBe("REFERENCE_UNKNOWN")
  })

  it.each([
    "Input",
    "Sequence",
    "Step",
    "Variable",
    "Constant",
    "Session",
    "Response",
    "Secret",
    "Auth"
  ] as const)("$%s", (name) => {
    expect(define(`$${name}{x}`, { sources: { [name]: from({ x: name }) } })).toBe(name)
  })
})

describe("$Default", () => {
  it("is the default value of the field", () => {
    expect(define("$Default", { sources: {}, defaultValue: [1] })).toEqual([1])
    expect(define("$Default", { sources: {}, defaultValue: null })).toBeNull()
  })
  it("is unavailable where there is none", () => {
    expect(failureOf(() => define("$Default"))).toMatchObject({
      code: "REFERENCE_UNAVAILABLE",
      details: { offset: 0, reference: "$Default" }
    })
  })
})

describe("single pass", () => {
  it("never rescans what was put in", () => {
    expect(define("$Input{tricky}")).toBe(input.tricky)
    expect(define("<$Input{tricky}>")).toBe(`<${input.tricky}>`)
    expect(define("$Concat([$Input{tricky}])")).toBe(input.tricky)
    expect(define("$Concat(['$Sec', 'ret{K}'])")).toBe("$Secret{K}")
    expect(define("$Trim('$Secret{K}')")).toBe("$Secret{K}")
  })

  it("evaluates a stored definition as a template of its own, with the same clock", () => {
    let clock = 0
    const sources: TemplateScope["sources"] = {
      Variable: ([key = ""]) => ({
        template: { outer: "<$Variable{inner} $Now>", inner: ["$Input{tricky}", { n: "$Input{n}" }] }[key],
        id: key
      }),
      Input: (segments) => {
        clock++
        return from(input)(segments)
      }
    }
    expect(define("$Variable{outer}", { now: 1, sources })).toBe(
      `<${JSON.stringify([input.tricky, { n: 5 }])} 1>`
    )
    expect(clock).toBe(2)
  })

  it("reads the clock once per evaluation", () => {
    const result = compileValue(["$Now", "$Now", "$Variable{x}"], "definition").evaluate({
      sources: { Variable: () => ({ template: "$Now", id: "x" }) }
    }) as ReadonlyArray<number>
    expect(new Set(result).size).toBe(1)
    expect(typeof result[0]).toBe("number")
  })
})

describe("stored definitions that need themselves", () => {
  const Variable = (definitions: Record<string, unknown>): TemplateScope => ({
    sources: { Variable: ([key = ""]) => ({ template: definitions[key], id: key }) }
  })

  it.each([{ a: "$Variable{a}" }, { a: "x$Variable{b}", b: ["$Variable{c}"], c: "$Variable{a}" }])(
    "are REFERENCE_CYCLE: %j",
    (definitions) => {
      const error = failureOf(() => define("$Variable{a}", Variable(definitions)))
      expect(error.code).toBe("REFERENCE_CYCLE")
    }
  )

  it("may be used twice", () => {
    expect(define("$Variable{a}$Variable{a}", Variable({ a: "$Variable{b}", b: "x" }))).toBe("xx")
  })

  it("may not form a chain of more than 32", () => {
    const chain = (length: number) =>
      Variable(
        Object.fromEntries(
          Array.from({ length }, (_, i) => [`v${i}`, i === length - 1 ? "end" : `$Variable{v${i + 1}}`])
        )
      )
    expect(define("$Variable{v0}", chain(32))).toBe("end")
    expect(failureOf(() => define("$Variable{v0}", chain(33))).code).toBe("TEMPLATE_LIMIT")
  })

  it("may not multiply without end", () => {
    const bomb = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `v${i}`,
        i === 29 ? "" : `$Variable{v${i + 1}}$Variable{v${i + 1}}`
      ])
    )
    expect(failureOf(() => define("$Variable{v0}", Variable(bomb))).code).toBe("TEMPLATE_LIMIT")
  })

  it("say by which reference they were reached when they fail", () => {
    const error = failureOf(() => define("$Variable{a}", Variable({ a: "x $Variable{b}", b: "$Trim(5)" })))
    expect(error).toMatchObject({ code: "OPERATOR_TYPE", details: { path: "$Variable{b}", offset: 0 } })
  })
})

describe("secretsOf", () => {
  const stored: TemplateScope = {
    sources: {
      Secret: () => {
        throw new Error("asked for a value")
      },
      Variable: ([key = ""]) => {
        const template = { t: "$Secret{V}", loop: "$Variable{loop} $Secret{L}", n: { a: ["$Variable{t}"] } }[
          key
        ]
        return template === undefined ? undefined : { template, id: key }
      },
      Constant: () => ({ value: "$Secret{inert}" })
    }
  }
  it("finds those of the template and of stored definitions", () => {
    const compiled = compileValue(
      {
        a: "$Default($Variable{n}, $Secret{A})",
        b: ["$Variable{loop}", "$Constant{c}"],
        c: "$Variable{nope} $Auth{x}"
      },
      "definition"
    )
    expect(secretsOf(compiled, stored)).toEqual(new Set(["V", "A", "L"]))
  })
  it("finds those of markers", () => {
    const compiled = compileValue(
      {
        a: secret("A"),
        b: template`x $Secret{B} ${secret("C")} ${"$Secret{no}"}`,
        c: literal("$Secret{no}")
      },
      "input"
    )
    expect(secretsOf(compiled, stored)).toEqual(new Set(["A", "B", "C"]))
  })
})

describe("limits", () => {
  const nest = (levels: number, core = "1"): string => `${"$Add(".repeat(levels)}${core}${")".repeat(levels)}`

  it("64 KiB of source, in bytes", () => {
    const fits = `$Now${"x".repeat(65_536 - 5)}é`.slice(0, 65_535)
    expect(failureOf(() => compileTemplate(`$Now ${"é".repeat(32_766)}`, "definition")).code).toBe(
      "TEMPLATE_LIMIT"
    )
    expect(() => compileTemplate(`$Now ${"é".repeat(32_765)}`, "definition")).not.toThrow()
    expect(() => compileTemplate(`$Now ${fits.slice(5, 65_535)}`, "input")).not.toThrow()
    expect(failureOf(() => compileTemplate("x".repeat(65_537), "definition")).code).toBe("TEMPLATE_LIMIT")
    expect(failureOf(() => compileTemplate(`${"x".repeat(65_537)}$Now`, "input")).code).toBe("TEMPLATE_LIMIT")
  })

  it("but long plain input that is no template passes as it is", () => {
    for (const text of [
      "x".repeat(200_000),
      `$80 ${"$eq ".repeat(50_000)}`,
      `${"x".repeat(99_999)}$Secret{K}`
    ]) {
      expect(compileTemplate(text, "input").constant).toBe(true)
      expect(plain(text)).toBe(text)
    }
  })

  it("32 levels", () => {
    expect(define(nest(32))).toBe(1)
    expect(failureOf(() => compileTemplate(nest(33), "definition")).code).toBe("TEMPLATE_LIMIT")
    expect(failureOf(() => compileTemplate(`$Size{${"[".repeat(40)}`, "definition")).code).toBe(
      "TEMPLATE_LIMIT"
    )
    expect(failureOf(() => compileTemplate(`$Size{${"{a:".repeat(40)}`, "definition")).code).toBe(
      "TEMPLATE_LIMIT"
    )
    expect(failureOf(() => compileTemplate("$Size{".repeat(40), "definition")).code).toBe("TEMPLATE_LIMIT")
    expect(failureOf(() => compileTemplate(nest(10_000), "input")).code).toBe("TEMPLATE_LIMIT")
    // Siblings are not levels.
    expect(define(`$Add(${Array.from({ length: 100 }, () => "$Add(1)").join(",")})`)).toBe(100)
  })

  it("1 MiB of result", () => {
    const big = { s: "x".repeat(600_000), fits: "é".repeat(524_288), over: "é".repeat(524_289) }
    const at = over({
      ...big,
      list: Array.from({ length: 1000 }, () => "y".repeat(1000)),
      a: "a".repeat(10_000)
    })
    expect(define("$Input{fits}", at)).toBe(big.fits)
    for (const source of [
      "$Input{over}",
      "$Input{s}$Input{s}",
      "$Concat([$Input{s}, $Input{s}])",
      "$Replace($Input{a}, 'a', $Input{s})",
      "$Concat($Input{list}, $Input{a})",
      "$Pick([$Input{s}, $Input{s}], 0)",
      `$Join([${Array.from({ length: 1200 }, () => "$Split($Input{a}, '')").join(",")}])`
    ]) {
      expect(failureOf(() => define(source, at)).code).toBe("TEMPLATE_LIMIT")
    }
  })

  it("16 MiB of work", () => {
    const at = over({ s: "x".repeat(1_000_000) })
    const twenty = Array.from({ length: 20 }, () => "$Size{$Uppercase($Input{s})}").join(",")
    expect(failureOf(() => define(`$Add(${twenty})`, at)).code).toBe("TEMPLATE_LIMIT")
  })

  it("512 levels of a value, and no cycle", () => {
    const deep = (levels: number): unknown => {
      let value: unknown = "$Input{n}"
      for (let i = 0; i < levels; i++) value = [value]
      return value
    }
    expect(() => compileValue(deep(512), "input")).not.toThrow()
    expect(failureOf(() => compileValue(deep(513), "input")).code).toBe("TEMPLATE_LIMIT")
    const cycle: Record<string, unknown> = {}
    cycle["self"] = [cycle, cycle]
    expect(failureOf(() => compileValue(cycle, "input")).code).toBe("TEMPLATE_LIMIT")
    expect(failureOf(() => define("x$Input{c}", over({ c: cycle }))).code).toBe("TEMPLATE_LIMIT")
  })
})

describe("compileValue", () => {
  it.each<[unknown]>([
    [5],
    [null],
    [undefined],
    ["plain"],
    [{}],
    [{ amount: 1000, currency: "usd", note: "$80", nested: [{ a: null }] }],
    [new Date(0)],
    [new Uint8Array([36])],
    [
      new (class Thing {
        text = "$Input{n}"
      })()
    ],
    [new Map([["a", "$Input{n}"]])],
    [{ "$Input{n}": 1, "$Nope{": 2 }]
  ])("hands back the very value where nothing resolves: %o", (value) => {
    const compiled = compileValue(value, "input")
    expect(compiled.constant).toBe(true)
    expect(compiled.evaluate(scope)).toBe(value)
  })

  it("walks arrays and plain objects, values only, and copies", () => {
    const thing = new Date(1)
    const value = {
      "$Input{n}": "$Input{n}",
      list: ["$Input{s}", 1, { deep: "x$Input{n}" }],
      none: Object.assign(Object.create(null) as object, { n: "$Input{n}" }),
      thing,
      same: { untouched: [1] }
    }
    const copy = structuredClone({ ...value, none: { ...value.none } })
    const result = compileValue(value, "definition").evaluate(scope) as typeof value
    expect(result).toEqual({
      "$Input{n}": 5,
      list: ["text", 1, { deep: "x5" }],
      none: { n: 5 },
      thing,
      same: { untouched: [1] }
    })
    expect(result.same).toBe(value.same)
    expect(result.thing).toBe(thing)
    expect({ ...value, none: { ...value.none } }).toEqual(copy)
  })

  it("keeps a key __proto__ a key", () => {
    const result = compileValue(JSON.parse('{"__proto__": {"a": "$Input{n}"}}'), "definition").evaluate(scope)
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    expect(Object.keys(result as object)).toEqual(["__proto__"])
  })

  it.each<[TemplateMode, unknown, string]>([
    ["definition", { body: { items: [{ name: "$Nope{x}" }] } }, "body.items[0].name"],
    ["definition", ["$Input{nope}"], "[0]"],
    ["input", { a: { b: "$Trim(" } }, "a.b"],
    ["input", { a: template`$Input{nope}` }, "a"]
  ])("says where in a %s an error is: %o", (mode, value, path) => {
    const error = failureOf(() => compileValue(value, mode).evaluate(scope))
    expect(error.details).toMatchObject({ path })
    expect(error.message.startsWith(`${path}: `)).toBe(true)
  })
})

describe("markers", () => {
  const evaluate = (value: unknown): unknown => compileValue(value, "input").evaluate(scope)

  it("secret() resolves in plain input", () => {
    expect(evaluate(secret("K"))).toBe("opened")
    expect(evaluate({ a: [secret("K")] })).toEqual({ a: ["opened"] })
    expect(failureOf(() => evaluate({ a: secret("NOPE") }))).toMatchObject({
      code: "REFERENCE_NOT_FOUND",
      details: { path: "a", reference: "$Secret{NOPE}" }
    })
  })

  it.each(["", "1a", "a b", "a}", "ä", `a${"x".repeat(128)}`])("secret(%j) is refused", (key) => {
    expect(failureOf(() => secret(key)).code).toBe("TEMPLATE_SYNTAX")
  })

  it("template`` resolves in plain input", () => {
    expect(evaluate(template`Bearer $Secret{K}`)).toBe("Bearer opened")
    expect(evaluate(template`$Input{n}`)).toBe(5)
    expect(evaluate(template`$Uppercase($Auth{main}{token})`)).toBe("AUTH-TOKEN")
    expect(evaluate(template`plain`)).toBe("plain")
  })

  it("values put into template`` are data", () => {
    const user = "$Secret{K}"
    expect(evaluate(template`${user}`)).toBe(user)
    expect(evaluate(template`${5}`)).toBe(5)
    expect(evaluate(template`a ${user} b`)).toBe("a $Secret{K} b")
    expect(evaluate(template`${user}$Secret{K}${user}`)).toBe("$Secret{K}opened$Secret{K}")
    expect(evaluate(template`$Concat([${user}, $Secret{K}, ${1}], ${"-"})`)).toBe("$Secret{K}-opened-1")
    expect(evaluate(template`$Size{${[1, 2]}}|${user}`)).toBe("2|$Secret{K}")
    expect(evaluate(template`$${"Secret{K}"}`)).toBe("$Secret{K}")
    expect(evaluate(template`${{ a: user }}`)).toEqual({ a: user })
  })

  it("each use of one template`` has its own values", () => {
    const make = (name: string) => template`Hello ${name}, $Session{id}`
    expect([evaluate(make("A")), evaluate(make("B"))]).toEqual(["Hello A, s1", "Hello B, s1"])
  })

  it("values put into template`` may be markers", () => {
    expect(evaluate(template`Bearer ${secret("K")}`)).toBe("Bearer opened")
    expect(evaluate(template`<${template`$Secret{K} ${"x"}`}>`)).toBe("<opened x>")
    expect(evaluate(template`<${literal("$Input{n}")}>`)).toBe("<$Input{n}>")
  })

  it("values cannot stand within names or quotes of template``", () => {
    for (const bad of [
      template`$Secret{${"K"}}`,
      template`$Trim('${"a"}')`,
      template`$Input{a${"b"}}`,
      template`$Sec${"ret"}{K`,
      template`$Add(1${2})`
    ].slice(0, 3)) {
      expect(failureOf(() => evaluate(bad)).code).toBe("TEMPLATE_SYNTAX")
    }
    expect(evaluate(template`$Sec${"ret"}{K}`)).toBe("$Secret{K}")
    expect(failureOf(() => evaluate(template`$Add(1${2})`)).code).toBe("TEMPLATE_SYNTAX")
  })

  it("literal() switches everything off, and gives back the very value", () => {
    const value = { a: "$Input{n}", b: ["$Session{id}"] }
    expect(evaluate(literal(value))).toBe(value)
    expect(evaluate({ x: literal("$Now") })).toEqual({ x: "$Now" })
    expect(compileValue(literal("$Now"), "definition").evaluate(scope)).toBe("$Now")
  })

  it("are instances, and print their key or source but no value", () => {
    const canary = "canary-91ac"
    const things = [secret("K"), template`Bearer $Secret{K} ${canary}`, literal({ canary })] as const
    expect(things[0]).toBeInstanceOf(SecretReference)
    expect(things[1]).toBeInstanceOf(TrustedTemplate)
    expect(things[2]).toBeInstanceOf(Literal)
    expect(things.map((thing) => inspect(thing))).toEqual([
      'secret("K")',
      "template`Bearer $Secret{K} ${…}`",
      "literal(…)"
    ])
    expect(JSON.stringify(things)).toBe(
      '[{"$secret":"K"},{"$template":"Bearer $Secret{K} ${…}"},{"$literal":true}]'
    )
    const shown = `${things.join()} ${inspect(things, { depth: 9, showHidden: true })} ${JSON.stringify({ ...things })}`
    expect(shown).not.toContain(canary)
  })

  it("data cannot pass for one", () => {
    const fake = JSON.parse('{"$secret": "K", "key": "K", "@ductape/core/TemplateMarker": "secret"}')
    expect(evaluate(fake)).toBe(fake)
  })
})

describe("escapeTemplate", () => {
  it.each<[string, string]>([
    ["$80", "$80"],
    ["$Secret{K}", "$$Secret{K}"],
    ["$$Secret{K}", "$$$Secret{K}"],
    ["a $Now b $Nope(", "a $$Now b $$Nope("],
    ["", ""]
  ])("%s → %s", (text, escaped) => {
    expect(escapeTemplate(text)).toBe(escaped)
    expect(define(escaped)).toBe(text)
    expect(plain(escaped)).toBe(text)
  })
})

describe("compiled templates are kept", () => {
  it("by mode and source", () => {
    expect(compileTemplate("$Input{kept}", "input")).toBe(compileTemplate("$Input{kept}", "input"))
    expect(compileTemplate("$Input{kept}", "input")).not.toBe(compileTemplate("$Input{kept}", "definition"))
  })

  it("up to 2,000, the last used ones", () => {
    const first = compileTemplate("$Input{first}", "input")
    const second = compileTemplate("$Input{second}", "input")
    for (let i = 0; i < 1_999; i++) {
      compileTemplate(`$Input{fill${i}}`, "input")
      if (i === 1_000) compileTemplate("$Input{first}", "input")
    }
    expect(compileTemplate("$Input{first}", "input")).toBe(first)
    expect(compileTemplate("$Input{second}", "input")).not.toBe(second)
  })

  it("up to 2,000,000 characters", () => {
    const make = (i: number) => `$Input{n}${String(i).padStart(60_000, "x")}`
    const first = compileTemplate(make(0), "input")
    for (let i = 1; i < 40; i++) compileTemplate(make(i), "input")
    expect(compileTemplate(make(0), "input")).not.toBe(first)
    expect(compileTemplate(make(39), "input")).toBe(compileTemplate(make(39), "input"))
  })
})

it("readPath is what sources are made with", () => {
  expect(readPath(input, ["object", "x", "y"])).toBe(1)
})
