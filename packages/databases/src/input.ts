import type { Filter } from "@ductape/core"
import { filterShape, parseFilter } from "@ductape/core"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { isIdentifier, quoteTable } from "./sql/identifier.ts"
import type { Order, TableInput } from "./types.ts"

/** The table of a call. @throws `VALIDATION_ERROR` */
export const tableName = (input: TableInput): string => {
  const table = input.table ?? input.entity ?? input.collection
  if (table === undefined) throw invalid("table: missing. Name the table to work on.", "table")
  // Checked here, before any I/O; the catalogue keeps the quoted form.
  quoteTable(table)
  return table
}

export interface ParsedFilter {
  readonly filter: Filter
  readonly key: string
  readonly values: Array<unknown>
}

const everything: Filter = { type: "all" }

/** @throws {DatabaseError} `VALIDATION_ERROR` naming the path in `where` */
export const readWhere = (where: unknown, path = "where"): ParsedFilter => {
  if (where === undefined) return { filter: everything, key: "all", values: [] }
  let filter: Filter
  try {
    filter = parseFilter(where, { path })
  } catch (cause) {
    const error = cause as { readonly message: string; readonly details?: unknown }
    throw new DatabaseError({ code: "VALIDATION_ERROR", message: error.message, details: error.details })
  }
  const { key, values } = filterShape(filter)
  return { filter, key, values }
}

export interface OrderItem {
  readonly column: string
  readonly descending: boolean
}

/** @throws `VALIDATION_ERROR` */
export const readOrder = (
  orderBy: Order | ReadonlyArray<Order> | undefined,
  path = "orderBy"
): ReadonlyArray<OrderItem> => {
  if (orderBy === undefined) return []
  const list = Array.isArray(orderBy) ? (orderBy as ReadonlyArray<Order>) : [orderBy as Order]
  return list.map((item, i) => {
    const at = list.length === 1 ? path : `${path}[${i}]`
    if (typeof item !== "object" || item === null || !isIdentifier(item.column)) {
      throw invalid(`${at}: expected { column, order? } with the name of a column.`, at)
    }
    const order: unknown = item.order ?? "ASC"
    const folded = typeof order === "string" ? order.toUpperCase() : undefined
    if (folded !== "ASC" && folded !== "DESC")
      throw invalid(`${at}.order: expected 'ASC' or 'DESC'.`, `${at}.order`)
    return { column: item.column, descending: folded === "DESC" }
  })
}

/** A whole number, at least 0. @throws `VALIDATION_ERROR` */
export const readCount = (value: unknown, path: string): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(`${path}: expected a whole number, 0 or more.`, path)
  }
  return value
}

/** Distinct column names, at least one. @throws `VALIDATION_ERROR` */
export const readColumns = (value: unknown, path: string): ReadonlyArray<string> => {
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${path}: expected a list of columns.`, path)
  for (const [i, column] of value.entries()) {
    if (!isIdentifier(column)) throw invalid(`${path}[${i}]: expected the name of a column.`, `${path}[${i}]`)
  }
  return [...new Set(value as ReadonlyArray<string>)]
}
