import { invalid } from "../DatabaseError.ts"
import { readColumns } from "../input.ts"
import type { Table } from "../sql/Catalogue.ts"
import { columnOf } from "../sql/filterSql.ts"
import type { Row, Save } from "../types.ts"

/** What a write gives back: `undefined` nothing, `*` all, else these columns. */
export type Returning = ReadonlyArray<string> | "*" | undefined

export const readReturning = (returning: Save["returning"]): Returning => {
  if (returning === undefined || returning === false) return undefined
  if (returning === true) return "*"
  if (!Array.isArray(returning)) throw invalid("returning: expected true or a list of columns.", "returning")
  return readColumns(returning, "returning")
}

export const returningSql = (table: Table, returning: Returning): string => {
  if (returning === undefined) return ""
  if (returning === "*") return " RETURNING *"
  return ` RETURNING ${returning.map((column) => `"${columnOf(table, column, "returning").column}"`).join(", ")}`
}

/** A copy with the named columns only. */
export const pickColumns = (row: Row, columns: ReadonlyArray<string>): Row => {
  const out: Row = {}
  for (const column of columns) out[column] = row[column]
  return out
}
