import { assert, describe, it } from "vitest"
import type { Where } from "../types.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

const columns =
  "id int PRIMARY KEY, name text, age int, price numeric(12,2), big int8, ratio float8, ok boolean, at timestamptz, day date, uid uuid, tags text[], nums int[], meta jsonb, raw bytea"

const rows = [
  {
    id: 1,
    name: "Ann",
    age: 30,
    price: 10.5,
    big: 1,
    ratio: 0.5,
    ok: true,
    at: new Date("2024-01-01T00:00:00Z"),
    day: "2024-01-01",
    uid: "00000000-0000-4000-8000-000000000001",
    tags: ["a", "b"],
    nums: [1, 2],
    meta: { kind: "x", list: [1] },
    raw: Buffer.from([1, 2])
  },
  {
    id: 2,
    name: "Bob",
    age: 41,
    price: 20,
    big: 2,
    ratio: 1.5,
    ok: false,
    at: new Date("2024-06-01T12:00:00.500Z"),
    day: "2024-06-01",
    uid: "00000000-0000-4000-8000-000000000002",
    tags: ["b"],
    nums: [],
    meta: [1, "two", { three: 3 }],
    raw: Buffer.from([])
  },
  {
    id: 3,
    name: "100%_\\x",
    age: -5,
    price: -1.25,
    big: -3,
    ratio: -2,
    ok: true,
    at: new Date("1999-12-31T23:59:59.999Z"),
    day: "1999-12-31",
    uid: "00000000-0000-4000-8000-000000000003",
    tags: [],
    nums: [3],
    meta: "plain",
    raw: Buffer.from([255])
  },
  {
    id: 4,
    name: null,
    age: null,
    price: null,
    big: null,
    ratio: null,
    ok: null,
    at: null,
    day: null,
    uid: null,
    tags: null,
    nums: null,
    meta: null,
    raw: null
  },
  {
    id: 5,
    name: "ann",
    age: 30,
    price: 10.5,
    big: 5,
    ratio: 0.5,
    ok: true,
    at: new Date("2024-01-01T00:00:00Z"),
    day: "2024-01-01",
    uid: "00000000-0000-4000-8000-000000000005",
    tags: ["a", 'q"uote', "com,ma"],
    nums: [2, 1],
    meta: 7,
    raw: Buffer.from([1, 2])
  },
  {
    id: 6,
    name: "",
    age: 0,
    price: 0,
    big: 0,
    ratio: 0,
    ok: false,
    at: new Date("2024-01-02T00:00:00Z"),
    day: "2024-01-02",
    uid: "00000000-0000-4000-8000-000000000006",
    tags: ["Ünïcode", "b"],
    nums: [0],
    meta: { kind: "y" },
    raw: Buffer.from([1])
  }
]

