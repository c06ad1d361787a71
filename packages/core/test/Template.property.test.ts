import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  compileTemplate,
  compileValue,
  escapeTemplate,
  literal,
  secretsOf,
  TemplateError,
  type TemplateMode,
  type TemplateScope,
  template
} from "../src/index.ts"
import { from } from "./templates.ts"

const modes: ReadonlyArray<TemplateMode> = ["definition", "input"]

/** Pieces that templates are made of, well-formed and broken. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme", maxLength: 5 }) },
  fc.constantFrom(
    ..."$ $$ { } ( ) [ ] , : ' \" \\ \\u \\} . - 1 1e5 true null __proto__ \0".split(" "),
    " ",
    ...["Input", "Session", "Secret", "Auth", "Variable", "Now", "Default", "Nope"].map((name) => `$${name}`),
    ...["Add", "Concat", "Trim", "Filter", "Default", "Dateformat", "Replace", "Join"].map(
      (name) => `$${name}(`
    ),
    "$Secret{K}",
    "$Auth{a}{b}",
    "$Input{a}",
    "$Session{secretly}",
    "$Variable{stored}",
    "$Size{",
    "'a'",
    "[1, 2]",
    "{a: 1}",
    ")",
    "}"
  )
)
const source = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""))

/** Well-formed expressions only, so that the evaluator is reached. */
const { expression } = fc.letrec<{ expression: string; value: string; list: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      "$Input{a}",
      "$Input{list}",
      "$Session{secretly}",
      "$Variable{stored}",
      "$Now",
      "$Input{nope}"
    ),
    tie("value").map((value) => `$Size{${value}}`),
    fc.tuple(tie("value"), tie("value")).map((args) => `$Default(${args.join(", ")})`),
    tie("list").map((list) => `$Concat(${list}, '-')`),
    fc.tuple(tie("list"), tie("value")).map(([list, value]) => `$Filter(${list}, '!==', ${value})`),
    fc.array(tie("value"), { minLength: 1, maxLength: 3 }).map((args) => `$Add(${args.join(",")})`),
    tie("value").map((value) => `$Uppercase(${value})`)
  ),
  value: fc.oneof(
    { depthSize: "small" },
    fc.string().map((text) => JSON.stringify(text).replace(/\\[bf]/g, "")),
    fc.integer().map(String),
    fc.constantFrom("true", "null"),
    tie("expression"),
    tie("list")
  ),
  list: fc.array(tie("value"), { maxLength: 3 }).map((values) => `[${values.join(", ")}]`)
}))

const wellFormed = fc
  .array(fc.oneof(expression, fc.string().map(escapeTemplate)), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(" "))

const asked = { secret: 0 }
const forbid = (): never => {
  asked.secret++
  throw new Error("a secret was read")
}

const scope: TemplateScope = {
  now: 0,
  sources: {
    Input: from({ a: "text", list: [1, "2", null] }),
    Session: from({ secretly: "$Secret{K} $Auth{a}{b}" }),
    Variable: ([key]) => (key === "stored" ? { template: "<$Secret{K}>", id: "stored" } : undefined),
    Secret: forbid,
    Auth: forbid
  }
}

const run = (value: unknown, mode: TemplateMode, at: TemplateScope = scope): unknown => {
  try {
    return { value: compileValue(value, mode).evaluate(at) }
  } catch (error) {
    if (error instanceof TemplateError)
      return { code: error.code, message: error.message, details: error.details }
    throw error
  }
}

