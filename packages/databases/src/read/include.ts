import { bindOr, foreignArrays, readForeignArrays, type Scope } from "../DatabaseConnection.ts"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import { type OrderItem, type ParsedFilter, readColumns, readCount, readOrder, readWhere } from "../input.ts"
import type { Table } from "../sql/Catalogue.ts"
import { arrayText, misfit } from "../sql/encode.ts"
import { columnOf, filterSql } from "../sql/filterSql.ts"
import { isIdentifier } from "../sql/identifier.ts"
import { StatementBuilder } from "../sql/Statement.ts"
import type { Include, Includes, IncludeType, Row } from "../types.ts"
import { orderSql } from "./find.ts"
import { type Relation, resolveRelation } from "./relation.ts"

/** One relation, ready to be fetched for any rows of its parent. */
export interface IncludePlan {
  readonly relation: string
  readonly type: IncludeType
  /** Column of the parent that the relation starts from. */
  readonly parentColumn: string
  readonly link: Relation
  readonly target: Table
  readonly select: ReadonlyArray<string> | undefined
  /** Columns fetched only for the includes below. */
  readonly hidden: ReadonlyArray<string>
  readonly where: ParsedFilter
  readonly order: ReadonlyArray<OrderItem>
  readonly limit: number | undefined
  readonly includes: ReadonlyArray<IncludePlan>
}

const maxDepth = 8

const listOf = (include: Includes, path: string): ReadonlyArray<Include> => {
  if (Array.isArray(include)) return include as ReadonlyArray<Include>
  if (typeof include !== "object" || include === null) {
    throw invalid(`${path}: expected { relation, … }, a list of them, or { relation: { … } }.`, path)
  }
  if (typeof (include as Include).relation === "string") return [include as Include]
  return Object.entries(include as Readonly<Record<string, Omit<Include, "relation">>>).map(
    ([relation, rest]) => ({
      ...(typeof rest === "object" && rest !== null ? rest : {}),
      relation
    })
  )
}

/** Finds out what each relation joins, level by level, before anything is fetched. */
export const planIncludes = async (
  scope: Scope,
  parent: Table,
  include: Includes | undefined,
  path = "include",
  depth = 1
): Promise<ReadonlyArray<IncludePlan>> => {
  if (include === undefined) return []
  if (depth > maxDepth) throw invalid(`${path}: includes nest deeper than ${maxDepth} levels.`, path)
  const plans: Array<IncludePlan> = []
  for (const one of listOf(include, path)) {
    if (!isIdentifier(one.relation)) throw invalid(`${path}.relation: expected a name.`, `${path}.relation`)
    const at = `${path}.${one.relation}`
    if (plans.some((plan) => plan.relation === one.relation)) throw invalid(`${at}: included twice.`, at)
    const link = await resolveRelation(scope, parent, one, at)
    const includes = await planIncludes(scope, link.target, one.include, `${at}.include`, depth + 1)
    const select = one.select === undefined ? undefined : readColumns(one.select, `${at}.select`)
    for (const column of select ?? []) columnOf(link.target, column, `${at}.select`)
    plans.push({
      relation: one.relation,
      type: link.type,
      parentColumn: link.parentColumn,
      link,
      target: link.target,
      select,
      hidden: [
        ...new Set(
          includes
            .map((inner) => inner.parentColumn)
            .filter((column) => select !== undefined && !select.includes(column))
        )
      ],
      where: readWhere(one.where, `${at}.where`),
      order: one.orderBy === undefined ? [] : readOrder(one.orderBy, `${at}.orderBy`),
      limit: readCount(one.limit, `${at}.limit`),
      includes
    })
  }
  return plans
}

const parentKey = "ductape$parent"

/** Rows of the target with the parent's key beside each; per parent in order, at most `limit`. */
const includeSql = (plan: IncludePlan, parent: { readonly sql: string }, wide: boolean) => {
  const { link, target } = plan
  const statement = new StatementBuilder()
  const where = filterSql({ table: target, prefix: "t.", statement, wide }, plan.where.filter)
  const keys = statement.next((value) => value as string)
  const columns =
    plan.select === undefined
      ? "t.*"
      : [...plan.select, ...plan.hidden].map((column) => `t."${column}"`).join(", ")
  const from =
    link.through === undefined
      ? `${target.sql} AS t`
      : `${link.through.table.sql} AS j JOIN ${target.sql} AS t ON t."${link.targetColumn}" = j."${link.through.toTarget}"`
  const key = link.through === undefined ? `t."${link.targetColumn}"` : `j."${link.through.toParent}"`
  const condition = where === "TRUE" ? "" : ` AND ${where}`
  const named = new Set(plan.order.map((item) => item.column))
  const order = orderSql(
    target,
    [
      ...plan.order,
      ...target.primaryKey
        .filter((column) => !named.has(column))
        .map((column) => ({ column, descending: false }))
    ],
    "t."
  )
  const list = `unnest(${keys}::${parent.sql}[])`
  const text =
    plan.limit === undefined
      ? `SELECT ${columns}, ${key} AS "${parentKey}" FROM ${from} WHERE ${key} = ANY(${keys}::${parent.sql}[])${condition}${order}`
      : `SELECT r.*, k.v AS "${parentKey}" FROM ${list} AS k(v) CROSS JOIN LATERAL (SELECT ${columns} FROM ${from} WHERE ${key} = k.v${condition}${order} LIMIT ${plan.limit}) AS r`
  return {
    compiled: statement.done(text),
    arrays: foreignArrays(target, plan.select ?? target.columns.keys())
  }
}

