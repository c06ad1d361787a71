import { parseFilter } from "@ductape/core"
import { loadModule, parse } from "libpg-query"
import { assert, beforeAll, describe, it } from "vitest"
import { fillSecrets, maskUrl, patched, readDef, secretKeys } from "../src/DatabaseDef.ts"
import { DriverFault, sqlFault } from "../src/DatabaseDriver.ts"
import { DatabaseError } from "../src/DatabaseError.ts"
import { faultToError } from "../src/faults.ts"
import { openCursor, sealCursor } from "../src/read/cursor.ts"
import { singular } from "../src/read/relation.ts"
import type { Column, Table } from "../src/sql/Catalogue.ts"
import { decodeArray, decoders } from "../src/sql/decode.ts"
import { encode, encodeLoose, misfit } from "../src/sql/encode.ts"
import { filterSql } from "../src/sql/filterSql.ts"
import { isIdentifier, quoteTable } from "../src/sql/identifier.ts"
import { regexText } from "../src/sql/patterns.ts"
import { StatementBuilder } from "../src/sql/Statement.ts"

const column = (
  name: string,
  kind: Column["kind"],
  type: string,
  sql: string,
  more: Partial<Column> = {}
): Column => ({
  column: name,
  kind,
  name: type,
  oid: 0,
  sql,
  nullable: true,
  hasDefault: false,
  binary: false,
  ...more
})

const table: Table = {
  name: "t",
  sql: '"t"',
  columns: new Map(
    [
      column("id", "int", "int4", "integer", { nullable: false }),
      column("name", "text", "text", "text"),
      column("plain", "text", "text", "text", { binary: true }),
      column("tags", "array", "_text", "text[]", {
        element: { kind: "text", name: "text", oid: 25, sql: "text" }
      })
    ].map((one) => [one.column, one])
  ),
  primaryKey: ["id"],
  unique: [["id"]],
  references: [],
  referencedBy: []
}

const compile = (where: Record<string, unknown>, wide = false): string =>
  filterSql({ table, prefix: "", statement: new StatementBuilder(), wide }, parseFilter(where))

describe("filters as SQL", () => {
  beforeAll(loadModule)

  it.each([
    [{ id: 1 }, '"id" = $1::integer'],
    [{ id: { $ne: 1 } }, '"id" IS DISTINCT FROM $1::integer'],
    [{ $not: { id: 1 } }, '("id" = $1::integer) IS NOT TRUE'],
    [{ name: { $gt: "a" } }, '"name" COLLATE "C" > $1::text'],
    [{ plain: { $gt: "a" } }, '"plain" > $1::text'],
    [{ id: { $in: [1, 2] } }, '"id" = ANY($1::integer[])'],
    [{ id: { $nin: [1] } }, '("id" = ANY($1::integer[])) IS NOT TRUE'],
    [{ name: { $startsWith: "a" } }, '"name" LIKE $1::text'],
    [{ tags: { $contains: "a" } }, '$1::text = ANY("tags")'],
    [{ name: 5 }, "FALSE"],
    [{ name: { $ne: 5 } }, "TRUE"]
  ])("%o", async (where, sql) => {
    assert.strictEqual(compile(where), sql)
    await parse(`SELECT * FROM t WHERE ${sql}`)
  })

  it("compares outside of the type's range by value", () => {
    assert.strictEqual(compile({ id: 1.5 }, true), '"id"::numeric = $1::numeric')
  })

  it("binds in the order of the values", () => {
    const statement = new StatementBuilder()
    const sql = filterSql(
      { table, prefix: "", statement, wide: false },
      parseFilter({ id: { $between: [1, 2] }, name: "x" })
    )
    assert.deepStrictEqual(statement.done(sql).bind([1, 2, "x"]), ["1", "2", "x"])
  })

  it("an unknown column is an error that lists those there are", () => {
    assert.throws(() => compile({ nope: 1 }), DatabaseError, "id, name, plain, tags")
  })
})

