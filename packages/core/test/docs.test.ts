import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { inspect, isDeepStrictEqual } from "node:util"
import { describe, expect, it } from "vitest"
import * as Core from "../src/index.ts"
import { compileTemplate, TemplateError, type TemplateMode, type TemplateScope } from "../src/index.ts"
import { from } from "./templates.ts"

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")

const blocks = (
  text: string,
  info: RegExp
): ReadonlyArray<{ readonly info: string; readonly body: string }> =>
  [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)]
    .map(([, found = "", body = ""]) => ({ info: found, body }))
    .filter((block) => info.test(block.info))

describe("docs/templates.md", () => {
  const guide = read("../../../docs/templates.md")
  const data = JSON.parse(blocks(guide, /^json scope$/)[0]?.body ?? "") as Record<string, unknown>
  const scope: TemplateScope = {
    now: Date.UTC(2024, 2, 15, 14, 5, 9),
    sources: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, from(value)]))
  }
  const examples = blocks(guide, /^template/).flatMap(({ body, info }) =>
    body
      .trim()
      .split("\n")
      .map((line) => {
        const [source = "", expected = ""] = line.split(/\s+→ /)
        const mode: TemplateMode = info === "template input" ? "input" : "definition"
        return [source, expected, mode] as const
      })
  )

  it("has examples of every operator, reference and code", () => {
    const text = examples.map((example) => example.join(" ")).join("\n")
    const operators =
      "Add Subtract Concat Substring Trim Split Pick Join Uppercase Lowercase Dateformat Format"
    for (const name of `${operators} DateAdd Replace Filter Find Default`.split(" "))
      expect(text).toContain(`$${name}(`)
    for (const name of Object.keys(data)) expect(text).toContain(`$${name}{`)
    expect(examples.length).toBeGreaterThan(70)
  })

  it.each(examples)("%s → %s (%s)", (source, expected, mode) => {
    if (/^[A-Z_]+$/.test(expected)) {
      let code: unknown
      try {
        compileTemplate(source, mode).evaluate(scope)
      } catch (error) {
        code = error instanceof TemplateError ? error.code : error
      }
      expect(code).toBe(expected)
    } else {
      expect(compileTemplate(source, mode).evaluate(scope)).toEqual(JSON.parse(expected))
    }
  })
})

describe("README.md", () => {
  const runnable = blocks(read("../README.md"), /^ts run$/)

  it("has examples", () => {
    expect(runnable.length).toBeGreaterThan(4)
  })

  it.each(runnable.map(({ body }) => [body.trim().split("\n").at(-1), body] as const))("… %s", (_, body) => {
    const code = stripTypeScriptTypes(body)
      .replace(/^import \{(.*)\} from "@ductape\/core"$/m, "const {$1} = core")
      .replace(
        /^(.+?) \/\/ => (.+)$/gm,
        (_line, expression: string, expected: string) => `same((${expression}), (${expected}))`
      )
      .replace(
        /^(.+?) \/\/ throws (.+)$/gm,
        (_line, expression: string, message: string) =>
          `throws(() => ${expression}, ${JSON.stringify(message)})`
      )
    let checks = 0
    const same = (actual: unknown, expected: unknown): void => {
      checks++
      if (!isDeepStrictEqual(actual, expected))
        throw new Error(`${inspect(actual)} is not ${inspect(expected)}`)
    }
    const throws = (run: () => unknown, message: string): void => {
      checks++
      expect(run).toThrow(message)
    }
    new Function("core", "same", "throws", code)(Core, same, throws)
    expect(checks).toBeGreaterThan(0)
  })
})
