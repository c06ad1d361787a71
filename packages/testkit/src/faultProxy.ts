import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

/**
 * What the network does from now on, to open connections and new ones:
 * - `pass`: everything arrives. What a `blackHole` held back arrives too, as it would after a partition.
 * - `refuse`: nobody listens (ECONNREFUSED). Open connections go on; `cutAll` ends them.
 * - `blackHole`: connections are accepted, nothing arrives in either direction.
 * - `latency`: each chunk is late by `ms`, in each direction.
 * - `cutAfter`: a connection ends once `bytes` more bytes went `up` (to the server) or `down` (to the
 *   client). With 0, the first chunk in that direction ends it and does not arrive: `up` cuts before the
 *   server has seen the request, `down` after it has answered.
 * - `reset`: open connections are reset now, new ones as soon as they are accepted (ECONNRESET).
 * - `halfOpen`: the server's side is gone and the client is not told; what it sends gets no answer.
 */
export type Fault =
  | { readonly kind: "pass" }
  | { readonly kind: "refuse" }
  | { readonly kind: "blackHole" }
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "cutAfter"; readonly bytes: number; readonly direction: Direction }
  | { readonly kind: "reset" }
  | { readonly kind: "halfOpen" }

type Direction = "up" | "down"

export interface FaultProxy extends AsyncDisposable {
  readonly host: "127.0.0.1"
  /** Stays the same through every fault. */
  readonly port: number
  readonly set: (fault: Fault) => void
  /** Client connections open now. */
  readonly connections: () => number
  /** Client connections accepted since the start. */
  readonly total: () => number
  /** Ends every open connection, as a server that goes down in order does. */
  readonly cutAll: () => void
  readonly close: () => Promise<void>
}

/** One direction of one connection. */
class Pipe {
  #fault: Fault = { kind: "pass" }
  #passed = 0
  /** Chunks that wait, in order: behind a delay, or for a black hole to end. */
  readonly #waiting: Array<{ readonly chunk: Buffer | null; readonly due: number }> = []
  #timer: NodeJS.Timeout | undefined

  readonly direction: Direction
  readonly from: Socket
  readonly to: Socket | undefined
  readonly cut: () => void

