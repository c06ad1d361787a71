import type { Comparison, Filter } from "@ductape/core"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { Column, ColumnType, Table } from "./Catalogue.ts"
import { arrayText, type Encoded, encode, misfit } from "./encode.ts"
import { quoteColumn } from "./identifier.ts"
import { jsonCompare } from "./jsonFilterSql.ts"
import { likeText, regexText } from "./patterns.ts"
import type { StatementBuilder } from "./Statement.ts"

export interface FilterScope {
  readonly table: Table
  /** Put before columns: `t0.` */
  readonly prefix: string
  readonly statement: StatementBuilder
  /** Some value lies outside its column's type: compare by numeric value, or as text. */
  readonly wide: boolean
}

/** @throws `COLUMN_NOT_FOUND` */
export const columnOf = (table: Table, name: string, path: string): Column => {
  const column = table.columns.get(name)
  if (column !== undefined) return column
  quoteColumn(name, path)
  throw new DatabaseError({
    code: "COLUMN_NOT_FOUND",
    message: `${path}: table '${table.name}' has no column '${name}'. It has ${[...table.columns.keys()].join(", ")}.`,
    table: table.name,
    columns: [name]
  })
}

const comparators = { eq: "=", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const
type Comparator = keyof typeof comparators

/** How kinds of operands meet kinds of columns; what does not meet is never equal (core's evaluator). */
const meets = (type: ColumnType, value: unknown): boolean => {
  switch (type.kind) {
    case "int":
    case "float":
    case "numeric":
      return (
        typeof value === "number" ||
        typeof value === "bigint" ||
        typeof value === "string" ||
        (typeof value === "object" && encode({ ...type, kind: "numeric" }, value) !== misfit)
      )
    case "text":
    case "uuid":
    case "time":
    case "enum":
      return typeof value === "string"
    case "date":
    case "timestamp":
      return typeof value === "string" || value instanceof Date
    case "bool":
      return typeof value === "boolean"
    case "bytes":
      return value instanceof Uint8Array
    case "array":
      return Array.isArray(value)
    case "json":
      return true
    case "other":
      return typeof value === "string"
  }
}

/** Kinds whose values are strings in JavaScript, so that text operators apply. */
const textual = new Set(["text", "uuid", "date", "time", "enum", "other"])

/** `"column"`, ordered by code point where it is text. */
export const ordered = (column: Column, sql: string): string =>
  column.kind === "text"
    ? column.binary
      ? sql
      : `${sql} COLLATE "C"`
    : column.kind === "enum"
      ? `${sql}::text COLLATE "C"`
      : sql

interface Operand {
  readonly sql: string
  readonly column: string
}

/** Column and placeholder in the forms that compare as JavaScript values do; `undefined`: never. */
const operand = (
  scope: FilterScope,
  column: Column,
  name: string,
  index: number,
  read: (value: unknown) => unknown,
  wants: "equality" | "order"
): Operand => {
  const { statement, wide } = scope
  const { kind } = column
  const numeric = kind === "int" || kind === "numeric" || kind === "float"
  if (wide && numeric) {
    const cast = kind === "float" ? "double precision" : "numeric"
    const type = {
      ...column,
      kind: kind === "float" ? ("float" as const) : ("numeric" as const),
      name: "float8"
    }
    return {
      column: `${name}::${cast}`,
      sql: `${statement.slot(index, (value) => encodeOr(type, read(value)))}::${cast}`
    }
  }
  if ((wide && textual.has(kind)) || (kind === "enum" && wants === "order")) {
    return {
      column: `${name}::text COLLATE "C"`,
      sql: `${statement.slot(index, (value) => String(read(value)))}::text`
    }
  }
  return {
    column: wants === "order" ? ordered(column, name) : name,
    sql: `${statement.slot(index, (value) => (wide ? encodeOr(column, read(value)) : encode(column, read(value))))}::${column.sql}`
  }
}

const itself = (value: unknown): unknown => value

/** What of a list can be found in the column at all. */
const candidates = (column: ColumnType, value: unknown): ReadonlyArray<unknown> =>
  (value as ReadonlyArray<unknown>).filter((item) => meets(column, item) && encode(column, item) !== misfit)

const compareSql = (scope: FilterScope, comparison: Comparison): string => {
  const { field, operator, value } = comparison
  const column = columnOf(scope.table, field, `where.${field}`)
  const name = `${scope.prefix}"${field}"`
  const { statement } = scope
  if (column.kind === "json") return jsonCompare(scope, column, name, comparison)
  switch (operator) {
    case "isNull":
      return `${name} IS NULL`
    case "isNotNull":
      return `${name} IS NOT NULL`
    case "eq":
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      const index = statement.take()
      if (!meets(column, value)) return "FALSE"
      if (operator !== "eq" && column.kind === "array") return "FALSE"
      const sides = operand(scope, column, name, index, itself, operator === "eq" ? "equality" : "order")
      return `${sides.column} ${comparators[operator as Comparator]} ${sides.sql}`
    }
    case "ne": {
      const index = statement.take()
      if (!meets(column, value)) return "TRUE"
      const sides = operand(scope, column, name, index, itself, "equality")
      // A value that cannot be any of the column's is bound as null, which must differ from null here.
      return scope.wide
        ? `(${sides.column} = ${sides.sql}) IS NOT TRUE`
        : `${sides.column} IS DISTINCT FROM ${sides.sql}`
    }
    case "between": {
      const lo = statement.take()
      const hi = statement.take()
      const [from, to] = value as readonly [unknown, unknown]
      if (!meets(column, from) || !meets(column, to)) return "FALSE"
      const low = operand(scope, column, name, lo, itself, "order")
      const high = operand(scope, column, name, hi, itself, "order")
      return `${low.column} BETWEEN ${low.sql} AND ${high.sql}`
    }
    case "in":
    case "nin": {
      const index = statement.take()
      const list = statement.slot(index, (items) => arrayText(candidates(column, items), column))
      const found = `${name} = ANY(${list}::${column.sql}[])`
      if (column.kind === "array") throw unsupported(comparison, column)
      return operator === "in" ? found : `(${found}) IS NOT TRUE`
    }
    case "contains":
      if (column.kind === "array") {
        const index = statement.take()
        const { element } = column
        if (element === undefined || !meets(element, value)) return "FALSE"
        return `${statement.slot(index, (item) => encodeOr(element, item))}::${element.sql} = ANY(${name})`
      }
      return likeSql(scope, column, name, comparison)
    case "containsAny":
    case "containsAll": {
      const index = statement.take()
      const { element } = column
      if (column.kind !== "array" || element === undefined) return "FALSE"
      if (operator === "containsAny") {
        const list = statement.slot(index, (items) => arrayText(candidates(element, items), element))
        return `${name} && ${list}::${column.sql}`
      }
      // An element that the column cannot hold is in no array.
      const fits = statement.slot(index, (items) =>
        candidates(element, items).length === (items as ReadonlyArray<unknown>).length ? "t" : "f"
      )
      const list = statement.slot(index, (items) => arrayText(candidates(element, items), element))
      return `(${fits}::boolean AND ${name} @> ${list}::${column.sql})`
    }
    default:
      return likeSql(scope, column, name, comparison)
  }
}

