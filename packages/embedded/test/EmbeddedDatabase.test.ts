import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { EmbeddedError, openEmbedded } from "../src/index.ts"

const refusal = async (promise: Promise<unknown>): Promise<EmbeddedError> => {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause
  )
  assert(error instanceof EmbeddedError, String(error))
  return error
}

describe("openEmbedded", () => {
  let base = ""
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "ductape-embedded-"))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it("opens a folder once per process, closes it with the last share, and keeps what was written", async () => {
    const url = `pglite://${base}/data`
    const [one, two] = await Promise.all([
      openEmbedded({ url }),
      openEmbedded({ url: `pglite://${base}/x/../data` })
    ])
    assert.strictEqual(one.pglite, two.pglite)
    await one.pglite.query("CREATE TABLE t AS SELECT 7 AS n")
    await one.close()
    await one.close()
    assert.isFalse(two.pglite.closed)
    await two.close()
    assert.isTrue(two.pglite.closed)
    assert.isFalse(existsSync(`${base}/data.lock`))
    const again = await openEmbedded({ url })
    assert.deepStrictEqual((await again.pglite.query("SELECT n FROM t")).rows, [{ n: 7 }])
    await again.close()
  })

  it("in memory: separate, or shared by name", async () => {
    const [a, b, c, d] = await Promise.all(
      ["pglite://memory", "pglite://memory", "pglite://memory/shop", "pglite://memory/shop"].map((url) =>
        openEmbedded({ url })
      )
    )
    assert.notStrictEqual(a?.pglite, b?.pglite)
    assert.strictEqual(c?.pglite, d?.pglite)
    await Promise.all([a, b, c, d].map((one) => one?.close()))
  })

  it("starts from a template, and says so when that is none", async () => {
    const template = process.env["DUCTAPE_EMBEDDED_TEMPLATE"]
    assert.isDefined(template, "the test run has one")
    process.env["DUCTAPE_EMBEDDED_TEMPLATE"] = `${base}/none.tar`
    const error = await refusal(openEmbedded({ url: "pglite://memory/template" }))
    assert.strictEqual(error.code, "OPEN_FAILED")
    assert.include(error.message, "DUCTAPE_EMBEDDED_TEMPLATE")
    delete process.env["DUCTAPE_EMBEDDED_TEMPLATE"]
    const plain = await openEmbedded({ url: "pglite://memory/template" })
    const { rows } = await plain.pglite.query<{ n: number }>("SELECT 1 AS n")
    assert.deepStrictEqual(rows, [{ n: 1 }])
    await plain.close()
    process.env["DUCTAPE_EMBEDDED_TEMPLATE"] = template
  })

  it("brings vector on request, also to a database that is open", async () => {
    const plain = await openEmbedded({ url: "pglite://memory/vectors" })
    const vectors = await openEmbedded({ url: "pglite://memory/vectors", extensions: ["vector"] })
    assert.strictEqual(plain.pglite, vectors.pglite)
    const { rows } = await plain.pglite.query<{ d: number }>(
      "SELECT '[1,2]'::vector <-> '[1,4]'::vector AS d"
    )
    assert.strictEqual(rows[0]?.d, 2)
    await plain.close()
    await vectors.close()
    const error = await refusal(openEmbedded({ url: "pglite://memory", extensions: ["postgis"] }))
    assert.strictEqual(error.code, "UNSUPPORTED_OPERATION")
  })

  it("refuses a folder that a living process has open, naming it", async () => {
    writeFileSync(`${base}/data.lock`, JSON.stringify({ pid: process.ppid, host: hostname(), began: null }))
    const error = await refusal(openEmbedded({ url: `pglite://${base}/data` }))
    assert.strictEqual(error.code, "FOLDER_LOCKED")
    assert.include(error.message, String(process.ppid))
    assert.include(error.message, "PostgreSQL server")
  })

  it.each([
    ["a process that is gone", { pid: 2 ** 22 + 1, host: hostname(), began: null }],
    ["a process whose number was given away again", { pid: process.ppid, host: hostname(), began: "1" }],
    ["nobody", "garbage"]
  ])("takes over the lock of %s", async (_title, holder) => {
    if (process.platform !== "linux" && typeof holder === "object" && holder.began !== null) return
    writeFileSync(`${base}/data.lock`, JSON.stringify(holder))
    const opened = await openEmbedded({ url: `pglite://${base}/data` })
    await opened.close()
    assert.isFalse(existsSync(`${base}/data.lock`))
  })

  it.each(["postgres://h/d", "pglite://", "nonsense"])("refuses the URL %s", async (url) => {
    assert.strictEqual((await refusal(openEmbedded({ url }))).code, "VALIDATION_ERROR")
  })

  it("a failed open leaves no lock and can be tried again", async () => {
    writeFileSync(`${base}/file`, "x")
    const error = await refusal(
      openEmbedded({ url: `pglite://${base}/file` }).catch((cause: unknown) => {
        throw cause instanceof EmbeddedError
          ? cause
          : new EmbeddedError({ code: "OPEN_FAILED", message: String(cause) })
      })
    )
    assert.strictEqual(error.code, "OPEN_FAILED")
    assert.isFalse(existsSync(`${base}/file.lock`))
  })
})
