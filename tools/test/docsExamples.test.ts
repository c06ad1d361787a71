import { assert, describe, it } from "vitest"
import { blocksOf, checkPages, moduleOf, unexplained } from "../docsExamples.ts"

const page = (...lines: ReadonlyArray<string>) => ({ path: "docs/planted.md", text: lines.join("\n") })

describe("examples in the documentation", () => {
  it("are the fenced TypeScript blocks, whatever is around them", () => {
    const text = [
      "```ts",
      "a",
      "```",
      "````md",
      "```ts",
      "no",
      "```",
      "````",
      "  ~~~typescript no-check slow",
      "  b",
      "  ~~~"
    ].join("\n")
    const blocks = blocksOf(text)
    assert.deepStrictEqual(
      blocks.map(({ info, lines, number }) => ({ info, number, lines: lines.map((line) => line.text) })),
      [
        { info: "", number: 1, lines: ["a"] },
        { info: "no-check slow", number: 9, lines: ["b"] }
      ]
    )
  })

  it("see what the page declared before, may declare it anew, and repeat imports", () => {
    const { text } = moduleOf(
      blocksOf(
        '```ts\nimport { a } from "x"\nconst n = 1\n```\n```ts\nimport {\n  a,\n  b\n} from "x"\nexport const n = 2\n```'
      )
    )
    assert.strictEqual(
      text,
      'import { a } from "x"\nimport { b } from "x"\n{\nconst n = 1\n{\nconst n = 2\n}}\nexport {}\n'
    )
  })

  it("need a reason not to be checked", () => {
    assert.deepStrictEqual(
      unexplained(page("```ts no-check", "x", "```", "```ts no-check: needs a shop", "```")),
      ['docs/planted.md:1: say why after "no-check"']
    )
  })

  it("are refused by page and line when they do not compile", async () => {
    const { blocks, problems } = await checkPages([
      page(
        "# Title",
        "",
        "```ts",
        'import * as Effect from "effect/Effect"',
        "const n: number = 1",
        "```",
        "",
        "```ts",
        "const s: string = n",
        "await Effect.runPromise(Effect.succeed(s))",
        "```"
      )
    ])
    assert.strictEqual(blocks, 2)
    assert.strictEqual(problems.length, 1)
    assert.match(problems[0] ?? "", /^docs\/planted\.md:9: error TS2322/)
  })
})
