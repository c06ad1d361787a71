import {
  type CompiledActionTemplate,
  compileActionTemplate,
  isDuctapeError,
  type Placeholder
} from "@ductape/core"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import { isIdentifier, quoteTable } from "../sql/identifier.ts"
import type { Where } from "../types.ts"

export const DatabaseActionTypes = {
  QUERY: "query",
  INSERT: "insert",
  UPDATE: "update",
  DELETE: "delete",
  UPSERT: "upsert",
  AGGREGATE: "aggregate",
  RAW_SQL: "raw_sql"
} as const

/** The same as {@link DatabaseActionTypes}. */
export const DatabaseActionType = { ...DatabaseActionTypes } as const

export type DatabaseOperation = (typeof DatabaseActionTypes)[keyof typeof DatabaseActionTypes]

/** A call on a table, stored with `{{placeholders}}` for what each use of it gives. */
export interface DatabaseAction {
  /** `database:action`; the part before `:` may be left out where `database` is given. */
  readonly tag: string
  readonly name: string
  readonly description?: string | undefined
  /** Not needed for `raw_sql`. */
  readonly tableName?: string | undefined
  readonly operation: DatabaseOperation
  /**
   * - query: as `find` takes it; with `operations`, as `aggregate` does
   * - raw_sql: `query` without placeholders, and `params`
   * - insert, upsert: `records`, `onConflict`, `conflictColumns`, `updateColumns`, `returning`
   * - update: the changed fields
   * - aggregate: `where`, `operations`, `groupBy`, `having`
   */
  readonly template?: object | undefined
  /** Which rows: of query, update, delete and aggregate. */
  readonly filterTemplate?: Where | undefined
}

/** With the older names. */
export interface DatabaseActionInput extends Omit<DatabaseAction, "operation" | "name"> {
  readonly name?: string | undefined
  readonly operation?: DatabaseOperation | undefined
  /** The same as `operation`. */
  readonly type?: DatabaseOperation | undefined
  /** The same as `tableName`. */
  readonly table?: string | undefined
  /** Tag of the database, where `tag` does not say it. */
  readonly database?: string | undefined
  readonly product?: string | undefined
  readonly product_tag?: string | undefined
}

/** `db:action` of a tag, or of a bare tag and the database. @throws `VALIDATION_ERROR` */
export const actionTag = (tag: unknown, database: string | undefined, path = "tag"): string => {
  if (typeof tag !== "string" || tag === "") throw invalid(`${path}: missing.`, path)
  if (tag.includes(":")) {
    if (database !== undefined && !tag.startsWith(`${database}:`)) {
      throw invalid(`${path}: '${tag}' is not of database '${database}'.`, path)
    }
    return tag
  }
  if (database === undefined) {
    throw invalid(`${path}: expected 'database:action', or 'database' beside it.`, path)
  }
  return `${database}:${tag}`
}

const operations = new Set<string>(Object.values(DatabaseActionTypes))

const compile = (template: unknown, path: string): CompiledActionTemplate => {
  try {
    return compileActionTemplate(template)
  } catch (cause) {
    if (!isDuctapeError(cause)) throw cause
    throw invalid(`${path}: ${cause.message}`, path, { details: cause.details })
  }
}

export interface CompiledAction {
  readonly template: CompiledActionTemplate
  readonly filter: CompiledActionTemplate | undefined
}

const hasPlaceholder = (value: unknown): boolean => typeof value === "string" && value.includes("{{")

/** @throws `VALIDATION_ERROR` */
export const compileAction = (action: DatabaseAction): CompiledAction => {
  const template = compile(action.template ?? {}, "template")
  const filter =
    action.filterTemplate === undefined ? undefined : compile(action.filterTemplate, "filterTemplate")
  const given = (action.template ?? {}) as Readonly<Record<string, unknown>>
  if (action.operation === "raw_sql") {
    if (typeof given["query"] !== "string") throw invalid("template.query: expected SQL.", "template.query")
    if (hasPlaceholder(given["query"])) {
      throw invalid(
        "template.query: SQL may not hold placeholders. Write $1, $2, … there, and the placeholders in params.",
        "template.query"
      )
    }
  }
  // The input may fill a filter in, never be one: it could leave conditions out.
  for (const [path, value] of [
    ["template.where", given["where"]],
    ["template.having", given["having"]],
    ["filterTemplate", action.filterTemplate]
  ] as const) {
    if (hasPlaceholder(value)) throw invalid(`${path}: a whole filter cannot be a placeholder.`, path)
  }
  return { template, filter }
}

