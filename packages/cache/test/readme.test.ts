import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import * as registry from "@ductape/registry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { expect, it } from "vitest"
import * as cache from "../src/index.ts"

const modules = {
  "@ductape/cache": cache,
  "@ductape/registry": registry,
  "effect/Effect": Effect,
  "effect/Layer": Layer
}

it("the README's first example gives what it says", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  const example = /^```ts run\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? ""
  const code = stripTypeScriptTypes(example)
    .replace(/^import (\{.*\}) from (".+")$/gm, "const $1 = modules[$2]")
    .replace(/^import \* as (\w+) from (".+")$/gm, "const $1 = modules[$2]")
    .replace(/^(.+?) \/\/ => (.+)$/gm, "checks.push([$1, $2])")
  const checks: Array<readonly [unknown, unknown]> = []
  const body = `return (async () => {${code}})()`
  const run = new Function("modules", "checks", body) as (
    given: typeof modules,
    into: typeof checks
  ) => Promise<void>
  await run(modules, checks)
  expect(checks.length).toBe(3)
  for (const [actual, expected] of checks) expect(actual).toEqual(expected)
})
