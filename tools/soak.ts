import { globSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { root } from "./runTool.ts"

/** What `packages/<package>/test/**\/*.soak.ts` exports as its default: one long run of generated cases. */
interface Soak {
  readonly name: string
  /** How many cases when the command line does not say. Default: 1,000,000. */
  readonly cases?: number
  /** Rejects, naming the seed and the case, when one fails. What it returns is printed. */
  readonly run: (options: {
    readonly cases: number
    readonly seed: number
    /** Tells how many cases are done. */
    readonly progress: (done: number) => void
  }) => Promise<unknown>
}

/** `npm run soak [words…] [-- --cases 10000] [-- --seed 7]`: those whose path holds one of the words. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string" }, seed: { type: "string" } }
})
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31))
const files = globSync("packages/*/test/**/*.soak.ts", { cwd: root })
  .sort()
  .filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)))
if (files.length === 0) process.stderr.write("No soak matches.\n")

let failed = files.length === 0 && positionals.length > 0 ? 1 : 0
for (const file of files) {
  const { default: soak }: { default: Soak } = await import(pathToFileURL(join(root, file)).href)
  const cases = Number(values.cases ?? soak.cases ?? 1_000_000)
  const started = performance.now()
  let told = started
  const progress = (done: number) => {
    const now = performance.now()
    if (now - told < 10_000) return
    told = now
    process.stderr.write(
      `${soak.name}: ${done.toLocaleString("en")} of ${cases.toLocaleString("en")}, ${Math.round((done / (now - started)) * 1000)}/s\n`
    )
  }
  try {
    const result = await soak.run({ cases, seed, progress })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(
      `✓ ${soak.name}: ${cases.toLocaleString("en")} cases, seed ${seed}, ${seconds} s${result === undefined ? "" : `, ${JSON.stringify(result)}`}\n`
    )
  } catch (cause) {
    failed++
    process.stdout.write(
      `✗ ${soak.name}: seed ${seed}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`
    )
  }
}
process.exit(failed === 0 ? 0 : 1)
