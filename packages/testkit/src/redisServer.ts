import { execFileSync } from "node:child_process"
import { mkdtemp } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ServerInstance, startServer } from "./serverProcess.ts"

/** The version of the `redis-server` on the PATH, if there is one. */
export const redisVersion = (): string | undefined => {
  try {
    const printed = execFileSync("redis-server", ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
    return /v=(\S+)/.exec(printed)?.[1]
  } catch {
    return undefined
  }
}

const ping = (port: number) =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"))
    socket.on("error", reject)
    socket.on("data", (answer) => {
      socket.destroy()
      if (answer.toString().startsWith("+PONG")) resolve()
      else reject(new Error(answer.toString()))
    })
  })

/** A `redis-server` of one's own, without persistence: `restart` loses the data. */
export const startRedis = async (): Promise<ServerInstance> => {
  const directory = await mkdtemp(join(tmpdir(), "ductape-redis-"))
  return startServer({
    name: "redis-server",
    directory,
    command: (port) => ({
      file: "redis-server",
      args: [
        "--port",
        String(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        directory
      ]
    }),
    url: (port) => `redis://127.0.0.1:${port}`,
    answers: ping
  })
}
