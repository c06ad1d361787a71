import { inspect } from "node:util"
import { evaluateFilter, parseFilter } from "@ductape/core"
import type { DatabaseHandle } from "../DatabaseHandle.ts"
import type { Row } from "../types.ts"
import { Dice, type OracleKind, someWhere, sqlTypes, storedValue } from "./oracleData.ts"

const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const compare = (a: unknown, b: unknown): number => {
  if (typeof a === "string" && typeof b === "string") return byCodePoint(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  const x = a as number
  const y = b as number
  return x < y ? -1 : x > y ? 1 : 0
}

/** Nulls last when ascending, first when descending. */
const compareRows =
  (order: ReadonlyArray<{ readonly column: string; readonly order: "ASC" | "DESC" }>) =>
  (a: Row, b: Row): number => {
    for (const { column, order: direction } of order) {
      const [x, y] = [a[column] ?? null, b[column] ?? null]
      const sign = x === null || y === null ? Number(x === null) - Number(y === null) : compare(x, y)
      if (sign !== 0) return direction === "DESC" ? -sign : sign
    }
    return (a["id"] as number) - (b["id"] as number)
  }

const unordered: ReadonlySet<OracleKind> = new Set(["json", "texts", "ints"])

export interface OracleOptions {
  readonly seed: number
  /** How many finds to compare. */
  readonly cases: number
  readonly progress?: (done: number) => void
  /** Filters tried on each table. Default: 250. */
  readonly perTable?: number
}

/**
 * Random tables, rows, filters, orders and pages: the database must answer as the filter evaluated in
 * JavaScript does. Rejects with the seed and the case.
 */
export const runOracle = async (db: DatabaseHandle, options: OracleOptions): Promise<void> => {
  const { cases, perTable = 250, seed } = options
  const dice = new Dice(seed)
  const kinds = Object.keys(sqlTypes) as Array<OracleKind>
  let done = 0
  for (let n = 0; done < cases; n++) {
    const columns = Array.from({ length: 3 + dice.below(5) }, (_, i) => {
      const kind = dice.pick(kinds)
      return { name: `c${i}_${kind}`, kind }
    })
    const table = `oracle_${Math.trunc(seed)}_${n}`
    await db.raw({
      query: `CREATE TABLE ${table} (id int PRIMARY KEY, ${columns.map(({ kind, name }) => `${name} ${sqlTypes[kind]}`).join(", ")})`
    })
    const rows = Array.from({ length: 10 + dice.below(30) }, (_, id) => {
      const row: Row = { id }
      for (const { kind, name } of columns) row[name] = storedValue(kind, dice)
      return row
    })
    await db.insert({ table, records: rows })
    const sortable = columns.filter(({ kind }) => !unordered.has(kind))
    const all = [...columns, { name: "id", kind: "int" as const }]
    for (let i = 0; i < perTable && done < cases; i++) {
      const where = someWhere(all, dice)
      const orderBy = Array.from({ length: sortable.length === 0 ? 0 : dice.below(3) }, () => ({
        column: dice.pick(sortable).name,
        order: dice.pick(["ASC", "DESC"] as const)
      })).filter((item, at, list) => list.findIndex((other) => other.column === item.column) === at)
      const limit = 1 + dice.below(12)
      const offset = dice.chance(0.5) ? undefined : dice.below(10)
      const filter = parseFilter(where)
      const matching = rows.filter((row) => evaluateFilter(filter, row)).sort(compareRows(orderBy))
      const expected = matching.slice(offset ?? 0, (offset ?? 0) + limit).map((row) => row["id"])
      const explain = (what: string, found: unknown): Error =>
        new Error(
          `seed ${seed}, table ${n}, filter ${i}: ${what}\nwhere ${inspect(where, { depth: 12 })}\norder ${inspect(orderBy)} limit ${limit} offset ${offset}\nexpected ${inspect(expected)} of ${matching.length}\nfound ${inspect(found)}\nrows ${inspect(rows, { depth: 8 })}`
        )
      let found: ReadonlyArray<unknown>
      let count: number
      try {
        const paged = dice.chance(0.2)
        const result = paged
          ? await everyPage(db, table, where, orderBy, limit)
          : await db.find({ table, where, orderBy, limit, offset, select: ["id"] })
        found = result.records.map((row) => row["id"])
        count = result.count
        if (paged) {
          const whole = matching.map((row) => row["id"])
          if (inspect(found) !== inspect(whole)) throw explain(`pages differ from ${inspect(whole)}`, found)
          done++
          continue
        }
      } catch (cause) {
        throw cause instanceof Error && cause.message.startsWith("seed ")
          ? cause
          : explain(String(cause), cause)
      }
      if (inspect(found) !== inspect(expected)) throw explain("rows differ", found)
      if (count !== matching.length) throw explain(`count differs: ${count}`, found)
      done++
    }
    await db.raw({ query: `DROP TABLE ${table}` })
    options.progress?.(done)
  }
}

const everyPage = async (
  db: DatabaseHandle,
  table: string,
  where: Record<string, unknown>,
  orderBy: ReadonlyArray<{ readonly column: string; readonly order: "ASC" | "DESC" }>,
  limit: number
): Promise<{ readonly records: ReadonlyArray<Row>; readonly count: number }> => {
  const records: Array<Row> = []
  let after: string | null | undefined = null
  let count = 0
  do {
    const page: { records: Array<Row>; count: number; nextCursor?: string | null } = await db.find({
      table,
      where,
      orderBy,
      limit,
      after,
      select: ["id"],
      count: false
    })
    records.push(...page.records)
    count += page.count
    after = page.nextCursor
  } while (after !== null && after !== undefined)
  return { records, count }
}
