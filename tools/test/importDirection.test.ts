import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { importViolations } from "../importDirection.ts"

let base = ""
const write = (path: string, text: string) => {
  const file = join(base, "packages", path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

const folders = [
  "core",
  "registry",
  "api",
  "cache",
  "cache-redis",
  "databases",
  "databases-pglite",
  "embedded",
  "sdk",
  "cli",
  "testkit"
]

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "ductape-direction-"))
  for (const folder of folders) {
    write(`${folder}/package.json`, JSON.stringify({ name: `@ductape/${folder}`, version: "0.0.0" }))
    write(`${folder}/src/index.ts`, "export {}\n")
  }
})
afterEach(() => rmSync(base, { recursive: true }))

const imported = (folder: string, specifier: string) => {
  write(`${folder}/src/planted.ts`, `/* a comment */\n\nimport { x } from "${specifier}"\n`)
  return importViolations(base)
}

describe("import direction", () => {
  it.each([
    ["registry", "@ductape/core"],
    ["cache", "@ductape/registry"],
    ["cache", "effect/Effect"],
    ["cache-redis", "@ductape/cache/testing"],
    ["databases-pglite", "@ductape/embedded"],
    ["sdk", "@ductape/cache-redis"],
    ["cli", "@ductape/sdk"],
    ["cache", "./index.ts"],
    ["cache", "lru-cache"]
  ])("lets %s import %s", (folder, specifier) => {
    assert.deepStrictEqual(imported(folder, specifier), [])
  })

  it.each([
    ["core", "@ductape/registry"],
    ["registry", "@ductape/api"],
    ["cache", "@ductape/api"],
    ["cache", "@ductape/cache-redis"],
    ["cache", "@ductape/embedded"],
    ["api", "@ductape/sdk"],
    ["cache-redis", "@ductape/databases"],
    ["cache-redis", "@ductape/databases-pglite"],
    ["sdk", "@ductape/cli"],
    ["sdk", "@ductape/testkit"],
    ["cache", "@ductape/testkit/x"],
    ["cache", "effect"],
    ["cache", "../../core/src/index.ts"]
  ])("refuses %s importing %s, naming file and line", (folder, specifier) => {
    const found = imported(folder, specifier)
    assert.strictEqual(found.length, 1)
    assert.match(found[0] ?? "", new RegExp(`^packages/${folder}/src/planted\\.ts:3: imports `))
  })

  it.each([
    ["a dynamic import", `const x = () => import("@ductape/api")`],
    ["a re-export", `export * from '@ductape/api'`],
    ["a type", `export type X = import("@ductape/api").X`],
    ["a side effect", `import "@ductape/api"`],
    ["several lines", `import {\n  x\n} from\n  "@ductape/api"`]
  ])("sees %s", (_, text) => {
    write("cache/src/planted.ts", text)
    assert.strictEqual(importViolations(base).length, 1)
  })

  it("does not mind comments", () => {
    write(
      "cache/src/planted.ts",
      `/**\n * import { x } from "@ductape/api"\n */\n// import "effect"\nexport {}\n`
    )
    assert.deepStrictEqual(importViolations(base), [])
  })

  it("holds for this repository", () => {
    assert.deepStrictEqual(importViolations(), [])
  })
})
