import type { Scope } from "../DatabaseConnection.ts"
import { foreignArrays, readForeignArrays } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { readColumns, tableName } from "../input.ts"
import { InsertedResult } from "../results.ts"
import type { Column, Table } from "../sql/Catalogue.ts"
import { columnOf } from "../sql/filterSql.ts"
import type { InsertInput, Row } from "../types.ts"
import { pickColumns, type Returning, readReturning } from "./returning.ts"
import {
  canUnnest,
  columnsOfRows,
  inTransaction,
  maxParams,
  readRows,
  rowsPerStatement,
  unnestParams,
  unnestSql,
  valuesOfRow,
  valuesSql
} from "./rows.ts"

export interface Conflict {
  readonly columns: ReadonlyArray<string>
  readonly action: "update" | "ignore"
  readonly update: ReadonlyArray<string> | undefined
}

/** An insert whose input was read. */
export interface InsertQuery {
  readonly name: string
  readonly rows: ReadonlyArray<Row>
  readonly returning: Returning
  readonly conflict: Conflict | undefined
  /** Also say of each row whether it was inserted. */
  readonly mark: boolean
  readonly onProgress: InsertInput["onProgress"]
}

export interface Written {
  readonly records: Array<Row>
  readonly count: number
  readonly ids: Array<unknown>
  readonly inserted: number
}

const readConflict = (conflict: InsertInput["onConflict"]): Conflict | undefined => {
  if (conflict === undefined) return undefined
  if (
    typeof conflict !== "object" ||
    conflict === null ||
    (conflict.action !== "update" && conflict.action !== "ignore")
  ) {
    throw invalid("onConflict: expected { columns, action: 'update' | 'ignore', update? }.", "onConflict")
  }
  return {
    columns: readColumns(conflict.columns, "onConflict.columns"),
    action: conflict.action,
    update: conflict.update === undefined ? undefined : readColumns(conflict.update, "onConflict.update")
  }
}

const conflictSql = (
  table: Table,
  columns: ReadonlyArray<Column>,
  conflict: Conflict | undefined
): string => {
  if (conflict === undefined) return ""
  const keys = conflict.columns.map((column) => `"${columnOf(table, column, "onConflict.columns").column}"`)
  const target = ` ON CONFLICT (${keys.join(", ")})`
  if (conflict.action === "ignore") return `${target} DO NOTHING`
  const key = new Set([...conflict.columns, ...table.primaryKey])
  const update =
    conflict.update ?? columns.map((column) => column.column).filter((column) => !key.has(column))
  // Nothing to change: the row is still "updated", so that it is counted and returned.
  const set = (update.length === 0 ? [conflict.columns[0] as string] : update)
    .map((column) => `"${columnOf(table, column, "onConflict.update").column}" = EXCLUDED."${column}"`)
    .join(", ")
  return `${target} DO UPDATE SET ${set}`
}

const insertedMark = "ductape$inserted"

/** What the statement must give back: what was asked for, the keys, and the mark. */
const outputSql = (table: Table, query: InsertQuery): string => {
  const mark = query.mark ? `, (xmax = 0) AS "${insertedMark}"` : ""
  if (query.returning === "*") return ` RETURNING *${mark}`
  const named = query.returning ?? []
  for (const column of named) columnOf(table, column, "returning")
  const columns = [...new Set([...named, ...table.primaryKey])].map((column) => `"${column}"`).join(", ")
  if (columns === "" && mark === "") return ""
  return ` RETURNING ${columns === "" ? mark.slice(2) : `${columns}${mark}`}`
}

interface Chunk {
  readonly text: string
  readonly params: ReadonlyArray<string | null | object>
  readonly prepare: boolean
}

