import { fork } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Job } from "./child.ts"
import { median } from "./measure.ts"
import { installPeer } from "./peers.ts"
import type { Contender, Group, Measures, Metric, Suite } from "./suite.ts"

/**
 * `npm run bench <name…> [-- --json] [--rounds n] [--only <words>]`: each name is a file beside this one. Progress goes to stderr; to
 * stdout a table, or with `--json` one object `{ rows: [{ name, ours, peer, ratio, goal, unit }] }`.
 */
interface Row {
  /** `<suite>: <group>, <metric>, against <peer>`. */
  readonly name: string
  readonly ours: number
  readonly peer: number
  /** ours ÷ peer. */
  readonly ratio: number
  /** Bound of the ratio: at least, or for `ms` and `MiB` at most; null where none is set. */
  readonly goal: number | null
  readonly unit: Metric["unit"]
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" } }
})
const rounds = Number(values.rounds ?? 5)
const say = (text: string) => process.stderr.write(`${text}\n`)

const measureOnce = (job: Job) =>
  new Promise<Measures>((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), [], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "inherit", "ipc"]
    })
    child.send(job)
    child.on("message", (message: { measures?: Measures; problem?: string }) => {
      if (message.measures !== undefined) resolve(message.measures)
      else reject(new Error(message.problem))
    })
    child.on("error", reject)
    child.on("exit", (code, signal) => reject(new Error(`the process ended with ${signal ?? code}`)))
  })

interface Ready {
  readonly contender: Contender
  readonly folder?: string
}

/** Ours and the peers that can be set up on this machine; the others are named. */
const available = (group: Group): Array<Ready> => {
  const ready: Array<Ready> = [{ contender: group.ours }]
  for (const contender of group.peers) {
    if (contender.packages === undefined) ready.push({ contender })
    else {
      const installed = installPeer(contender.packages, contender.build)
      if ("folder" in installed) ready.push({ contender, folder: installed.folder })
      else say(`left out: ${contender.name} cannot be set up here: ${installed.problem}`)
    }
  }
  return ready
}

const measureGroup = async (suiteName: string, suite: string, group: Group, context: Job["context"]) => {
  const ready = available(group)
  const taken = new Map<string, Array<Measures>>(ready.map(({ contender }) => [contender.name, []]))
  for (let round = 0; round < rounds; round++) {
    // Back and forth, so that nobody always runs first.
    for (const { contender, folder } of round % 2 === 0 ? ready : ready.toReversed()) {
      const measures = taken.get(contender.name)
      if (measures === undefined) continue
      const job = {
        suite,
        group: group.name,
        contender: contender.name,
        context,
        ...(folder === undefined ? {} : { folder })
      }
      try {
        measures.push(await measureOnce(job))
        say(
          `${suiteName}: ${group.name}: round ${round + 1}: ${contender.name} ${JSON.stringify(measures.at(-1))}`
        )
      } catch (cause) {
        if (contender === group.ours) throw cause
        say(`left out: ${contender.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
        taken.delete(contender.name)
      }
    }
  }
  const medianOf = (name: string, metric: string) =>
    median((taken.get(name) ?? []).flatMap((measures) => measures[metric] ?? []))
  const rows: Array<Row> = []
  for (const { goals, name, unit } of group.metrics)
    for (const { contender } of ready.slice(1)) {
      if (!taken.has(contender.name)) continue
      const ours = medianOf(group.ours.name, name)
      const peer = medianOf(contender.name, name)
      if (Number.isNaN(ours) || Number.isNaN(peer)) continue
      rows.push({
        name: `${suiteName}: ${group.name}, ${name}, against ${contender.name}`,
        ours: rounded(ours),
        peer: rounded(peer),
        ratio: rounded(ours / peer),
        goal: goals?.[contender.name] ?? null,
        unit
      })
    }
  return rows
}

const rounded = (value: number) => Number(value.toPrecision(4))

const met = ({ goal, ratio, unit }: Row) =>
  goal === null ? undefined : unit === "ops/s" ? ratio >= goal : ratio <= goal

const table = (rows: ReadonlyArray<Row>) => {
  const cells = rows.map((row) => {
    const ok = met(row)
    const bound =
      row.goal === null ? "" : `${row.unit === "ops/s" ? "≥" : "≤"} ${row.goal}× ${ok ? "met" : "MISSED"}`
    const number = (value: number) =>
      value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 3 : 0 })
    return [row.name, number(row.ours), number(row.peer), row.unit, `${row.ratio}×`, bound]
  })
  const all = [["", "ours", "peer", "unit", "ratio", "goal"], ...cells]
  const widths = [0, 1, 2, 3, 4, 5].map((at) => Math.max(...all.map((line) => line[at]?.length ?? 0)))
  return all
    .map((line) =>
      line
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

const rows: Array<Row> = []
for (const name of positionals) {
  const file = new URL(`./${name}.ts`, import.meta.url)
  if (!existsSync(file)) {
    say(`There is no benchmark ${name}.`)
    process.exit(1)
  }
  const { default: suite }: { default: Suite } = await import(file.href)
  const shared = await suite.setup?.()
  try {
    for (const group of suite.groups) {
      if (values.only !== undefined && !group.name.includes(values.only)) continue
      const own = await group.setup?.()
      try {
        const context = { ...shared?.context, ...own?.context }
        rows.push(...(await measureGroup(name, file.href, group, context)))
      } catch (cause) {
        say(`failed: ${name}: ${group.name}: ${cause instanceof Error ? cause.message : String(cause)}`)
        process.exitCode = 1
      } finally {
        await own?.stop()
      }
    }
  } finally {
    await shared?.stop()
  }
}
if (positionals.length === 0) {
  say("Name one or more benchmarks: api, databases, sessions, cache.")
  process.exitCode = 1
} else process.stdout.write(`${values.json ? JSON.stringify({ rows }, undefined, 2) : table(rows)}\n`)
