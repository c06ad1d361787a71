import { setTimeout as pause } from "node:timers/promises"
import { describeService, freshDatabase, runProcesses } from "@ductape/testkit"
import { assert, it } from "vitest"
import { postgres } from "../../databases-postgres/src/index.ts"
import {
  connectDatabase,
  type DatabaseHandle,
  type Migration,
  MigrationEngine,
  migration
} from "../src/index.ts"

const script = new URL("./processes/migrate.child.ts", import.meta.url)

const steps = (tag: string) =>
  migration(tag)
    .tag(tag)
    .createCollection("parcels", { id: { type: "integer", primaryKey: true }, grams: "integer" })
    .raw("postgresql", "INSERT INTO parcels VALUES (1, 10)")
    .raw("postgresql", "UPDATE parcels SET grams = grams + 1")
    .createIndex("parcels", ["grams"])

/** Waits until the child holds the lock and has sent all before its stop. */
const reached = async (done: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 2400; i++) {
    if (await done()) return
    await pause(25)
  }
  throw new Error("the child did not come so far")
}

const lockIsHeld = async (db: DatabaseHandle): Promise<boolean> => {
  const { records } = await db.raw({
    query: "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
  })
  return records.length > 0
}

const killAt = async (
  url: string,
  db: DatabaseHandle,
  one: Migration,
  stopAt: number,
  done: () => Promise<boolean>
): Promise<void> => {
  const running = runProcesses(script, 1, { url, migration: one, stopAt })
  await reached(async () => (await lockIsHeld(db)) && (await done()))
  running.kill()
  await running
}

/** Processes of their own take their time on a busy machine. */
const patience = 120_000

describeService("postgres", "a run of migrations that is killed", (url) => {
  const opened = async () => {
    const fresh = await freshDatabase(url)
    return { url: fresh.url, db: await connectDatabase({ adapter: postgres(), url: fresh.url }) }
  }

  it(
    "leaves nothing of a transactional migration; the next run applies it whole",
    async () => {
      const { db, url: own } = await opened()
      const one = steps("whole").build()
      const idle = async (): Promise<boolean> => {
        const { records } = await db.raw({
          query:
            "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND query ILIKE '%INSERT INTO parcels%'"
        })
        return records.length > 0
      }
      await killAt(own, db, one, 2, idle)
      assert.isFalse(await db.schema.exists("parcels"))
      const engine = new MigrationEngine(db.getAdapter())
      assert.deepStrictEqual((await engine.run([one])).applied, ["whole"])
      assert.deepStrictEqual((await db.find({ table: "parcels" })).records, [{ id: 1, grams: 11 }])
      await db.close()
    },
    patience
  )

  it(
    "keeps each finished step of one without a transaction; the next run does the rest, once",
    async () => {
      for (const stopAt of [1, 2, 3]) {
        const { db, url: own } = await opened()
        const one = steps("stepwise").transactional(false).build()
        const noted = async (): Promise<boolean> => {
          const { records } = await db.raw({
            query: "SELECT to_regclass('_ductape_migration_steps') IS NOT NULL AS there"
          })
          if (records[0]?.["there"] !== true) return false
          const { records: rows } = await db.raw({ query: "SELECT done FROM _ductape_migration_steps" })
          return rows[0]?.["done"] === stopAt
        }
        await killAt(own, db, one, stopAt, noted)
        const engine = new MigrationEngine(db.getAdapter())
        assert.deepStrictEqual((await engine.getStatus({ definedMigrations: [one] })).interrupted, [
          "stepwise"
        ])
        assert.deepStrictEqual((await engine.run([one])).applied, ["stepwise"])
        assert.deepStrictEqual(
          (await db.find({ table: "parcels" })).records,
          [{ id: 1, grams: 11 }],
          `at ${stopAt}`
        )
        assert.include(
          (await db.schema.indexes("parcels")).map(({ name }) => name),
          "idx_parcels_grams"
        )
        await engine.rollback([one]).then(
          () => assert.fail("raw steps have no way back"),
          () => undefined
        )
        await db.close()
      }
    },
    patience
  )

  it(
    "an index half built is dropped and built again",
    async () => {
      const { db } = await opened()
      await db.raw({ query: "CREATE TABLE parcels (id integer PRIMARY KEY, grams integer)" })
      await db.raw({ query: "INSERT INTO parcels VALUES (1, 1), (2, 1)" })
      const one = migration("concurrent")
        .tag("concurrent")
        .raw("postgresql", "CREATE UNIQUE INDEX CONCURRENTLY parcels_grams ON parcels (grams)")
        .build()
      const engine = new MigrationEngine(db.getAdapter())
      await engine.run([one]).then(
        () => assert.fail("the rows are not unique"),
        () => undefined
      )
      const valid = async () =>
        (
          await db.raw({
            query: "SELECT indisvalid AS v FROM pg_index WHERE indexrelid = 'parcels_grams'::regclass"
          })
        ).records
      assert.deepStrictEqual(await valid(), [{ v: false }])
      await db.delete({ table: "parcels", where: { id: 2 } })
      assert.deepStrictEqual((await engine.run([one])).applied, ["concurrent"])
      assert.deepStrictEqual(await valid(), [{ v: true }])
      await db.close()
    },
    patience
  )
})
