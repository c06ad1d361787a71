import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath, pathToFileURL } from "node:url"

/** What the script's default export gets beside its arguments. */
export interface ProcessContext {
  /** Which of the processes this is, from 0. */
  readonly index: number
  readonly count: number
  /** Sends a value to `onReport`; resolves once it has left this process. */
  readonly report: (value: unknown) => Promise<void>
}

/** `export default async (args, context) => result`: arguments and result travel as JSON. */
export type ProcessMain<Args = never> = (args: Args, context: ProcessContext) => unknown

export interface RunProcessesOptions {
  readonly onReport?: (value: unknown, index: number) => void
  readonly env?: Readonly<Record<string, string>>
}

/** The results, in the order of the processes; `undefined` for one that was killed. */
export interface RunningProcesses extends Promise<Array<unknown>> {
  /** SIGKILL to one process, or to all. */
  readonly kill: (index?: number) => void
  readonly pids: ReadonlyArray<number>
}

export type ProcessMessage =
  | { readonly type: "result"; readonly value?: unknown }
  | { readonly type: "report"; readonly value: unknown }
  | { readonly type: "failure"; readonly message: string }

const outcome = (
  child: ChildProcess,
  index: number,
  killed: ReadonlySet<number>,
  onReport: RunProcessesOptions["onReport"]
) =>
  new Promise<unknown>((resolve, reject) => {
    let printed = ""
    child.stderr?.setEncoding("utf8").on("data", (more: string) => {
      printed = (printed + more).slice(-8_000)
    })
    let result: { readonly value?: unknown } | undefined
    child.on("message", (message: ProcessMessage) => {
      if (message.type === "report") onReport?.(message.value, index)
      else if (message.type === "result") result = message
      else reject(new Error(`process ${index} failed: ${message.message}`))
    })
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (result !== undefined) resolve(result.value)
      else if (killed.has(index)) resolve(undefined)
      else reject(new Error(`process ${index} ended with ${signal ?? code} and no result:\n${printed}`))
    })
  })

/**
 * Runs the default export of a `.ts` module in `count` processes of their own, all with the same
 * arguments. Rejects with the first failure, after the others are killed.
 */
export const runProcesses = (
  script: URL | string,
  count: number,
  args: unknown,
  options: RunProcessesOptions = {}
): RunningProcesses => {
  const url = typeof script === "string" && !script.startsWith("file:") ? pathToFileURL(script) : script
  const killed = new Set<number>()
  const children = Array.from({ length: count }, (_, index) => {
    const child = fork(fileURLToPath(new URL("./processChild.ts", import.meta.url)), [], {
      execArgv: [],
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "inherit", "pipe", "ipc"]
    })
    child.send({ script: String(url), args, index, count })
    return child
  })
  const kill = (index?: number) => {
    for (const [at, child] of children.entries())
      if (index === undefined || index === at) {
        killed.add(at)
        child.kill("SIGKILL")
      }
  }
  const results = Promise.all(
    children.map((child, index) => outcome(child, index, killed, options.onReport))
  ).catch((cause: unknown) => {
    kill()
    throw cause
  })
  return Object.assign(results, { kill, pids: children.flatMap((child) => child.pid ?? []) })
}