  constructor(direction: Direction, from: Socket, to: Socket | undefined, cut: () => void) {
    this.direction = direction
    this.from = from
    this.to = to
    this.cut = cut
    from.on("data", (chunk: Buffer) => this.#take(chunk))
    from.on("end", () => this.#take(null))
    to?.on("drain", () => {
      if (this.#fault.kind !== "blackHole") from.resume()
    })
  }

  set(fault: Fault) {
    this.#fault = fault
    this.#passed = 0
    if (fault.kind === "blackHole") {
      this.from.pause()
      return clearTimeout(this.#timer)
    }
    this.#deliver()
    this.from.resume()
  }

  stop() {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #take(chunk: Buffer | null) {
    const delay = this.#fault.kind === "latency" ? this.#fault.ms : 0
    this.#waiting.push({ chunk, due: performance.now() + delay })
    this.#deliver()
  }

  #deliver() {
    clearTimeout(this.#timer)
    while (this.#fault.kind !== "blackHole") {
      const next = this.#waiting[0]
      if (next === undefined) return
      const wait = this.#fault.kind === "latency" ? next.due - performance.now() : 0
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#deliver(), wait)
        return
      }
      this.#waiting.shift()
      this.#send(next.chunk)
    }
  }

  #send(chunk: Buffer | null) {
    const { to } = this
    // Without a server, nobody but us answers the client's goodbye.
    if (chunk === null) return void (to === undefined || to.destroyed ? this.from.end() : to.end())
    if (this.#fault.kind === "cutAfter" && this.#fault.direction === this.direction) {
      const room = this.#fault.bytes - this.#passed
      this.#passed += chunk.length
      if (chunk.length < room) return void to?.write(chunk)
      if (room > 0 && to !== undefined) to.end(chunk.subarray(0, room))
      this.stop()
      return this.cut()
    }
    if (to !== undefined && !to.destroyed && !to.write(chunk)) this.from.pause()
  }
}

/** Sockets whose reset is under way. */
const resetting = new WeakSet<Socket>()

/**
 * A reset waits for what was written, and one that meets an orderly end fails inside of Node, without an
 * error and without a close: then the socket is destroyed instead.
 */
const reset = (socket: Socket | undefined) => {
  if (socket === undefined || socket.destroyed || resetting.has(socket)) return
  if (socket.writableEnded || socket.writableLength > 0) return void socket.destroy()
  resetting.add(socket)
  socket.resetAndDestroy()
}

/** What is being reset ends by itself; before it is connected, nothing has begun. */
const destroy = (socket: Socket | undefined) => {
  if (socket !== undefined && (socket.connecting || !resetting.has(socket))) socket.destroy()
}

class Link {
  readonly client: Socket
  readonly server: Socket | undefined
  readonly #pipes: ReadonlyArray<Pipe>
  #forgotten = false
  #ending = false

  constructor(client: Socket, server: Socket | undefined, closed: () => void) {
    this.client = client
    this.server = server
    const cut = () => this.cut()
    const up = new Pipe("up", client, server, cut)
    this.#pipes = server === undefined ? [up] : [up, new Pipe("down", server, client, cut)]
    client.on("error", () => reset(server))
    client.on("close", () => {
      for (const pipe of this.#pipes) pipe.stop()
      if (server !== undefined && !server.destroyed) server.destroySoon()
      closed()
    })
    server?.on("error", () => {
      if (!this.#forgotten) reset(client)
    })
    server?.on("close", () => {
      if (!this.#forgotten && !client.destroyed) client.destroySoon()
    })
  }

  set(fault: Fault) {
    if (fault.kind === "reset") {
      reset(this.client)
      reset(this.server)
      return
    }
    if (fault.kind === "halfOpen") {
      this.#forgotten = true
      destroy(this.server)
    }
    for (const pipe of this.#pipes) pipe.set(fault)
  }

  cut() {
    if (this.#ending) return
    this.#ending = true
    this.client.destroySoon()
    this.server?.destroySoon()
  }

  destroy() {
    destroy(this.client)
    destroy(this.server)
  }
}

/** A TCP proxy in front of `target` whose network fails on demand. Starts with `pass`. */
export const faultProxy = async (target: {
  readonly host?: string
  readonly port: number
}): Promise<FaultProxy> => {
  const host = "127.0.0.1"
  const links = new Set<Link>()
  let total = 0
  let fault: Fault = { kind: "pass" }
  let listener: Server | undefined

  const accept = (client: Socket) => {
    total++
    client.setNoDelay(true)
    const reached = fault.kind !== "reset" && fault.kind !== "halfOpen"
    const server = reached
      ? connect({ host: target.host ?? host, port: target.port, allowHalfOpen: true, noDelay: true })
      : undefined
    const link = new Link(client, server, () => links.delete(link))
    links.add(link)
    link.set(fault)
  }

  const listen = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, accept)
      server.once("error", reject)
      server.listen({ host, port, backlog: 1024 }, () => resolve(server))
      listener = server
    })

  const started = await listen(0)
  const { port } = started.address() as AddressInfo

  const set = (next: Fault) => {
    fault = next
    if (next.kind === "refuse") {
      listener?.close()
      listener = undefined
    } else {
      if (listener === undefined)
        listen(port).catch((cause: unknown) => {
          throw new Error(`the fault proxy could not listen on port ${port} again`, { cause })
        })
      for (const link of links) link.set(next)
    }
  }
  const cutAll = () => {
    for (const link of links) link.cut()
  }
  const close = () => {
    listener?.close()
    listener = undefined
    const gone = [...links].map((link) => new Promise<void>((resolve) => link.client.once("close", resolve)))
    for (const link of links) link.destroy()
    return Promise.all(gone).then(() => undefined)
  }
  return {
    host,
    port,
    set,
    connections: () => links.size,
    total: () => total,
    cutAll,
    close,
    [Symbol.asyncDispose]: close
  }
}
