import { inspect } from "node:util"
import { assert, describe, it } from "vitest"
import type { DatabaseErrorCode } from "../DatabaseError.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

const at = new Date("2024-02-29T12:34:56.789Z")

const values: ReadonlyArray<readonly [type: string, value: unknown, read?: unknown]> = [
  ["smallint", -32768],
  ["integer", 2147483647],
  ["bigint", 9007199254740991],
  ["bigint", 9223372036854775807n, "9223372036854775807"],
  ["numeric(12,2)", "10.50", 10.5],
  ["numeric", "12345678901234567890.123456789", "12345678901234567890.123456789"],
  ["numeric", 0.1],
  ["real", 0.5],
  ["double precision", 1e300],
  ["double precision", 0.1],
  ["text", "Ünïcode \u{1f600} \" ' \\ {} , \n\t"],
  ["text", ""],
  ["varchar(20)", "short"],
  ["char(3)", "abc"],
  ["boolean", true],
  ["boolean", false],
  ["date", "2024-02-29"],
  ["time", "12:34:56.789", "12:34:56.789"],
  ["timestamptz", at],
  ["timestamp", at],
  ["timestamptz", "2024-02-29T12:34:56.789+02:00", new Date("2024-02-29T10:34:56.789Z")],
  ["timestamptz", new Date("0044-03-15T00:00:00Z")],
  ["uuid", "00000000-0000-4000-8000-00000000000a"],
  ["bytea", Buffer.from([0, 1, 255, 92])],
  ["bytea", new Uint8Array([7]), Buffer.from([7])],
  ["jsonb", { a: [1, null, "x", { b: true }] }],
  ["jsonb", [1, "two"]],
  ["jsonb", "text"],
  ["jsonb", 5],
  ["jsonb", false],
  ["json", { z: 1, a: 2 }],
  ["text[]", ["a", "", null, "NULL", 'q"', "b\\", "c,d", "{e}", " f "]],
  ["int[]", [1, null, -3]],
  ["int[]", []],
  [
    "int[][]",
    [
      [1, 2],
      [3, 4]
    ]
  ],
  ["numeric[]", ["1.5", 2], [1.5, 2]],
  ["boolean[]", [true, false, null]],
  ["timestamptz[]", [at]],
  ["uuid[]", ["00000000-0000-4000-8000-00000000000b"]],
  ["jsonb[]", [{ a: 1 }, [1], "s"]],
  ["mood", "happy"],
  ["mood[]", ["sad", "happy"]],
  ["positive", 5]
]

