import { assert, describe, it } from "vitest"
import type { FindResult } from "../results.ts"
import type { Row } from "../types.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

/** find, findOne, orders, pages, streams. */
export const reading = (context: SuiteContext): void => {
  describe("reading", () => {
    let name = ""
    const table = async (): Promise<string> => {
      if (name === "") {
        const made = await context.table("id int PRIMARY KEY, rank int, word text, at timestamptz", "reads")
        const words = ["b", "a", "B", "é", null, "a", "\u{10000}", "\uffff", "Z", "aa"]
        await context.db().insert({
          table: made,
          records: words.map((word, i) => ({
            id: i + 1,
            rank: i % 3 === 0 ? null : i % 3,
            word,
            at: new Date(1_700_000_000_000 + (i % 2))
          }))
        })
        name = made
      }
      return name
    }
    const ids = (rows: ReadonlyArray<Row>): ReadonlyArray<unknown> => rows.map((row) => row["id"])

    it("find gives records and their number, with the older names as getters", async () => {
      const result = await context.db().find({ table: await table(), where: { id: { $lte: 2 } } })
      assert.strictEqual(result.count, 2)
      assert.strictEqual(result.data, result.records)
      assert.strictEqual(result.rows, result.records)
      assert.strictEqual(result.row, result.records[0])
      assert.deepStrictEqual(Object.keys(result), ["records", "count"])
    })
    it("select, in its order, and fields", async () => {
      const result = await context
        .db()
        .find({ table: await table(), select: ["word", "id"], where: { id: 1 } })
      assert.deepStrictEqual(Object.entries(result.records[0] ?? {}), [
        ["word", "b"],
        ["id", 1]
      ])
      assert.deepStrictEqual(result.fields, ["word", "id"])
    })
    it("count is that of all that match, before limit and offset", async () => {
      const db = context.db()
      const t = await table()
      assert.strictEqual((await db.find({ table: t, limit: 3 })).count, 10)
      assert.strictEqual((await db.find({ table: t, limit: 3, offset: 9 })).count, 10)
      assert.strictEqual((await db.find({ table: t, offset: 50 })).count, 10)
      assert.strictEqual((await db.find({ table: t, limit: 0 })).count, 10)
      assert.strictEqual((await db.find({ table: t, limit: 3, count: false })).count, 3)
    })
    it("orders text by code point, nulls last, and first when descending", async () => {
      const db = context.db()
      const t = await table()
      const up = await db.find({ table: t, orderBy: [{ column: "word" }, { column: "id", order: "desc" }] })
      assert.deepStrictEqual(ids(up.records), [3, 9, 6, 2, 10, 1, 4, 8, 7, 5])
      const down = await db.find({
        table: t,
        orderBy: [
          { column: "word", order: "DESC" },
          { column: "id", order: "asc" }
        ]
      })
      assert.deepStrictEqual(ids(down.records), [5, 7, 8, 4, 1, 10, 2, 6, 9, 3])
    })
    it("limit and offset cut a fixed order", async () => {
      const db = context.db()
      const t = await table()
      const all = await db.find({ table: t, orderBy: { column: "rank" }, limit: 100 })
      const parts = await Promise.all(
        [0, 4, 8].map((offset) => db.find({ table: t, orderBy: { column: "rank" }, limit: 4, offset }))
      )
      assert.deepStrictEqual(
        parts.flatMap((part) => ids(part.records)),
        ids(all.records)
      )
      assert.deepStrictEqual(ids((await db.find({ table: t, limit: 2, offset: 3 })).records), [4, 5])
    })
    it("findOne gives one record or null", async () => {
      const db = context.db()
      const t = await table()
      const found = await db.findOne({ table: t, where: { id: 2 } })
      assert.strictEqual(found.record?.["word"], "a")
      assert.strictEqual(found.row, found.record)
      assert.strictEqual((await db.findOne({ table: t, where: { id: 99 } })).record, null)
      assert.strictEqual(
        (await db.findOne({ table: t, orderBy: { column: "id", order: "DESC" } })).record?.["id"],
        10
      )
    })
    it.each([
      ["by key", undefined],
      ["by a column with ties and nulls", { column: "rank" }],
      ["the same, descending", { column: "rank", order: "DESC" as const }],
      ["by text with nulls", [{ column: "word", order: "desc" as const }, { column: "rank" }]],
      ["by time with ties", { column: "at" }]
    ])("pages %s without losing or repeating a row", async (_title, orderBy) => {
      const db = context.db()
      const t = await table()
      const whole = await db.find({ table: t, orderBy, limit: 100 })
      for (const size of [1, 3, 10]) {
        const seen: Array<unknown> = []
        let after: string | null = null
        do {
          const page: FindResult = await db.find({ table: t, orderBy, limit: size, after })
          assert.isAtMost(page.records.length, size)
          assert.notProperty(page.records[0] ?? {}, "ductape$cursor")
          seen.push(...ids(page.records))
          after = page.nextCursor ?? null
        } while (after !== null)
        assert.deepStrictEqual(seen, ids(whole.records))
      }
    })
    it("a cursor that was tampered with, or is of another order, is refused", async () => {
      const db = context.db()
      const t = await table()
      const { nextCursor } = await db.find({ table: t, limit: 2, after: null })
      assert.isString(nextCursor)
      const cursor = String(nextCursor)
      const [position = "", signature = ""] = cursor.split(".")
      const other = Buffer.from(JSON.stringify(["7"])).toString("base64url")
      for (const after of [
        `${other}.${signature}`,
        `${position}.${"A".repeat(22)}`,
        "nonsense",
        `${cursor}x`
      ]) {
        await rejects(db.find({ table: t, limit: 2, after }), "VALIDATION_ERROR")
      }
      await rejects(
        db.find({ table: t, limit: 2, after: cursor, orderBy: { column: "word" } }),
        "VALIDATION_ERROR"
      )
      await rejects(db.find({ table: t, after: cursor }), "VALIDATION_ERROR")
    })
    it("stream gives every row, in batches, in order", async () => {
      const t = await table()
      const seen: Array<unknown> = []
      for await (const row of context.db().stream({ table: t, orderBy: { column: "id" }, batch: 3 }))
        seen.push(row["id"])
      assert.deepStrictEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    })
    it("stream lets go on break, and on a throw", async () => {
      const db = context.db()
      const t = await table()
      for (let i = 0; i < 25; i++) {
        for await (const row of db.stream({ table: t, batch: 2 })) {
          if (row["id"] === 3) break
        }
      }
      let caught: unknown
      try {
        for await (const _ of db.stream({ table: t })) throw new Error("stop")
      } catch (error) {
        caught = error
      }
      assert.strictEqual((caught as Error).message, "stop")
      assert.strictEqual(db.stats.busy, 0)
      assert.strictEqual(await db.count({ table: t }), 10)
    })
    it("stream inside a transaction sees what it wrote", async () => {
      const db = context.db()
      const t = await table()
      const seen = await db.transaction(async (tx) => {
        await tx.insert({ table: t, records: { id: 77 } })
        const rows: Array<Row> = []
        for await (const row of tx.stream({ table: t, where: { id: { $gt: 9 } }, orderBy: { column: "id" } }))
          rows.push(row)
        await tx.rollback()
        return ids(rows)
      })
      assert.deepStrictEqual(seen, [10, 77])
    })
    it.each([
      ["no table", {}],
      ["a negative limit", { limit: -1 }],
      ["a limit that is no number", { limit: "5" }],
      ["an offset with a fraction", { offset: 1.5 }],
      ["a direction that is none", { orderBy: { column: "id", order: "UP" } }],
      ["an empty select", { select: [] }]
    ])("refuses %s", async (title, input) => {
      const t = await table()
      await rejects(
        context.db().find({ ...(title === "no table" ? {} : { table: t }), ...input } as never),
        "VALIDATION_ERROR"
      )
    })
    it("entity and collection are table", async () => {
      const t = await table()
      assert.strictEqual((await context.db().find({ entity: t, where: { id: 1 } })).count, 1)
      assert.strictEqual((await context.db().find({ collection: t, where: { id: 1 } })).count, 1)
    })
    it("sees columns that were added and dropped behind its back", async () => {
      const db = context.db()
      const t = await context.table("id int PRIMARY KEY, a int", "drift")
      await db.insert({ table: t, records: { id: 1, a: 1 } })
      await db.find({ table: t, where: { a: 1 } })
      await db.getAdapter().transaction({}, async (tx) => {
        await tx.raw({ query: `ALTER TABLE ${t} DROP COLUMN a` })
        await tx.raw({ query: `ALTER TABLE ${t} ADD COLUMN b text DEFAULT 'new'` })
      })
      assert.deepStrictEqual((await db.find({ table: t, where: { b: "new" } })).records, [
        { id: 1, b: "new" }
      ])
      await rejects(db.find({ table: t, where: { a: 1 } }), "COLUMN_NOT_FOUND")
    })
  })
}