/** Everything that the statement of a relation depends on, no values. */
const keyOfPlan = ({ hidden, limit, link, order, select, target, where }: IncludePlan): string => {
  const { keyColumn, targetColumn, through } = link
  const join = through === undefined ? "" : `${through.table.name} ${through.toTarget} ${through.toParent}`
  let sorted = ""
  for (const { column, descending } of order) sorted += `${descending ? "-" : "+"}${column} `
  const columns = select === undefined ? "*" : `${select.join(" ")} ${hidden.join(" ")}`
  return `include ${target.name} ${targetColumn} ${keyColumn.sql}|${join}|${where.key}|${sorted}|${limit ?? ""}|${columns}`
}

/** Rows with the same key are siblings; keys compare as the database wrote them. */
const keyOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? value instanceof Date
      ? value.getTime()
      : String(value)
    : value

const fetchOne = async (scope: Scope, plan: IncludePlan, rows: ReadonlyArray<Row>): Promise<void> => {
  const many = plan.type !== "many-to-one"
  const wanted = new Map<unknown, unknown>()
  for (const row of rows) {
    const value = row[plan.parentColumn]
    if (value !== null && value !== undefined) wanted.set(keyOf(value), value)
  }
  const found = new Map<unknown, Array<Row>>()
  if (wanted.size > 0) {
    const { connection } = scope
    const { link, target } = plan
    const type = link.keyColumn
    const keys = arrayText([...wanted.values()], type)
    if (keys === misfit) {
      throw new DatabaseError({
        code: "SCHEMA_ERROR",
        message: `include.${plan.relation}: column '${plan.parentColumn}' cannot be compared with '${type.column}', which is ${type.sql}.`,
        table: target.name,
        columns: [plan.parentColumn, type.column]
      })
    }
    const { params, plan: compiled } = bindOr(
      (wide) =>
        connection.plan(`${keyOfPlan(plan)}${wide ? " wide" : ""}`, () => includeSql(plan, type, wide)),
      [...plan.where.values, keys]
    )
    const result = await connection.run(scope, compiled.compiled.text, params, {
      prepare: true,
      table: target.name
    })
    if (compiled.arrays.length > 0) readForeignArrays(result.rows, compiled.arrays)
    const owners = result.rows.map((row) => row[parentKey])
    for (const [i, row] of result.rows.entries()) {
      const key = keyOf(owners[i])
      delete row[parentKey]
      const siblings = found.get(key)
      if (siblings === undefined) found.set(key, [row])
      else siblings.push(row)
    }
    if (plan.includes.length > 0) await fetchIncludes(scope, plan.includes, result.rows)
    for (const column of plan.hidden) for (const row of result.rows) delete row[column]
  }
  for (const row of rows) {
    const value = row[plan.parentColumn]
    const own = value === null || value === undefined ? undefined : found.get(keyOf(value))
    if (many) row[plan.relation] = own ?? []
    else row[plan.relation] = own?.[0] ?? null
  }
}

/** One statement for each relation of each level, however many rows there are. */
export const fetchIncludes = async (
  scope: Scope,
  plans: ReadonlyArray<IncludePlan>,
  rows: ReadonlyArray<Row>
): Promise<void> => {
  if (rows.length === 0) return
  // Values are read before any relation is set: a relation may have the name of a column.
  const columns = new Map(plans.map((plan) => [plan, rows.map((row) => row[plan.parentColumn])] as const))
  for (const plan of plans) {
    const kept = columns.get(plan) ?? []
    const shadowed = plans.some((other) => other !== plan && other.relation === plan.parentColumn)
    if (!shadowed) {
      await fetchOne(scope, plan, rows)
      continue
    }
    const proxies = rows.map((_, i) => ({ [plan.parentColumn]: kept[i] }) as Row)
    await fetchOne(scope, plan, proxies)
    for (const [i, row] of rows.entries()) row[plan.relation] = (proxies[i] as Row)[plan.relation]
  }
}
