import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, runTool } from "./runTool.ts"

/**
 * `npm run conformance [-- --json]`: runs every conformance suite on every adapter and server that is there.
 * A suite names itself `<suite> conformance: <adapter> (<server>)`; that is what the rows are made of.
 */
interface Row {
  readonly suite: string
  readonly adapter: string
  readonly server: string
  passed: number
  failed: number
  skipped: number
}

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly ancestorTitles: ReadonlyArray<string>
      readonly fullName: string
      readonly status: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

/** Also `<adapter> on <server>` and `<adapter>, <server>`. */
const title = /^(.+?) conformance: (.+?)(?: \((.+)\)| on (?:the )?(.+)|, ([^(]+))?$/

const json = process.argv.includes("--json")
const folder = mkdtempSync(join(tmpdir(), "ductape-conformance-"))
try {
  // Whoever runs a suite imports it from a folder or an entry point called `testing`.
  const files = globSync("packages/*/test/**/*.test.ts", { cwd: root })
    .sort()
    .filter((file) => /["'][^"']*\/testing(\/[^"']*)?["']/.test(readFileSync(join(root, file), "utf8")))
  const outputFile = join(folder, "report.json")
  const { code, output } = await runTool("vitest", [
    "run",
    ...files,
    "--reporter=json",
    `--outputFile=${outputFile}`
  ])
  if (!existsSync(outputFile)) throw new Error(output)
  const report: Report = JSON.parse(readFileSync(outputFile, "utf8"))
  const rows = new Map<string, Row>()
  const problems: Array<string> = []
  for (const { assertionResults, message, name } of report.testResults) {
    if (assertionResults.length === 0) problems.push(`${name}: ${message}`)
    for (const { ancestorTitles, failureMessages, fullName, status } of assertionResults) {
      const match = ancestorTitles.map((one) => title.exec(one)).find((one) => one !== null)
      if (match === undefined) continue
      const [whole, suite = "", adapter = ""] = match
      const server = match[3] ?? match[4] ?? match[5] ?? "embedded"
      const row = rows.get(whole) ?? { suite, adapter, server, passed: 0, failed: 0, skipped: 0 }
      rows.set(whole, row)
      if (status === "passed") row.passed++
      else if (status === "failed") {
        row.failed++
        problems.push(`${fullName}\n${failureMessages.join("\n")}`)
      } else row.skipped++
    }
  }
  const sorted = [...rows.values()]
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (json) process.stdout.write(`${JSON.stringify(sorted, undefined, 2)}\n`)
  else
    for (const { adapter, failed, passed, server, skipped, suite } of sorted)
      process.stdout.write(
        `${suite}: ${adapter} (${server}): ${passed} passed, ${failed} failed, ${skipped} skipped\n`
      )
  process.exitCode = code === 0 && problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
