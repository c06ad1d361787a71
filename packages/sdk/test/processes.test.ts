// What only a process of its own shows: Node as users run it, without a test runner around.
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describeService, httpServer, runProcesses } from "@ductape/testkit"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { createWorkspace, Ductape, type DuctapeOptions } from "../src/index.ts"

const script = (name: string) => new URL(`./processes/${name}.ts`, import.meta.url)

let folder: string
let server: Awaited<ReturnType<typeof httpServer>>
let options: DuctapeOptions

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ductape-processes-"))
  server = await httpServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(request.url))
  })
  const store = join(folder, "workspace.db")
  const { accessKey } = await createWorkspace({ name: "Shop", store })
  options = { accessKey, store, product: "shop", env: "dev" }
  await using ductape = new Ductape(options)
  await ductape.product.create({ name: "Shop" })
  await ductape.app.create({ app_name: "Echo", base_url: server.url })
  await ductape.api.create("echo", { tag: "get", name: "Get", method: "GET", resource: "/old" })
  await ductape.product.apps.connect("echo")
  await ductape.caches.create({ tag: "reads", name: "Reads" })
})

afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

/** What a program prints that ends when Node finds nothing left to do. */
const runOnce = async (more: Partial<DuctapeOptions>, ...cache: ReadonlyArray<string>): Promise<string> => {
  const program = [fileURLToPath(script("runOnce")), JSON.stringify({ ...options, ...more }), ...cache]
  const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: 60_000 })
  return stdout.trim()
}

describe("a process", () => {
  it.each<[string, () => Partial<DuctapeOptions>]>([
    ["after a run", () => ({})],
    ["with telemetry", () => ({ telemetry: { endpoint: `${server.url}/v1/traces` } })]
  ])("ends by itself without close, %s", async (_, more) => {
    assert.strictEqual(await runOnce(more()), "/old")
  })

  describeService("redis", "with Redis", (redis_url) => {
    it("ends by itself without close", async () => {
      assert.strictEqual(await runOnce({ redis_url }, "reads"), "/old")
    })
  })

  it("is held to the egress policy", async () => {
    const egress = { deny: ["private"] }
    assert.deepEqual(await runProcesses(script("run"), 1, { ...options, egress }), ["EGRESS_DENIED"])
  })

  it("sees what another process changed", async () => {
    await using ductape = new Ductape(options)
    const run = () => ductape.api.run<string>({ app: "echo", action: "get" })
    assert.strictEqual(await run(), "/old")
    await runProcesses(script("changeAction"), 1, options)
    const until = performance.now() + 1_000
    let seen = await run()
    while (seen === "/old" && performance.now() < until) seen = await run()
    assert.strictEqual(seen, "/new")
  })
})
