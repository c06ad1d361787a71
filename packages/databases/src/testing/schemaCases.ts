import { assert, describe, it } from "vitest"
import type { FieldDef, FieldOptions } from "../schema/FieldDef.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

/** Every name of a type, with what the database calls it. */
const types: ReadonlyArray<readonly [FieldDef, string]> = [
  ["integer", "integer"],
  ["Number", "integer"],
  [{ type: "Number", float: true }, "double precision"],
  ["smallint", "smallint"],
  ["bigint", "bigint"],
  ["BigInt", "bigint"],
  ["float", "double precision"],
  ["double", "double precision"],
  [{ type: "decimal", precision: 12, scale: 3 }, "numeric(12,3)"],
  ["Decimal128", "numeric"],
  ["string", "character varying"],
  [{ type: "String", maxLength: 40 }, "character varying(40)"],
  [{ type: "string", length: 7 }, "character varying(7)"],
  [{ type: "string", maxlength: 8 }, "character varying(8)"],
  ["text", "text"],
  ["date", "date"],
  ["time", "time without time zone"],
  ["boolean", "boolean"],
  ["Boolean", "boolean"],
  ["datetime", "timestamp with time zone"],
  ["Date", "timestamp with time zone"],
  ["timestamp", "timestamp with time zone"],
  ["json", "jsonb"],
  ["Object", "jsonb"],
  ["Mixed", "jsonb"],
  ["object", "jsonb"],
  ["uuid", "uuid"],
  ["UUID", "uuid"],
  ["ObjectId", "uuid"],
  [{ type: "enum", enum: ["a"] }, "text"],
  [{ type: "String", enumValues: ["a"] }, "text"],
  ["array", "text[]"],
  [{ type: "Array", items: "integer" }, "integer[]"],
  ["binary", "bytea"],
  ["Buffer", "bytea"],
  ["blob", "bytea"],
  [{ type: "String", autoGenerate: true }, "uuid"]
]