/** A value that no column of the type holds matches nothing: null compares so. */
const encodeOr = (type: ColumnType, value: unknown): string | null => {
  const text: Encoded = encode(type, value)
  return text === misfit ? null : text
}

const likeSql = (
  { statement }: FilterScope,
  column: Column,
  name: string,
  { field, operator, value }: Comparison
): string => {
  const index = statement.take()
  if (!textual.has(column.kind)) return "FALSE"
  const text = column.kind === "text" ? name : `${name}::text`
  if (operator === "regex") {
    const { ignoreCase } = value as { readonly ignoreCase: boolean }
    const pattern = statement.slot(index, (source) => regexText(source as string, `where.${field}.$regex`))
    return `${text} ${ignoreCase ? "~*" : "~"} ${pattern}::text`
  }
  if (operator !== "like" && operator !== "ilike" && typeof value !== "string") return "FALSE"
  const pattern = `${statement.slot(index, (source) => likeText(operator, source as string))}::text`
  return operator === "ilike" ? `lower(${text}) LIKE ${pattern}` : `${text} LIKE ${pattern}`
}

const unsupported = ({ field, operator }: Comparison, column: Column): DatabaseError =>
  invalid(
    `where.${field}: $${operator} does not apply to a column of type ${column.sql}.`,
    `where.${field}`,
    {
      columns: [field]
    }
  )

/**
 * A filter as a condition. SQL's third truth value never gets out: `WHERE` drops it, and `NOT` is
 * written `IS NOT TRUE`, so the rows are those of core's `evaluateFilter`. The values it binds are
 * taken in the order of `filterShape`.
 */
export const filterSql = (scope: FilterScope, filter: Filter): string => {
  switch (filter.type) {
    case "all":
      return "TRUE"
    case "none":
      return "FALSE"
    case "and":
    case "or":
      return `(${filter.members.map((member) => filterSql(scope, member)).join(filter.type === "and" ? " AND " : " OR ")})`
    case "not":
      return `(${filterSql(scope, filter.member)}) IS NOT TRUE`
    case "compare":
      return compareSql(scope, filter)
  }
}
