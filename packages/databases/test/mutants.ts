import { schemaMutants } from "./schemaMutants.ts"

const suite = "packages/databases-pglite/test/conformance.test.ts"
const pure = "test/compile.test.ts"

export default [
  {
    name: "not lets unknown through as false",
    file: "src/sql/filterSql.ts",
    find: "return `(${filterSql(scope, filter.member)}) IS NOT TRUE`",
    replace: "return `NOT (${filterSql(scope, filter.member)})`",
    tests: pure
  },
  {
    name: "ne forgets null rows",
    file: "src/sql/filterSql.ts",
    find: ": `${sides.column} IS DISTINCT FROM ${sides.sql}`",
    replace: ": `${sides.column} <> ${sides.sql}`",
    tests: pure
  },
  {
    name: "nin forgets null rows",
    file: "src/sql/filterSql.ts",
    find: 'return operator === "in" ? found : `(${found}) IS NOT TRUE`',
    replace: 'return operator === "in" ? found : `NOT (${found})`',
    tests: pure
  },
  {
    name: "text is ordered by the database's locale",
    file: "src/sql/filterSql.ts",
    find: ': `${sql} COLLATE "C"`',
    replace: ": sql",
    tests: pure
  },
  {
    name: "a value of another kind differs from nothing",
    file: "src/sql/filterSql.ts",
    find: 'if (!meets(column, value)) return "TRUE"',
    replace: 'if (!meets(column, value)) return "FALSE"',
    tests: pure
  },
  {
    name: "or is and",
    file: "src/sql/filterSql.ts",
    find: 'filter.type === "and" ? " AND " : " OR "',
    replace: 'filter.type === "and" ? " AND " : " AND "',
    tests: suite
  },
  {
    name: "wildcards are not escaped",
    file: "src/sql/patterns.ts",
    find: 'text.replace(/[\\\\%_]/g, "\\\\$&")',
    replace: "text",
    tests: suite
  },
  {
    name: "a word boundary is a backspace",
    file: "src/sql/patterns.ts",
    find: 'b: "\\\\y",',
    replace: 'b: "\\\\b",',
    tests: pure
  },
  {
    name: "identifiers may hold quotes",
    file: "src/sql/identifier.ts",
    find: "const name = /^[A-Za-z_][A-Za-z0-9_$]*$/",
    replace: 'const name = /^[A-Za-z_][A-Za-z0-9_$"]*$/',
    tests: pure
  },
  {
    name: "identifiers may end in a line break and more",
    file: "src/sql/identifier.ts",
    find: "const name = /^[A-Za-z_][A-Za-z0-9_$]*$/",
    replace: "const name = /^[A-Za-z_][A-Za-z0-9_$]*/",
    tests: pure
  },
  {
    name: "integers beyond the type are sent to it",
    file: "src/sql/encode.ts",
    find: "exact >= range[0] && exact <= range[1]",
    replace: "exact >= range[0]",
    tests: pure
  },
  {
    name: "quotes in arrays are not escaped",
    file: "src/sql/encode.ts",
    find: '/["\\\\]/.test(text) ? `"${text.replace(/["\\\\]/g, "\\\\$&")}"` : `"${text}"`',
    replace: '`"${text}"`',
    tests: suite
  },
  {
    name: "quotes in bulk inserts are not escaped",
    file: "src/write/rows.ts",
    find: 'const special = /["\\\\]/',
    replace: 'const special = /["]/',
    tests: suite
  },
  {
    name: "big integers lose digits",
    file: "src/sql/decode.ts",
    find: "return Number.isSafeInteger(number) ? number : text",
    replace: "return Number.isFinite(number) ? number : text",
    tests: pure
  },
  {
    name: "numerics lose digits",
    file: "src/sql/decode.ts",
    find: "return String(number) === text ? number : text",
    replace: "return number",
    tests: pure
  },
  {
    name: "time zones are added instead of taken away",
    file: "src/sql/decode.ts",
    find: 'm[8] === "-" ? -offset : offset',
    replace: 'm[8] === "-" ? offset : -offset',
    tests: pure
  },
  {
    name: "milliseconds are cut",
    file: "src/sql/decode.ts",
    find: "let weight = 100",
    replace: "let weight = 10",
    tests: pure
  },
  {
    name: "cursors are not checked",
    file: "src/read/cursor.ts",
    find: "if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw refuse()",
    replace: "if (given.length !== wanted.length) throw refuse()",
    tests: pure
  },
  {
    name: "a cursor fits every order",
    file: "src/read/cursor.ts",
    find: "JSON.stringify([table, order.map(({ column, descending }) => (descending ? `-${column}` : column))])",
    replace: "JSON.stringify([table])",
    tests: pure
  },
  {
    name: "pages lose null rows",
    file: "src/read/cursor.ts",
    find: "c.nullable ? `(${c.sorted} > ${value()} OR ${c.name} IS NULL)` : `${c.sorted} > ${value()}`",
    replace: "`${c.sorted} > ${value()}`",
    tests: suite
  },
  {
    name: "pages have no tiebreak",
    file: "src/read/find.ts",
    find: "...table.primaryKey\n      .filter((column) => !named.has(column))",
    replace: "...table.primaryKey\n      .filter((column) => named.has(column))",
    tests: suite
  },
  {
    name: "count is that of the page",
    file: "src/read/find.ts",
    find: "await countWhere(scope, table, query.where)",
    replace: "rows.length",
    tests: suite
  },
  {
    name: "hidden join columns stay",
    file: "src/read/include.ts",
    find: "for (const column of plan.hidden) for (const row of result.rows) delete row[column]",
    replace: "",
    tests: suite
  },
  {
    name: "an include's limit counts for all parents together",
    file: "src/read/include.ts",
    find: "LIMIT ${plan.limit}) AS r`",
    replace: ") AS r LIMIT ${plan.limit}`",
    tests: suite
  },
  {
    name: "many-to-one without a match is undefined",
    file: "src/read/include.ts",
    find: "own?.[0] ?? null",
    replace: "own?.[0]",
    tests: suite
  },
  {
    name: "writes of everything need no word",
    file: "src/write/delete.ts",
    find: 'where.filter.type === "all" && input.all !== true',
    replace: 'where.filter.type === "all" && input.all === undefined && input.where === null',
    tests: suite
  },
  {
    name: "chunks are written one by one",
    file: "src/write/insert.ts",
    find: "await inTransaction(scope, async (on) => {",
    replace: "await (async (work: (on: Scope) => Promise<void>) => work(scope))(async (on) => {",
    tests: suite
  },
  {
    name: "inc forgets that null counts as 0",
    file: "src/write/operators.ts",
    find: "return `COALESCE(${name}, 0) ${sign} ${bound()}`",
    replace: "return `${name} ${sign} ${bound()}`",
    tests: suite
  },
  {
    name: "pop takes from the wrong end",
    file: "src/write/operators.ts",
    find: "return value === 1\n",
    replace: "return value === -1\n",
    tests: suite
  },
  {
    name: "addToSet adds what is there",
    file: "src/write/operators.ts",
    find: "IS NOT NULL THEN ${list} ELSE array_append(${list}, ${item}) END`",
    replace: "IS NULL THEN ${list} ELSE array_append(${list}, ${item}) END`",
    tests: suite
  },
  {
    name: "max is min",
    file: "src/write/operators.ts",
    find: 'operator === "min" ? "LEAST" : "GREATEST"',
    replace: 'operator === "min" ? "LEAST" : "LEAST"',
    tests: suite
  },
  {
    name: "a sum of nothing is null",
    file: "src/read/aggregate.ts",
    find: "return `COALESCE(sum(${name}), 0)`",
    replace: "return `sum(${name})`",
    tests: suite
  },
  {
    name: "a failed transaction pretends to commit",
    file: "src/TransactionState.ts",
    find: "if (error.sqlState !== undefined) this.#aborted = true",
    replace: "",
    tests: suite
  },
  {
    name: "a throw commits",
    file: "src/Transaction.ts",
    find: "    await tx.rollback()\n    throw cause\n  }\n  if (tx.isActive())",
    replace: "    await tx.commit()\n    throw cause\n  }\n  if (tx.isActive())",
    tests: suite
  },
  {
    name: "a lost write may be tried again",
    file: "src/faults.ts",
    find: '{ retryable: false, details: { outcome: "unknown" as const } }',
    replace: '{ details: { outcome: "unknown" as const } }',
    tests: pure
  },
  {
    name: "deadlocks are final",
    file: "src/DatabaseError.ts",
    find: "DEADLOCK: { status: 409, retryable: true }",
    replace: "DEADLOCK: { status: 409 }",
    tests: suite
  },
  {
    name: "passwords with an at sign show their end",
    file: "src/DatabaseDef.ts",
    find: "const userinfo = /^([a-z][a-z0-9+.-]*:\\/\\/)([^/?#]*)@/i.exec(url)",
    replace: "const userinfo = /^([a-z][a-z0-9+.-]*:\\/\\/)([^/?#]*?)@/i.exec(url)",
    tests: pure
  },
  {
    name: "secrets go into passwords as they are",
    file: "src/DatabaseDef.ts",
    find: 'return at < end && url.includes("://") ? encodeURIComponent(value) : value',
    replace: "return value",
    tests: pure
  },
  ...schemaMutants
]