/** Tables, columns, indexes and constraints without SQL. */
export const schemaCases = (context: SuiteContext): void => {
  describe("schema", () => {
    let serial = 0
    const name = (): string => `schema_${++serial}`

    it("every type is what the table of types says", async () => {
      const { schema } = context.db()
      const table = name()
      const fields = Object.fromEntries(types.map(([def], i) => [`f${i}`, def]))
      const change = await schema.create(table, { id: { type: "integer", primaryKey: true }, ...fields })
      assert.isTrue(change.applied)
      const { columns } = await schema.describe(table)
      assert.deepStrictEqual(
        columns.slice(1).map((column) => column.type),
        types.map(([, type]) => type)
      )
    })
    it("keys: a uuid of its own, an identity, several columns", async () => {
      const db = context.db()
      const [a, b, c] = [name(), name(), name()]
      await db.schema.create(a, { label: "text" })
      const made = await db.insert({ table: a, records: { label: "x" } })
      assert.match(String(made.insertedIds[0]), /^[0-9a-f-]{36}$/)
      await db.schema.create(b, {
        id: { type: "integer", primaryKey: true, autoIncrement: true },
        n: "integer"
      })
      const rows = await db.insert({ table: b, records: [{ n: 1 }, { n: 2 }] })
      assert.deepStrictEqual(rows.insertedIds, [1, 2])
      const key: FieldOptions = { type: "uuid", primaryKey: true }
      await db.schema.create(c, { left: key, right: key })
      const { columns } = await db.schema.describe(c)
      assert.deepStrictEqual(
        columns.map((column) => [column.name, column.isPrimaryKey, column.default]),
        [
          ["left", true, null],
          ["right", true, null]
        ]
      )
    })
    it("checks, defaults and required hold", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(table, {
        id: { type: "integer", primaryKey: true },
        code: { type: "string", minLength: 2, maxLength: 4, required: true },
        state: { type: "enum", enum: ["on", "o'ff"], default: "o'ff" },
        note: { type: "text", maxLength: 3 },
        tags: { type: "array", default: ["a", "b\\"] },
        data: { type: "json", default: { a: [1] } },
        at: { type: "date", default: "now" },
        n: { type: "decimal", default: 1.5 }
      })
      await db.insert({ table, records: { id: 1, code: "ab" } })
      const { record } = await db.findOne({ table })
      assert.deepStrictEqual(
        [record?.["state"], record?.["tags"], record?.["data"], record?.["n"]],
        ["o'ff", ["a", "b\\"], { a: [1] }, 1.5]
      )
      assert.match(String(record?.["at"]), /^\d{4}-\d\d-\d\d$/)
      await rejects(db.insert({ table, records: { id: 2, code: "a" } }), "CHECK_VIOLATION")
      const wrong = await rejects(
        db.insert({ table, records: { id: 2, code: "ab", state: "x" } }),
        "CHECK_VIOLATION"
      )
      assert.strictEqual(wrong.constraint, `chk_${table}_state`)
      await rejects(db.insert({ table, records: { id: 2, code: "ab", note: "long" } }), "CHECK_VIOLATION")
      await rejects(db.insert({ table, records: { id: 2 } }), "NOT_NULL_VIOLATION")
      await rejects(db.insert({ table, records: { id: 2, code: "abcde" } }), "QUERY_ERROR")
    })
    it("names of indexes and constraints; long ones are cut and still differ", async () => {
      const db = context.db()
      const table = name()
      const long = "a_column_with_a_name_that_is_quite_long"
      await db.schema.create(
        table,
        {
          email: { type: "string", unique: true },
          age: { type: "integer", index: true },
          [`${long}_1`]: "integer",
          [`${long}_2`]: "integer"
        },
        { indexes: [{ fields: ["age", "email"] }, { fields: ["age"], unique: true, name: "own_name" }] }
      )
      const first = await db.schema.createIndex(table, [`${long}_1`, `${long}_2`])
      await db.schema.createIndex(table, [`${long}_1`, `${long}_2`, "age"])
      assert.strictEqual(first.migration.up[0]?.type, "createIndex")
      const indexes = await db.schema.indexes(table)
      const names = indexes.map((index) => index.name)
      for (const expected of [
        `idx_${table}_age`,
        `idx_${table}_age_email`,
        `uq_${table}_email`,
        "own_name",
        `${table}_pkey`
      ]) {
        assert.include(names, expected)
      }
      assert.strictEqual(new Set(names).size, 7)
      assert.isTrue(names.every((index) => index.length <= 63))
      assert.deepInclude(indexes, { name: "own_name", columns: ["age"], unique: true, primaryKey: false })
    })
    it("fields come, change, are renamed and go", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(table, { id: { type: "integer", primaryKey: true } })
      await db.schema.addField(table, "n", { type: "string", required: true, default: "7" })
      await db.schema.addField(table, "gone", "text")
      await db.insert({ table, records: { id: 1 } })
      await db.schema.modifyField(table, "n", { type: "integer", default: 8, required: false, index: true })
      await db.insert({ table, records: [{ id: 2 }, { id: 3, n: null }] })
      await db.schema.renameField(table, "n", "count")
      await db.schema.dropField(table, "gone")
      const { records } = await db.find({ table, orderBy: { column: "id" } })
      assert.deepStrictEqual(records, [
        { id: 1, count: 7 },
        { id: 2, count: 8 },
        { id: 3, count: null }
      ])
      await db.schema.modifyField(table, "count", { default: null, required: false })
      const { columns, indexes } = await db.schema.describe(table)
      assert.strictEqual(columns.find((column) => column.name === "count")?.default, null)
      assert.include(
        indexes.map((index) => index.name),
        `idx_${table}_n`
      )
      const renamed = `${table}_b`
      await db.schema.rename(table, renamed)
      assert.isFalse(await db.schema.exists(table))
      assert.include(await db.schema.list(), renamed)
      await db.schema.drop(renamed)
      assert.isFalse(await db.schema.exists(renamed))
    })
    it("constraints: unique, check, foreign key with what follows a delete", async () => {
      const db = context.db()
      const [parents, children] = [name(), name()]
      await db.schema.create(parents, { id: { type: "integer", primaryKey: true } })
      await db.schema.create(children, {
        id: { type: "integer", primaryKey: true },
        parent: "integer",
        n: "integer"
      })
      await db.schema.addConstraint(children, {
        name: "to_parent",
        type: "foreignKey",
        columns: ["parent"],
        references: { table: parents, columns: ["id"], onDelete: "cascade" }
      })
      await db.schema.addConstraint(children, {
        name: "positive",
        type: "check",
        columns: ["n"],
        expression: "n > 0"
      })
      await db.schema.addConstraint(children, { name: "one_n", type: "unique", columns: ["n", "parent"] })
      await db.insert({ table: parents, records: { id: 1 } })
      await db.insert({ table: children, records: { id: 1, parent: 1, n: 1 } })
      await rejects(
        db.insert({ table: children, records: { id: 2, parent: 9, n: 1 } }),
        "FOREIGN_KEY_VIOLATION"
      )
      await rejects(db.insert({ table: children, records: { id: 2, parent: 1, n: 0 } }), "CHECK_VIOLATION")
      await rejects(db.insert({ table: children, records: { id: 2, parent: 1, n: 1 } }), "UNIQUE_VIOLATION")
      await db.delete({ table: parents, where: { id: 1 } })
      assert.strictEqual(await db.count({ table: children }), 0)
      await db.schema.dropConstraint(children, "positive")
      await db.schema.dropConstraint(children, "to_parent")
      await db.insert({ table: children, records: { id: 3, parent: 77, n: -1 } })
      const described = (await db.schema.describe(children)).constraints
      assert.deepStrictEqual(
        described.map((constraint) => [constraint.name, constraint.type]),
        [
          ["one_n", "unique"],
          [`${children}_pkey`, "primaryKey"]
        ]
      )
    })
    it("errors keep their own codes; bad input is told before anything is sent", async () => {
      const { schema } = context.db()
      const table = name()
      await schema.create(table, { a: "integer" })
      await rejects(schema.create(table, { a: "integer" }), "TABLE_EXISTS")
      await schema.create(table, { a: "integer" }, { sqlOptions: { ifNotExists: true } })
      await rejects(schema.drop("no_such_table"), "TABLE_NOT_FOUND")
      assert.isTrue((await schema.drop("no_such_table", { ifExists: true })).applied)
      await rejects(schema.describe("no_such_table"), "TABLE_NOT_FOUND")
      await rejects(schema.addField(table, "a", "integer"), "SCHEMA_ERROR")
      await rejects(schema.dropField(table, "zz"), "COLUMN_NOT_FOUND")
      await rejects(schema.create('x"; drop table y', { a: "integer" }), "VALIDATION_ERROR")
      await rejects(schema.create("x", { 'a"b': "integer" }), "VALIDATION_ERROR")
      await rejects(schema.create("x", { a: "money" as "text" }), "VALIDATION_ERROR")
      await rejects(schema.create("x", { a: { type: "enum" } }), "VALIDATION_ERROR")
      await rejects(schema.createIndex(table, ["a"], { sparse: true }), "UNSUPPORTED_OPERATION")
      await rejects(schema.createIndex(table, ["a"], { expireAfterSeconds: 9 }), "UNSUPPORTED_OPERATION")
      await rejects(schema.createIndex(table, ["a"], { where: "a > 0; drop table x" }), "VALIDATION_ERROR")
      await rejects(schema.create("x", { a: "text" }, { mongoOptions: {} }), "UNSUPPORTED_OPERATION")
      assert.isFalse(await schema.exists("x"))
    })
    it("a partial unique index counts only its rows", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(table, {
        id: { type: "integer", primaryKey: true },
        a: "integer",
        live: "boolean"
      })
      await db.schema.createIndex(table, ["a"], { unique: true, where: "live" })
      await db.insert({
        table,
        records: [
          { id: 1, a: 1, live: false },
          { id: 2, a: 1, live: false },
          { id: 3, a: 1, live: true }
        ]
      })
      await rejects(db.insert({ table, records: { id: 4, a: 1, live: true } }), "UNIQUE_VIOLATION")
    })
    it("updated_at of timestamps moves with updates and upserts, unless it is given", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(
        table,
        { id: { type: "integer", primaryKey: true }, n: "integer" },
        { timestamps: true }
      )
      const old = new Date("2020-01-01T00:00:00Z")
      const reset = () => db.update({ table, data: { updated_at: old }, all: true })
      const read = async () => (await db.findOne({ table, where: { id: 1 } })).record?.["updated_at"] as Date
      await db.insert({ table, records: { id: 1, n: 1 } })
      await reset()
      assert.deepStrictEqual(await read(), old)
      await db.update({ table, data: { n: 2 }, where: { id: 1 } })
      assert.isAbove((await read()).getTime(), old.getTime())
      await reset()
      await db.upsert({ table, records: { id: 1, n: 3 }, conflictKeys: ["id"], updateColumns: ["n"] })
      assert.isAbove((await read()).getTime(), old.getTime())
    })
  })
}