describe("identifiers", () => {
  it.each(["a", "A_1$", "schema.table"])("takes %s", (name) => {
    assert.match(quoteTable(name), /^"/)
  })
  it.each(["", "1a", 'a"b', "a b", "a;b", "a.b.c", "a.", "é", "a\0", "x".repeat(64), "a-b", "a'b"])(
    "refuses %o",
    (name) => {
      assert.throws(() => quoteTable(name), DatabaseError)
      assert.isFalse(isIdentifier(name))
    }
  )
})

const int4 = { kind: "int", name: "int4", oid: 23, sql: "integer" } as const

describe("values", () => {
  it.each([
    [5, "5"],
    [-0, "0"],
    [2147483647, "2147483647"],
    [2147483648, misfit],
    [-2147483649, misfit],
    [1.5, misfit],
    ["42", "42"],
    ["x", misfit],
    [7n, "7"],
    [true, misfit],
    [null, misfit]
  ])("%o for an int4 is %o", (value, text) => {
    assert.strictEqual(encode(int4, value), text)
  })
  it("float4 is rounded where it lies beyond", () => {
    assert.strictEqual(encode({ kind: "float", name: "float4", oid: 700, sql: "real" }, 1e300), "Infinity")
  })
  it("dates outside four digits", () => {
    const stamp = { kind: "timestamp", name: "timestamptz", oid: 1184, sql: "timestamptz" } as const
    assert.strictEqual(encode(stamp, new Date("0044-03-15T00:00:00Z")), "0044-03-15T00:00:00.000Z")
    assert.strictEqual(encode(stamp, new Date("-000043-03-15T00:00:00Z")), "0044-03-15T00:00:00.000Z BC")
    assert.strictEqual(encode(stamp, new Date(Number.NaN)), misfit)
  })
  it.each([
    ["{}", []],
    ["{1,NULL}", ["1", null]],
    ['{"a,b","c\\"d","\\\\","NULL"}', ["a,b", 'c"d', "\\", "NULL"]],
    [
      "{{1,2},{3,4}}",
      [
        ["1", "2"],
        ["3", "4"]
      ]
    ],
    ["[0:1]={a,b}", ["a", "b"]]
  ])("reads the array %s", (text, value) => {
    assert.deepStrictEqual(
      decodeArray(text, (item) => item),
      value
    )
  })
  const read = (oid: number, text: string, mode: "number" | "string" = "number"): unknown =>
    decoders(mode).get(oid)?.(text)
  it.each([
    [20, "9007199254740991", 9007199254740991],
    [20, "9007199254740993", "9007199254740993"],
    [1700, "1.50", 1.5],
    [1700, "0.1", 0.1],
    [1700, "123456789012345678.5", "123456789012345678.5"],
    [1700, "NaN", Number.NaN],
    [16, "t", true],
    [1082, "2024-01-01", "2024-01-01"],
    [17, "\\xff00", Buffer.from([255, 0])],
    [1184, "2024-02-29 12:34:56.789012+00", new Date("2024-02-29T12:34:56.789Z")],
    [1184, "2024-02-29 12:34:56+05:30", new Date("2024-02-29T07:04:56Z")],
    [1184, "2024-02-29 12:34:56.5-08", new Date("2024-02-29T20:34:56.500Z")],
    [1114, "2024-02-29 12:34:56", new Date("2024-02-29T12:34:56Z")],
    [1184, "infinity", "infinity"],
    [1184, "0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00+00 BC"],
    [1184, "12024-01-01 00:00:00+00", new Date("+012024-01-01T00:00:00Z")]
  ])("reads %s of %s", (oid, text, value) => {
    assert.deepStrictEqual(read(oid, text), value)
  })
  it("numericMode string keeps every digit", () => {
    assert.strictEqual(read(20, "5", "string"), "5")
    assert.strictEqual(read(1700, "1.50", "string"), "1.50")
  })
  it("an array parameter waits for its type", () => {
    const late = encodeLoose([1, "a"], "p")
    assert(typeof late === "object" && late !== null)
    assert.strictEqual(late.forType(1009), '{"1","a"}')
    assert.strictEqual(late.forType(3802), '[1,"a"]')
    assert.throws(() => encodeLoose(undefined, "params[0]"), DatabaseError, "params[0]")
  })
})

describe("regular expressions", () => {
  it.each([
    ["a.c", "***:a[^\\n\\r\\u2028\\u2029]c"],
    ["\\bx\\b", "***:\\yx\\y"],
    ["[\\d[]", "***:[0-9\\[]"],
    ["a{", "***:a\\{"],
    ["x{2,3}", "***:x{2,3}"]
  ])("%s", (source, sql) => {
    assert.strictEqual(regexText(source, "where"), sql)
  })
  it.each(["(?<n>a)", "\\p{L}", "(?i:a)", "[]"])("refuses %s", (source) => {
    assert.throws(() => regexText(source, "where"), DatabaseError)
  })
})

describe("cursors", () => {
  const key = Buffer.alloc(32, 1)
  const order = [{ column: "id", descending: false }]
  const row = { ductape$cursor: ["5", null] }
  it("open to what they were sealed with", () => {
    assert.deepStrictEqual(openCursor(key, sealCursor(key, "t", order, row), "t", order), {
      values: ["5", null],
      nulls: "10"
    })
  })
  it("not with another key, table or order", () => {
    const cursor = sealCursor(key, "t", order, row)
    assert.throws(() => openCursor(Buffer.alloc(32, 2), cursor, "t", order), DatabaseError)
    assert.throws(() => openCursor(key, cursor, "u", order), DatabaseError)
    assert.throws(() => openCursor(key, cursor, "t", [{ column: "id", descending: true }]), DatabaseError)
  })
})

describe("faults", () => {
  it("takes names from the server's fields and leaves its words", () => {
    const fault = sqlFault({
      code: "23505",
      constraint_name: "c",
      table_name: "t",
      message: "s3cret",
      detail: "s3cret"
    })
    assert.strictEqual(fault?.names.constraint, "c")
    assert.notInclude(JSON.stringify(fault) + fault?.message, "s3cret")
  })
  it("a lost write is unknown and not retryable; a lost read is", () => {
    const lost = new DriverFault("lost", { sent: true })
    const write = faultToError(lost, { write: true })
    assert.deepInclude(write, { code: "CONNECTION_LOST", retryable: false })
    assert.deepStrictEqual(write.details, { outcome: "unknown" })
    assert.isTrue(faultToError(lost, { write: false }).retryable)
    const unsent = faultToError(new DriverFault("lost"), { write: true })
    assert.isTrue(unsent.retryable)
    assert.deepStrictEqual(unsent.details, { outcome: "none" })
  })
})

describe("definitions", () => {
  it.each([
    ["postgresql://me:pw@h/d", "postgresql://me:***@h/d"],
    ["postgresql://me:p@w@h/d", "postgresql://me:***@h/d"],
    ["postgresql://me:$Secret{PW}@h/d", "postgresql://me:$Secret{PW}@h/d"],
    ["postgresql://h/d?password=pw&x=1", "postgresql://h/d?password=***&x=1"],
    ["pglite:///a/b", "pglite:///a/b"],
    ["dynamodb://eu/key/secret", "dynamodb://eu/key/***"]
  ])("masks %s", (url, shown) => {
    assert.strictEqual(maskUrl(url), shown)
  })
  it("secrets are escaped as user or password, and go in whole elsewhere", () => {
    const secrets = new Map([
      ["PW", "a@b:c/d"],
      ["URL", "postgresql://x:y@h/d"]
    ])
    assert.strictEqual(
      fillSecrets("postgresql://me:$Secret{PW}@h/d", secrets),
      "postgresql://me:a%40b%3Ac%2Fd@h/d"
    )
    assert.strictEqual(fillSecrets("{{URL}}", secrets), "postgresql://x:y@h/d")
    assert.deepStrictEqual(secretKeys("$Secret{A}{{B}}$Secret{A}"), ["A", "B"])
  })
  it("tag and type stay; environments merge", () => {
    const old = readDef({
      tag: "d",
      name: "D",
      type: "postgres",
      envs: [{ slug: "dev", connection_url: "postgres://h/a" }]
    })
    assert.throws(() => patched(old, { tag: "e" } as never), DatabaseError)
    assert.throws(() => patched(old, { type: "mysql" } as never), DatabaseError)
    const next = patched(old, { envs: [{ slug: "dev", description: "x" }] })
    assert.deepStrictEqual(next.envs, [{ slug: "dev", description: "x", connection_url: "postgres://h/a" }])
  })
  it.each([
    ["orders", "order"],
    ["categories", "category"],
    ["boxes", "box"],
    ["status", "status"],
    ["app.users", "user"],
    ["classes", "class"]
  ])("%s is many of %s", (many, one) => {
    assert.strictEqual(singular(many), one)
  })
})