const collect = (
  table: Table,
  query: InsertQuery,
  rows: Array<Row>,
  count: number,
  into: Written & { inserted: number; count: number }
): void => {
  into.count += count
  const { primaryKey } = table
  const [key] = primaryKey
  if (query.mark) for (const row of rows) if (row[insertedMark] === true) into.inserted++
  if (primaryKey.length === 1 && key !== undefined) for (const row of rows) into.ids.push(row[key])
  else if (primaryKey.length > 1) for (const row of rows) into.ids.push(pickColumns(row, primaryKey))
  if (query.returning === undefined) return
  if (query.returning === "*") {
    if (query.mark) for (const row of rows) delete row[insertedMark]
    into.records.push(...rows)
  } else {
    for (const row of rows) into.records.push(pickColumns(row, query.returning))
  }
}

/** Writes all rows or none. */
export const runInsert = async (scope: Scope, table: Table, query: InsertQuery): Promise<Written> => {
  const { connection } = scope
  const { rows } = query
  const { columns, even } = columnsOfRows(table, rows)
  const written = { records: [] as Array<Row>, count: 0, ids: [] as Array<unknown>, inserted: 0 }
  const names = columns.map((column) => `"${column.column}"`).join(", ")
  const shape = `${query.name} ${names} ${query.conflict === undefined ? "" : JSON.stringify(query.conflict)} ${query.mark} ${String(query.returning)}`
  const bulk = even && rows.length > 1 && columns.length > 0 && canUnnest(columns)
  const tail = () => `${conflictSql(table, columns, query.conflict)}${outputSql(table, query)}`
  const head = () => `INSERT INTO ${table.sql} ${columns.length === 0 ? "" : `(${names}) `}`
  const step = bulk
    ? rowsPerStatement
    : Math.max(1, Math.min(rowsPerStatement, Math.floor(maxParams / Math.max(1, columns.length))))
  const chunk = (from: number, to: number): Chunk => {
    if (bulk) {
      const text = connection.plan(`insert* ${shape}`, () => `${head()}${unnestSql(columns)}${tail()}`)
      return { text, params: unnestParams(columns, rows, from, to), prepare: true }
    }
    if (columns.length === 0) {
      return {
        text: `${head()}${to - from === 1 ? "DEFAULT VALUES" : `SELECT FROM generate_series(1, ${to - from})`}${tail()}`,
        params: [],
        prepare: false
      }
    }
    if (rows.length === 1) {
      const text = connection.plan(
        `insert ${shape}`,
        () => `${head()}VALUES (${columns.map((_, i) => `$${i + 1}`).join(", ")})${tail()}`
      )
      return { text, params: valuesOfRow(columns, rows[0] as Row), prepare: true }
    }
    const values = valuesSql(columns, rows, from, to)
    return { text: `${head()}${values.text}${tail()}`, params: values.params, prepare: to - from === 1 }
  }
  const arrays =
    query.returning === undefined
      ? []
      : foreignArrays(table, query.returning === "*" ? table.columns.keys() : query.returning)
  const writeChunk = async (on: Scope, from: number): Promise<void> => {
    const to = Math.min(rows.length, from + step)
    const { params, prepare, text } = chunk(from, to)
    const result = await connection.run(on, text, params as never, {
      prepare,
      write: true,
      table: query.name
    })
    if (arrays.length > 0) readForeignArrays(result.rows, arrays)
    collect(table, query, result.rows, result.count, written)
    query.onProgress?.(to, rows.length)
  }
  if (rows.length <= step) {
    await writeChunk(scope, 0)
  } else {
    await inTransaction(scope, async (on) => {
      for (let from = 0; from < rows.length; from += step) await writeChunk(on, from)
    })
  }
  return written
}

export const insert = async (scope: Scope, input: InsertInput): Promise<InsertedResult> => {
  const query: InsertQuery = {
    name: tableName(input),
    rows: readRows(input),
    returning: readReturning(input.returning),
    conflict: readConflict(input.onConflict),
    mark: false,
    onProgress: input.onProgress
  }
  if (query.rows.length === 0) return new InsertedResult([], 0, [])
  const written = await scope.connection.withTable(scope, query.name, (table) =>
    runInsert(scope, table, query)
  )
  return new InsertedResult(written.records, written.count, written.ids)
}
