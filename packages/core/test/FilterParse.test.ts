import { describe, expect, it } from "vitest"
import { type Filter, FilterError, parseFilter, printFilter } from "../src/index.ts"

class Money {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

const compare = (field: string, operator: string, value: unknown = true): Filter =>
  ({ type: "compare", field, operator, value }) as Filter
const and = (...members: Array<Filter>): Filter => ({ type: "and", members })
const or = (...members: Array<Filter>): Filter => ({ type: "or", members })
const not = (member: Filter): Filter => ({ type: "not", member })
const a = compare("a", "eq", 1)
const b = compare("b", "eq", 2)
const c = compare("c", "eq", 3)

const when = new Date(0)
const bytes = Buffer.from([1])
const price = new Money("1.50")

describe("parseFilter gives the normal form", () => {
  it.each<[unknown, Filter]>([
    [{}, { type: "all" }],
    [{ a: 1 }, a],
    [{ a: 1, b: 2 }, and(a, b)],
    [{ a: { $eq: 1 } }, a],
    [{ a: { $gt: 1, $lte: 5 } }, and(compare("a", "gt", 1), compare("a", "lte", 5))],
    [{ a: { $gt: 1, $lt: 5 }, b: 2 }, and(compare("a", "gt", 1), compare("a", "lt", 5), b)],
    [{ a: null }, compare("a", "isNull")],
    [{ a: { $eq: null } }, compare("a", "isNull")],
    [{ a: { $ne: null } }, compare("a", "isNotNull")],
    [{ a: { $ne: 1 } }, compare("a", "ne", 1)],
    [{ a: { $isNull: true } }, compare("a", "isNull")],
    [{ a: { $isNull: false } }, compare("a", "isNotNull")],
    [{ a: { $isNotNull: true } }, compare("a", "isNotNull")],
    [{ a: { $isNotNull: false } }, compare("a", "isNull")],
    [{ a: { $exists: true } }, compare("a", "isNotNull")],
    [{ a: { $exists: false } }, compare("a", "isNull")],
    [{ a: { $in: [1, 2] } }, compare("a", "in", [1, 2])],
    [{ a: { $in: [] } }, { type: "none" }],
    [{ a: { $in: [null] } }, compare("a", "isNull")],
    [{ a: { $in: [1, null] } }, or(compare("a", "isNull"), compare("a", "in", [1]))],
    [{ a: { $nin: [1] } }, compare("a", "nin", [1])],
    [{ a: { $nin: [] } }, { type: "all" }],
    [{ a: { $nin: [null] } }, compare("a", "isNotNull")],
    [{ a: { $nin: [1, null, 2] } }, and(compare("a", "isNotNull"), compare("a", "nin", [1, 2]))],
    [{ a: { $between: [1, 5] } }, compare("a", "between", [1, 5])],
    [{ a: { $like: "x%" } }, compare("a", "like", "x%")],
    [{ a: { $like: "x\\\\" } }, compare("a", "like", "x\\\\")],
    [{ a: { $ilike: "x%" } }, compare("a", "ilike", "x%")],
    [{ a: { $regex: "^x" } }, compare("a", "regex", { pattern: "^x", ignoreCase: false })],
    [{ a: { $regex: /^x/gi } }, compare("a", "regex", { pattern: "^x", ignoreCase: true })],
    [{ a: /x/ }, compare("a", "regex", { pattern: "x", ignoreCase: false })],
    [{ a: { $startsWith: "x" } }, compare("a", "startsWith", "x")],
    [{ a: { $endsWith: "" } }, compare("a", "endsWith", "")],
    [{ a: { $contains: 5 } }, compare("a", "contains", 5)],
    [{ a: { $containsAny: [1, "x"] } }, compare("a", "containsAny", [1, "x"])],
    [{ a: { $containsAny: [] } }, { type: "none" }],
    [{ a: { $containsAll: [] } }, compare("a", "containsAll", [])],
    [{ a: { $eq: [1, null] } }, compare("a", "eq", [1, null])],
    [{ a: { b: 1, c: [null] } }, compare("a", "eq", { b: 1, c: [null] })],
    [{ a: {} }, compare("a", "eq", {})],
    [{ a: when }, compare("a", "eq", when)],
    [{ a: bytes }, compare("a", "eq", bytes)],
    [{ a: 10n }, compare("a", "eq", 10n)],
    [{ a: price }, compare("a", "eq", price)],
    [{ a: { $gte: when } }, compare("a", "gte", when)],
    [{ a: Number.POSITIVE_INFINITY }, compare("a", "eq", Number.POSITIVE_INFINITY)],
    [{ $and: [{ a: 1 }, { b: 2 }] }, and(a, b)],
    [{ $and: { a: 1, b: 2 } }, and(a, b)],
    [{ $or: [{ a: 1 }, { b: 2, c: 3 }] }, or(a, and(b, c))],
    [{ $or: { a: 1, b: 2 } }, or(a, b)],
    [{ $or: { a: { $gt: 1, $lt: 5 }, b: 2 } }, or(and(compare("a", "gt", 1), compare("a", "lt", 5)), b)],
    [{ $or: { a: 1, $and: [{ b: 2 }, { c: 3 }] } }, or(a, and(b, c))],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, not(or(a, b))],
    [{ $nor: { a: 1 } }, not(a)],
    [{ $not: { a: 1, b: 2 } }, not(and(a, b))],
    [{ $not: { $not: { a: 1 } } }, a],
    [{ $and: [] }, { type: "all" }],
    [{ $or: [] }, { type: "none" }],
    [{ $nor: [] }, { type: "all" }],
    [{ $not: {} }, { type: "none" }],
    [{ $not: { a: { $in: [] } } }, { type: "all" }],
    [{ a: 1, $or: [] }, { type: "none" }],
    [{ $or: [{ a: 1 }, {}] }, { type: "all" }],
    [{ $or: [{ a: 1 }, { b: { $in: [] } }] }, a],
    [{ a: 1, $and: [{ b: 2 }, { $and: [{ c: 3 }] }] }, and(a, b, c)],
    [{ $or: [{ a: 1 }, { $or: [{ b: 2 }, { c: 3 }] }] }, or(a, b, c)]
  ])("%o", (where, filter) => {
    expect(parseFilter(where)).toEqual(filter)
  })

  it.each([
    ["$GT", "gt"],
    ["$g_t", "gt"],
    ["$STARTS_WITH", "startsWith"],
    ["$startswith", "startsWith"],
    ["$Is_Null", "isNull"],
    ["$CONTAINS_ANY", "containsAny"]
  ])("%s is %s", (name, operator) => {
    const value = { gt: 1, startsWith: "x", isNull: true, containsAny: [1] }[operator]
    expect(parseFilter({ a: { [name]: value } })).toEqual(compare("a", operator, value))
  })

  it("reads groups in any spelling", () => {
    expect(parseFilter({ $AND: [{ a: 1 }, { $N_OT: { b: 2 } }] })).toEqual(and(a, not(b)))
    expect(parseFilter({ $Or: [{ a: 1 }, { $NOR: [{ b: 2 }] }] })).toEqual(or(a, not(b)))
  })

  it("copies no more of the operand than it must", () => {
    const list = [1, 2]
    const filter = parseFilter({ a: { $in: list } })
    expect(filter.type === "compare" && filter.value).toBe(list)
  })
})

