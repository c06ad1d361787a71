import { parse } from "libpg-query"
import { DatabaseConnection } from "../src/DatabaseConnection.ts"
import type { DriverPool, DriverResult, Param } from "../src/DatabaseDriver.ts"
import { DatabaseError } from "../src/DatabaseError.ts"
import { DatabaseHandle } from "../src/DatabaseHandle.ts"
import { isIdentifier } from "../src/sql/identifier.ts"
import { Dice } from "../src/testing/oracleData.ts"

const payloads = [
  "'; DROP TABLE users; --",
  '"; DROP TABLE users; --',
  "' OR '1'='1",
  '" OR ""="',
  "1; SELECT pg_sleep(10)",
  "\\'; --",
  "/* */",
  "--",
  "$1",
  "$$; DROP TABLE t; $$",
  "id\0",
  "id\n;",
  "\u0000",
  "a\u2019; DROP",
  "%27",
  "') OR ('1'='1",
  "id) --",
  "id, (SELECT 1)",
  "*",
  "t.*",
  "id::text",
  "id; COMMIT",
  '""',
  '"',
  "'",
  "\\",
  "\\\\",
  "{}",
  '{"',
  "NULL",
  "{NULL}",
  "E'\\x27'",
  'U&"\\0022"',
  "admin'--",
  "x' UNION SELECT * FROM pg_shadow --",
  "0x27",
  "\u{1f4a9}'",
  "ʼ OR 1=1",
  "a.b.c",
  'a"b',
  "ductape$cursor",
  "__proto__",
  "constructor",
  "information_schema.tables",
  'pg_catalog.pg_class"',
  "a".repeat(70)
]

const alphabet = [
  ..."'\"\\;-/*$ \n\0()=,.{}[]%_aZ09",
  "é",
  "\u{1f600}",
  "--",
  "/*",
  "*/",
  "$$",
  "''",
  '""',
  "OR",
  "DROP"
]

const isTable = (text: string): boolean => /^\w+\.\w+$/.test(text)

/** Hostile text: from the list, or put together. */
const hostile = (dice: Dice): string =>
  dice.chance(0.5)
    ? dice.pick(payloads)
    : Array.from({ length: 1 + dice.below(12) }, () => dice.pick(alphabet)).join("")

const catalogue = {
  columns: [
    ["id", "int4", "b", "N", "integer"],
    ["name", "text", "b", "S", "text"],
    ["meta", "jsonb", "b", "U", "jsonb"],
    ["n", "numeric", "b", "N", "numeric"]
  ]
    .map(([name, type, typtype, category, sql]) => ({
      name,
      type,
      oid: 1,
      typtype,
      category,
      labels: null,
      sql,
      notNull: name === "id",
      hasDefault: false,
      collation: null,
      element: null
    }))
    .concat([
      {
        name: "tags",
        type: "_text",
        oid: 1009,
        typtype: "b",
        category: "A",
        labels: null,
        sql: "text[]",
        notNull: false,
        hasDefault: false,
        collation: null,
        element: { type: "text", oid: 25, typtype: "b", category: "S", labels: null, sql: "text" } as never
      }
    ]),
  keys: [{ primary: true, columns: ["id"] }],
  keys_out: null,
  collate: "en_US.UTF-8"
}

/** A connection whose statements are only recorded. */
const recorder = () => {
  const statements: Array<{ readonly text: string; readonly params: ReadonlyArray<Param> }> = []
  const query = async (text: string, params: ReadonlyArray<Param>): Promise<DriverResult> => {
    if (text.includes("pg_catalog.to_regclass($1)")) {
      return { rows: [catalogue as unknown as Record<string, unknown>], count: 1, fields: [] }
    }
    statements.push({ text, params })
    return { rows: [], count: 0, fields: [] }
  }
  const pool = { query, native: undefined } as unknown as DriverPool
  const connection = new DatabaseConnection({
    identity: { product: undefined, env: undefined, database: "d" },
    driver: {
      name: "recorder",
      capabilities: new Set(["concurrent"] as const),
      open: async () => pool,
      classify: () => {
        throw new Error()
      }
    },
    pool,
    numericMode: "number",
    cursorKey: Buffer.alloc(32)
  })
  return { db: new DatabaseHandle(connection), statements }
}

/** Everything that depends on positions goes, and so does what a constant holds. */
const structure = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(structure)
  if (typeof node !== "object" || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== "location" && key !== "stmt_location" && key !== "stmt_len")
      .map(([key, value]) => [key, structure(value)])
  )
}

type Call = (db: DatabaseHandle, evil: string, column: string) => Promise<unknown>

