import { connect, type Socket } from "node:net"
import type { Sql } from "postgres"

/** The driver's pool, and its sockets: the driver by itself never lets go of one that is not answered. */
export interface Connections {
  readonly sql: Sql
  /** Waits for what is under way, up to two seconds. */
  readonly close: () => Promise<void>
  /** Ends everything now. */
  readonly cut: () => void
}

interface Target {
  readonly host: string | ReadonlyArray<string>
  readonly port: number | ReadonlyArray<number>
  readonly path?: string | false | undefined
}

const list = <T>(value: T | ReadonlyArray<T>): ReadonlyArray<T> =>
  Array.isArray(value) ? value : [value as T]

/** Opens pools for a URL, with the driver loaded. */
export const connector = async (
  url: string,
  settings: { readonly maxConnections?: number; readonly connectTimeout?: number }
): Promise<() => Connections> => {
  const { default: postgres } = await import("postgres")
  return () => {
    const sockets = new Set<Socket>()
    let dialed = 0

    // Not awaited: what the driver writes waits in the socket, and it sees an error as its own dialling's.
    const dial = ({ host, path, port }: Target): Socket => {
      const hosts = list(host)
      const at = dialed++ % hosts.length
      const to = { host: hosts[at] ?? "localhost", port: list(port)[at] ?? 5432 }
      const socket = typeof path === "string" ? connect(path) : connect(to)
      // Whatever waits for an answer has a timer of its own: an idle pool keeps no process alive.
      socket.unref()
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
      // The driver takes the name to verify a certificate against from here.
      return Object.assign(socket, to)
    }

    const options = {
      max: settings.maxConnections ?? 10,
      connect_timeout: (settings.connectTimeout ?? 10_000) / 1_000,
      // The driver's own would wait up to 20 s after a restart of the server.
      backoff: () => 0.1,
      fetch_types: false,
      // The driver would end connections by timers that keep the process alive; see `dial`.
      max_lifetime: 0,
      onnotice: () => undefined,
      connection: { application_name: "ductape" },
      socket: dial
    }
    const sql = postgres(url, options)
    const cut = () => {
      sql.end({ timeout: 0 }).catch(() => undefined)
      for (const socket of sockets) socket.destroy()
    }
    return {
      sql,
      cut,
      close: async () => {
        await sql.end({ timeout: 2 }).catch(() => undefined)
        cut()
      }
    }
  }
}
