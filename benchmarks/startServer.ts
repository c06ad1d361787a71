import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** Runs a server module in a process of its own; it sends its port when it listens. */
export const startServer = async (
  module: URL
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> => {
  const child: ChildProcess = fork(fileURLToPath(module), [], { execArgv: [] })
  const [port] = await once(child, "message")
  return {
    port: Number(port),
    stop: async () => {
      const gone = once(child, "exit")
      child.kill("SIGKILL")
      await gone
    }
  }
}
