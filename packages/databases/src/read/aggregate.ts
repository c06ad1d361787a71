import { bindOr, type Scope } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { readColumns, readCount, readOrder, readWhere, tableName } from "../input.ts"
import type { Column, Table } from "../sql/Catalogue.ts"
import { columnOf, filterSql, ordered } from "../sql/filterSql.ts"
import { isIdentifier } from "../sql/identifier.ts"
import { StatementBuilder } from "../sql/Statement.ts"
import type {
  AggregateInput,
  AggregateSpecs,
  Aggregation,
  ColumnAggregateInput,
  CountInput,
  GroupByInput,
  Row
} from "../types.ts"

const numeric = new Set(["int", "float", "numeric"])

const sumSql = (column: Column, name: string): string => {
  if (!numeric.has(column.kind)) throw wrongType("$sum", column)
  return `COALESCE(sum(${name}), 0)`
}

/** PostgreSQL's numeric average has more digits than a number; as one, unless text was asked for. */
const avgSql = (column: Column, name: string, exact: boolean): string => {
  if (!numeric.has(column.kind)) throw wrongType("$avg", column)
  return exact ? `avg(${name})` : `avg(${name})::float8`
}

const extremeSql = (which: "min" | "max", column: Column, name: string): string => {
  switch (column.kind) {
    case "bool":
      return which === "min" ? `bool_and(${name})` : `bool_or(${name})`
    case "uuid":
      return `${which}(${name}::text COLLATE "C")::uuid`
    case "json":
      throw wrongType(`$${which}`, column)
    case "bytes":
      return `(array_agg(${name} ORDER BY ${name}${which === "max" ? " DESC" : ""}) FILTER (WHERE ${name} IS NOT NULL))[1]`
    default:
      return `${which}(${ordered(column, name)})`
  }
}

const wrongType = (operator: string, column: Column) =>
  invalid(`${operator}: does not apply to column '${column.column}' of type ${column.sql}.`, operator, {
    columns: [column.column]
  })

const isKey = (key: string, name: string): boolean => key.replaceAll("_", "").toLowerCase() === name

/** One aggregate as SQL. */
const specSql = (
  table: Table,
  spec: unknown,
  path: string,
  exact: boolean,
  statement: StatementBuilder,
  values: Array<unknown>
): string => {
  const entries = typeof spec === "object" && spec !== null ? Object.entries(spec) : []
  const [entry] = entries
  if (entry === undefined || entries.length > 1) {
    throw invalid(`${path}: expected one aggregate, such as { $sum: 'column' }.`, path)
  }
  const [key, operand] = entry as [string, unknown]
  const column = (name: unknown): Column => {
    if (typeof name !== "string")
      throw invalid(`${path}.${key}: expected the name of a column.`, `${path}.${key}`)
    return columnOf(table, name, `${path}.${key}`)
  }
  const folded = key.startsWith("$") ? key.slice(1) : ""
  if (isKey(folded, "count"))
    return operand === "*" || operand === true ? "count(*)" : `count("${column(operand).column}")`
  if (isKey(folded, "sum")) return sumSql(column(operand), `"${String(operand)}"`)
  if (isKey(folded, "avg")) return avgSql(column(operand), `"${String(operand)}"`, exact)
  if (isKey(folded, "min")) return extremeSql("min", column(operand), `"${String(operand)}"`)
  if (isKey(folded, "max")) return extremeSql("max", column(operand), `"${String(operand)}"`)
  if (isKey(folded, "arrayagg")) {
    const known = column(operand)
    const name = `"${known.column}"`
    // Ordered, so that the same rows give the same array.
    const order = known.kind === "json" ? `${name}::text` : ordered(known, name)
    return `array_agg(${name} ORDER BY ${order})`
  }
  if (isKey(folded, "stringagg") || isKey(folded, "groupconcat")) {
    const { column: named, separator = "," } =
      typeof operand === "object" && operand !== null
        ? (operand as { readonly column?: unknown; readonly separator?: unknown })
        : { column: operand }
    if (typeof separator !== "string") throw invalid(`${path}.${key}.separator: expected text.`, path)
    const name = `"${column(named).column}"::text`
    values.push(separator)
    return `string_agg(${name}, ${statement.next((value) => value as string)}::text ORDER BY ${name} COLLATE "C")`
  }
  throw invalid(
    `${path}: unknown aggregate '${key}'. There are $count, $sum, $avg, $min, $max, $arrayAgg, $stringAgg and $groupConcat.`,
    path
  )
}

