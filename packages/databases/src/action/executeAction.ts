import type { BoundCalls } from "../BoundCalls.ts"
import { invalid } from "../DatabaseError.ts"
import type { Row, Target, Where } from "../types.ts"
import {
  asDatabaseError,
  type CompiledAction,
  checkPlace,
  compileAction,
  type DatabaseAction
} from "./DatabaseAction.ts"

const compiled = new WeakMap<DatabaseAction, CompiledAction>()

const compiledOf = (action: DatabaseAction): CompiledAction => {
  const known = compiled.get(action)
  if (known !== undefined) return known
  const made = compileAction(action)
  compiled.set(action, made)
  return made
}

/** Rows of a query, with how many there are in all beside them. */
export type ActionRows<T = Row> = Array<T> & { readonly count: number }

const rowsWithCount = <T>(records: Array<T>, count: number): ActionRows<T> =>
  Object.defineProperty(records, "count", { value: count, enumerable: false }) as ActionRows<T>

type Options = Omit<Target, "database" | "product" | "product_tag" | "env">

/** Keys of an insert's template that are not part of its row. */
const insertOptions = new Set([
  "records",
  "data",
  "onConflict",
  "conflictColumns",
  "conflictKeys",
  "updateColumns",
  "returning"
])

/** A template that names no records is the record. */
const recordsOf = (template: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  if (template["records"] !== undefined || template["data"] !== undefined) return template
  const entries = Object.entries(template)
  return {
    ...Object.fromEntries(entries.filter(([key]) => insertOptions.has(key))),
    records: Object.fromEntries(entries.filter(([key]) => !insertOptions.has(key)))
  }
}

/**
 * Puts the input into the action's template and makes the call.
 *
 * @throws `VALIDATION_ERROR` with every missing or unfit input; and whatever the call throws
 */
export const executeAction = async (
  calls: BoundCalls,
  action: DatabaseAction,
  input: Readonly<Record<string, unknown>> = {},
  options: Options = {}
): Promise<unknown> => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid("input: expected an object.", "input")
  }
  const { filter, template } = compiledOf(action)
  const rendered = { template: {} as Record<string, unknown>, filter: undefined as Where | undefined }
  const faults: Array<unknown> = []
  const errors: Array<unknown> = []
  const collect = (run: () => void): void => {
    try {
      run()
    } catch (cause) {
      const details = (cause as { readonly details?: unknown }).details
      if (!Array.isArray(details)) throw cause
      faults.push(...(details as ReadonlyArray<unknown>))
      errors.push(cause)
    }
  }
  collect(() => {
    rendered.template = template.render(input, { check: checkPlace(action.operation) }) as Record<
      string,
      unknown
    >
  })
  collect(() => {
    rendered.filter = filter?.render(input) as Where | undefined
  })
  if (errors.length > 0) throw joined(action.tag, errors, faults)
  return call(calls, action, rendered.template, rendered.filter, options)
}

/** One error for the faults of template and filter. */
const joined = (tag: string, errors: ReadonlyArray<unknown>, faults: ReadonlyArray<unknown>): unknown => {
  if (errors.length === 1) return asDatabaseError(errors[0], tag)
  const unique = [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()]
  const text = unique
    .map((fault) => fault as { readonly path: string; readonly message: string })
    .map(({ message, path }) => `${path} ${message}`)
    .join("; ")
  return invalid(`Action '${tag}': The input is not valid: ${text}.`, undefined, { details: unique })
}

const call = async (
  calls: BoundCalls,
  action: DatabaseAction,
  template: Readonly<Record<string, unknown>>,
  filter: Where | undefined,
  options: Options
): Promise<unknown> => {
  const { operation, tableName: table } = action
  const where = filter === undefined ? {} : { where: filter }
  if (operation === "query" && template["operations"] === undefined) {
    const { count, records } = await calls.find({ ...template, ...where, ...options, table })
    return rowsWithCount(records, count)
  }
  switch (operation) {
    case "query":
    case "aggregate":
      return calls.aggregate({ ...template, ...where, ...options, table })
    case "insert":
      return calls.insert({ ...recordsOf(template), ...options, table })
    case "upsert":
      return calls.upsert({ ...recordsOf(template), ...options, table })
    case "update":
      return calls.update({ ...options, table, data: { ...template }, ...where })
    case "delete":
      return calls.delete({ ...options, table, ...where })
    case "raw_sql": {
      const { params, query } = template as {
        readonly query: string
        readonly params?: ReadonlyArray<unknown>
      }
      const { count, records } = await calls.raw({ ...options, query, params })
      return rowsWithCount(records, count)
    }
  }
}
