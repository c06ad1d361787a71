import type { Scope } from "../DatabaseConnection.ts"
import type { Param } from "../DatabaseDriver.ts"
import { invalid } from "../DatabaseError.ts"
import type { Column, ColumnType, Table } from "../sql/Catalogue.ts"
import { encodeWrite } from "../sql/encode.ts"
import { columnOf } from "../sql/filterSql.ts"
import type { Row } from "../types.ts"

/** Rows in one statement, at most: keeps messages small and progress steady. */
export const rowsPerStatement = 5000
/** PostgreSQL counts a statement's parameters in 16 bits, and the driver keeps two for itself. */
export const maxParams = 65_533

export const readRows = (input: {
  readonly records?: unknown
  readonly data?: unknown
}): ReadonlyArray<Row> => {
  const given = input.records ?? input.data
  if (given === undefined) throw invalid("records: missing. Give a row, or a list of rows.", "records")
  const rows = (Array.isArray(given) ? given : [given]) as ReadonlyArray<unknown>
  for (const [i, row] of rows.entries()) {
    if (typeof row !== "object" || row === null || Array.isArray(row) || row instanceof Date) {
      throw invalid(`records[${i}]: expected an object of columns and values.`, `records[${i}]`)
    }
  }
  return rows as ReadonlyArray<Row>
}

/** Columns that any of the rows has, in order of appearance, and whether all rows have them all. */
export const columnsOfRows = (
  table: Table,
  rows: ReadonlyArray<Row>
): { readonly columns: ReadonlyArray<Column>; readonly even: boolean } => {
  const first = rows[0] as Row
  const names: Array<string> = []
  for (const name of Object.keys(first)) if (first[name] !== undefined) names.push(name)
  let even = true
  const known = new Set(names)
  for (let i = 1; i < rows.length; i++) {
    const row = rows[i] as Row
    let matching = 0
    for (const name of Object.keys(row)) {
      if (row[name] === undefined) continue
      if (known.has(name)) matching++
      else {
        known.add(name)
        names.push(name)
        even = false
      }
    }
    if (matching !== names.length) even = false
  }
  return { columns: names.map((name) => columnOf(table, name, "records")), even }
}

/** Types whose arrays can be sent as one parameter per column and cast back without loss. */
const unnestable = new Set([
  "int2",
  "int4",
  "int8",
  "oid",
  "float4",
  "float8",
  "numeric",
  "text",
  "varchar",
  "bpchar",
  "name",
  "citext",
  "bool",
  "date",
  "time",
  "timetz",
  "timestamp",
  "timestamptz",
  "uuid",
  "json",
  "jsonb",
  "bytea",
  "interval",
  "inet",
  "cidr",
  "macaddr"
])

const isUnnestable = (type: ColumnType): boolean =>
  type.kind === "enum" ||
  unnestable.has(type.name) ||
  (type.kind === "array" && type.element !== undefined && isUnnestable(type.element))

export const canUnnest = (columns: ReadonlyArray<Column>): boolean => columns.every(isUnnestable)

/** Array element type and the cast back, for a column in `unnest`. */
const unnestType = (column: Column): { readonly array: string; readonly cast: string } => {
  if (column.kind === "text") return { array: "text[]", cast: "" }
  if (column.kind === "array" || column.kind === "enum" || column.name === "json") {
    return { array: "text[]", cast: `::${column.sql}` }
  }
  return { array: `${column.sql}[]`, cast: "" }
}

/** `SELECT … FROM unnest($1::int4[], $2::text[])`: one text for any number of rows. */
export const unnestSql = (columns: ReadonlyArray<Column>): string => {
  const types = columns.map(unnestType)
  const picks = types.map(({ cast }, i) => `c${i}${cast}`).join(", ")
  const arrays = types.map(({ array }, i) => `$${i + 1}::${array}`).join(", ")
  const names = columns.map((_, i) => `c${i}`).join(", ")
  return `SELECT ${picks} FROM unnest(${arrays}) AS r(${names})`
}

const special = /["\\]/

/** One array per column, in PostgreSQL's text. */
export const unnestParams = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<Row>,
  from: number,
  to: number
): Array<Param> =>
  columns.map((column) => {
    const bare = column.kind === "int" || column.kind === "bool" || column.kind === "uuid"
    const name = column.column
    let out = "{"
    for (let i = from; i < to; i++) {
      if (i > from) out += ","
      const value = (rows[i] as Row)[name]
      const text =
        column.name === "int4" && typeof value === "number" && (value | 0) === value
          ? `${value}`
          : encodeWrite(column, value, `records[${i}].${name}`)
      if (text === null) out += "NULL"
      else if (bare) out += text
      else out += special.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`
    }
    return `${out}}`
  })

/** The values of the only row. */
export const valuesOfRow = (columns: ReadonlyArray<Column>, row: Row): Array<Param> =>
  columns.map((column) => encodeWrite(column, row[column.column], `records[0].${column.column}`))

/** `VALUES ($1, DEFAULT), …` for rows that differ in their columns or types that cannot be unnested. */
export const valuesSql = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<Row>,
  from: number,
  to: number
): { readonly text: string; readonly params: Array<Param> } => {
  const params: Array<Param> = []
  const tuples: Array<string> = []
  for (let i = from; i < to; i++) {
    const row = rows[i] as Row
    const items = columns.map((column) => {
      const value = row[column.column]
      if (value === undefined) return "DEFAULT"
      params.push(encodeWrite(column, value, `records[${i}].${column.column}`))
      return `$${params.length}`
    })
    tuples.push(`(${items.join(", ")})`)
  }
  return { text: `VALUES ${tuples.join(", ")}`, params }
}

/** Runs `work` in the call's transaction, or in one of its own. */
export const inTransaction = async <A>(scope: Scope, work: (scope: Scope) => Promise<A>): Promise<A> => {
  if (scope.transaction !== undefined) return work(scope)
  const { begin } = await import("../Transaction.ts")
  const { connection, control } = scope
  const remaining =
    control?.deadline === undefined ? undefined : Math.max(1, control.deadline - performance.now())
  const tx = await begin(connection, {}, { timeout: remaining, signal: control?.signal })
  try {
    const result = await work({ connection, transaction: tx.state, control })
    await tx.commit()
    return result
  } catch (cause) {
    await tx.rollback()
    throw cause
  }
}
