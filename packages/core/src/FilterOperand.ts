import type { FilterOperator, RegexOperand } from "./Filter.ts"
import { filterError } from "./FilterError.ts"
import { isPlainObject, type Kind, kindOf } from "./Kind.ts"

const names: Readonly<Record<Kind, string>> = {
  null: "null",
  number: "a number",
  string: "a string",
  boolean: "a boolean",
  date: "a date",
  bytes: "bytes",
  array: "an array",
  object: "an object",
  other: "a value of a kind that no store holds"
}

const describe = (value: unknown): string => (value === undefined ? "undefined" : names[kindOf(value)])

/** At most so many elements in `$in` and the like. */
const maxList = 100_000

const wanted = (path: string, expected: string, value: unknown) =>
  filterError(path, "type", `expected ${expected}, found ${describe(value)}`)

/** Anything that can be bound: no undefined, no function, no NaN, no invalid date. */
const bindable = (value: unknown, path: string, depth = 0): unknown => {
  if (value === undefined) {
    throw filterError(path, "undefined", "undefined is no operand; leave the key out or use null")
  }
  if (depth > 32) throw filterError(path, "depth", "a value is nested deeper than 32 levels")
  switch (kindOf(value)) {
    case "other":
      throw wanted(path, "a scalar, date, bytes, array or plain object", value)
    case "number":
      if (Number.isNaN(value)) throw filterError(path, "type", "NaN is no operand")
      return value
    case "date":
      if (Number.isNaN((value as Date).getTime())) throw filterError(path, "type", "the date is invalid")
      return value
    case "array":
      for (const [i, element] of (value as ReadonlyArray<unknown>).entries()) {
        bindable(element, `${path}[${i}]`, depth + 1)
      }
      return value
    case "object":
      for (const [key, element] of Object.entries(value as object)) {
        bindable(element, `${path}.${key}`, depth + 1)
      }
      return value
    default:
      return value
  }
}

const orderable: ReadonlySet<Kind> = new Set(["number", "string", "boolean", "date", "bytes"])

const ordered = (value: unknown, path: string): unknown => {
  if (!orderable.has(kindOf(value))) throw wanted(path, "a number, string, boolean, date or bytes", value)
  return bindable(value, path)
}

const list = (value: unknown, path: string): ReadonlyArray<unknown> => {
  if (!Array.isArray(value)) throw wanted(path, "an array", value)
  if (value.length > maxList) {
    throw filterError(path, "size", `at most ${maxList} elements, found ${value.length}`)
  }
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] !== "string") bindable(value[i], `${path}[${i}]`)
  }
  return value
}

const elements = (value: unknown, path: string): ReadonlyArray<unknown> => {
  const array = list(value, path)
  const hole = array.indexOf(null)
  if (hole >= 0) throw wanted(`${path}[${hole}]`, "an element", null)
  return array
}

const text = (value: unknown, path: string): string => {
  if (typeof value !== "string") throw wanted(path, "a string", value)
  return value
}

const pattern = (value: unknown, path: string): string => {
  const source = text(value, path)
  const trailing = /\\*$/.exec(source)?.[0].length ?? 0
  if (trailing % 2 === 1) throw filterError(path, "pattern", "the pattern ends in a lone '\\'")
  return source
}

export const regexOperand = (value: unknown, path: string): RegexOperand => {
  let operand: RegexOperand
  if (value instanceof RegExp) {
    const odd = value.flags.replace(/[gi]/g, "")
    if (odd !== "")
      throw filterError(path, "pattern", `the flag '${odd}' means nothing to a store; only 'i' does`)
    operand = { pattern: value.source, ignoreCase: value.ignoreCase }
  } else if (
    isPlainObject(value) &&
    typeof value["pattern"] === "string" &&
    typeof value["ignoreCase"] === "boolean" &&
    Object.keys(value).length === 2
  ) {
    operand = { pattern: value["pattern"], ignoreCase: value["ignoreCase"] }
  } else {
    operand = { pattern: text(value, path), ignoreCase: false }
  }
  try {
    new RegExp(operand.pattern)
  } catch {
    throw filterError(path, "pattern", "not a regular expression")
  }
  return operand
}

const range = (value: unknown, path: string): readonly [unknown, unknown] => {
  if (!Array.isArray(value) || value.length !== 2) {
    throw filterError(path, "type", "expected two bounds: [lowest, highest]")
  }
  const lo = ordered(value[0], `${path}[0]`)
  const hi = ordered(value[1], `${path}[1]`)
  if (kindOf(lo) !== kindOf(hi)) {
    throw filterError(path, "type", `the bounds are of different kinds: ${describe(lo)} and ${describe(hi)}`)
  }
  return [lo, hi]
}

const some = (value: unknown, path: string): unknown => {
  if (value === null) throw wanted(path, "a value", value)
  return bindable(value, path)
}

/** Checks the operand of each operator and gives it its normal form. */
export const operands: {
  readonly [O in Exclude<FilterOperator, "isNull" | "isNotNull">]: (value: unknown, path: string) => unknown
} = {
  eq: bindable,
  ne: bindable,
  gt: ordered,
  gte: ordered,
  lt: ordered,
  lte: ordered,
  between: range,
  in: list,
  nin: list,
  like: pattern,
  ilike: pattern,
  regex: regexOperand,
  startsWith: text,
  endsWith: text,
  contains: some,
  containsAny: elements,
  containsAll: elements
}
