import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkDocumentation } from "./docsExamples.ts"
import { importViolations } from "./importDirection.ts"
import {
  checkTypes,
  cleanInstall,
  coldImport,
  importEverything,
  lintPackages,
  packAll
} from "./packageChecks.ts"
import { runTool } from "./runTool.ts"

/** What is wrong, one entry per finding; a string alone is a remark on a step that passed. */
type Findings = ReadonlyArray<string> | string | undefined

interface Step {
  readonly name: string
  readonly run: () => Promise<Findings>
}

const tool =
  (file: string, ...args: ReadonlyArray<string>) =>
  async (): Promise<Findings> => {
    const { code, output } = await runTool(file, args)
    return code === 0 ? undefined : [output.trim()]
  }

const folder = mkdtempSync(join(tmpdir(), "ductape-check-"))
const once = <A>(make: () => Promise<A>) => {
  let made: Promise<A> | undefined
  return () => (made ??= make())
}
const packed = once(() => packAll(folder))
const installed = once(async () => cleanInstall(join(folder, "clean"), await packed()))

const steps: ReadonlyArray<Step> = [
  { name: "types of the packages (tsc -b)", run: tool("tsc", "-b", "--pretty", "false") },
  {
    name: "types of tests, tools, examples, benchmarks",
    run: tool("tsc", "-p", "tsconfig.test.json", "--pretty", "false")
  },
  { name: "lint and format (biome)", run: tool("biome", "ci", "--colors=off") },
  { name: "import direction", run: async () => importViolations() },
  {
    name: "unused files, exports, dependencies (knip)",
    run: tool("knip", "--no-progress", "--no-config-hints")
  },
  {
    name: "examples in the documentation compile",
    run: async () => {
      const { blocks, problems } = await checkDocumentation()
      return problems.length > 0 ? problems : `${blocks} blocks`
    }
  },
  {
    name: "build and pack every public package",
    run: async () => `${(await packed()).length} packages`
  },
  { name: "publint --strict", run: async () => lintPackages(await packed()) },
  { name: "attw, ESM only", run: async () => checkTypes(await packed()) },
  { name: "size budgets", run: tool("size-limit") },
  {
    name: "install the tarballs in a clean folder",
    run: async () => void (await installed())
  },
  {
    name: "import every entry point there",
    run: async () => importEverything(await installed(), await packed())
  },
  { name: "cold import there", run: async () => coldImport(await installed()) }
]

const only = process.argv.slice(2)
const chosen =
  only.length === 0 ? steps : steps.filter(({ name }) => only.some((word) => name.includes(word)))
let failed = 0
try {
  for (const { name, run } of chosen) {
    const started = performance.now()
    const findings = await run().catch((cause: unknown) => [
      cause instanceof Error ? cause.message : String(cause)
    ])
    const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`
    const bad = Array.isArray(findings) && findings.length > 0
    const remark = typeof findings === "string" ? `: ${findings}` : ""
    process.stdout.write(`${bad ? "✗" : "✓"} ${name}${remark} (${seconds})\n`)
    if (!bad) continue
    failed++
    for (const finding of findings) process.stdout.write(`${finding.replace(/^/gm, "    ")}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(
  failed === 0 ? `All ${chosen.length} checks pass.\n` : `${failed} of ${chosen.length} checks fail.\n`
)
process.exitCode = failed === 0 ? 0 : 1
