import { assert, describe, it } from "vitest"
import type { Row } from "../types.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

const columns =
  "id int PRIMARY KEY, n int, f float8, d numeric, s text, a text[], i int[], j jsonb, o json, at timestamptz, b boolean"

const start = {
  id: 1,
  n: 5,
  f: 1.5,
  d: "2.50",
  s: "m",
  a: ["x", "y", "x"],
  i: [1, 2, 3],
  j: ["x", { k: 1 }, "x"],
  o: [1],
  b: true
}

const cases: ReadonlyArray<readonly [title: string, data: Row, column: string, expected: unknown]> = [
  ["$inc", { n: { $inc: 2 } }, "n", 7],
  ["$increment", { n: { $increment: 2 } }, "n", 7],
  ["$inc of a fraction", { f: { $inc: 0.25 } }, "f", 1.75],
  ["$dec", { n: { $dec: 2 } }, "n", 3],
  ["$decrement", { n: { $decrement: 1 } }, "n", 4],
  ["$mul", { n: { $mul: 3 } }, "n", 15],
  ["$multiply", { d: { $multiply: 2 } }, "d", 5],
  ["$min takes the lesser", { n: { $min: 3 } }, "n", 3],
  ["$min keeps the lesser", { n: { $min: 9 } }, "n", 5],
  ["$max takes the greater", { n: { $max: 9 } }, "n", 9],
  ["$max keeps the greater", { n: { $max: 3 } }, "n", 5],
  ["$max on text is by code point", { s: { $max: "Z" } }, "s", "m"],
  ["$set", { s: { $set: "z" } }, "s", "z"],
  ["$set of an object", { j: { $set: { $odd: 1 } } }, "j", { $odd: 1 }],
  ["$unset", { s: { $unset: true } }, "s", null],
  ["a plain value", { s: "w" }, "s", "w"],
  ["an object is stored as JSON", { j: { deep: [1] } }, "j", { deep: [1] }],
  ["null", { n: null }, "n", null],
  ["$push on an array", { a: { $push: "z" } }, "a", ["x", "y", "x", "z"]],
  ["$push on jsonb", { j: { $push: { z: 1 } } }, "j", ["x", { k: 1 }, "x", { z: 1 }]],
  ["$push of an array on jsonb is one element", { j: { $push: [1] } }, "j", ["x", { k: 1 }, "x", [1]]],
  ["$push on json", { o: { $push: 2 } }, "o", [1, 2]],
  ["$pull removes all equal", { a: { $pull: "x" } }, "a", ["y"]],
  ["$pull on jsonb", { j: { $pull: "x" } }, "j", [{ k: 1 }]],
  ["$pull of an object on jsonb", { j: { $pull: { k: 1 } } }, "j", ["x", "x"]],
  ["$addToSet of a new one", { a: { $addToSet: "z" } }, "a", ["x", "y", "x", "z"]],
  ["$addToSet of a known one", { a: { $addToSet: "y" } }, "a", ["x", "y", "x"]],
  ["$addToSet on jsonb of a known one", { j: { $addToSet: { k: 1 } } }, "j", ["x", { k: 1 }, "x"]],
  ["$addToSet on jsonb of a part is a new one", { j: { $addToSet: {} } }, "j", ["x", { k: 1 }, "x", {}]],
  ["$pop: 1 takes the last", { i: { $pop: 1 } }, "i", [1, 2]],
  ["$pop: -1 takes the first", { i: { $pop: -1 } }, "i", [2, 3]],
  ["$pop: 1 on jsonb", { j: { $pop: 1 } }, "j", ["x", { k: 1 }]],
  ["$pop: -1 on jsonb", { j: { $pop: -1 } }, "j", [{ k: 1 }, "x"]],
  ["names ignore case", { n: { $INC: 1 } }, "n", 6],
  ["names ignore underscores", { a: { $add_to_set: "y" } }, "a", ["x", "y", "x"]]
]

const onNull: ReadonlyArray<readonly [title: string, data: Row, column: string, expected: unknown]> = [
  ["$inc counts null as 0", { n: { $inc: 2 } }, "n", 2],
  ["$mul counts null as 0", { n: { $mul: 2 } }, "n", 0],
  ["$min with null takes the value", { n: { $min: 2 } }, "n", 2],
  ["$push makes the array", { a: { $push: "z" } }, "a", ["z"]],
  ["$push makes the jsonb array", { j: { $push: 1 } }, "j", [1]],
  ["$addToSet makes the array", { a: { $addToSet: "z" } }, "a", ["z"]],
  ["$pull leaves null", { a: { $pull: "z" } }, "a", null],
  ["$pop leaves null", { i: { $pop: 1 } }, "i", null]
]

/** The update operator table. */
export const updateOperators = (context: SuiteContext): void => {
  describe("update operators", () => {
    let table = ""
    const reset = async (row: Row): Promise<string> => {
      if (table === "") table = await context.table(columns, "updates")
      await context.db().delete({ table, all: true })
      await context.db().insert({ table, records: row })
      return table
    }
    it.each(cases)("%s", async (_title, data, column, expected) => {
      const name = await reset(start)
      const { count, records } = await context
        .db()
        .update({ table: name, data, where: { id: 1 }, returning: [column] })
      assert.strictEqual(count, 1)
      assert.deepStrictEqual(records[0]?.[column], expected)
      const { record } = await context.db().findOne({ table: name, where: { id: 1 } })
      assert.deepStrictEqual(record?.[column], expected)
    })
    it.each(onNull)("%s", async (_title, data, column, expected) => {
      const name = await reset({ id: 1 })
      const { records } = await context.db().update({ table: name, data, where: { id: 1 }, returning: true })
      assert.deepStrictEqual(records[0]?.[column], expected)
    })
    it("$currentDate is the server's now", async () => {
      const name = await reset(start)
      const { records } = await context
        .db()
        .update({ table: name, data: { at: { $currentDate: true } }, where: { id: 1 }, returning: ["at"] })
      assert.instanceOf(records[0]?.["at"], Date)
    })
    it("changes several columns at once", async () => {
      const name = await reset(start)
      const { records } = await context.db().update({
        table: name,
        data: { n: { $inc: 1 }, s: "q", a: { $push: "w" } },
        where: { id: 1 },
        returning: ["n", "s", "a"]
      })
      assert.deepStrictEqual(records, [{ n: 6, s: "q", a: ["x", "y", "x", "w"] }])
    })
    it.each([
      ["two operators on a column", { n: { $inc: 1, $mul: 2 } }],
      ["an operator beside keys", { j: { $push: 1, other: 2 } }],
      ["an unknown operator", { n: { $plus: 1 } }],
      ["an operator outside a column", { $inc: { n: 1 } }],
      ["$push on a scalar", { n: { $push: 1 } }],
      ["$inc on text", { s: { $inc: 1 } }],
      ["$pop of two", { i: { $pop: 2 } }],
      ["an operand that does not fit", { n: { $inc: 1.5 } }],
      ["nothing", {}]
    ])("refuses %s", async (_title, data) => {
      const name = await reset(start)
      await rejects(context.db().update({ table: name, data, where: { id: 1 } }), "VALIDATION_ERROR")
    })
    it("$rename is for documents", async () => {
      const name = await reset(start)
      const error = await rejects(
        context.db().update({ table: name, data: { n: { $rename: "m" } }, where: { id: 1 } }),
        "UNSUPPORTED_OPERATION"
      )
      assert.isTrue(error.is("NOT_SUPPORTED"))
    })
  })
}
