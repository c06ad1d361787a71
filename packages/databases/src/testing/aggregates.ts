import { assert, describe, it } from "vitest"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

const rows = [
  { id: 1, team: "a", points: 10, name: "x", ratio: 0.5 },
  { id: 2, team: "a", points: 20, name: "y", ratio: 1.5 },
  { id: 3, team: "b", points: 5, name: "x", ratio: null },
  { id: 4, team: null, points: null, name: null, ratio: null }
]

/** Aggregates and groups. */
export const aggregates = (context: SuiteContext): void => {
  describe("aggregates", () => {
    let name = ""
    const table = async (): Promise<string> => {
      if (name === "") {
        const made = await context.table(
          "id int PRIMARY KEY, team text, points int, name text, ratio float8",
          "agg"
        )
        await context.db().insert({ table: made, records: rows })
        name = made
      }
      return name
    }
    it("count: all, of a column, distinct, with a filter", async () => {
      const db = context.db()
      const t = await table()
      assert.strictEqual(await db.count({ table: t }), 4)
      assert.strictEqual(await db.count({ table: t, column: "team" }), 3)
      assert.strictEqual(await db.count({ table: t, column: "team", distinct: true }), 2)
      assert.strictEqual(await db.count({ table: t, where: { points: { $gt: 5 } } }), 2)
    })
    it("sum, avg, min, max, by column or field", async () => {
      const db = context.db()
      const t = await table()
      assert.strictEqual(await db.sum({ table: t, column: "points" }), 35)
      assert.strictEqual(await db.avg({ table: t, field: "ratio" }), 1)
      assert.strictEqual(await db.min({ table: t, column: "points" }), 5)
      assert.strictEqual(await db.max({ table: t, column: "name" }), "y")
    })
    it("of no rows: sum is 0, the others null", async () => {
      const db = context.db()
      const input = { table: await table(), column: "points", where: { id: 99 } }
      assert.strictEqual(await db.sum(input), 0)
      assert.strictEqual(await db.avg(input), null)
      assert.strictEqual(await db.min(input), null)
      assert.strictEqual(await db.max(input), null)
    })
    it("aggregate gives one object by alias", async () => {
      const result = await context.db().aggregate({
        table: await table(),
        operations: {
          n: { $count: "*" },
          total: { $sum: "points" },
          mean: { $avg: "points" },
          low: { $min: "points" },
          high: { $max: "points" },
          all: { $arrayAgg: "points" },
          text: { $stringAgg: { column: "name", separator: "; " } },
          joined: { $groupConcat: { column: "id", separator: "-" } }
        },
        where: { team: "a" }
      })
      assert.deepStrictEqual(result, {
        n: 2,
        total: 30,
        mean: 15,
        low: 10,
        high: 20,
        all: [10, 20],
        text: "x; y",
        joined: "1-2"
      })
    })
    it("aggregate with groupBy gives an array", async () => {
      const result = await context
        .db()
        .aggregate({ table: await table(), operations: { n: { $count: "*" } }, groupBy: ["team"] })
      assert.deepStrictEqual(result, [
        { team: "a", n: 2 },
        { team: "b", n: 1 },
        { team: null, n: 1 }
      ] as never)
    })
    it("groupBy: having by alias, order, limit and offset", async () => {
      const db = context.db()
      const t = await table()
      const base = { table: t, groupBy: ["team"], aggregate: { total: { $sum: "points" } } } as const
      assert.deepStrictEqual(
        await db.groupBy({ ...base, having: { total: { $gt: 4 } }, orderBy: { column: "total" } }),
        [
          { team: "b", total: 5 },
          { team: "a", total: 30 }
        ]
      )
      assert.deepStrictEqual(
        await db.groupBy({ ...base, orderBy: { column: "total", order: "desc" }, limit: 1, offset: 1 }),
        [{ team: "b", total: 5 }]
      )
    })
    it("older forms", async () => {
      const db = context.db()
      const t = await table()
      assert.deepStrictEqual(
        await db.aggregate({ table: t, aggregations: [{ type: "sum", field: "points", alias: "s" }] }),
        { s: 35 } as never
      )
      assert.deepStrictEqual(await db.aggregate({ table: t, operation: "max", column: "points" }), {
        value: 20
      } as never)
    })
    it("refuses an unknown aggregate, column or alias", async () => {
      const db = context.db()
      const t = await table()
      await rejects(
        db.aggregate({ table: t, operations: { x: { $median: "points" } as never } }),
        "VALIDATION_ERROR"
      )
      await rejects(db.aggregate({ table: t, operations: { x: { $sum: "nope" } } }), "COLUMN_NOT_FOUND")
      await rejects(db.aggregate({ table: t, operations: { 'x"': { $sum: "points" } } }), "VALIDATION_ERROR")
      await rejects(db.sum({ table: t, column: "name" }), "VALIDATION_ERROR")
    })
    it("raw runs a statement with parameters", async () => {
      const t = await table()
      const result = await context.db().raw({
        query: `SELECT id, name FROM ${t} WHERE points > $1 AND team = ANY($2) ORDER BY id`,
        params: [5, ["a", "b"]]
      })
      assert.deepStrictEqual(result.records, [
        { id: 1, name: "x" },
        { id: 2, name: "y" }
      ])
      assert.strictEqual(result.count, 2)
      assert.deepStrictEqual(result.fields, ["id", "name"])
      const asQuery = await context.db().query({ sql: "SELECT $1::int + 1 AS n", params: [41] })
      assert.deepStrictEqual(asQuery.records, [{ n: 42 }])
    })
  })
}
