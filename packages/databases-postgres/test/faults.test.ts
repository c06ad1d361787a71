import { inspect } from "node:util"
import { connectDatabase, DatabaseError, type DatabaseHandle } from "@ductape/databases"
import {
  assertNoCanary,
  canary,
  describeService,
  type Fault,
  type FaultProxy,
  faultProxy,
  freshDatabase
} from "@ductape/testkit"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { postgres } from "../src/index.ts"
import { type Call, faults, faultyCalls, makeThings, reads, transactions, writes } from "./faultyCalls.ts"

const outcome = (error: DatabaseError): unknown =>
  (error.details as { outcome?: unknown } | undefined)?.outcome

describeService("postgres", "databases faults", (url) => {
  let proxy: FaultProxy
  let db: DatabaseHandle
  let direct: DatabaseHandle
  let through = ""
  const secret = canary("row")
  beforeAll(async () => {
    const own = await freshDatabase(url)
    const target = new URL(own.url)
    proxy = await faultProxy({ host: target.hostname, port: Number(target.port) })
    const address = new URL(own.url)
    address.hostname = proxy.host
    address.port = String(proxy.port)
    through = address.href
    direct = await connectDatabase({ adapter: postgres(), url: own.url })
    await makeThings(direct)
    db = await connectDatabase({ adapter: postgres(), url: through, max: 3, connectTimeout: 2000 })
  })
  afterAll(async () => {
    proxy.set({ kind: "pass" })
    await db.close()
    await direct.close()
    await proxy.close()
  })

  const during = async (fault: Fault, call: Call): Promise<DatabaseError | undefined> => {
    proxy.set({ kind: "pass" })
    // A connection that the last case cut may only now be seen to be gone.
    while ((await db.find({ table: "things" }).catch(() => undefined)) === undefined);
    proxy.set(fault)
    if (fault.kind === "refuse") proxy.cutAll()
    try {
      await call(db, secret)
      return undefined
    } catch (error) {
      assert(error instanceof DatabaseError, inspect(error))
      return error
    } finally {
      proxy.set({ kind: "pass" })
      proxy.cutAll()
    }
  }

  describe.each(faults)("%s", (title, fault) => {
    it.each(Object.entries(reads))("%s ends in a retryable error", async (_name, call) => {
      const error = await during(fault, call)
      assert(error !== undefined, "the call cannot have succeeded")
      assert.include(["CONNECTION_ERROR", "CONNECTION_LOST", "TIMEOUT"], error.code)
      if (error.code !== "TIMEOUT") assert.isTrue(error.retryable, error.message)
      assertNoCanary(
        [secret, "postgres:postgres"],
        error,
        error.message,
        inspect(error, { depth: 9, showHidden: true })
      )
    })

    it.each(Object.entries(writes))(
      "%s says whether it may have happened, and is never repeated",
      async (name, call) => {
        const before = await direct.count({ table: "things", where: { name: secret } })
        const error = await during(fault, call)
        assert(error !== undefined, "the call cannot have succeeded")
        if (outcome(error) === "unknown") assert.isFalse(error.retryable)
        if (title.includes("after the statement")) assert.strictEqual(outcome(error), "unknown")
        assertNoCanary(
          [secret, "postgres:postgres"],
          error,
          error.message,
          inspect(error, { depth: 9, showHidden: true })
        )
        const after = await direct.count({ table: "things", where: { name: secret } })
        if (name.includes("insert")) assert.isAtMost(after - before, outcome(error) === "unknown" ? 1 : 0)
      }
    )

    it.each(Object.entries(transactions))("%s is rolled back", async (_name, call) => {
      const before = await direct.count({ table: "things", where: { name: secret } })
      const error = await during(fault, call)
      assert(error !== undefined, "the call cannot have succeeded")
      assert.strictEqual(await direct.count({ table: "things", where: { name: secret } }), before)
    })
  })

  it("slow is not broken", async () => {
    proxy.set({ kind: "latency", ms: 20 })
    assert.isAbove((await db.find({ table: "things", timeout: 20_000 })).count, 0)
    proxy.set({ kind: "pass" })
  })

  it("pg_terminate_backend: the call fails, the next one has a new connection", async () => {
    const slow = db.raw({ query: "SELECT pg_sleep(10) AS terminate_me" })
    const caught = slow.then(
      () => undefined,
      (error: unknown) => error
    )
    let ended = 0
    while (ended === 0) {
      const { records } = await direct.raw({
        query:
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%terminate_me%' AND pid <> pg_backend_pid()"
      })
      ended = records.length
    }
    const error = await caught
    assert(error instanceof DatabaseError)
    assert.strictEqual(error.code, "CONNECTION_LOST")
    assert.isAbove((await db.find({ table: "things" })).count, 0)
  })

  it("pool exhausted: a call that waits ends by its timeout, and the pool goes on", async () => {
    const held = await Promise.all([1, 2, 3].map(() => db.beginTransaction()))
    const error = await db.find({ table: "things", timeout: 150 }).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert(error instanceof DatabaseError)
    assert.strictEqual(error.code, "TIMEOUT")
    const waiting = db.find({ table: "things" })
    await Promise.all(held.map((tx) => tx.rollback()))
    assert.isAbove((await waiting).count, 0)
    assert.deepInclude(db.stats, { busy: 0, waiting: 0 })
  })

  it("a signal stops a statement on the server", async () => {
    const controller = new AbortController()
    const call = db.raw({ query: "SELECT pg_sleep(30) AS abort_me", signal: controller.signal })
    const caught = call.then(
      () => undefined,
      (error: unknown) => error
    )
    const running = async (): Promise<number> =>
      (
        await direct.raw({
          query:
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%abort_me%' AND state = 'active' AND pid <> pg_backend_pid()"
        })
      ).count
    while ((await running()) === 0);
    controller.abort(new Error("enough"))
    const error = await caught
    assert(error instanceof DatabaseError)
    assert.strictEqual(error.code, "ABORTED")
    while ((await running()) > 0);
  })

  it("1,000 faulty calls leak no connection, and repeat no write", async () => {
    await using own = await freshDatabase(url)
    const { failed } = await faultyCalls({ url: own.url, cases: 1000, seed: 7 })
    assert.isAbove(failed, 500)
  }, 240_000)
})

describe("connecting", () => {
  it("names no password when the server is not there", async () => {
    const password = canary("password")
    const error = await connectDatabase({
      adapter: postgres(),
      url: `postgresql://me:${password}@127.0.0.1:1/none`
    }).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert(error instanceof DatabaseError)
    assert.strictEqual(error.code, "CONNECTION_ERROR")
    assert.isTrue(error.retryable)
    assertNoCanary([password], error)
  })
})
