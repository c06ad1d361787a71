import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  evaluateFilter,
  type Filter,
  FilterError,
  filterShape,
  parseFilter,
  printFilter
} from "../src/index.ts"

const field = fc.constantFrom("a", "b", "c", "a.b", "n:1")
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom("", "a", "b", "ab", "%", "1", "\u{1f600}", "\uffee"),
  fc.boolean(),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.date({ min: new Date(0), max: new Date(3), noInvalidDate: true }),
  fc.uint8Array({ maxLength: 2 })
)
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("x", "y"), scalar)
)
const list = fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 4 })
const text = fc.string({ unit: fc.constantFrom("a", "b", "%", "_", "\u{1f600}"), maxLength: 4 })

const condition = fc.oneof(
  scalar,
  fc.constant(null),
  fc.constantFrom(/a/, /^a/i),
  ...(["$eq", "$ne"] as const).map((name) => fc.record({ [name]: fc.oneof(value, fc.constant(null)) })),
  ...(["$gt", "$gte", "$lt", "$lte"] as const).map((name) => fc.record({ [name]: scalar })),
  fc.tuple(fc.integer(), fc.integer()).map((bounds) => ({ $between: bounds })),
  ...(["$in", "$nin"] as const).map((name) => fc.record({ [name]: list })),
  ...(["$like", "$ilike", "$startsWith", "$endsWith"] as const).map((name) => fc.record({ [name]: text })),
  fc.record({ $contains: scalar }),
  fc.record({ $containsAny: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $containsAll: fc.array(scalar, { maxLength: 3 }) }),
  ...(["$isNull", "$IS_NOT_NULL", "$exists"] as const).map((name) => fc.record({ [name]: fc.boolean() })),
  fc.record({ $gt: scalar, $ne: value })
)

const { where } = fc.letrec<{ where: Record<string, unknown> }>((tie) => {
  const fields = fc.dictionary(field, condition, { maxKeys: 3 })
  const members = fc.array(tie("where"), { maxLength: 3 })
  return {
    where: fc.oneof(
      { depthSize: "small" },
      { weight: 3, arbitrary: fields },
      ...(["$and", "$or", "$nor"] as const).map((name) =>
        fc.tuple(fields, fc.oneof(members, fields)).map(([rest, inner]) => ({ ...rest, [name]: inner }))
      ),
      tie("where").map((inner) => ({ $not: inner }))
    )
  }
})

const row = fc.dictionary(
  fc.constantFrom("a", "b", "c", "n:1"),
  fc.oneof(value, fc.constantFrom(null, undefined, Number.NaN)),
  { maxKeys: 4 }
)

const holds = (filter: unknown, on: Record<string, unknown>): boolean =>
  evaluateFilter(parseFilter(filter), on)

