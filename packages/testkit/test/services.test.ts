import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import postgres from "postgres"
import { afterAll, assert, describe, it } from "vitest"
import { neededServices } from "../src/globalSetup.ts"
import { describeService, freshDatabase, startPostgres, startRedis } from "../src/index.ts"

const one = async (url: string, query: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await sql.unsafe(query)
  } finally {
    await sql.end()
  }
}

const ask = async (port: number, command: string) => {
  const socket = connect(port, "127.0.0.1")
  socket.write(`${command}\r\n`)
  const [answer] = await once(socket, "data")
  socket.destroy()
  return String(answer).trim()
}

const listening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => resolve(true))
    socket.on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })

describeService("postgres", "the run's PostgreSQL", (url) => {
  it("is version 18", async () => {
    const [row] = await one(url, "show server_version")
    assert.match(row?.["server_version"], /^18\./)
  })

  it("gives each test file a database of its own", async () => {
    const first = await freshDatabase(url)
    await using second = await freshDatabase(url)
    await one(first.url, "create table t (n int)")
    assert.strictEqual((await one(second.url, "select to_regclass('t') as t"))[0]?.["t"], null)
    await first.drop()
    const code = await one(first.url, "select 1").catch((cause) => cause.code)
    assert.strictEqual(code, "3D000")
  })

  it("wants the password", async () => {
    const wrong = new URL(url)
    wrong.password = "wrong"
    assert.strictEqual(await one(wrong.href, "select 1").catch((cause) => cause.code), "28P01")
  })
})

describeService("systemPostgres", "the operating system's PostgreSQL", (url) => {
  it("answers", async () => {
    assert.strictEqual((await one(url, "select 1 as n"))[0]?.["n"], 1)
  })
})

describeService("postgres", "a PostgreSQL of one's own", () => {
  it("keeps acknowledged writes over SIGKILL and restart, on the same port, and leaves nothing", async () => {
    const server = await startPostgres()
    await one(server.url, "create table t (n int)")
    await one(server.url, "insert into t values (7)")
    await server.kill()
    assert.isFalse(await listening(server.port))
    await server.restart()
    assert.strictEqual((await one(server.url, "select n from t"))[0]?.["n"], 7)
    const [row] = await one(server.url, "show data_directory")
    await server.stop()
    assert.isFalse(existsSync(row?.["data_directory"]))
    assert.isFalse(await listening(server.port))
  })

  it("is gone soon after its owner is killed", async () => {
    const index = new URL("../src/index.ts", import.meta.url).href
    const owner = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `const { startPostgres } = await import(${JSON.stringify(index)}); const { port } = await startPostgres(); console.log(port); setInterval(() => {}, 1000)`
      ],
      { stdio: ["ignore", "pipe", "inherit"] }
    )
    const [printed] = await once(owner.stdout, "data")
    const port = Number(printed)
    assert.isTrue(await listening(port))
    owner.kill("SIGKILL")
    while (await listening(port)) await new Promise((resolve) => setTimeout(resolve, 50))
  })
})

describeService("redis", "a Redis of one's own", () => {
  it("comes back on the same port with its data lost", async () => {
    await using server = await startRedis()
    assert.strictEqual(await ask(server.port, "SET a 1"), "+OK")
    await server.kill()
    await server.restart()
    assert.strictEqual(await ask(server.port, "GET a"), "$-1")
  })
})

describe("neededServices", () => {
  const folder = mkdtempSync(join(tmpdir(), "ductape-needed-"))
  const test = join(folder, "test")
  mkdirSync(test)
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string) => {
    const path = join(test, name)
    writeFileSync(path, text)
    return path
  }

  it("reads what a test names, itself or through its neighbours, and nothing else", () => {
    const plain = file("a.test.ts", "describe('postgres', () => {})")
    const named = file("b.test.ts", `describeService(\n  "redis", "x", () => {})`)
    file("shared.ts", `export const url = () => services().systemPostgres`)
    const shared = file("c.test.ts", `import { url } from "./shared.ts"`)
    const computed = file("d.test.ts", "for (const name of names) describeService(name, 'x', () => {})")
    assert.deepStrictEqual([...neededServices([plain])], [])
    assert.deepStrictEqual([...neededServices([named])], ["redis"])
    assert.deepStrictEqual([...neededServices([shared])], ["systemPostgres"])
    assert.deepStrictEqual([...neededServices([computed])], ["postgres", "systemPostgres", "redis"])
  })
})
