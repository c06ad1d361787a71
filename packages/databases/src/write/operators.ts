import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { Column, ColumnType } from "../sql/Catalogue.ts"
import { encodeWrite } from "../sql/encode.ts"
import { ordered } from "../sql/filterSql.ts"
import type { StatementBuilder } from "../sql/Statement.ts"

export type Operator =
  | "set"
  | "unset"
  | "inc"
  | "dec"
  | "mul"
  | "min"
  | "max"
  | "currentdate"
  | "push"
  | "pull"
  | "addtoset"
  | "pop"

/** What becomes of one column. */
export interface Change {
  readonly column: string
  readonly operator: Operator
  readonly value: unknown
}

const operators: Readonly<Record<string, Operator | "rename">> = {
  set: "set",
  unset: "unset",
  inc: "inc",
  increment: "inc",
  dec: "dec",
  decrement: "dec",
  mul: "mul",
  multiply: "mul",
  min: "min",
  max: "max",
  currentdate: "currentdate",
  push: "push",
  pull: "pull",
  addtoset: "addtoset",
  pop: "pop",
  rename: "rename"
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)

/** Reads `{ $inc: 1 }`, or a plain value. @throws `VALIDATION_ERROR` */
export const readChange = (column: string, value: unknown): Change => {
  if (!isPlain(value)) return { column, operator: "set", value }
  const keys = Object.keys(value)
  const marked = keys.filter((key) => key.startsWith("$"))
  if (marked.length === 0) return { column, operator: "set", value }
  const path = `data.${column}`
  if (keys.length > 1) {
    throw invalid(
      marked.length === keys.length
        ? `${path}: one operator for each column, found ${keys.length}.`
        : `${path}: '$' operators and other keys do not mix. Store such an object with { $set: {…} }.`,
      path
    )
  }
  const key = marked[0] as string
  const operator = operators[key.slice(1).replaceAll("_", "").toLowerCase()]
  if (operator === undefined) {
    throw invalid(
      `${path}: unknown operator '${key}'. There are $set, $unset, $inc, $dec, $mul, $min, $max, $currentDate, $push, $pull, $addToSet and $pop.`,
      path
    )
  }
  if (operator === "rename") {
    throw new DatabaseError({
      code: "UNSUPPORTED_OPERATION",
      message: `${path}: $rename works on documents only; rename a column with schema.renameField.`,
      columns: [column]
    })
  }
  const operand = value[key]
  if (operand === undefined) throw invalid(`${path}.${key}: undefined is no value.`, path)
  if (operator === "pop" && operand !== 1 && operand !== -1) {
    throw invalid(`${path}.$pop: expected 1 (the last element) or -1 (the first).`, path)
  }
  return { column, operator, value: operand }
}

const numeric = new Set(["int", "float", "numeric"])

const refuse = (column: Column, operator: Operator) => {
  const path = `data.${column.column}`
  return invalid(`${path}: $${operator} does not apply to a column of type ${column.sql}.`, path, {
    columns: [column.column]
  })
}

/** An element of an array column, bound as that element's type. */
const elementColumn = (column: Column, element: ColumnType): Column => ({
  ...column,
  ...element,
  element: element.element
})

/**
 * The new value of the column. Each change binds one value, in the order of the changes; an operator
 * that needs none leaves it unbound.
 */
