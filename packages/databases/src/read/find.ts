import { bindOr, foreignArrays, readForeignArrays, type Scope } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import {
  type OrderItem,
  type ParsedFilter,
  readColumns,
  readCount,
  readOrder,
  readWhere,
  tableName
} from "../input.ts"
import { FindOneResult, FindResult } from "../results.ts"
import type { Table } from "../sql/Catalogue.ts"
import { columnOf, filterSql, ordered } from "../sql/filterSql.ts"
import { type Compiled, StatementBuilder } from "../sql/Statement.ts"
import type { FindInput, Row } from "../types.ts"
import { type CursorPlan, cursorColumn, keysetSql, openCursor, sealCursor } from "./cursor.ts"
import { fetchIncludes, type IncludePlan, planIncludes } from "./include.ts"

/** A find whose input was read, before anything is known of the table. */
export interface FindQuery {
  readonly name: string
  readonly where: ParsedFilter
  readonly select: ReadonlyArray<string> | undefined
  readonly order: ReadonlyArray<OrderItem>
  readonly limit: number | undefined
  readonly offset: number | undefined
  /** `undefined`: no paging; `null`: the first page. */
  readonly after: string | null | undefined
  readonly count: boolean
  readonly include: FindInput["include"]
}

export const readFind = (input: FindInput): FindQuery => {
  const query = {
    name: tableName(input),
    where: readWhere(input.where),
    select: input.select === undefined ? undefined : readColumns(input.select, "select"),
    order: input.orderBy === undefined ? [] : readOrder(input.orderBy),
    limit: input.limit === undefined ? undefined : readCount(input.limit, "limit"),
    offset: input.offset === undefined ? undefined : readCount(input.offset, "offset"),
    after: input.after,
    count: input.count !== false,
    include: input.include
  }
  if (input.count !== undefined && typeof input.count !== "boolean") {
    throw invalid("count: expected true or false.", "count")
  }
  if (query.after !== undefined) {
    if (query.limit === undefined || query.limit === 0) {
      throw invalid("after: paging needs 'limit', the size of a page, at least 1.", "limit")
    }
    if (query.offset !== undefined) {
      throw invalid("offset: cannot be given with 'after', which says where the page starts.", "offset")
    }
    if (query.after !== null && typeof query.after !== "string") {
      throw invalid("after: expected null or a nextCursor.", "after")
    }
  }
  return query
}

interface FindPlan {
  readonly compiled: Compiled
  /** Columns fetched for includes, to be removed. */
  readonly hidden: ReadonlyArray<string>
  readonly arrays: ReadonlyArray<string>
  readonly cursor: CursorPlan | undefined
}

/** Columns that a filter holds to one value each. */
const pinned = ({ filter }: ParsedFilter): ReadonlySet<string> => {
  const members = filter.type === "and" ? filter.members : [filter]
  const columns = new Set<string>()
  for (const member of members)
    if (member.type === "compare" && member.operator === "eq") columns.add(member.field)
  return columns
}

/**
 * The order in full: what is asked for, then, where only some of the rows are returned, the primary
 * key, so that the same call gives the same rows.
 */
export const fullOrder = (table: Table, query: FindQuery): ReadonlyArray<OrderItem> => {
  const partial = query.limit !== undefined || query.offset !== undefined || query.after !== undefined
  if (!partial) return query.order
  const fixed = pinned(query.where)
  if (
    query.after === undefined &&
    table.unique.some((key) => key.length > 0 && key.every((column) => fixed.has(column)))
  ) {
    return query.order
  }
  const named = new Set(query.order.map((item) => item.column))
  return [
    ...query.order,
    ...table.primaryKey
      .filter((column) => !named.has(column))
      .map((column) => ({ column, descending: false }))
  ]
}

export const orderSql = (table: Table, order: ReadonlyArray<OrderItem>, prefix = ""): string =>
  order.length === 0
    ? ""
    : ` ORDER BY ${order
        .map(({ column, descending }) => {
          const known = columnOf(table, column, "orderBy")
          if (known.kind === "json") {
            throw invalid(
              `orderBy: column '${column}' is ${known.sql}, whose values have no order.`,
              "orderBy"
            )
          }
          return `${ordered(known, `${prefix}"${column}"`)}${descending ? " DESC" : ""}`
        })
        .join(", ")}`

/** Columns that includes start from and that were not asked for. */
const hiddenFor = ({ select }: FindQuery, includes: ReadonlyArray<IncludePlan>): ReadonlyArray<string> => {
  if (select === undefined || includes.length === 0) return []
  const wanted = includes.map((include) => include.parentColumn)
  return [...new Set(wanted.filter((column) => !select.includes(column)))]
}

