/** What a comparison does. `isNull` and `isNotNull` have no operand (their `value` is `true`). */
export type FilterOperator =
  | "eq"
  | "ne"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "between"
  | "in"
  | "nin"
  | "like"
  | "ilike"
  | "regex"
  | "startsWith"
  | "endsWith"
  | "contains"
  | "containsAny"
  | "containsAll"
  | "isNull"
  | "isNotNull"

/** The operand of `regex`, in JavaScript's syntax. */
export interface RegexOperand {
  readonly pattern: string
  readonly ignoreCase: boolean
}

/** One field against one operand. */
export interface Comparison {
  readonly type: "compare"
  readonly field: string
  readonly operator: FilterOperator
  /**
   * - `between`: `[lo, hi]`
   * - `in`, `nin`, `containsAny`, `containsAll`: an array without nulls
   * - `regex`: a {@link RegexOperand}
   * - `isNull`, `isNotNull`: `true`
   * - else one value, never null
   */
  readonly value: unknown
}

/**
 * A filter in normal form, as `parseFilter` makes it and adapters compile it.
 *
 * - `all` and `none` stand alone, never inside a group.
 * - `and` and `or` have at least two members, none of them a group of the same type.
 * - Null is never an operand: `$eq: null` is `isNull`, a null in a list is split off.
 *
 * Logic is two-valued: every comparison with null or a missing field is false, except `ne`, `nin`
 * and `isNull`, which are true; `not` is plain negation.
 */
export type Filter =
  | { readonly type: "all" }
  | { readonly type: "none" }
  | { readonly type: "and" | "or"; readonly members: ReadonlyArray<Filter> }
  | { readonly type: "not"; readonly member: Filter }
  | Comparison

export const all: Filter = { type: "all" }
export const none: Filter = { type: "none" }

/** Joins filters into a group in normal form. */
export const group = (type: "and" | "or", filters: ReadonlyArray<Filter>): Filter => {
  const neutral = type === "and" ? "all" : "none"
  const absorbing = type === "and" ? "none" : "all"
  const members: Array<Filter> = []
  for (const filter of filters) {
    if (filter.type === absorbing) return filter
    if (filter.type === neutral) continue
    if (filter.type === type) members.push(...filter.members)
    else members.push(filter)
  }
  const [first] = members
  if (first === undefined) return type === "and" ? all : none
  return members.length === 1 ? first : { type, members }
}

/** Negates a filter, in normal form. */
export const negate = (filter: Filter): Filter =>
  filter.type === "all"
    ? none
    : filter.type === "none"
      ? all
      : filter.type === "not"
        ? filter.member
        : { type: "not", member: filter }
