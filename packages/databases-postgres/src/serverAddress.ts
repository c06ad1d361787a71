import { connect, type Socket } from "node:net"
import { DriverFault } from "@ductape/databases"

export interface Address {
  readonly host: string
  readonly port: number
}

/** The servers that a URL names: `postgresql://user@one:5432,two:5433/db`. */
export const addressesOf = (url: string): ReadonlyArray<Address | { readonly path: string }> => {
  const authority = /^postgres(?:ql)?:\/\/([^/?#]*)/i.exec(url)?.[1]
  if (authority === undefined) {
    throw new DriverFault("connect", { message: "the URL does not begin with postgresql://" })
  }
  const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? "")
  const hosts = authority.slice(authority.lastIndexOf("@") + 1)
  const listed = hosts === "" ? (query.get("host") ?? process.env["PGHOST"] ?? "localhost") : hosts
  return listed.split(",").map((one) => {
    const text = decodeURIComponent(one)
    if (text.startsWith("/"))
      return { path: `${text}/.s.PGSQL.${query.get("port") ?? process.env["PGPORT"] ?? 5432}` }
    const parts = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(text)
    return {
      host: (parts?.[1] ?? text).replace(/^\[|\]$/g, "") || "localhost",
      port: Number(parts?.[2] ?? query.get("port") ?? process.env["PGPORT"] ?? 5432)
    }
  })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the server refuses connections; is it running, and is the port right",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ECONNRESET: "the server closed the connection at once",
  ENOENT: "there is no such socket file"
}

/** Names neither user nor password. */
export const connectFault = (cause: unknown): DriverFault => {
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  const reason = typeof code === "string" ? (reasons[code] ?? code) : "the server did not answer"
  return new DriverFault("connect", { message: reason })
}

const dial = (address: Address | { readonly path: string }, timeout: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = "path" in address ? connect(address.path) : connect(address.port, address.host)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new DriverFault("connect", { message: `the server did not answer within ${timeout} ms` }))
    }, timeout)
    socket.once("error", (cause) => {
      clearTimeout(timer)
      reject(connectFault(cause))
    })
    socket.once("connect", () => {
      clearTimeout(timer)
      socket.removeAllListeners("error")
      // The TLS handshake asks for the name that was dialled.
      Object.assign(socket, "path" in address ? {} : { host: address.host, port: address.port })
      socket.setNoDelay(true)
      resolve(socket)
    })
  })

/** A TCP connection to the first server that takes it. */
export const dialAny = async (
  addresses: ReadonlyArray<Address | { readonly path: string }>,
  timeout: number
): Promise<Socket> => {
  let failure: unknown
  for (const address of addresses) {
    try {
      return await dial(address, timeout)
    } catch (cause) {
      failure = cause
    }
  }
  throw failure
}