const cases: ReadonlyArray<readonly [title: string, where: Where, ids: ReadonlyArray<number>]> = [
  ["a bare value is equality", { name: "Ann" }, [1]],
  ["$eq", { age: { $eq: 30 } }, [1, 5]],
  ["$eq on text tells letter case", { name: { $eq: "ann" } }, [5]],
  ["$eq on numeric", { price: 10.5 }, [1, 5]],
  ["$eq on int8", { big: 5 }, [5]],
  ["$eq on boolean", { ok: false }, [2, 6]],
  ["$eq on a timestamp", { at: new Date("2024-06-01T12:00:00.500Z") }, [2]],
  ["$eq on a date", { day: "2024-01-01" }, [1, 5]],
  ["$eq on uuid", { uid: "00000000-0000-4000-8000-000000000003" }, [3]],
  ["$eq on bytes", { raw: Buffer.from([1, 2]) }, [1, 5]],
  ["$eq on an array counts order", { nums: { $eq: [1, 2] } }, [1]],
  ["$eq on jsonb ignores key order", { meta: { list: [1], kind: "x" } }, [1]],
  ["null is IS NULL", { name: null }, [4]],
  ["$eq: null", { age: { $eq: null } }, [4]],
  ["$ne keeps null rows", { age: { $ne: 30 } }, [2, 3, 4, 6]],
  ["$ne: null", { age: { $ne: null } }, [1, 2, 3, 5, 6]],
  ["$gt", { age: { $gt: 30 } }, [2]],
  ["$gte", { age: { $gte: 30 } }, [1, 2, 5]],
  ["$lt", { age: { $lt: 0 } }, [3]],
  ["$lte", { age: { $lte: 0 } }, [3, 6]],
  ["$gt on text is by code point", { name: { $gt: "Z" } }, [5]],
  ["$gt on a timestamp", { at: { $gt: new Date("2024-01-01T00:00:00Z") } }, [2, 6]],
  ["$between includes both ends", { age: { $between: [0, 30] } }, [1, 5, 6]],
  ["$in", { id: { $in: [1, 3, 99] } }, [1, 3]],
  ["$in of nothing", { id: { $in: [] } }, []],
  ["$in with null", { age: { $in: [41, null] } }, [2, 4]],
  ["$nin keeps null rows", { age: { $nin: [30, 41] } }, [3, 4, 6]],
  ["$nin of nothing", { id: { $nin: [] } }, [1, 2, 3, 4, 5, 6]],
  ["$like", { name: { $like: "A%" } }, [1]],
  ["$like with an underscore", { name: { $like: "_nn" } }, [1, 5]],
  ["$like with an escape", { name: { $like: "100\\%%" } }, [3]],
  ["$ilike", { name: { $ilike: "a%" } }, [1, 5]],
  ["$regex with text", { name: { $regex: "^A" } }, [1]],
  ["$regex with a RegExp and its flag", { name: { $regex: /^a/i } }, [1, 5]],
  ["$startsWith", { name: { $startsWith: "100%" } }, [3]],
  ["$startsWith takes wildcards literally", { name: { $startsWith: "1%" } }, []],
  ["$endsWith takes backslashes literally", { name: { $endsWith: "\\x" } }, [3]],
  ["$contains in text", { name: { $contains: "%_" } }, [3]],
  ["$contains in an array", { tags: { $contains: "b" } }, [1, 2, 6]],
  ["$contains of an awkward element", { tags: { $contains: 'q"uote' } }, [5]],
  ["$contains in a number array", { nums: { $contains: 1 } }, [1, 5]],
  ["$contains in a jsonb array", { meta: { $contains: "two" } }, [2]],
  ["$contains in a jsonb array is the whole element", { meta: { $contains: {} } }, []],
  ["$containsAny", { tags: { $containsAny: ["com,ma", "Ünïcode"] } }, [5, 6]],
  ["$containsAny of nothing", { tags: { $containsAny: [] } }, []],
  ["$containsAny in jsonb", { meta: { $containsAny: [9, 1] } }, [2]],
  ["$containsAll", { tags: { $containsAll: ["b", "a"] } }, [1]],
  ["$containsAll of nothing is every array", { tags: { $containsAll: [] } }, [1, 2, 3, 5, 6]],
  ["$containsAll in jsonb", { meta: { $containsAll: [{ three: 3 }, 1] } }, [2]],
  ["$isNull", { age: { $isNull: true } }, [4]],
  ["$isNull: false", { age: { $isNull: false } }, [1, 2, 3, 5, 6]],
  ["$isNotNull", { age: { $isNotNull: true } }, [1, 2, 3, 5, 6]],
  ["$exists", { meta: { $exists: true } }, [1, 2, 3, 5, 6]],
  ["$exists: false", { meta: { $exists: false } }, [4]],
  ["several operators on a column are ANDed", { age: { $gt: 0, $lt: 40 } }, [1, 5]],
  ["several columns are ANDed", { age: 30, name: "ann" }, [5]],
  ["$and", { $and: [{ age: 30 }, { name: "Ann" }] }, [1]],
  ["$or", { $or: [{ id: 1 }, { name: null }] }, [1, 4]],
  ["$or in object form: each key is one member", { $or: { id: 1, name: "Bob" } }, [1, 2]],
  ["$or of nothing matches nothing", { $or: [] }, []],
  ["$nor", { $nor: [{ age: 30 }, { id: 2 }] }, [3, 4, 6]],
  ["$not is plain negation, nulls included", { $not: { age: { $gt: 0 } } }, [3, 4, 6]],
  [
    "groups nest",
    { $or: [{ $and: [{ age: 30 }, { $not: { name: "Ann" } }] }, { id: { $in: [2] } }] },
    [2, 5]
  ],
  ["names of operators ignore case", { age: { $GTE: 41 } }, [2]],
  ["names of operators ignore underscores", { age: { $is_null: true } }, [4]],
  ["a fraction against an integer column", { age: { $gt: 29.5 } }, [1, 2, 5]],
  ["a fraction is no integer", { age: 30.5 }, []],
  ["a number beyond an integer column", { age: { $lt: 99999999999 } }, [1, 2, 3, 5, 6]],
  ["a number beyond 64 bits", { big: { $lt: 1e30 } }, [1, 2, 3, 5, 6]],
  ["text that is no uuid", { uid: "nope" }, []],
  ["a value of another kind is never equal", { name: 5 as unknown as string }, []],
  ["a value of another kind differs", { ok: { $ne: "t" } }, [1, 2, 3, 4, 5, 6]],
  ["numbers in jsonb have an order", { meta: { $gt: 6 } }, [5]],
  ["text in jsonb", { meta: { $startsWith: "pl" } }, [3]]
]