/** `evil` as a value everywhere; `column` where a name is taken. */
const calls: ReadonlyArray<Call> = [
  (db, evil, column) => db.find({ table: "t", where: { [column]: evil } }),
  (db, evil, column) =>
    db.find({ table: "t", where: { name: { $like: `${evil.replaceAll("\\", "")}%` } }, select: [column] }),
  (db, evil, column) =>
    db.find({
      table: "t",
      where: { $or: [{ name: { $in: [evil, "x"] } }, { meta: { $contains: evil } }] },
      orderBy: { column }
    }),
  (db, evil) =>
    db.find({
      table: "t",
      where: { name: { $regex: evil.replace(/[^\w ';"-]/g, "") }, tags: { $containsAny: [evil] } },
      limit: 5
    }),
  (db, evil) =>
    db.find({
      table: "t",
      where: { name: { $startsWith: evil }, meta: { $eq: { [evil]: evil } } },
      offset: 3
    }),
  (db, evil, column) =>
    db.insert({
      table: "t",
      records: { [column]: evil, name: evil, meta: { a: evil }, tags: [evil] },
      returning: true
    }),
  (db, evil) =>
    db.insert({
      table: "t",
      records: [
        { name: evil, tags: [evil, null] },
        { name: "b", tags: [] }
      ]
    }),
  (db, evil, column) => db.upsert({ table: "t", records: { id: 1, name: evil }, conflictKeys: [column] }),
  (db, evil, column) => db.update({ table: "t", data: { [column]: evil }, where: { name: evil } }),
  (db, evil) =>
    db.update({
      table: "t",
      data: { tags: { $push: evil }, meta: { $addToSet: evil }, name: { $max: evil } },
      where: { name: { $ne: evil } }
    }),
  (db, evil) => db.delete({ table: "t", where: { name: evil }, returning: true }),
  (db, evil, column) =>
    db.aggregate({
      table: "t",
      operations: { x: { $stringAgg: { column: "name", separator: evil } }, y: { $count: column } },
      where: { name: evil }
    }),
  (db, evil, column) =>
    db.groupBy({ table: "t", groupBy: [column], aggregate: { n: { $count: "*" } }, where: { name: evil } }),
  (db, evil) => db.find({ table: evil, where: { id: 1 } }),
  (db, evil) => db.aggregate({ table: "t", operations: { [evil]: { $count: "*" } } })
]

const plainValue = "plain"

/** Calls that take the text for a name: where it is one, it may stand. */
const naming = new Set(calls.slice(-2))

/**
 * Hostile identifiers and values, through every call. Each statement that is sent must parse to the
 * very tree of the same call with a harmless value: only what is bound may differ.
 */
export const runInjection = async (
  cases: number,
  seed: number,
  progress: (done: number) => void = () => undefined
) => {
  const dice = new Dice(seed)
  const { db, statements } = recorder()
  const trees = new Map<string, string>()
  const columns = ["id", "name", "meta", "n", "tags"]
  let sent = 0
  let refused = 0
  const treeOf = async (text: string): Promise<string> => {
    const known = trees.get(text)
    if (known !== undefined) return known
    const tree = JSON.stringify(structure(await parse(text)))
    if (trees.size > 5000) trees.clear()
    trees.set(text, tree)
    return tree
  }
  const run = async (
    call: Call,
    evil: string,
    column: string
  ): Promise<ReadonlyArray<string> | undefined> => {
    statements.length = 0
    try {
      await call(db, evil, column)
    } catch (error) {
      if (
        error instanceof DatabaseError &&
        (error.code === "VALIDATION_ERROR" || error.code === "COLUMN_NOT_FOUND")
      )
        return undefined
      throw error
    }
    return statements.map((statement) => statement.text)
  }
  for (let done = 0; done < cases; done++) {
    const call = dice.pick(calls)
    const evil = hostile(dice)
    const column = dice.chance(0.3) ? hostile(dice) : dice.pick(columns)
    const texts = await run(call, evil, column)
    if (texts === undefined) {
      refused++
    } else {
      sent++
      const known = columns.includes(column) || column === "*" ? column : "name"
      // Text that is a number goes another way into a number's column than text that is none.
      const harmless: Array<string> = []
      for (const value of naming.has(call) ? [evil] : [plainValue, "0"]) {
        harmless.push(...((await run(call, value, known)) ?? []))
      }
      if (
        (!columns.includes(column) && column !== "*" && call.length > 2) ||
        (naming.has(call) && !isIdentifier(evil) && !isTable(evil))
      ) {
        throw new Error(`seed ${seed}, case ${done}: a hostile name was taken: ${JSON.stringify(column)}`)
      }
      for (const text of texts) {
        const tree = await treeOf(text)
        const expected = await Promise.all(harmless.map(treeOf))
        if (!expected.includes(tree)) {
          throw new Error(`seed ${seed}, case ${done}: ${JSON.stringify({ evil, column, text, harmless })}`)
        }
      }
    }
    if (done % 1000 === 0) progress(done)
  }
  return { sent, refused }
}