const compileFind = (
  table: Table,
  query: FindQuery,
  includes: ReadonlyArray<IncludePlan>,
  nulls: string,
  wide: boolean
): FindPlan => {
  const statement = new StatementBuilder()
  const order = fullOrder(table, query)
  const select = query.select
  for (const column of select ?? []) columnOf(table, column, "select")
  const hidden = hiddenFor(query, includes)
  const columns =
    select === undefined ? "*" : [...select, ...hidden].map((column) => `"${column}"`).join(", ")
  let where = filterSql({ table, prefix: "", statement, wide }, query.where.filter)
  let cursor: CursorPlan | undefined
  let extra = ""
  if (query.after !== undefined) {
    if (table.primaryKey.length === 0) {
      throw invalid(
        `after: table '${table.name}' has no primary key, which paging needs to tell rows apart.`,
        "after"
      )
    }
    cursor = { order }
    extra = `, ${cursorColumn(table, order)}`
    if (query.after !== null) {
      where = `(${where}) AND ${keysetSql(table, order, nulls, statement)}`
    }
  }
  let text = `SELECT ${columns}${extra} FROM ${table.sql}`
  if (where !== "TRUE") text += ` WHERE ${where}`
  text += orderSql(table, order)
  // One row more than the page tells whether there is another page.
  if (query.limit !== undefined) text += ` LIMIT ${cursor === undefined ? query.limit : query.limit + 1}`
  if (query.offset !== undefined) text += ` OFFSET ${statement.next(String)}::bigint`
  return {
    compiled: statement.done(text),
    hidden,
    arrays: foreignArrays(table, select === undefined ? table.columns.keys() : [...select, ...hidden]),
    cursor
  }
}

const orderKey = (order: ReadonlyArray<OrderItem>): string => {
  let key = ""
  for (const item of order) key += `${item.descending ? "-" : "+"}${item.column} `
  return key
}

/** A compiled find with its values bound: `stream` uses it as `find` does. */
export const prepareFind = async (scope: Scope, table: Table, query: FindQuery) =>
  prepareWith(scope, table, query, await planIncludes(scope, table, query.include))

const prepareWith = (scope: Scope, table: Table, query: FindQuery, includes: ReadonlyArray<IncludePlan>) => {
  const { where } = query
  let values = where.values
  let nulls = ""
  if (query.after !== undefined && query.after !== null) {
    const opened = openCursor(scope.connection.cursorKey, query.after, table.name, fullOrder(table, query))
    nulls = opened.nulls
    values = [...values, ...opened.values]
  }
  if (query.offset !== undefined) values = [...values, query.offset]
  const key = `find ${query.name} ${where.key} ${orderKey(query.order)}|${query.limit ?? ""}|${query.offset === undefined ? "" : "o"}|${query.after === undefined ? "" : `a${query.after === null ? "" : nulls}`}|${query.select === undefined ? "*" : query.select.join(" ")}|${hiddenFor(query, includes).join(" ")}`
  const bound = bindOr(
    (wide) =>
      scope.connection.plan(wide ? `${key} wide` : key, () =>
        compileFind(table, query, includes, nulls, wide)
      ),
    values
  )
  // Includes hold values of their own, so they are no part of what is kept.
  return { params: bound.params, plan: bound.plan, includes }
}

/** Rows that match, whatever limit and offset. */
export const countWhere = async (scope: Scope, table: Table, where: ParsedFilter): Promise<number> => {
  const { connection } = scope
  const { params, plan } = bindOr(
    (wide) =>
      connection.plan(`count ${table.name} ${where.key}${wide ? " wide" : ""}`, () => {
        const statement = new StatementBuilder()
        const sql = filterSql({ table, prefix: "", statement, wide }, where.filter)
        return {
          compiled: statement.done(
            `SELECT count(*)::int8 AS n FROM ${table.sql}${sql === "TRUE" ? "" : ` WHERE ${sql}`}`
          )
        }
      }),
    where.values
  )
  const { rows } = await connection.run(scope, plan.compiled.text, params, {
    prepare: true,
    table: table.name
  })
  return Number(rows[0]?.["n"] ?? 0)
}

const none: ReadonlyArray<IncludePlan> = []

const attemptFind = async (scope: Scope, table: Table, query: FindQuery): Promise<FindResult> => {
  const { connection } = scope
  const { includes, params, plan } =
    query.include === undefined
      ? prepareWith(scope, table, query, none)
      : await prepareFind(scope, table, query)
  const result = await connection.run(scope, plan.compiled.text, params, { prepare: true, table: query.name })
  const rows = result.rows
  if (plan.arrays.length > 0) readForeignArrays(rows, plan.arrays)
  let next: string | null | undefined
  if (plan.cursor !== undefined) {
    next = null
    if (rows.length > (query.limit ?? 0)) {
      rows.length = query.limit ?? 0
      next = sealCursor(connection.cursorKey, table.name, plan.cursor.order, rows[rows.length - 1] as Row)
    }
    for (const row of rows) delete row["ductape$cursor"]
  }
  if (includes.length > 0) await fetchIncludes(scope, includes, rows)
  if (plan.hidden.length > 0) for (const row of rows) for (const column of plan.hidden) delete row[column]
  let count = rows.length
  const { limit, offset } = query
  if (query.count && (limit !== undefined || offset !== undefined)) {
    const whole =
      query.after === undefined || query.after === null
        ? (limit === undefined || rows.length < limit) && (rows.length > 0 || (offset ?? 0) === 0)
        : false
    count = whole ? (offset ?? 0) + rows.length : await countWhere(scope, table, query.where)
  }
  return new FindResult(rows, count, query.select, next)
}

export const find = (scope: Scope, input: FindInput): Promise<FindResult> => {
  const query = readFind(input)
  return scope.connection.withTable(scope, query.name, (table) => attemptFind(scope, table, query))
}

export const findOne = async (scope: Scope, input: FindInput): Promise<FindOneResult> => {
  const query = readFind({ ...input, limit: 1, count: false })
  const { records } = await scope.connection.withTable(scope, query.name, (table) =>
    attemptFind(scope, table, query)
  )
  return new FindOneResult(records[0] ?? null)
}
