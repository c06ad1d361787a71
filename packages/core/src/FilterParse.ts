import { all, type Filter, type FilterOperator, group, negate, none } from "./Filter.ts"
import { filterError } from "./FilterError.ts"
import { operands, regexOperand } from "./FilterOperand.ts"
import { isPlainObject } from "./Kind.ts"

/** Groups nest at most so deep. */
const maxDepth = 32
/** A filter holds at most so many comparisons and groups. */
const maxNodes = 10_000

type Name = FilterOperator | "exists"

/** `$IS_NULL`, `$isNull`, `$isnull` → `isnull`. */
const fold = (key: string): string => key.slice(1).replaceAll("_", "").toLowerCase()

const operatorNames: ReadonlyMap<string, Name> = new Map(
  (
    [
      ...(Object.keys(operands) as Array<keyof typeof operands>),
      "isNull",
      "isNotNull",
      "exists"
    ] satisfies Array<Name>
  ).map((name) => [name.toLowerCase(), name])
)

/** By the usual spelling, which needs no folding. */
const usualNames: ReadonlyMap<string, Name> = new Map(
  [...operatorNames.values()].map((name) => [`$${name}`, name])
)

const known = [...operatorNames.values()].map((name) => `$${name}`).join(" ")

interface State {
  nodes: number
}

const compare = (field: string, operator: FilterOperator, value: unknown): Filter => ({
  type: "compare",
  field,
  operator,
  value
})

const isNull = (field: string): Filter => compare(field, "isNull", true)
const isNotNull = (field: string): Filter => compare(field, "isNotNull", true)

/** `$in` and `$nin`, with null split off the list. */
const listed = (field: string, operator: "in" | "nin", value: ReadonlyArray<unknown>): Filter => {
  const rest = value.includes(null) ? value.filter((element) => element !== null) : value
  const split = rest.length < value.length
  const own = rest.length > 0 ? compare(field, operator, rest) : operator === "in" ? none : all
  if (!split) return own
  return operator === "in" ? group("or", [isNull(field), own]) : group("and", [isNotNull(field), own])
}

const comparison = (field: string, operator: Name, value: unknown, path: string): Filter => {
  switch (operator) {
    case "isNull":
    case "isNotNull":
    case "exists": {
      if (typeof value !== "boolean") throw filterError(path, "type", "expected true or false")
      return (operator === "isNull") === value ? isNull(field) : isNotNull(field)
    }
    case "in":
    case "nin":
      return listed(field, operator, operands[operator](value, path) as ReadonlyArray<unknown>)
    case "containsAny": {
      const elements = operands[operator](value, path) as ReadonlyArray<unknown>
      return elements.length === 0 ? none : compare(field, operator, elements)
    }
    case "eq":
    case "ne":
      if (value === null) return operator === "eq" ? isNull(field) : isNotNull(field)
      return compare(field, operator, operands[operator](value, path))
    default:
      return compare(field, operator, operands[operator](value, path))
  }
}

const operatorsOf = (field: string, value: Record<string, unknown>, path: string, state: State): Filter => {
  const members: Array<Filter> = []
  for (const key of Object.keys(value)) {
    const at = `${path}.${key}`
    if (!key.startsWith("$")) {
      throw filterError(at, "mixed", "operators and plain keys stand side by side; use only one of them")
    }
    const operator = usualNames.get(key) ?? operatorNames.get(fold(key))
    if (operator === undefined) {
      throw filterError(at, "operator", `unknown operator '${key}'. Known are: ${known}`)
    }
    count(state, at)
    members.push(comparison(field, operator, value[key], at))
  }
  return group("and", members)
}

const fieldFilter = (field: string, value: unknown, path: string, state: State): Filter => {
  count(state, path)
  if (typeof value === "string" || typeof value === "boolean") return compare(field, "eq", value)
  if (value === undefined) {
    throw filterError(path, "undefined", "undefined is no condition; leave the key out or use null")
  }
  if (Array.isArray(value)) {
    throw filterError(path, "array", "a bare array is ambiguous; use $in, $eq or $contains")
  }
  if (value instanceof RegExp) return compare(field, "regex", regexOperand(value, path))
  if (isPlainObject(value)) {
    for (const key in value) if (key.startsWith("$")) return operatorsOf(field, value, path, state)
  }
  return comparison(field, "eq", value, path)
}