/** @throws `VALIDATION_ERROR` naming the place */
export const readAction = (input: DatabaseActionInput): DatabaseAction => {
  if (typeof input !== "object" || input === null) throw invalid("action: expected an object.")
  const operation = input.operation ?? input.type
  if (operation === undefined || !operations.has(operation)) {
    throw invalid(`operation: expected one of ${[...operations].join(", ")}.`, "operation")
  }
  const tableName = input.tableName ?? input.table
  if (tableName !== undefined) quoteTable(tableName, "tableName")
  else if (operation !== "raw_sql") throw invalid("tableName: missing.", "tableName")
  for (const key of ["template", "filterTemplate"] as const) {
    const value: unknown = input[key]
    if (value !== undefined && (typeof value !== "object" || value === null || Array.isArray(value))) {
      throw invalid(`${key}: expected an object.`, key)
    }
  }
  const tag = actionTag(input.tag, input.database)
  const { description, filterTemplate, template } = input
  const action: DatabaseAction = {
    tag,
    name: input.name ?? tag,
    operation,
    ...(tableName === undefined ? {} : { tableName }),
    ...(description === undefined ? {} : { description }),
    ...(template === undefined ? {} : { template }),
    ...(filterTemplate === undefined ? {} : { filterTemplate })
  }
  compileAction(action)
  return action
}

const columnLists = new Set([
  "select",
  "groupBy",
  "conflictColumns",
  "conflictKeys",
  "updateColumns",
  "columns",
  "update"
])
const nameKeys = new Set([
  "column",
  "field",
  "alias",
  "relation",
  "table",
  "foreignKey",
  "primaryKey",
  "through",
  "throughForeignKey",
  "throughRelatedKey"
])

const isColumn = (value: unknown): boolean =>
  isIdentifier(value) || (typeof value === "string" && value === "*")

/**
 * What the place of a placeholder asks of its value. Values of filters, records and params are bound,
 * so anything goes there; the rest of a call says which columns, in which order and how many.
 */
export const checkPlace =
  (operation: DatabaseOperation) =>
  (value: unknown, { at }: Placeholder): string | undefined => {
    if (operation === "update" || operation === "raw_sql") return undefined
    const keys = at.filter((part): part is string => typeof part === "string")
    const [first = ""] = keys
    const last = keys.at(-1) ?? ""
    if (keys.includes("where") || first === "records" || first === "data" || first === "having") {
      return undefined
    }
    if (operation === "insert" || operation === "upsert") {
      const options = new Set(["onConflict", "conflictColumns", "conflictKeys", "updateColumns", "returning"])
      if (!options.has(first)) return undefined
    }
    if (last === "limit" || last === "offset") {
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? undefined
        : "must be a whole number, 0 or more"
    }
    if (last === "order") {
      return typeof value === "string" && /^(?:asc|desc)$/i.test(value) ? undefined : "must be ASC or DESC"
    }
    if (last === "returning") {
      if (typeof value === "boolean") return undefined
      return Array.isArray(value) && value.every(isIdentifier) ? undefined : "must name columns"
    }
    if (columnLists.has(last)) {
      const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
      return list.every(isIdentifier) ? undefined : "must name columns"
    }
    if (nameKeys.has(last)) return isIdentifier(value) ? undefined : "must be the name of a column"
    if (first === "operations" || first === "aggregate") {
      if (last === "separator") return typeof value === "string" ? undefined : "must be text"
      return isColumn(value) ? undefined : "must be the name of a column"
    }
    if (last === "count" || last === "distinct") {
      return typeof value === "boolean" ? undefined : "must be true or false"
    }
    return "may not come from the input here"
  }

/** The error of a template as one of this package. */
export const asDatabaseError = (cause: unknown, tag: string): unknown =>
  isDuctapeError(cause) && cause.code === "VALIDATION_ERROR" && !(cause instanceof DatabaseError)
    ? new DatabaseError({
        code: "VALIDATION_ERROR",
        message: `Action '${tag}': ${cause.message}`,
        details: cause.details
      })
    : cause