/** The operator table of filters, and what it refuses. */
export const filterRows = (context: SuiteContext): void => {
  describe("filters", () => {
    let table = ""
    const setUp = async (): Promise<string> => {
      if (table === "") {
        const name = await context.table(columns, "filters")
        await context.db().insert({ table: name, records: rows })
        table = name
      }
      return table
    }
    it.each(cases)("%s", async (_title, where, ids) => {
      const { records } = await context
        .db()
        .find({ table: await setUp(), where, orderBy: { column: "id" }, select: ["id"] })
      assert.deepStrictEqual(
        records.map((row) => row["id"]),
        [...ids]
      )
      assert.strictEqual(await context.db().count({ table: await setUp(), where }), ids.length)
    })

    it.each([
      ["undefined", { name: undefined }],
      ["undefined inside a list", { id: { $in: [1, undefined] } }],
      ["an unknown operator", { age: { $near: 3 } }],
      ["a bare array", { nums: [1, 2] }],
      ["a range with one end", { age: { $between: [1] } }],
      ["an unknown group", { $xor: [] }],
      ["operators beside keys", { meta: { $gt: 1, other: 2 } }],
      ["a lone backslash", { name: { $like: "x\\" } }],
      ["a broken pattern", { name: { $regex: "(" } }]
    ])("refuses %s before anything is sent", async (_title, where) => {
      await rejects(context.db().find({ table: await setUp(), where: where as Where }), "VALIDATION_ERROR")
    })

    it("names an unknown column, and those that there are", async () => {
      const error = await rejects(
        context.db().find({ table: await setUp(), where: { nmae: 1 } }),
        "COLUMN_NOT_FOUND"
      )
      assert.deepStrictEqual(error.columns, ["nmae"])
      assert.include(error.message, "name")
    })

    it("refuses what is no identifier", async () => {
      const db = context.db()
      const name = await setUp()
      await rejects(db.find({ table: 'x"; DROP TABLE y; --' }), "VALIDATION_ERROR")
      await rejects(db.find({ table: name, select: ['id", 1'] }), "VALIDATION_ERROR")
      await rejects(db.find({ table: name, where: { 'id" = 1 OR 1=1 --': 1 } }), "VALIDATION_ERROR")
      await rejects(db.find({ table: name, orderBy: { column: "id; --" } }), "VALIDATION_ERROR")
    })
  })
}