const count = (state: State, path: string): void => {
  state.nodes += 1
  if (state.nodes > maxNodes) throw filterError(path, "size", `more than ${maxNodes} conditions`)
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

/** Members of a group: the elements of an array, or each key of an object by itself. */
const membersOf = (value: unknown, path: string, depth: number, state: State): ReadonlyArray<Filter> => {
  if (Array.isArray(value)) {
    return Array.from(value, (member: unknown, i) => whereFilter(member, `${path}[${i}]`, depth + 1, state))
  }
  if (!isPlainObject(value)) {
    throw filterError(path, "type", "expected an array of filters, or an object whose keys are the members")
  }
  return Object.keys(value).map((key) => entryFilter(key, value[key], join(path, key), depth + 1, state))
}

const entryFilter = (key: string, value: unknown, path: string, depth: number, state: State): Filter => {
  if (!key.startsWith("$")) {
    if (key === "") throw filterError(path, "field", "a field has no name")
    return fieldFilter(key, value, path, state)
  }
  if (depth > maxDepth) throw filterError(path, "depth", `groups nest deeper than ${maxDepth} levels`)
  count(state, path)
  switch (fold(key)) {
    case "and":
      return group("and", membersOf(value, path, depth, state))
    case "or":
      return group("or", membersOf(value, path, depth, state))
    case "nor":
      return negate(group("or", membersOf(value, path, depth, state)))
    case "not":
      return negate(whereFilter(value, path, depth + 1, state))
    default:
      throw filterError(
        path,
        "operator",
        `unknown operator '${key}'. Here stand fields, $and, $or, $nor or $not`
      )
  }
}

const whereFilter = (where: unknown, path: string, depth: number, state: State): Filter => {
  if (!isPlainObject(where)) {
    throw filterError(
      path === "" ? "where" : path,
      where === undefined ? "undefined" : "type",
      "expected an object of conditions"
    )
  }
  if (depth > maxDepth) throw filterError(path, "depth", `groups nest deeper than ${maxDepth} levels`)
  const members: Array<Filter> = []
  for (const key of Object.keys(where)) {
    members.push(entryFilter(key, where[key], join(path, key), depth, state))
  }
  return members.length === 1 ? (members[0] as Filter) : group("and", members)
}

/**
 * Reads a filter as users write it and gives its normal form. `{}` matches everything.
 *
 * Names of operators and groups ignore case and underscores. Keys of an object are ANDed, as are
 * operators on one field; a group is an array of filters or an object whose keys are its members.
 * An empty `$and` or `$nor` matches everything, an empty `$or` or `$in` nothing.
 *
 * Limits: 32 levels of groups, 10,000 conditions, 100,000 elements in a list.
 *
 * @param options.path how messages name the filter's root, such as `where` (default: only the path inside)
 * @throws {FilterError} `VALIDATION_ERROR` for `undefined`, an unknown operator or `$` key, a bare
 *   array, operators beside plain keys, or an operand of the wrong kind; names the path
 */
export const parseFilter = (where: unknown, options?: { readonly path?: string }): Filter =>
  whereFilter(where, options?.path ?? "", 0, { nodes: 0 })

/** Writes a filter back as users write it; `parseFilter` reads it to an equal filter. */
export const printFilter = (filter: Filter): Record<string, unknown> => {
  switch (filter.type) {
    case "all":
      return {}
    case "none":
      return { $or: [] }
    case "and":
    case "or":
      return { [`$${filter.type}`]: filter.members.map(printFilter) }
    case "not":
      return { $not: printFilter(filter.member) }
    case "compare":
      return { [filter.field]: { [`$${filter.operator}`]: filter.value } }
  }
}