describe("any filter", () => {
  it("reads back from its printed form the same", () => {
    fc.assert(
      fc.property(where, (filter) => {
        const parsed = parseFilter(filter)
        const printed = printFilter(parsed)
        expect(parseFilter(printed)).toEqual(parsed)
        expect(filterShape(parseFilter(printed))).toEqual(filterShape(parsed))
      }),
      { numRuns: 2_000 }
    )
  })

  it("is in normal form", () => {
    const check = (filter: Filter, above: Filter["type"] | undefined): void => {
      if (filter.type === "all" || filter.type === "none") expect(above).toBeUndefined()
      if (filter.type === "and" || filter.type === "or") {
        expect(filter.members.length).toBeGreaterThan(1)
        expect(above).not.toBe(filter.type)
        for (const member of filter.members) check(member, filter.type)
      }
      if (filter.type === "not") {
        expect(above).not.toBe("not")
        check(filter.member, "not")
      }
      if (filter.type === "compare") {
        expect(filter.value).not.toBeNull()
        if (filter.operator === "in" || filter.operator === "nin") {
          expect(filter.value).not.toContain(null)
          expect(filter.value).not.toEqual([])
        }
      }
    }
    fc.assert(
      fc.property(where, (filter) => check(parseFilter(filter), undefined)),
      { numRuns: 2_000 }
    )
  })

  it("obeys the laws of logic on any row", () => {
    fc.assert(
      fc.property(where, where, row, (p, q, on) => {
        const [x, y] = [holds(p, on), holds(q, on)]
        expect(holds({ $and: [p, q] }, on)).toBe(x && y)
        expect(holds({ $or: [p, q] }, on)).toBe(x || y)
        expect(holds({ $nor: [p, q] }, on)).toBe(!(x || y))
        expect(holds({ $not: p }, on)).toBe(!x)
        expect(holds({ $not: { $not: p } }, on)).toBe(x)
        // De Morgan
        expect(holds({ $not: { $and: [p, q] } }, on)).toBe(holds({ $or: [{ $not: p }, { $not: q }] }, on))
        expect(holds({ $not: { $or: [p, q] } }, on)).toBe(holds({ $and: [{ $not: p }, { $not: q }] }, on))
        expect(holds({ $and: [p, {}] }, on)).toBe(x)
        expect(holds({ $or: [p, { $or: [] }] }, on)).toBe(x)
      }),
      { numRuns: 3_000 }
    )
  })

  it("has complementary operators", () => {
    fc.assert(
      fc.property(fc.oneof(value, fc.constant(null)), list, row, (operand, operands, on) => {
        expect(holds({ a: { $ne: operand } }, on)).toBe(!holds({ a: { $eq: operand } }, on))
        expect(holds({ a: { $nin: operands } }, on)).toBe(!holds({ a: { $in: operands } }, on))
        expect(holds({ a: { $in: operands } }, on)).toBe(
          operands.some((one) => holds({ a: { $eq: one } }, on))
        )
        expect(holds({ a: { $isNull: true } }, on)).toBe(!holds({ a: { $isNotNull: true } }, on))
      }),
      { numRuns: 2_000 }
    )
  })

  it("orders consistently", () => {
    fc.assert(
      fc.property(scalar, scalar, (left, right) => {
        const on = { a: left }
        const [gt, gte, lt, lte, eq] = ["$gt", "$gte", "$lt", "$lte", "$eq"].map((name) =>
          holds({ a: { [name]: right } }, on)
        )
        expect(gt && lt).toBe(false)
        expect(gte).toBe(gt || (eq && lte))
        expect(lte).toBe(lt || (eq && gte))
        if (!(gt || lt || eq)) expect([gte, lte]).toEqual([false, false])
      }),
      { numRuns: 3_000 }
    )
  })

  it("finds literal text as `like` finds it escaped", () => {
    const escape = (literal: string): string => literal.replace(/[\\%_]/g, "\\$&")
    fc.assert(
      fc.property(text, text, (haystack, needle) => {
        const on = { a: haystack }
        expect(holds({ a: { $contains: needle } }, on)).toBe(
          holds({ a: { $like: `%${escape(needle)}%` } }, on)
        )
        expect(holds({ a: { $startsWith: needle } }, on)).toBe(
          holds({ a: { $like: `${escape(needle)}%` } }, on)
        )
        expect(holds({ a: { $endsWith: needle } }, on)).toBe(
          holds({ a: { $like: `%${escape(needle)}` } }, on)
        )
      }),
      { numRuns: 2_000 }
    )
  })

  it("has the shape of another exactly when only bound values differ", () => {
    const kind = (operand: unknown): string =>
      operand instanceof Date
        ? "date"
        : operand instanceof Uint8Array
          ? "bytes"
          : Array.isArray(operand)
            ? "array"
            : typeof operand === "bigint"
              ? "number"
              : typeof operand
    const structure = (filter: Filter): unknown => {
      if (filter.type === "and" || filter.type === "or") return [filter.type, filter.members.map(structure)]
      if (filter.type === "not") return ["not", structure(filter.member)]
      if (filter.type !== "compare") return filter.type
      const { operator } = filter
      if (operator === "regex")
        return [filter.field, operator, (filter.value as { ignoreCase: boolean }).ignoreCase]
      const listed = ["in", "nin", "containsAny", "containsAll"].includes(operator)
      const kinds = listed
        ? [...new Set((filter.value as ReadonlyArray<unknown>).map(kind))].sort()
        : operator === "between"
          ? (filter.value as ReadonlyArray<unknown>).map(kind)
          : kind(filter.value)
      return [filter.field, operator, kinds]
    }
    fc.assert(
      fc.property(where, where, (left, right) => {
        const [p, q] = [parseFilter(left), parseFilter(right)]
        expect(filterShape(p).key === filterShape(q).key).toBe(
          JSON.stringify(structure(p)) === JSON.stringify(structure(q))
        )
      }),
      { numRuns: 5_000 }
    )
  })

  it("throws nothing but FilterError, whatever it is", () => {
    const anything = fc.anything({ withDate: true, withBigInt: true, withMap: true, withTypedArray: true })
    const key = fc.constantFrom(
      "$and",
      "$or",
      "$not",
      "$nor",
      "a",
      "$gt",
      "$in",
      "$REGEX",
      "$between",
      "$x",
      ""
    )
    fc.assert(
      fc.property(
        fc.oneof(anything, fc.dictionary(key, fc.oneof(anything, fc.dictionary(key, anything)))),
        row,
        (filter, on) => {
          let parsed: Filter
          try {
            parsed = parseFilter(filter)
          } catch (error) {
            expect(error).toBeInstanceOf(FilterError)
            return
          }
          expect(typeof evaluateFilter(parsed, on)).toBe("boolean")
        }
      ),
      { numRuns: 5_000 }
    )
  })
})