/** The type table, both ways, and the error table. */
export const typesAndErrors = (context: SuiteContext): void => {
  describe("types", () => {
    let made: Promise<void> | undefined
    const setUp = (): Promise<void> => {
      made ??= (async () => {
        await context.sql("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        await context.sql("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
      })()
      return made
    }
    it.each(values)("%s keeps %o", async (type, value, read = value) => {
      await setUp()
      const db = context.db()
      const t = await context.table(`id int PRIMARY KEY, v ${type}`, "types")
      const one = await db.insert({ table: t, records: { id: 1, v: value }, returning: ["v"] })
      assert.deepStrictEqual(one.records, [{ v: read }])
      await db.insert({
        table: t,
        records: [
          { id: 2, v: value },
          { id: 3, v: null }
        ]
      })
      const { records } = await db.find({ table: t, orderBy: { column: "id" } })
      assert.deepStrictEqual(records, [
        { id: 1, v: read },
        { id: 2, v: read },
        { id: 3, v: null }
      ])
      const updated = await db.update({
        table: t,
        data: { v: { $set: value } },
        where: { id: 3 },
        returning: ["v"]
      })
      assert.deepStrictEqual(updated.records, [{ v: read }])
      if (type !== "json") assert.strictEqual(await db.count({ table: t, where: { v: { $eq: value } } }), 3)
    })
    it("an object goes into a text column as JSON", async () => {
      const t = await context.table("id int PRIMARY KEY, v text", "types")
      await context.db().insert({ table: t, records: { id: 1, v: { a: 1 } } })
      assert.strictEqual((await context.db().findOne({ table: t })).record?.["v"], '{"a":1}')
    })
    it("infinity stays text", async () => {
      const { records } = await context.db().raw({ query: "SELECT 'infinity'::timestamptz AS v" })
      assert.deepStrictEqual(records, [{ v: "infinity" }])
    })
  })

  describe("errors", () => {
    let made: Promise<void> | undefined
    const setUp = (): Promise<void> => {
      made ??= (async () => {
        await context.sql("CREATE TABLE err_parent (id int PRIMARY KEY)")
        await context.sql(
          "CREATE TABLE err_child (id int PRIMARY KEY, code text UNIQUE, parent int REFERENCES err_parent, must text NOT NULL DEFAULT '', n int CONSTRAINT n_small CHECK (n < 10))"
        )
        await context.db().insert({ table: "err_child", records: { id: 1, code: "s3cret-value" } })
      })()
      return made
    }
    const raised: ReadonlyArray<readonly [state: string, code: DatabaseErrorCode, retryable: boolean]> = [
      ["23505", "UNIQUE_VIOLATION", false],
      ["23503", "FOREIGN_KEY_VIOLATION", false],
      ["23502", "NOT_NULL_VIOLATION", false],
      ["23514", "CHECK_VIOLATION", false],
      ["42P07", "TABLE_EXISTS", false],
      ["42P01", "TABLE_NOT_FOUND", false],
      ["42703", "COLUMN_NOT_FOUND", false],
      ["42P10", "SCHEMA_ERROR", false],
      ["42701", "SCHEMA_ERROR", false],
      ["42501", "PERMISSION_DENIED", false],
      ["22012", "QUERY_ERROR", false],
      ["40P01", "DEADLOCK", true],
      ["40001", "SERIALIZATION_FAILURE", true],
      ["57014", "TIMEOUT", true],
      ["25006", "TRANSACTION_ERROR", false],
      ["25P02", "TRANSACTION_ERROR", false],
      ["57P01", "CONNECTION_LOST", true],
      ["28000", "CONNECTION_ERROR", false],
      ["3D000", "CONNECTION_ERROR", false],
      ["53300", "CONNECTION_ERROR", true]
    ]
    it.each(raised)("state %s is %s, retryable: %s", async (state, code, retryable) => {
      const query = `DO $$ BEGIN RAISE EXCEPTION 's3cret-message' USING ERRCODE = '${state}'; END $$`
      const error = await rejects(context.db().raw({ query }), code)
      assert.strictEqual(error.type, code)
      assert.strictEqual(error.sqlState, state)
      assert.strictEqual(error.retryable, retryable)
      assert.notInclude(`${error.message}${inspect(error)}${JSON.stringify(error)}`, "s3cret-message")
    })
    it("a violation names table and constraint, never the value", async () => {
      await setUp()
      const db = context.db()
      const unique = await rejects(
        db.insert({ table: "err_child", records: { id: 2, code: "s3cret-value" } }),
        "UNIQUE_VIOLATION"
      )
      assert.strictEqual(unique.constraint, "err_child_code_key")
      assert.strictEqual(unique.table, "err_child")
      assert.notInclude(
        `${unique.message}${unique.stack}${inspect(unique, { depth: 9, showHidden: true })}${JSON.stringify(unique)}`,
        "s3cret-value"
      )
      const foreign = await rejects(
        db.insert({ table: "err_child", records: { id: 3, parent: 9 } }),
        "FOREIGN_KEY_VIOLATION"
      )
      assert.strictEqual(foreign.constraint, "err_child_parent_fkey")
      const empty = await rejects(
        db.insert({ table: "err_child", records: { id: 4, must: null } }),
        "NOT_NULL_VIOLATION"
      )
      assert.deepStrictEqual(empty.columns, ["must"])
      const check = await rejects(
        db.update({ table: "err_child", data: { n: 11 }, where: { id: 1 } }),
        "CHECK_VIOLATION"
      )
      assert.strictEqual(check.constraint, "n_small")
    })
    it("a table that is not there, or there already", async () => {
      await setUp()
      const db = context.db()
      const missing = await rejects(db.find({ table: "nowhere" }), "TABLE_NOT_FOUND")
      assert.strictEqual(missing.table, "nowhere")
      await rejects(db.raw({ query: "CREATE TABLE err_parent (id int)" }), "TABLE_EXISTS")
      await rejects(db.raw({ query: "SELECT * FROM nowhere" }), "TABLE_NOT_FOUND")
      await rejects(db.raw({ query: "SELECT nothing FROM err_parent" }), "COLUMN_NOT_FOUND")
      await rejects(db.raw({ query: "SELEC 1" }), "QUERY_ERROR")
      await rejects(db.insert({ table: "err_child", records: { id: 9, nope: 1 } }), "COLUMN_NOT_FOUND")
    })
    it("older spellings compare equal", async () => {
      const error = await rejects(
        context.db().raw({ query: "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '57014'; END $$" }),
        "TIMEOUT"
      )
      assert.isTrue(error.is("TIMEOUT_ERROR"))
    })
    it("an aborted signal ends the call before it begins", async () => {
      await setUp()
      await rejects(context.db().find({ table: "err_parent", signal: AbortSignal.abort() }), "ABORTED")
    })
    it("a timeout that is none is refused", async () => {
      await setUp()
      for (const timeout of [0, -1, Number.NaN, "5" as unknown as number]) {
        await rejects(context.db().find({ table: "err_parent", timeout }), "VALIDATION_ERROR")
      }
    })
    it("a deadline stops a statement on the server, where the driver declares it", async () => {
      await setUp()
      if (!context.has("cancel")) return
      const started = performance.now()
      const error = await rejects(context.db().raw({ query: "SELECT pg_sleep(5)", timeout: 300 }), "TIMEOUT")
      assert.isBelow(performance.now() - started, 2500)
      assert.isTrue(error.retryable)
      assert.strictEqual(context.db().stats.waiting, 0)
    })
    it("session and cache say what is missing for them; writes are not cached", async () => {
      await setUp()
      const db = context.db()
      await rejects(db.find({ table: "err_parent", session: "s:x" }), "UNSUPPORTED_OPERATION")
      await rejects(db.find({ table: "err_parent", cache: "c" }), "UNSUPPORTED_OPERATION")
      await rejects(db.insert({ table: "err_parent", records: { id: 5 }, cache: "c" }), "VALIDATION_ERROR")
      await rejects(db.raw({ query: "SELECT 1", cache: "c" }), "VALIDATION_ERROR")
    })
  })
}