describe("templates, whatever their text", () => {
  it("throw nothing but TemplateError, with an offset within the text", () => {
    const open = {
      ...scope,
      sources: { ...scope.sources, Secret: from({ K: "s" }), Auth: from({ a: { b: "t" } }) }
    }
    fc.assert(
      fc.property(
        fc.oneof(source, wellFormed, fc.string({ unit: "binary" })),
        fc.constantFrom(...modes),
        (text, mode) => {
          const result = run(text, mode, open) as { details?: { offset: number } }
          if (result.details !== undefined) {
            expect(result.details.offset).toBeGreaterThanOrEqual(0)
            expect(result.details.offset).toBeLessThanOrEqual(Math.max(text.length, "<$Secret{K}>".length))
          }
        }
      ),
      { numRuns: 5_000 }
    )
  })

  it("never read a secret from plain input, by any road", () => {
    asked.secret = 0
    fc.assert(
      fc.property(fc.oneof(source, wellFormed), fc.jsonValue(), (text, json) => {
        const result = run({ text, list: [text, { text }], json }, "input")
        expect(JSON.stringify(result)).not.toContain("a secret was read")
        run(template`${text}`, "input")
        run(template`$Concat([${text}, "x"])`, "input")
      }),
      { numRuns: 3_000 }
    )
    expect(asked.secret).toBe(0)
  })

  it("need no secret that plain text names", () => {
    fc.assert(
      fc.property(source, (text) => {
        const withoutStored = text.replaceAll("$Variable", "")
        let compiled: ReturnType<typeof compileTemplate>
        try {
          compiled = compileTemplate(withoutStored, "input")
        } catch {
          return
        }
        expect(secretsOf(compiled, scope).size).toBe(0)
      }),
      { numRuns: 2_000 }
    )
  })

  it("give the same answer every time and leave their input alone", () => {
    fc.assert(
      fc.property(fc.oneof(source, wellFormed), fc.constantFrom(...modes), (text, mode) => {
        const value = { text, list: [text] }
        const data = { a: "text", list: [1, "2", null] }
        const at: TemplateScope = { now: 0, sources: { Input: from(data), Session: from({ secretly: "x" }) } }
        const first = run(value, mode, at)
        expect(run(value, mode, at)).toEqual(first)
        expect(value).toEqual({ text, list: [text] })
        expect(data).toEqual({ a: "text", list: [1, "2", null] })
      }),
      { numRuns: 2_000 }
    )
  })

  it("are constant exactly when evaluating gives back the text in any scope", () => {
    fc.assert(
      fc.property(source, fc.constantFrom(...modes), (text, mode) => {
        let compiled: ReturnType<typeof compileTemplate>
        try {
          compiled = compileTemplate(text, mode)
        } catch {
          return
        }
        if (compiled.constant) expect(compiled.evaluate({ sources: {} })).toBe(text)
        else if (compiled.references.length === 0) expect(text).toMatch(/\$/)
      }),
      { numRuns: 2_000 }
    )
  })
})

describe("text that must stay as it is", () => {
  it("survives escapeTemplate in either mode", () => {
    fc.assert(
      fc.property(
        fc.oneof(source, fc.string({ unit: "binary" })),
        fc.constantFrom(...modes),
        (text, mode) => {
          expect(compileTemplate(escapeTemplate(text), mode).evaluate({ sources: {} })).toBe(text)
        }
      ),
      { numRuns: 5_000 }
    )
  })

  it("survives literal()", () => {
    fc.assert(
      fc.property(fc.oneof(source, fc.jsonValue()), fc.constantFrom(...modes), (value, mode) => {
        expect(compileValue({ v: literal(value) }, mode).evaluate({ sources: {} })).toEqual({ v: value })
      })
    )
  })

  it("survives being put into template``", () => {
    fc.assert(
      fc.property(source, source, (a, b) => {
        expect(run(template`${a}`, "input")).toEqual({ value: a })
        expect(run(template`<${a}|${b}>`, "input")).toEqual({ value: `<${a}|${b}>` })
        expect(run(template`$Concat([${a}, ${b}])`, "definition")).toEqual({ value: a + b })
      })
    )
  })

  it("survives coming from data", () => {
    fc.assert(
      fc.property(source, fc.constantFrom(...modes), (text, mode) => {
        const at: TemplateScope = { sources: { ...scope.sources, Input: from({ text }) } }
        expect(run("$Input{text}", mode, at)).toEqual({ value: text })
        expect(run("<$Input{text}>", mode, at)).toEqual({ value: `<${text}>` })
      })
    )
  })
})
