import { inspect } from "node:util"
import { connectDatabase, DatabaseError, type DatabaseHandle } from "@ductape/databases"
import { describeService, freshDatabase, type ServerInstance, startPostgres } from "@ductape/testkit"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { postgres } from "../src/index.ts"
import { type Call, makeThings, reads, transactions, writes } from "./faultyCalls.ts"

const methods = Object.entries({ ...reads, ...writes, ...transactions })

const failure = (call: Promise<unknown>): Promise<DatabaseError> =>
  call.then(
    () => assert.fail("the call cannot have succeeded"),
    (error: unknown) => {
      assert(error instanceof DatabaseError, inspect(error))
      return error
    }
  )

const outcome = (error: DatabaseError): unknown =>
  (error.details as { readonly outcome?: unknown } | undefined)?.outcome

/** Nothing is said to be worth another try that may have happened. */
const assertHonest = (name: string, error: DatabaseError): void => {
  if (outcome(error) === "unknown") assert.isFalse(error.retryable, inspect(error))
  else assert.isTrue(error.retryable, inspect(error))
  if (name in reads && name !== "raw") assert.isUndefined(outcome(error))
}

const named = (db: DatabaseHandle, name: string): Promise<number> =>
  db.count({ table: "things", where: { name } })

describeService("postgres", "databases: faults on the server's side", (url) => {
  let direct: DatabaseHandle
  let db: DatabaseHandle
  const max = 2

  beforeAll(async () => {
    const own = await freshDatabase(url)
    direct = await connectDatabase({ adapter: postgres(), url: own.url })
    await makeThings(direct)
    db = await connectDatabase({ adapter: postgres(), url: own.url, max, acquireTimeout: 100 })
  })
  afterAll(async () => {
    await db.close()
    await direct.close()
  })
  beforeEach(async () => {
    // Knows the tables, so that the call itself is the first statement.
    await db.find({ table: "things", include: [{ relation: "parts" }] })
  })

  describe("pg_terminate_backend in the statement", () => {
    it.for<readonly [string, Call]>(methods)("%s", async ([name, call]) => {
      const mark = `terminated ${name}`
      const lock = await direct.beginTransaction()
      await lock.raw({ query: "LOCK TABLE things IN ACCESS EXCLUSIVE MODE" })
      const caught = failure(call(withoutTimeout(db), mark))
      let ended = 0
      while (ended === 0) {
        const { records } = await direct.raw({
          query: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()`
        })
        ended = records.length
      }
      const error = await caught
      await lock.rollback()
      assert.strictEqual(error.code, "CONNECTION_LOST")
      assertHonest(name, error)
      // A call that comes while the dead connection is still in the pool is told so.
      while ((await db.find({ table: "things" }).catch(() => undefined)) === undefined);
      assert.strictEqual(await named(direct, mark), 0)
    })
  })

  it("a deadline stops the statement on the server", async () => {
    const error = await failure(db.raw({ query: "SELECT pg_sleep(600) AS stop_me", timeout: 200 }))
    assert.strictEqual(error.code, "TIMEOUT")
    const running =
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%stop_me%' AND state = 'active' AND pid <> pg_backend_pid()"
    while ((await direct.raw({ query: running })).count > 0);
  })

  describe("pool exhausted", () => {
    it.for<readonly [string, Call]>(methods)("%s", async ([name, call]) => {
      const mark = `waited ${name}`
      const held = await Promise.all(Array.from({ length: max }, () => db.beginTransaction()))
      for (const handle of [db, withoutTimeout(db)]) {
        const error = await failure(call(handle, mark))
        assert.strictEqual(error.code, "TIMEOUT")
        assert.notStrictEqual(outcome(error), "unknown")
        assert.isTrue(error.retryable, inspect(error))
      }
      await Promise.all(held.map((tx) => tx.rollback()))
      assert.deepInclude(db.stats, { busy: 0, waiting: 0 })
      assert.isAtMost(db.stats.open, max)
      assert.isAbove((await db.find({ table: "things" })).count, 0)
      assert.strictEqual(await named(direct, mark), 0)
    })
  })
})

/** The same handle, with calls that have no deadline of their own. */
const withoutTimeout = (db: DatabaseHandle): DatabaseHandle =>
  new Proxy(db, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target)
      if (typeof member !== "function") return member
      return (input: object, ...rest: ReadonlyArray<unknown>) =>
        Reflect.apply(member, target, [{ ...input, timeout: undefined }, ...rest])
    }
  })

describeService("postgres", "databases: the server is killed", () => {
  let server: ServerInstance
  let db: DatabaseHandle

  beforeAll(async () => {
    server = await startPostgres()
    db = await connectDatabase({ adapter: postgres(), url: server.url, max: 3, connectTimeout: 1000 })
    await makeThings(db)
  })
  afterAll(async () => {
    await db.close()
    await server.stop()
  })

  it("in the middle of statements; the same handle works once it is back", async () => {
    const sleeping = [
      db.raw({ query: "SELECT pg_sleep(600)" }),
      db.raw({ query: "UPDATE things SET n = n + 1 + length(pg_sleep(600)::text)" })
    ]
    const inTransaction = db.transaction(async (tx) => {
      await tx.insert({ table: "things", records: { name: "never" } })
      await tx.raw({ query: "SELECT pg_sleep(600)" })
    })
    const caught = [...sleeping, inTransaction].map(failure)
    // All three are under way.
    await using other = await connectDatabase({ adapter: postgres(), url: server.url, max: 1 })
    const running = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    while ((await other.raw({ query: running })).count < 3);
    await server.kill()
    const [read, write, transaction] = await Promise.all(caught)
    for (const error of [read, write, transaction]) {
      assert.strictEqual(error?.code, "CONNECTION_LOST", inspect(error))
    }
    assert(write !== undefined)
    assert.strictEqual(outcome(write), "unknown")
    assert.isFalse(write.retryable)

    for (const [name, call] of methods) {
      const error = await failure(call(db, "while it is down"))
      assert.strictEqual(error.code, "CONNECTION_ERROR", `${name}: ${inspect(error)}`)
      assert.isTrue(error.retryable, name)
      assert.notStrictEqual(outcome(error), "unknown", name)
    }
    await server.restart()
    assert.isAbove((await db.find({ table: "things" })).count, 0)
    assert.strictEqual(await named(db, "never"), 0)
    assert.strictEqual(await named(db, "while it is down"), 0)
    const { records } = await db.find<{ n: number }>({ table: "things" })
    assert.isTrue(records.every(({ n }) => n === 0))
    assert.isAtMost(db.stats.open, 3)
  })

  it("between two statements: idle connections that are gone are no reason to fail for long", async () => {
    await Promise.all([1, 2, 3].map(() => db.raw({ query: "SELECT pg_sleep(0.05)" })))
    await server.kill()
    await server.restart()
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, () => db.findOne({ table: "things", where: { id: 1 } }))
    )
    for (const answer of answers) {
      if (answer.status === "rejected") assert.isTrue((answer.reason as DatabaseError).retryable)
    }
    while ((await db.find({ table: "things" }).catch(() => undefined)) === undefined);
    await Promise.all(Array.from({ length: 20 }, () => db.findOne({ table: "things", where: { id: 1 } })))
    assert.deepInclude(db.stats, { busy: 0, waiting: 0 })
  })
})
