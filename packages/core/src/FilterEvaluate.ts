import type { Comparison, Filter, RegexOperand } from "./Filter.ts"
import { compareValues, equalValues } from "./Kind.ts"
import { readPath } from "./ReadPath.ts"

const fieldOf = (row: Record<string, unknown>, field: string): unknown =>
  Object.hasOwn(row, field) ? row[field] : field.includes(".") ? readPath(row, [field]) : undefined

type Token =
  | { readonly kind: "any" }
  | { readonly kind: "one" }
  | { readonly kind: "char"; readonly char: string }

const likeTokens = (pattern: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  const chars = [...pattern]
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? ""
    if (char === "\\") tokens.push({ kind: "char", char: chars[++i] ?? "" })
    else if (char === "%") tokens.push({ kind: "any" })
    else if (char === "_") tokens.push({ kind: "one" })
    else tokens.push({ kind: "char", char })
  }
  return tokens
}

/** Wildcard matching with one point of return, so that no pattern takes exponential time. */
const like = (text: string, pattern: string): boolean => {
  const chars = [...text]
  const tokens = likeTokens(pattern)
  let c = 0
  let t = 0
  let retryToken = -1
  let retryChar = 0
  while (c < chars.length) {
    const token = tokens[t]
    if (token?.kind === "any") {
      retryToken = ++t
      retryChar = c
    } else if (token !== undefined && (token.kind === "one" || token.char === chars[c])) {
      t++
      c++
    } else if (retryToken >= 0) {
      t = retryToken
      c = ++retryChar
    } else {
      return false
    }
  }
  while (tokens[t]?.kind === "any") t++
  return t === tokens.length
}

const expressions = new WeakMap<object, RegExp>()

const regexOf = (operand: RegexOperand): RegExp => {
  const kept = expressions.get(operand)
  if (kept !== undefined) return kept
  const made = new RegExp(operand.pattern, operand.ignoreCase ? "i" : "")
  expressions.set(operand, made)
  return made
}

const hasElement = (array: ReadonlyArray<unknown>, wanted: unknown): boolean =>
  array.some((element) => equalValues(element, wanted))

const contains = (value: unknown, wanted: unknown): boolean => {
  if (Array.isArray(value)) return hasElement(value, wanted)
  return typeof value === "string" && typeof wanted === "string" && value.includes(wanted)
}

const compare = ({ field, operator, value: operand }: Comparison, row: Record<string, unknown>): boolean => {
  const value = fieldOf(row, field)
  const missing = value === null || value === undefined
  switch (operator) {
    case "isNull":
      return missing
    case "isNotNull":
      return !missing
    case "ne":
      return missing || !equalValues(value, operand)
    case "nin":
      return missing || !hasElement(operand as ReadonlyArray<unknown>, value)
  }
  if (missing) return false
  switch (operator) {
    case "eq":
      return equalValues(value, operand)
    case "in":
      return hasElement(operand as ReadonlyArray<unknown>, value)
    case "gt":
      return (compareValues(value, operand) ?? 0) > 0
    case "gte":
      return (compareValues(value, operand) ?? -1) >= 0
    case "lt":
      return (compareValues(value, operand) ?? 0) < 0
    case "lte":
      return (compareValues(value, operand) ?? 1) <= 0
    case "between": {
      const [lo, hi] = operand as readonly [unknown, unknown]
      return (compareValues(value, lo) ?? -1) >= 0 && (compareValues(value, hi) ?? 1) <= 0
    }
    case "like":
      return typeof value === "string" && like(value, operand as string)
    case "ilike":
      return typeof value === "string" && like(value.toLowerCase(), (operand as string).toLowerCase())
    case "regex":
      return typeof value === "string" && regexOf(operand as RegexOperand).test(value)
    case "startsWith":
      return typeof value === "string" && value.startsWith(operand as string)
    case "endsWith":
      return typeof value === "string" && value.endsWith(operand as string)
    case "contains":
      return contains(value, operand)
    case "containsAny":
      return (
        Array.isArray(value) &&
        (operand as ReadonlyArray<unknown>).some((wanted) => hasElement(value, wanted))
      )
    case "containsAll":
      return (
        Array.isArray(value) &&
        (operand as ReadonlyArray<unknown>).every((wanted) => hasElement(value, wanted))
      )
  }
}

/**
 * Whether a row matches: the meaning that every store's compiled filter must have, and the oracle
 * that their tests hold them to.
 *
 * **Fields** are own properties of the row by their very name; a dotted name that is not there walks
 * nested objects. A missing field is null. `ne`, `nin` and `isNull` are true for null; every other
 * comparison is false. `not` is plain negation, so `$not: { a: { $gt: 5 } }` matches a null `a`.
 *
 * **Kinds** are number, string, boolean, date, bytes, array and object. Values of different kinds are
 * never equal and have no order: `'5'` is not `5`, and an ISO string is not a date.
 * - Numbers compare by value across `number`, `bigint` and decimal classes, exactly; a `number`
 *   stands for its shortest decimal text when the other side is a decimal. NaN matches nothing.
 * - Strings compare by code point (the order of UTF-8 bytes, `COLLATE "C"`), without normalisation.
 * - Booleans: false before true. Dates: by instant. Bytes: unsigned, left to right, shorter first.
 * - Arrays and objects have deep equality (key order does not count, null equals null inside) and no
 *   order.
 *
 * **Text**: `like` matches the whole string; `%` is any run, `_` one code point, `\` takes the next
 * character as it is. `ilike` is `like` on both sides in lower case. `regex` finds anywhere.
 * `startsWith`, `endsWith` and `contains` are literal and case-sensitive.
 *
 * **Arrays**: `contains` is true if an element equals the operand; `containsAny` and `containsAll`
 * if some or all elements of the operand are in the array.
 */
export const evaluateFilter = (filter: Filter, row: Record<string, unknown>): boolean => {
  switch (filter.type) {
    case "all":
      return true
    case "none":
      return false
    case "and":
      return filter.members.every((member) => evaluateFilter(member, row))
    case "or":
      return filter.members.some((member) => evaluateFilter(member, row))
    case "not":
      return !evaluateFilter(filter.member, row)
    case "compare":
      return compare(filter, row)
  }
}
