import { assert, describe, it } from "vitest"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

/** The include table: three types, inferred or named, nested, limited per parent. */
export const includes = (context: SuiteContext): void => {
  describe("includes", () => {
    let ready: Promise<void> | undefined
    const setUp = (): Promise<void> => {
      ready ??= (async () => {
        const db = context.db()
        await context.sql("CREATE TABLE customers (id int PRIMARY KEY, name text)")
        await context.sql(
          "CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total int)"
        )
        await context.sql(
          "CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders, sku text, qty int)"
        )
        await context.sql("CREATE TABLE tags (id int PRIMARY KEY, label text)")
        await context.sql(
          "CREATE TABLE order_tags (order_id int REFERENCES orders, tag_id int REFERENCES tags, PRIMARY KEY (order_id, tag_id))"
        )
        await context.sql("CREATE TABLE loose_notes (id int PRIMARY KEY, about int, body text)")
        await db.insert({
          table: "customers",
          records: [
            { id: 1, name: "Ann" },
            { id: 2, name: "Bob" }
          ]
        })
        await db.insert({
          table: "orders",
          records: [
            { id: 1, customer_id: 1, total: 5 },
            { id: 2, customer_id: 1, total: 9 },
            { id: 3, customer_id: null, total: 1 }
          ]
        })
        await db.insert({
          table: "lines",
          records: [
            { id: 1, order_id: 1, sku: "a", qty: 1 },
            { id: 2, order_id: 1, sku: "b", qty: 2 },
            { id: 3, order_id: 2, sku: "c", qty: 3 }
          ]
        })
        await db.insert({
          table: "tags",
          records: [
            { id: 1, label: "red" },
            { id: 2, label: "blue" }
          ]
        })
        await db.insert({
          table: "order_tags",
          records: [
            { order_id: 1, tag_id: 1 },
            { order_id: 1, tag_id: 2 },
            { order_id: 2, tag_id: 2 }
          ]
        })
        await db.insert({ table: "loose_notes", records: [{ id: 1, about: 1, body: "x" }] })
      })()
      return ready
    }
    const orders = { table: "orders", orderBy: { column: "id" } } as const

    it("many-to-one gives an object or null", async () => {
      await setUp()
      const { records } = await context
        .db()
        .find({ ...orders, include: { relation: "customer", type: "many-to-one", table: "customers" } })
      assert.deepStrictEqual(
        records.map((row) => row["customer"]),
        [{ id: 1, name: "Ann" }, { id: 1, name: "Ann" }, null]
      )
    })
    it("one-to-many gives arrays, in order of key", async () => {
      await setUp()
      const { records } = await context
        .db()
        .find({ ...orders, include: { relation: "lines", type: "one-to-many" } })
      assert.deepStrictEqual(
        records.map((row) => (row["lines"] as ReadonlyArray<{ id: number }>).map((line) => line.id)),
        [[1, 2], [3], []]
      )
    })
    it("many-to-many goes through a table", async () => {
      await setUp()
      const { records } = await context
        .db()
        .find({ ...orders, include: { relation: "tags", type: "many-to-many", through: "order_tags" } })
      assert.deepStrictEqual(
        records.map((row) => row["tags"]),
        [
          [
            { id: 1, label: "red" },
            { id: 2, label: "blue" }
          ],
          [{ id: 2, label: "blue" }],
          []
        ]
      )
    })
    it("types and keys are told from the foreign keys", async () => {
      await setUp()
      const { records } = await context.db().find({
        ...orders,
        where: { id: 1 },
        include: [{ relation: "customer" }, { relation: "lines", select: ["sku"] }]
      })
      assert.deepStrictEqual(records, [
        {
          id: 1,
          customer_id: 1,
          total: 5,
          customer: { id: 1, name: "Ann" },
          lines: [{ sku: "a" }, { sku: "b" }]
        }
      ])
    })
    it("keys can be named", async () => {
      await setUp()
      const { records } = await context.db().find({
        ...orders,
        limit: 1,
        include: {
          notes: { type: "one-to-many", table: "loose_notes", foreignKey: "about", primaryKey: "id" }
        }
      })
      assert.deepStrictEqual(records[0]?.["notes"], [{ id: 1, about: 1, body: "x" }])
    })
    it("where, order, select and limit apply, limit per parent", async () => {
      await setUp()
      const { records } = await context.db().find({
        ...orders,
        include: {
          lines: {
            orderBy: { column: "qty", order: "desc" },
            limit: 1,
            select: ["id"],
            where: { qty: { $gt: 0 } }
          }
        }
      })
      assert.deepStrictEqual(
        records.map((row) => row["lines"]),
        [[{ id: 2 }], [{ id: 3 }], []]
      )
    })
    it("nests, and join columns missing from select are fetched and removed", async () => {
      await setUp()
      const { records } = await context.db().find({
        table: "customers",
        select: ["name"],
        orderBy: { column: "id" },
        include: {
          orders: { select: ["total"], orderBy: { column: "id" }, include: { lines: { select: ["sku"] } } }
        }
      })
      assert.deepStrictEqual(records, [
        {
          name: "Ann",
          orders: [
            { total: 5, lines: [{ sku: "a" }, { sku: "b" }] },
            { total: 9, lines: [{ sku: "c" }] }
          ]
        },
        { name: "Bob", orders: [] }
      ])
    })
    it("works with findOne, stream and pages", async () => {
      await setUp()
      const db = context.db()
      assert.deepStrictEqual(
        (await db.findOne({ table: "orders", where: { id: 2 }, include: { customer: {} } })).record?.[
          "customer"
        ],
        { id: 1, name: "Ann" }
      )
      const seen: Array<unknown> = []
      for await (const row of db.stream({ ...orders, batch: 2, include: { lines: { select: ["id"] } } }))
        seen.push(row["lines"])
      assert.deepStrictEqual(seen, [[{ id: 1 }, { id: 2 }], [{ id: 3 }], []])
      const page = await db.find({ ...orders, limit: 1, after: null, include: { customer: {} } })
      assert.strictEqual(page.records.length, 1)
      assert.deepStrictEqual(page.records[0]?.["customer"], { id: 1, name: "Ann" })
    })
    it("an error names the columns tried", async () => {
      await setUp()
      const db = context.db()
      const missing = await rejects(
        db.find({ ...orders, include: { relation: "loose_notes", type: "one-to-many" } }),
        "SCHEMA_ERROR"
      )
      assert.include(missing.message, "order_id")
      assert.include(missing.columns ?? [], "order_id")
      await rejects(db.find({ ...orders, include: { relation: "ghosts" } }), "SCHEMA_ERROR")
      await rejects(
        db.find({ ...orders, include: { relation: "lines", foreignKey: "nope" } }),
        "SCHEMA_ERROR"
      )
      await rejects(
        db.find({ ...orders, include: { relation: "tags", type: "many-to-many" } }),
        "VALIDATION_ERROR"
      )
      await rejects(
        db.find({ ...orders, include: { relation: "lines", type: "sideways" as never } }),
        "VALIDATION_ERROR"
      )
    })
  })
}
