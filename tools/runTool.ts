import { spawn } from "node:child_process"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

/** The root of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

export interface Finished {
  readonly code: number
  readonly stdout: string
  /** Both streams as they came. */
  readonly output: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds. Default: none. */
  readonly timeout?: number
}

/** Runs a command of the workspace (`tools/toolchain.mjs` put them on the PATH) and keeps what it prints. */
export const runTool = (
  file: string,
  args: ReadonlyArray<string>,
  options: RunOptions = {}
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(file === "node" ? process.execPath : file, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && file !== "node",
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: "SIGKILL" as const })
    })
    let stdout = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (signal !== null) output += `\nended by ${signal}\n`
      resolve({ code: code ?? 1, stdout, output })
    })
  })

/** The same, when anything but success is an error that shows what was printed. */
export const mustRun = async (
  file: string,
  args: ReadonlyArray<string>,
  options?: RunOptions
): Promise<Finished> => {
  const finished = await runTool(file, args, options)
  if (finished.code !== 0) throw new Error(`${file} ${args.join(" ")}\n${finished.output.trim()}`)
  return finished
}

/** At most `width` at a time, results in the order of the items. */
export const mapAtMost = async <A, B>(
  width: number,
  items: ReadonlyArray<A>,
  work: (item: A) => Promise<B>
): Promise<Array<B>> => {
  const results: Array<B> = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}
