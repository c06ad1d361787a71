import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { rm } from "node:fs/promises"
import { type AddressInfo, createServer } from "node:net"

/** A server of one's own, for tests that stop it. */
export interface ServerInstance extends AsyncDisposable {
  /** Stays the same through `restart`. */
  readonly url: string
  readonly port: number
  /** Stops in order and removes the data. */
  readonly stop: () => Promise<void>
  /** SIGKILL, as when the machine goes down; `restart` brings it back. */
  readonly kill: () => Promise<void>
  /** Stops if still running, then starts on the same port with what is on the disk. */
  readonly restart: () => Promise<void>
}

export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  /** Whom to run as, when this process is root and the server refuses to be. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
}

/** Runs a command to its end; what it printed is in the error. */
export const runCommand = async (command: Command): Promise<string> => {
  const child = spawn(command.file, command.args, {
    ...command.user,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"]
  })
  const printed = tail(child)
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`${command.file} ended with ${code}:\n${printed()}`)
  return printed()
}

const tail = (child: ChildProcess) => {
  let text = ""
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (more: string) => {
      text = (text + more).slice(-8_000)
    })
  return () => text
}

/**
 * Ends the server and removes its data when this process is gone, however it went: the pipe to the
 * watcher's standard input closes with us.
 */
const watcher = (pid: number, directory: string) => {
  if (process.platform === "win32") return () => {}
  const script =
    'cat >/dev/null; kill -QUIT "$1" 2>/dev/null; sleep 1; kill -KILL "$1" 2>/dev/null; rm -rf "$2"'
  const child = spawn("/bin/sh", ["-c", script, "watcher", String(pid), directory], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })
  child.unref()
  const input = child.stdin
  input.on("error", () => {})
  if ("unref" in input && typeof input.unref === "function") input.unref()
  return () => child.kill("SIGKILL")
}

export interface ServerPlan {
  readonly name: string
  readonly directory: string
  readonly command: (port: number) => Command
  readonly url: (port: number) => string
  /** Resolves once the server answers; rejects while it does not. */
  readonly answers: (port: number) => Promise<unknown>
  /** Ends the server in order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals
}

/** A child process that is known to be ready, or an error that shows what it printed. */
class Running {
  readonly #child: ChildProcess
  readonly #printed: () => string
  readonly #unwatch: () => void
  readonly #plan: ServerPlan

  constructor(plan: ServerPlan, port: number) {
    const { args, file, user } = plan.command(port)
    this.#plan = plan
    this.#child = spawn(file, args, {
      ...user,
      cwd: plan.directory,
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C is for us; we stop the server in order.
      detached: true
    })
    this.#child.on("error", () => {})
    this.#printed = tail(this.#child)
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null && "unref" in stream && typeof stream.unref === "function") stream.unref()
    this.#child.unref()
    this.#unwatch = this.#child.pid === undefined ? () => {} : watcher(this.#child.pid, plan.directory)
  }

  get gone() {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async ready(port: number, patience: number) {
    const deadline = performance.now() + patience
    for (;;) {
      if (this.gone) throw new Error(`${this.#plan.name} did not start:\n${this.#printed()}`)
      try {
        return await this.#plan.answers(port)
      } catch (cause) {
        if (performance.now() > deadline)
          throw new Error(`${this.#plan.name} does not answer:\n${this.#printed()}`, { cause })
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    }
  }

  async end(signal: NodeJS.Signals) {
    if (!this.gone) {
      const exit = once(this.#child, "exit")
      this.#child.ref()
      this.#child.kill(signal)
      await exit
    }
    this.#unwatch()
  }
}

/** Starts a server on a free port and keeps it until it is stopped, or this process is gone. */
export const startServer = async (plan: ServerPlan): Promise<ServerInstance> => {
  const begin = async (port: number) => {
    const running = new Running(plan, port)
    await running.ready(port, 30_000).catch(async (cause: unknown) => {
      await running.end("SIGKILL")
      throw cause
    })
    return running
  }
  /** After a SIGKILL the orphans of the old server may need a moment to leave. */
  const again = async (port: number, tries: number): Promise<Running> => {
    try {
      return await begin(port)
    } catch (cause) {
      if (tries === 0) throw cause
      await new Promise((resolve) => setTimeout(resolve, 200))
      return again(port, tries - 1)
    }
  }
  const first = async (tries: number): Promise<{ port: number; running: Running }> => {
    const port = await freePort()
    try {
      return { port, running: await begin(port) }
    } catch (cause) {
      // Someone else may have taken the port meanwhile.
      if (tries === 0) throw cause
      return first(tries - 1)
    }
  }
  const { port, running } = await first(2)
  let current = running
  const stop = async () => {
    await current.end(plan.stopSignal ?? "SIGTERM")
    await rm(plan.directory, { recursive: true, force: true, maxRetries: 5 })
  }
  return {
    url: plan.url(port),
    port,
    stop,
    kill: () => current.end("SIGKILL"),
    restart: async () => {
      await current.end(plan.stopSignal ?? "SIGTERM")
      current = await again(port, 20)
    },
    [Symbol.asyncDispose]: stop
  }
}
