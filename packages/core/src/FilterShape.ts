import type { Comparison, Filter, RegexOperand } from "./Filter.ts"
import { type Kind, kindOf } from "./Kind.ts"

const letters: Readonly<Record<Kind, string>> = {
  null: "z",
  number: "n",
  string: "s",
  boolean: "b",
  date: "d",
  bytes: "y",
  array: "a",
  object: "o",
  other: "x"
}

const letterOf = (value: unknown): string =>
  typeof value === "string" ? "s" : typeof value === "number" ? "n" : letters[kindOf(value)]

/** The kinds in a list, each once, whatever their order and number. */
const lettersOf = (values: ReadonlyArray<unknown>): string => {
  const first = letterOf(values[0])
  if (values.every((value) => letterOf(value) === first)) return first
  return [...new Set(values.map(letterOf))].sort().join("")
}

const comparison = ({ field, operator, value }: Comparison, values: Array<unknown>): string => {
  // The length goes first, so that no name can pass for a piece of structure.
  const head = `${field.length}:${field} ${operator}`
  switch (operator) {
    case "isNull":
    case "isNotNull":
      return head
    case "between": {
      const [lo, hi] = value as readonly [unknown, unknown]
      values.push(lo, hi)
      return `${head} ${letterOf(lo)}${letterOf(hi)}`
    }
    case "in":
    case "nin":
    case "containsAny":
    case "containsAll": {
      const list = value as ReadonlyArray<unknown>
      values.push(list)
      return `${head} [${list.length === 0 ? "" : lettersOf(list)}]`
    }
    case "regex": {
      const { ignoreCase, pattern } = value as RegexOperand
      values.push(pattern)
      return ignoreCase ? `${head} i` : head
    }
    default:
      values.push(value)
      return `${head} ${letterOf(value)}`
  }
}

const keyOf = (filter: Filter, values: Array<unknown>): string => {
  switch (filter.type) {
    case "compare":
      return comparison(filter, values)
    case "not":
      return `!(${keyOf(filter.member, values)})`
    case "and":
    case "or": {
      let key = `${filter.type}(`
      for (const member of filter.members) key += `${keyOf(member, values)},`
      return `${key})`
    }
    default:
      return filter.type
  }
}

/**
 * Splits a filter into what a compiled query depends on and what it binds.
 *
 * - `key` is equal for two filters exactly when they have the same groups, fields, operators and
 *   kinds of operands in the same order; it holds no value.
 * - `values`, from left to right: one per comparison (`in`, `nin`, `containsAny`, `containsAll`: the
 *   whole list as one; `regex`: the pattern), two for `between`, none for `isNull` and `isNotNull`.
 *   The length of a list is no part of the key: bind it as one array.
 */
export const filterShape = (filter: Filter): { readonly key: string; readonly values: Array<unknown> } => {
  const values: Array<unknown> = []
  return { key: keyOf(filter, values), values }
}