describe("parseFilter refuses", () => {
  const loop: Array<unknown> = []
  loop.push(loop, loop)

  it.each<[unknown, string, string]>([
    [undefined, "where", "undefined"],
    [null, "where", "type"],
    ["a = 1", "where", "type"],
    [[{ a: 1 }], "where", "type"],
    [new Map(), "where", "type"],
    [{ a: undefined }, "where.a", "undefined"],
    [{ a: { $gt: undefined } }, "where.a.$gt", "type"],
    [{ a: { $eq: undefined } }, "where.a.$eq", "undefined"],
    [{ a: { $ne: undefined } }, "where.a.$ne", "undefined"],
    [{ a: { $in: [1, undefined] } }, "where.a.$in[1]", "undefined"],
    [{ a: { $in: undefined } }, "where.a.$in", "type"],
    [{ a: { $contains: undefined } }, "where.a.$contains", "undefined"],
    [{ a: { x: undefined } }, "where.a.x", "undefined"],
    [{ $or: [{ a: 1 }, undefined] }, "where.$or[1]", "undefined"],
    [{ $and: undefined }, "where.$and", "type"],
    [{ $not: undefined }, "where.$not", "undefined"],
    [{ $not: [{ a: 1 }] }, "where.$not", "type"],
    [{ $or: "x" }, "where.$or", "type"],
    [{ $or: [[{ a: 1 }]] }, "where.$or[0]", "type"],
    [{ a: [1, 2] }, "where.a", "array"],
    [{ a: { $equals: 1 } }, "where.a.$equals", "operator"],
    [{ a: { $: 1 } }, "where.a.$", "operator"],
    [{ a: { $and: [] } }, "where.a.$and", "operator"],
    [{ a: { $constructor: 1 } }, "where.a.$constructor", "operator"],
    [{ $where: "1" }, "where.$where", "operator"],
    [{ $gt: 1 }, "where.$gt", "operator"],
    [{ $or: { $gt: 1 } }, "where.$or.$gt", "operator"],
    [{ a: { $gt: 1, b: 2 } }, "where.a.b", "mixed"],
    [{ a: { b: 2, $gt: 1 } }, "where.a.b", "mixed"],
    [{ "": 1 }, "where.", "field"],
    [{ a: { $gt: null } }, "where.a.$gt", "type"],
    [{ a: { $gt: [1] } }, "where.a.$gt", "type"],
    [{ a: { $lte: { x: 1 } } }, "where.a.$lte", "type"],
    [{ a: { $between: [1] } }, "where.a.$between", "type"],
    [{ a: { $between: [1, 2, 3] } }, "where.a.$between", "type"],
    [{ a: { $between: 1 } }, "where.a.$between", "type"],
    [{ a: { $between: [1, null] } }, "where.a.$between[1]", "type"],
    [{ a: { $between: [1, "2"] } }, "where.a.$between", "type"],
    [{ a: { $in: "x" } }, "where.a.$in", "type"],
    [{ a: { $nin: { x: 1 } } }, "where.a.$nin", "type"],
    [{ a: { $in: new Array(100_001).fill(1) } }, "where.a.$in", "size"],
    [{ a: { $like: 5 } }, "where.a.$like", "type"],
    [{ a: { $like: "x\\" } }, "where.a.$like", "pattern"],
    [{ a: { $ilike: "x\\\\\\" } }, "where.a.$ilike", "pattern"],
    [{ a: { $regex: "(" } }, "where.a.$regex", "pattern"],
    [{ a: { $regex: 5 } }, "where.a.$regex", "type"],
    [{ a: { $regex: /x/m } }, "where.a.$regex", "pattern"],
    [{ a: /x/s }, "where.a", "pattern"],
    [{ a: { $startsWith: null } }, "where.a.$startsWith", "type"],
    [{ a: { $endsWith: /x/ } }, "where.a.$endsWith", "type"],
    [{ a: { $contains: null } }, "where.a.$contains", "type"],
    [{ a: { $containsAny: "x" } }, "where.a.$containsAny", "type"],
    [{ a: { $containsAll: [1, null] } }, "where.a.$containsAll[1]", "type"],
    [{ a: { $isNull: 1 } }, "where.a.$isNull", "type"],
    [{ a: { $exists: "true" } }, "where.a.$exists", "type"],
    [{ a: () => 1 }, "where.a", "type"],
    [{ a: Symbol("x") }, "where.a", "type"],
    [{ a: new Map() }, "where.a", "type"],
    [{ a: Number.NaN }, "where.a", "type"],
    [{ a: new Date(Number.NaN) }, "where.a", "type"],
    [{ a: { $gt: Number.NaN } }, "where.a.$gt", "type"],
    [{ a: { $lt: new Date("x") } }, "where.a.$lt", "type"],
    [{ a: { $eq: [[new Map()]] } }, "where.a.$eq[0][0]", "type"],
    [{ a: { $eq: loop } }, `where.a.$eq${"[0]".repeat(33)}`, "depth"]
  ])("%o", (where, path, rule) => {
    let error: unknown
    try {
      parseFilter(where, { path: "where" })
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(FilterError)
    expect(error).toMatchObject({ code: "VALIDATION_ERROR", status: 400 })
    const [detail] = (error as FilterError).details as ReadonlyArray<{ path: string; rule: string }>
    expect(detail).toMatchObject({ path, rule })
    expect((error as FilterError).message.startsWith(`${detail?.path}: `)).toBe(true)
  })

  it("more than 32 levels of groups, and cycles", () => {
    const deep = (levels: number): unknown => {
      let where: unknown = { a: 1 }
      for (let i = 0; i < levels; i++) where = { $or: [where, { b: 2 }] }
      return where
    }
    const cycle: Record<string, unknown> = {}
    cycle["$and"] = [cycle, cycle]
    expect(() => parseFilter(deep(16))).not.toThrow()
    expect(() => parseFilter(deep(33))).toThrow(/deeper than 32 levels/)
    expect(() => parseFilter(cycle)).toThrow(/deeper than 32 levels/)
    expect(() => parseFilter({ $not: cycle })).toThrow(/deeper than 32 levels/)
  })

  it("more than 10,000 conditions", () => {
    const where = (n: number) => ({ $or: Array.from({ length: n }, (_, i) => ({ a: i })) })
    expect(() => parseFilter(where(9_999))).not.toThrow()
    expect(() => parseFilter(where(10_000))).toThrow(FilterError)
  })

  it("names paths from the filter's own root when none is given", () => {
    expect(() => parseFilter({ $or: [{ a: undefined }] })).toThrow(/^\$or\[0\]\.a: /)
    expect(() => parseFilter(undefined)).toThrow(/^where: /)
  })

  it("without showing a value", () => {
    const canary = "canary-77e0"
    for (const where of [
      { a: { $gt: [canary] } },
      { a: { $between: [1, canary] } },
      { a: { $regex: `(${canary}` } },
      { a: { $like: `${canary}\\` } },
      { a: [canary] },
      canary
    ]) {
      try {
        parseFilter(where)
        expect.unreachable()
      } catch (error) {
        expect(JSON.stringify(error) + String(error)).not.toContain(canary)
      }
    }
  })
})

describe("printFilter", () => {
  it.each([
    {},
    { a: 1, b: null, c: { $in: [1, null] } },
    { $or: [{ a: /x\/y/i }, { $nor: [{ b: { $between: [1, 2] } }, { c: { $nin: [] } }] }] },
    { a: { b: { c: 1 } } },
    { a: { $eq: [1] } },
    { $or: [] }
  ])("%o reads back the same", (where) => {
    const filter = parseFilter(where)
    expect(parseFilter(printFilter(filter))).toEqual(filter)
  })
})
