import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { assert, describe, it } from "vitest"
import { type FaultProxy, faultProxy } from "../src/index.ts"

/** A server that repeats what it gets, and tells how much came and how its connections ended. */
const echo = async () => {
  const sockets: Array<Socket> = []
  const got: Array<string> = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on("error", () => {})
    socket.on("data", (chunk) => {
      got.push(chunk.toString())
      socket.write(chunk)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  const proxy = await faultProxy({ port: address.port })
  return {
    proxy,
    sockets,
    got,
    async [Symbol.asyncDispose]() {
      await proxy.close()
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
}

/** A client that keeps what it hears. */
const client = async (proxy: FaultProxy) => {
  const socket = connect(proxy.port, proxy.host)
  let heard = ""
  let error: string | undefined
  socket.on("data", (chunk) => {
    heard += chunk
  })
  socket.on("error", (cause: NodeJS.ErrnoException) => {
    error = cause.code
  })
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(error ?? "end")))
  await Promise.race([new Promise<void>((resolve) => socket.on("connect", () => resolve())), closed])
  const hears = async (text: string) => {
    while (heard !== text)
      await Promise.race([once(socket, "data"), closed.then(() => assert.fail(`closed after "${heard}"`))])
  }
  return { socket, closed, hears, heard: () => heard }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const until = async (fact: () => boolean) => {
  while (!fact()) await pause(5)
}

describe("faultProxy", () => {
  it("passes bytes both ways, counts connections, and closes the server's side with the client's", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    const two = await client(world.proxy)
    one.socket.write("abc")
    two.socket.write("x")
    await one.hears("abc")
    await two.hears("x")
    assert.strictEqual(world.proxy.connections(), 2)
    one.socket.end()
    assert.strictEqual(await one.closed, "end")
    await until(() => world.proxy.connections() === 1)
    assert.strictEqual(world.proxy.total(), 2)
    await until(() => world.sockets.filter((socket) => socket.destroyed).length === 1)
  })

  it("carries large answers whole, in order", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    const text = Array.from({ length: 400_000 }, (_, index) => String.fromCharCode(97 + (index % 23))).join(
      ""
    )
    one.socket.write(text)
    await one.hears(text)
  })

  it("refuses new connections, leaves open ones alone, and listens again on the same port", async () => {
    await using world = await echo()
    const before = await client(world.proxy)
    world.proxy.set({ kind: "refuse" })
    assert.strictEqual(await (await client(world.proxy)).closed, "ECONNREFUSED")
    before.socket.write("still")
    await before.hears("still")
    world.proxy.set({ kind: "pass" })
    const after = await client(world.proxy)
    after.socket.write("again")
    await after.hears("again")
  })

  it("holds everything back in a black hole, and delivers it in order when that ends", async () => {
    await using world = await echo()
    const open = await client(world.proxy)
    world.proxy.set({ kind: "blackHole" })
    const late = await client(world.proxy)
    open.socket.write("1")
    late.socket.write("2")
    await pause(60)
    open.socket.write("3")
    await pause(20)
    assert.strictEqual(open.heard() + late.heard() + world.got.join(""), "")
    world.proxy.set({ kind: "pass" })
    await open.hears("13")
    await late.hears("2")
  })

  it("delays every chunk, in order, also when the delay shrinks meanwhile", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    world.proxy.set({ kind: "latency", ms: 60 })
    const started = performance.now()
    one.socket.write("a")
    await one.hears("a")
    assert.isAtLeast(performance.now() - started, 118)
    one.socket.write("b")
    await pause(20)
    one.socket.write("c")
    await pause(20)
    world.proxy.set({ kind: "pass" })
    one.socket.write("d")
    await one.hears("abcd")
  })

  it("cuts before the server has seen the request", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    world.proxy.set({ kind: "cutAfter", bytes: 0, direction: "up" })
    one.socket.write("request")
    assert.strictEqual(await one.closed, "end")
    assert.deepStrictEqual(world.got, [])
  })

  it("cuts in the middle of the request", async () => {
    await using world = await echo()
    world.proxy.set({ kind: "cutAfter", bytes: 3, direction: "up" })
    const one = await client(world.proxy)
    one.socket.write("request")
    await one.closed
    await until(() => world.got.length > 0)
    assert.deepStrictEqual(world.got, ["req"])
  })

  it("cuts after the server has answered and before the client hears of it", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    one.socket.write("warm")
    await one.hears("warm")
    world.proxy.set({ kind: "cutAfter", bytes: 0, direction: "down" })
    one.socket.write("request")
    assert.strictEqual(await one.closed, "end")
    assert.deepStrictEqual(world.got, ["warm", "request"])
    assert.strictEqual(one.heard(), "warm")
  })

  it("cuts in the middle of the answer, counting from when the fault was set", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    one.socket.write("warm")
    await one.hears("warm")
    world.proxy.set({ kind: "cutAfter", bytes: 9, direction: "down" })
    one.socket.write("more")
    await one.hears("warmmore")
    world.proxy.set({ kind: "cutAfter", bytes: 5, direction: "down" })
    one.socket.write("0123456789")
    await one.closed
    assert.strictEqual(one.heard(), "warmmore01234")
  })

  it("resets open connections at once and new ones when they come", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    world.proxy.set({ kind: "reset" })
    assert.strictEqual(await one.closed, "ECONNRESET")
    assert.include(["ECONNRESET", "end"], await (await client(world.proxy)).closed)
    await until(() => world.proxy.connections() === 0)
  })

  it("leaves the client with a half-open connection", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    one.socket.write("a")
    await one.hears("a")
    world.proxy.set({ kind: "halfOpen" })
    await until(() => world.sockets.every((socket) => socket.destroyed))
    one.socket.write("b")
    await pause(40)
    assert.isFalse(one.socket.destroyed)
    assert.strictEqual(one.heard(), "a")
    assert.strictEqual(world.proxy.connections(), 1)
    one.socket.end()
    await one.closed
    await until(() => world.proxy.connections() === 0)
  })

  it("cuts all, and tells the client that the server has gone", async () => {
    await using world = await echo()
    const one = await client(world.proxy)
    world.proxy.cutAll()
    assert.strictEqual(await one.closed, "end")
    const two = await client(world.proxy)
    await until(() => world.sockets.length === 2)
    for (const socket of world.sockets) socket.destroy()
    assert.strictEqual(await two.closed, "end")
  })

  it("closes whatever was begun on its connections: ends, resets, both at once", async () => {
    const endings: ReadonlyArray<(proxy: FaultProxy) => void> = [
      (proxy) => proxy.cutAll(),
      (proxy) => proxy.set({ kind: "reset" }),
      (proxy) => proxy.set({ kind: "halfOpen" }),
      (proxy) => proxy.set({ kind: "blackHole" })
    ]
    for (const first of endings) {
      for (const second of endings) {
        await using world = await echo()
        for (const size of [1, 1, 300_000]) {
          const one = await client(world.proxy)
          one.socket.write("x".repeat(size))
        }
        first(world.proxy)
        second(world.proxy)
        await world.proxy.close()
        assert.strictEqual(world.proxy.connections(), 0)
      }
    }
  })
})
