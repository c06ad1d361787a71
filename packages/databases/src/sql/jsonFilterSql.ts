import type { Comparison } from "@ductape/core"
import type { Column } from "./Catalogue.ts"
import type { FilterScope } from "./filterSql.ts"
import { likeText, regexText } from "./patterns.ts"

const comparators = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const

const json = (value: unknown): string =>
  JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? Number(v) : v))

const jsonList = (values: unknown): string =>
  `{${(values as ReadonlyArray<unknown>).map((value) => `"${json(value).replace(/["\\]/g, "\\$&")}"`).join(",")}}`

/** Numbers by value and strings by code point, if that is what the row holds. */
const scalar = (
  name: string,
  value: unknown
):
  | {
      readonly type: string
      readonly sql: (op: string, at: string) => string
      readonly text: (value: unknown) => string
    }
  | undefined => {
  switch (typeof value) {
    case "number":
    case "bigint":
      return {
        type: "number",
        sql: (op, at) => `(${name} #>> '{}')::numeric ${op} ${at}::numeric`,
        text: String
      }
    case "string":
      return {
        type: "string",
        sql: (op, at) => `(${name} #>> '{}') COLLATE "C" ${op} ${at}::text`,
        text: String
      }
    case "boolean":
      return {
        type: "boolean",
        sql: (op, at) => `(${name} #>> '{}')::boolean ${op} ${at}::boolean`,
        text: (v) => (v === true ? "t" : "f")
      }
    default:
      return undefined
  }
}

/** Comparisons on a json or jsonb column: by JSON value; JSON's `null` is null. */
export const jsonCompare = (
  { statement }: FilterScope,
  column: Column,
  plainName: string,
  { field, operator, value }: Comparison
): string => {
  const name = column.name === "jsonb" ? plainName : `${plainName}::jsonb`
  const elements = `jsonb_array_elements(CASE WHEN jsonb_typeof(${name}) = 'array' THEN ${name} ELSE '[]' END)`
  const isNull = `(${plainName} IS NULL OR ${name} = 'null'::jsonb)`
  switch (operator) {
    case "isNull":
      return isNull
    case "isNotNull":
      return `NOT ${isNull}`
    case "eq":
      return `${name} = ${statement.next(json)}::jsonb`
    case "ne":
      return `${name} IS DISTINCT FROM ${statement.next(json)}::jsonb`
    case "in":
      return `(${name} = ANY(${statement.next(jsonList)}::jsonb[]) AND ${name} <> 'null'::jsonb)`
    case "nin":
      return `(${name} = ANY(${statement.next(jsonList)}::jsonb[])) IS NOT TRUE`
    case "contains": {
      const index = statement.take()
      const item = `${statement.slot(index, json)}::jsonb`
      // @> finds the candidates through a GIN index; the elements decide, for it also matches parts.
      const element = `(${name} @> jsonb_build_array(${item}) AND EXISTS (SELECT 1 FROM ${elements} AS e(v) WHERE e.v = ${item}))`
      if (typeof value !== "string") return element
      const like = `${statement.slot(index, (source) => likeText(operator, source as string))}::text`
      return `(${element} OR (jsonb_typeof(${name}) = 'string' AND (${name} #>> '{}') LIKE ${like}))`
    }
    case "containsAny":
      return `EXISTS (SELECT 1 FROM ${elements} AS e(v) WHERE e.v = ANY(${statement.next(jsonList)}::jsonb[]))`
    case "containsAll":
      return `(jsonb_typeof(${name}) = 'array' AND NOT EXISTS (SELECT 1 FROM unnest(${statement.next(jsonList)}::jsonb[]) AS w(v) WHERE NOT EXISTS (SELECT 1 FROM ${elements} AS e(v) WHERE e.v = w.v)))`
    case "between": {
      const [lo, hi] = value as readonly [unknown, unknown]
      const from = statement.take()
      const to = statement.take()
      const side = scalar(name, lo)
      if (side === undefined || typeof hi !== typeof lo) return "FALSE"
      return `CASE WHEN jsonb_typeof(${name}) = '${side.type}' THEN ${side.sql(">=", statement.slot(from, side.text))} AND ${side.sql("<=", statement.slot(to, side.text))} ELSE FALSE END`
    }
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      const index = statement.take()
      const side = scalar(name, value)
      if (side === undefined) return "FALSE"
      return `CASE WHEN jsonb_typeof(${name}) = '${side.type}' THEN ${side.sql(comparators[operator], statement.slot(index, side.text))} ELSE FALSE END`
    }
    case "regex": {
      const { ignoreCase } = value as { readonly ignoreCase: boolean }
      const pattern = statement.next((source) => regexText(source as string, `where.${field}.$regex`))
      return `(jsonb_typeof(${name}) = 'string' AND (${name} #>> '{}') ${ignoreCase ? "~*" : "~"} ${pattern}::text)`
    }
    default: {
      const pattern = `${statement.next((source) => likeText(operator, source as string))}::text`
      const text = operator === "ilike" ? `lower(${name} #>> '{}')` : `(${name} #>> '{}')`
      return `(jsonb_typeof(${name}) = 'string' AND ${text} LIKE ${pattern})`
    }
  }
}
