import { assert, describe, it } from "vitest"
import { DatabaseError } from "../DatabaseError.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

/** Transactions, savepoints, isolation, and what goes wrong in them. */
export const transactions = (context: SuiteContext): void => {
  describe("transactions", () => {
    const fresh = (): Promise<string> => context.table("id int PRIMARY KEY, n int", "tx")

    it("commit on return, roll back on a throw, which is rethrown", async () => {
      const db = context.db()
      const t = await fresh()
      assert.strictEqual(
        await db.transaction(async (tx) => {
          await tx.insert({ table: t, records: { id: 1 } })
          await db.find({ table: t, transaction: tx })
          return "done"
        }),
        "done"
      )
      const own = new Error("mine")
      let caught: unknown
      await db
        .transaction(async (tx) => {
          await tx.insert({ table: t, records: { id: 2 } })
          throw own
        })
        .catch((error: unknown) => {
          caught = error
        })
      assert.strictEqual(caught, own)
      assert.strictEqual(await db.count({ table: t }), 1)
    })
    it("by hand: begin, commit, roll back; a finished one refuses", async () => {
      const db = context.db()
      const t = await fresh()
      const tx = await db.beginTransaction()
      assert.isTrue(tx.isActive())
      await tx.insert({ table: t, records: { id: 1 } })
      await tx.commit()
      assert.strictEqual(tx.status, "committed")
      await tx.rollback()
      await rejects(tx.find({ table: t }), "TRANSACTION_ERROR")
      await rejects(tx.commit(), "TRANSACTION_ERROR")
      const other = await db.beginTransaction({ isolationLevel: "SERIALIZABLE" })
      await other.insert({ table: t, records: { id: 2 } })
      await other.rollback()
      await other.rollback()
      assert.strictEqual(other.status, "rolled_back")
      assert.strictEqual(await db.count({ table: t }), 1)
    })
    it("savepoints go back and on", async () => {
      const db = context.db()
      const t = await fresh()
      await db.transaction(async (tx) => {
        await tx.insert({ table: t, records: { id: 1 } })
        const point = await tx.savepoint("here")
        await rejects(tx.insert({ table: t, records: { id: 1 } }), "UNIQUE_VIOLATION")
        await point.rollback()
        await tx.insert({ table: t, records: { id: 2 } })
        await point.release()
      })
      assert.strictEqual(await db.count({ table: t }), 2)
    })
    it("a nested transaction is a savepoint, on the handle as on the transaction", async () => {
      const db = context.db()
      const t = await fresh()
      await db.transaction(async (tx) => {
        await tx.insert({ table: t, records: { id: 1 } })
        await tx
          .transaction(async (inner) => {
            await inner.insert({ table: t, records: { id: 2 } })
            throw new Error("inner")
          })
          .catch(() => undefined)
        await db.transaction(async (inner) => {
          await inner.insert({ table: t, records: { id: 3 } })
        })
      })
      assert.deepStrictEqual(
        (await db.find({ table: t, orderBy: { column: "id" } })).records.map((row) => row["id"]),
        [1, 3]
      )
    })
    it("after a caught error further calls fail and point at savepoints; the commit fails too", async () => {
      const db = context.db()
      const t = await fresh()
      await rejects(
        db.transaction(async (tx) => {
          await tx.insert({ table: t, records: { id: 1 } })
          await rejects(tx.insert({ table: t, records: { id: 1 } }), "UNIQUE_VIOLATION")
          const error = await rejects(tx.find({ table: t }), "TRANSACTION_ERROR")
          assert.include(error.message, "statementSavepoints")
        }),
        "TRANSACTION_ERROR"
      )
      assert.strictEqual(await db.count({ table: t }), 0)
    })
    it("statementSavepoints: a failed statement leaves the transaction usable", async () => {
      const db = context.db()
      const t = await fresh()
      await db.transaction({ statementSavepoints: true }, async (tx) => {
        await tx.insert({ table: t, records: { id: 1 } })
        await rejects(tx.insert({ table: t, records: { id: 1 } }), "UNIQUE_VIOLATION")
        await tx.insert({ table: t, records: { id: 2 } })
      })
      assert.strictEqual(await db.count({ table: t }), 2)
    })
    it("readOnly refuses writes", async () => {
      const db = context.db()
      const t = await fresh()
      await rejects(
        db.transaction({ readOnly: true }, (tx) => tx.insert({ table: t, records: { id: 1 } })),
        "TRANSACTION_ERROR"
      )
      assert.strictEqual(
        await db.transaction({ isolationLevel: "SERIALIZABLE", readOnly: true, deferrable: true }, (tx) =>
          tx.count({ table: t })
        ),
        0
      )
    })
    it.each(["READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"] as const)(
      "isolation level %s",
      async (isolationLevel) => {
        const { records } = await context
          .db()
          .transaction({ isolationLevel }, (tx) => tx.raw({ query: "SHOW transaction_isolation" }))
        assert.strictEqual(
          records[0]?.["transaction_isolation"],
          isolationLevel.toLowerCase().replace("_", " ")
        )
      }
    )
    it("refuses options that make no sense", async () => {
      const db = context.db()
      await rejects(
        db.transaction({ isolationLevel: "CHAOS" as never }, async () => undefined),
        "VALIDATION_ERROR"
      )
      await rejects(
        db.transaction({ deferrable: true }, async () => undefined),
        "VALIDATION_ERROR"
      )
      await rejects(
        db.transaction({ timeout: -1 }, async () => undefined),
        "VALIDATION_ERROR"
      )
    })
    it("timeout rolls everything back", async () => {
      const db = context.db()
      const t = await fresh()
      await rejects(
        db.transaction({ timeout: 150 }, async (tx) => {
          await tx.insert({ table: t, records: { id: 1 } })
          await new Promise((resolve) => setTimeout(resolve, 400))
          await tx.insert({ table: t, records: { id: 2 } })
        }),
        "TIMEOUT"
      )
      assert.strictEqual(await db.count({ table: t }), 0)
    })
    it("retries run the callback again after a serialization failure", async () => {
      const db = context.db()
      let runs = 0
      const result = await db.transaction({ retries: 2 }, async (tx) => {
        runs++
        if (runs < 3)
          await tx.raw({ query: "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$" })
        return runs
      })
      assert.strictEqual(result, 3)
      const error = await rejects(
        db.transaction((tx) =>
          tx.raw({ query: "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$" })
        ),
        "DEADLOCK"
      )
      assert.isTrue(error.retryable)
    })
    it("a call in the callback that did not join: queued where it can be, refused where it would deadlock", async () => {
      const db = context.db()
      const t = await fresh()
      const call = db.transaction(async (tx) => {
        await tx.insert({ table: t, records: { id: 1 } })
        return db.count({ table: t })
      })
      if (context.has("concurrent")) assert.strictEqual(await call, 0)
      else await rejects(call, "TRANSACTION_ERROR")
    })
    it("calls from elsewhere wait for the transaction, or go on beside it", async () => {
      const db = context.db()
      const t = await fresh()
      const tx = await db.beginTransaction()
      await tx.insert({ table: t, records: { id: 1 } })
      const outside = db.count({ table: t })
      if (context.has("concurrent")) assert.strictEqual(await outside, 0)
      await tx.commit()
      assert.strictEqual(await outside, context.has("concurrent") ? 0 : 1)
    })
    it("a transaction of another database is refused", async () => {
      const db = context.db()
      const t = await fresh()
      const tx = await db.beginTransaction()
      try {
        await rejects(
          db.find({ table: t, transaction: { state: { connection: {} } } as never }),
          "VALIDATION_ERROR"
        )
      } finally {
        await tx.rollback()
      }
      assert.instanceOf(new DatabaseError({ code: "QUERY_ERROR", message: "x" }), Error)
    })
  })
}