interface Query {
  readonly where: unknown
  readonly specs: AggregateSpecs
  readonly groupBy: ReadonlyArray<string>
  readonly having: unknown
  readonly orderBy: GroupByInput["orderBy"]
  readonly limit: number | undefined
  readonly offset: number | undefined
}

/** The aliases as a table of their own, so that `having` is a filter like any other. */
const aliasTable = (table: Table, query: Query, types: ReadonlyMap<string, Column>): Table => ({
  ...table,
  columns: new Map([
    ...types,
    ...query.groupBy.map((column) => [column, columnOf(table, column, "groupBy")] as const)
  ])
})

const number = (alias: string, kind: "int" | "numeric" | "float"): Column => ({
  column: alias,
  kind,
  name: kind === "int" ? "int8" : kind === "float" ? "float8" : "numeric",
  oid: 0,
  sql: kind === "int" ? "bigint" : kind === "float" ? "double precision" : "numeric",
  nullable: true,
  hasDefault: false,
  binary: true
})

/** What type an aggregate has, as far as filters and orders need to know. */
const resultType = (table: Table, alias: string, spec: object, exact: boolean): Column => {
  const [[key = "", operand] = []] = Object.entries(spec) as Array<[string, unknown]>
  const folded = key.slice(1).replaceAll("_", "").toLowerCase()
  if (folded === "count") return number(alias, "int")
  if (folded === "sum") return number(alias, "numeric")
  if (folded === "avg") return number(alias, exact ? "numeric" : "float")
  if (folded === "min" || folded === "max") {
    const column = columnOf(table, String(operand), alias)
    return { ...column, column: alias }
  }
  return {
    ...number(alias, "int"),
    kind: folded === "arrayagg" ? "other" : "text",
    sql: "text",
    name: "text",
    binary: false
  }
}

const runAggregate = async (scope: Scope, name: string, query: Query): Promise<Array<Row>> => {
  const { connection } = scope
  const exact = connection.numericMode === "string"
  const where = readWhere(query.where)
  const having = readWhere(query.having, "having")
  const order = readOrder(query.orderBy)
  for (const alias of Object.keys(query.specs)) {
    if (!isIdentifier(alias)) throw invalid("operations: an alias must be an identifier.", "operations")
  }
  return connection.withTable(scope, name, async (table) => {
    const separators: Array<unknown> = []
    const compile = (wide: boolean) => {
      separators.length = 0
      const statement = new StatementBuilder()
      // The values of `where` come first, then those of `having`, then separators.
      const condition = filterSql({ table, prefix: "", statement, wide }, where.filter)
      const types = new Map(
        Object.entries(query.specs).map(
          ([alias, spec]) => [alias, resultType(table, alias, spec, exact)] as const
        )
      )
      const aliases = aliasTable(table, query, types)
      const after = filterSql({ table: aliases, prefix: "", statement, wide }, having.filter)
      const columns = [
        ...query.groupBy.map((column) => `"${columnOf(table, column, "groupBy").column}"`),
        ...Object.entries(query.specs).map(
          ([alias, spec]) =>
            `${specSql(table, spec, `operations.${alias}`, exact, statement, separators)} AS "${alias}"`
        )
      ]
      const group = query.groupBy.map((column) => `"${column}"`)
      let text = `SELECT ${columns.join(", ")} FROM ${table.sql}`
      if (condition !== "TRUE") text += ` WHERE ${condition}`
      if (group.length > 0) text += ` GROUP BY ${group.join(", ")}`
      // Groups come in a fixed order: the one asked for, then by their own columns.
      const named = new Set(order.map((item) => item.column))
      const sorting = [
        ...order,
        ...query.groupBy
          .filter((column) => !named.has(column))
          .map((column) => ({ column, descending: false }))
      ]
      text = `SELECT * FROM (${text}) AS g`
      if (after !== "TRUE") text += ` WHERE ${after}`
      const sortable = sorting.filter(({ column }) => aliases.columns.get(column)?.kind !== "json")
      if (sortable.length > 0) {
        text += ` ORDER BY ${sortable
          .map(
            ({ column, descending }) =>
              `${ordered(columnOf(aliases, column, "orderBy"), `"${column}"`)}${descending ? " DESC" : ""}`
          )
          .join(", ")}`
      }
      if (query.limit !== undefined) text += ` LIMIT ${query.limit}`
      if (query.offset !== undefined) text += ` OFFSET ${query.offset}`
      return { compiled: statement.done(text) }
    }
    const values = (): ReadonlyArray<unknown> => [...where.values, ...having.values, ...separators]
    // Compiling fills in the separators, so it comes before their use.
    compile(false)
    const { params, plan } = bindOr(compile, values())
    const { rows } = await connection.run(scope, plan.compiled.text, params, {
      prepare: true,
      table: table.name
    })
    return rows
  })
}