export const changeSql = (
  column: Column,
  { operator, value }: Change,
  statement: StatementBuilder
): string => {
  const name = `"${column.column}"`
  const path = `data.${column.column}`
  const index = statement.take()
  const bound = (type: Column = column) =>
    `${statement.slot(index, (given) => encodeWrite(type, given, path))}::${type.sql}`
  switch (operator) {
    case "set":
      // No cast: the assignment itself checks lengths, which a cast would silently cut.
      return statement.slot(index, (given) => encodeWrite(column, given, path))
    case "unset":
      return "NULL"
    case "currentdate":
      if (
        column.kind !== "timestamp" &&
        column.kind !== "date" &&
        column.kind !== "time" &&
        column.kind !== "text"
      ) {
        throw refuse(column, operator)
      }
      return column.kind === "timestamp" ? "now()" : `now()::${column.sql}`
    case "inc":
    case "dec":
    case "mul": {
      if (!numeric.has(column.kind)) throw refuse(column, operator)
      if (value === null) throw invalid(`${path}: null is no number.`, path)
      const sign = operator === "inc" ? "+" : operator === "dec" ? "-" : "*"
      return `COALESCE(${name}, 0) ${sign} ${bound()}`
    }
    case "min":
    case "max":
      if (column.kind === "json" || column.kind === "array" || column.kind === "bool")
        throw refuse(column, operator)
      if (value === null) throw invalid(`${path}: null is neither less nor greater.`, path)
      if (column.kind === "enum") {
        const given = bound()
        const sign = operator === "min" ? "<" : ">"
        return `CASE WHEN ${name} IS NULL OR ${given}::text COLLATE "C" ${sign} ${name}::text COLLATE "C" THEN ${given} ELSE ${name} END`
      }
      return `${operator === "min" ? "LEAST" : "GREATEST"}(${ordered(column, name)}, ${bound()})`
    default:
      return column.kind === "json"
        ? jsonArraySql(
            column,
            operator,
            statement.slot(index, (given) => JSON.stringify(given))
          )
        : nativeArraySql(column, operator, value, (element) => bound(elementColumn(column, element)))
  }
}

const nativeArraySql = (
  column: Column,
  operator: "push" | "pull" | "addtoset" | "pop",
  value: unknown,
  bind: (element: ColumnType) => string
): string => {
  const { element } = column
  if (column.kind !== "array" || element === undefined) throw refuse(column, operator)
  const name = `"${column.column}"`
  const list = `COALESCE(${name}, '{}'::${column.sql})`
  switch (operator) {
    case "push":
      return `array_append(${list}, ${bind(element)})`
    case "pull":
      return `array_remove(${name}, ${bind(element)})`
    case "addtoset": {
      const item = bind(element)
      return `CASE WHEN array_position(${list}, ${item}) IS NOT NULL THEN ${list} ELSE array_append(${list}, ${item}) END`
    }
    case "pop":
      return value === 1
        ? `${name}[array_lower(${name}, 1):array_upper(${name}, 1) - 1]`
        : `${name}[array_lower(${name}, 1) + 1:array_upper(${name}, 1)]`
  }
}

const jsonArraySql = (
  column: Column,
  operator: "push" | "pull" | "addtoset" | "pop",
  slot: string
): string => {
  const name = column.name === "jsonb" ? `"${column.column}"` : `"${column.column}"::jsonb`
  const back = column.name === "jsonb" ? "" : "::json"
  const list = `COALESCE(${name}, '[]'::jsonb)`
  const item = `${slot}::jsonb`
  switch (operator) {
    case "push":
      return `(${list} || jsonb_build_array(${item}))${back}`
    case "pull":
      return `CASE WHEN jsonb_typeof(${name}) = 'array' THEN (SELECT COALESCE(jsonb_agg(e.v ORDER BY e.n), '[]'::jsonb) FROM jsonb_array_elements(${name}) WITH ORDINALITY AS e(v, n) WHERE e.v <> ${item})${back} ELSE "${column.column}" END`
    case "addtoset":
      return `(CASE WHEN jsonb_typeof(${list}) = 'array' AND EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof(${list}) = 'array' THEN ${list} ELSE '[]' END) AS e(v) WHERE e.v = ${item}) THEN ${list} ELSE ${list} || jsonb_build_array(${item}) END)${back}`
    case "pop":
      // The slot is bound all the same, so that its type must be told.
      return `CASE WHEN jsonb_typeof(${name}) = 'array' AND jsonb_array_length(${name}) > 0 THEN (${name} - (CASE WHEN ${slot}::text = '1' THEN -1 ELSE 0 END))${back} ELSE "${column.column}" END`
  }
}
