import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { join } from "node:path"
import { installOutside } from "../corpus/directory.ts"

export const prismVersion = "5.14.2"

export interface PrismServer {
  readonly url: string
  readonly close: () => Promise<void>
}

const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  server.close()
  await once(server, "close")
  return port
}

/** Starts Prism as a server that answers by the document and refuses what the document does not allow. */
export const startPrism = async (file: string): Promise<PrismServer> => {
  const modules = installOutside("prism", [`@stoplight/prism-cli@${prismVersion}`])
  const port = await freePort()
  const cli = join(modules, "@stoplight", "prism-cli", "dist", "index.js")
  const child = spawn(
    process.execPath,
    [cli, "mock", "--errors", "-h", "127.0.0.1", "-p", String(port), file],
    {
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  await listening(child)
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const ended = once(child, "exit")
      child.kill("SIGKILL")
      await ended
    }
  }
}

const listening = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = ""
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      reject(new Error(`Prism did not start within five minutes: ${output.slice(-500)}`))
    }, 300_000)
    const read = (chunk: Buffer): void => {
      if (output.length < 100_000) output += chunk.toString("utf8")
      if (!/Prism is listening/i.test(output)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.on("exit", (code) => {
      clearTimeout(timer)
      reject(new Error(`Prism ended with ${code}: ${output.slice(-500)}`))
    })
  })