const specsOf = (input: AggregateInput): AggregateSpecs => {
  const { aggregations, operations } = input
  if (operations !== undefined) {
    if (typeof operations !== "object" || operations === null || Array.isArray(operations)) {
      throw invalid("operations: expected { alias: { $sum: 'column' } }.", "operations")
    }
    return operations
  }
  if (!Array.isArray(aggregations)) throw invalid("operations: missing. Say what to aggregate.", "operations")
  return Object.fromEntries(
    (aggregations as ReadonlyArray<Aggregation>).map(({ alias, column, field, type }) => [
      alias,
      { [`$${String(type).replace(/^\$/, "")}`]: field ?? column ?? "*" } as unknown as AggregateSpecs[string]
    ])
  )
}

export const aggregate = async (scope: Scope, input: AggregateInput): Promise<unknown> => {
  const name = tableName(input)
  const base = {
    where: input.where,
    having: input.having,
    orderBy: undefined,
    limit: undefined,
    offset: undefined
  }
  if (
    typeof input.operation === "string" &&
    input.operations === undefined &&
    input.aggregations === undefined
  ) {
    const spec = {
      [`$${input.operation.replace(/^\$/, "")}`]: input.column ?? "*"
    } as unknown as AggregateSpecs[string]
    const [row] = await runAggregate(scope, name, { ...base, specs: { value: spec }, groupBy: [] })
    return row ?? { value: null }
  }
  const groups =
    input.groupBy === undefined || input.groupBy.length === 0 ? [] : readColumns(input.groupBy, "groupBy")
  const specs = specsOf(input)
  if (Object.keys(specs).length === 0)
    throw invalid("operations: empty. Say what to aggregate.", "operations")
  const rows = await runAggregate(scope, name, { ...base, specs, groupBy: groups })
  return groups.length > 0 ? rows : (rows[0] ?? null)
}

export const groupBy = (scope: Scope, input: GroupByInput): Promise<Array<Row>> =>
  runAggregate(scope, tableName(input), {
    where: input.where,
    specs: input.aggregate ?? input.operations ?? {},
    groupBy: readColumns(input.groupBy, "groupBy"),
    having: input.having,
    orderBy: input.orderBy,
    limit: readCount(input.limit, "limit"),
    offset: readCount(input.offset, "offset")
  })

export const count = async (scope: Scope, input: CountInput): Promise<number> => {
  const { connection } = scope
  const name = tableName(input)
  const where = readWhere(input.where)
  const column = input.column ?? "*"
  const distinct = input.distinct === true
  if (distinct && column === "*")
    throw invalid("distinct: needs 'column', whose values to tell apart.", "column")
  return connection.withTable(scope, name, async (table) => {
    const { params, plan } = bindOr(
      (wide) =>
        connection.plan(`count ${name} ${column} ${distinct} ${where.key}${wide ? " wide" : ""}`, () => {
          const statement = new StatementBuilder()
          const condition = filterSql({ table, prefix: "", statement, wide }, where.filter)
          const what =
            column === "*"
              ? "*"
              : `${distinct ? "DISTINCT " : ""}"${columnOf(table, column, "column").column}"`
          const tail = condition === "TRUE" ? "" : ` WHERE ${condition}`
          return { compiled: statement.done(`SELECT count(${what}) AS value FROM ${table.sql}${tail}`) }
        }),
      where.values
    )
    const { rows } = await connection.run(scope, plan.compiled.text, params, { prepare: true, table: name })
    return Number(rows[0]?.["value"] ?? 0)
  })
}

export const columnAggregate = async (
  which: "sum" | "avg" | "min" | "max",
  scope: Scope,
  input: ColumnAggregateInput
): Promise<unknown> => {
  const column = input.column ?? input.field
  if (!isIdentifier(column)) throw invalid("column: expected the name of a column.", "column")
  const specs = { value: { [`$${which}`]: column } as unknown as AggregateSpecs[string] }
  const [row] = await runAggregate(scope, tableName(input), {
    where: input.where,
    specs,
    groupBy: [],
    having: undefined,
    orderBy: undefined,
    limit: undefined,
    offset: undefined
  })
  return row?.["value"] ?? null
}
