import { describe, expect, it } from "vitest"
import { evaluateFilter, parseFilter } from "../src/index.ts"

class Decimal {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}
const dec = (text: string): Decimal => new Decimal(text)

const matches = (value: unknown, condition: unknown): boolean =>
  evaluateFilter(parseFilter({ v: condition }), value === undefined ? {} : { v: value })

const day = new Date(Date.UTC(2024, 0, 1))
const later = new Date(Date.UTC(2024, 0, 2))

describe("evaluateFilter", () => {
  it.each<[unknown, unknown, boolean]>([
    // equality
    [1, 1, true],
    [1, 2, false],
    [0, -0, true],
    ["1", 1, false],
    [1, "1", false],
    [true, true, true],
    [true, 1, false],
    [1, true, false],
    ["a", "A", false],
    ["é", "e\u0301", false],
    [1n, 1, true],
    [2n ** 64n, 2n ** 64n + 1n, false],
    [9007199254740993n, 9007199254740992, false],
    [dec("1.50"), 1.5, true],
    [1.5, dec("1.50"), true],
    [dec("1.50"), dec("1.5"), true],
    [dec("0.1"), 0.1, true],
    [dec("100"), 100n, true],
    [dec("1e2"), dec("100.0"), true],
    [dec("-0.0"), 0, true],
    [dec("1.51"), 1.5, false],
    [dec("1.5"), "1.5", false],
    [day, new Date(day), true],
    [day, later, false],
    [day, "2024-01-01T00:00:00.000Z", false],
    [day, day.getTime(), false],
    [Buffer.from("ab"), new Uint8Array([97, 98]), true],
    [Buffer.from("ab"), Buffer.from("abc"), false],
    [Buffer.from("ab"), "ab", false],
    [{ a: 1, b: [1, null] }, { b: [1, null], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [{ a: null }, { b: null }, false],
    [{}, {}, true],
    [[], {}, false],
    [[1, 2], { $eq: [1, 2] }, true],
    [[1, 2], { $eq: [2, 1] }, false],
    [[1], { $eq: [1, 2] }, false],
    [[1, 2], { $eq: [1] }, false],
    [[day], { $eq: [new Date(day)] }, true],
    [Number.NaN, 1, false],
    [Number.NaN, { $ne: 1 }, true],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true],
    [new Map(), {}, false],
    // null and missing
    [null, null, true],
    [undefined, null, true],
    [0, null, false],
    ["", { $eq: null }, false],
    [null, { $ne: null }, false],
    [undefined, { $ne: null }, false],
    [0, { $ne: null }, true],
    [null, { $ne: 1 }, true],
    [undefined, { $ne: 1 }, true],
    [1, { $ne: 1 }, false],
    [2, { $ne: 1 }, true],
    ["1", { $ne: 1 }, true],
    [null, { $isNull: true }, true],
    [1, { $isNull: true }, false],
    [undefined, { $exists: false }, true],
    [false, { $exists: true }, true],
    [null, 1, false],
    [null, { $gt: 1 }, false],
    [null, { $lt: 1 }, false],
    [null, { $lte: 0 }, false],
    [undefined, { $between: [0, 1] }, false],
    [null, { $in: [1] }, false],
    [null, { $in: [1, null] }, true],
    [null, { $nin: [1] }, true],
    [undefined, { $nin: [1] }, true],
    [null, { $nin: [1, null] }, false],
    [null, { $like: "%" }, false],
    [null, { $contains: "" }, false],
    [null, { $containsAll: [] }, false],
    [null, { $regex: "" }, false],
    // order
    [2, { $gt: 1 }, true],
    [1, { $gt: 1 }, false],
    [1, { $gte: 1 }, true],
    [0, { $gte: 1 }, false],
    [0, { $lt: 1 }, true],
    [1, { $lt: 1 }, false],
    [1, { $lte: 1 }, true],
    [2, { $lte: 1 }, false],
    ["2", { $gt: 1 }, false],
    ["2", { $lt: 1 }, false],
    ["2", { $lte: 1 }, false],
    ["0", { $gte: 1 }, false],
    [Number.NaN, { $gte: 1 }, false],
    [Number.NaN, { $lte: 1 }, false],
    [9007199254740993n, { $gt: 9007199254740992 }, true],
    [dec("1.500000000000000000001"), { $gt: 1.5 }, true],
    [dec("-2"), { $lt: dec("-1") }, true],
    [dec("-1"), { $lt: dec("1") }, true],
    [dec("1e400"), { $gt: Number.MAX_VALUE }, true],
    [dec("1e400"), { $lt: Number.POSITIVE_INFINITY }, true],
    [dec("-5"), { $gt: Number.NEGATIVE_INFINITY }, true],
    [dec("-10"), { $lt: -9 }, true],
    [dec("0"), { $lt: dec("0.001") }, true],
    [dec(".5"), { $gt: dec("+0.25") }, true],
    ["b", { $gt: "a" }, true],
    ["a", { $gt: "B" }, true],
    ["ab", { $gt: "a" }, true],
    ["a", { $gt: "ab" }, false],
    ["\u{1f600}", { $gt: "\uffee" }, true],
    ["\uffee", { $lt: "\u{1f600}" }, true],
    ["\u{1f600}a", { $lt: "\u{1f601}" }, true],
    ["\u{1f601}", { $gt: "\u{1f600}b" }, true],
    [true, { $gt: false }, true],
    [false, { $gte: true }, false],
    [later, { $gt: day }, true],
    [day, { $gte: day }, true],
    [day, { $lt: day }, false],
    [day, { $lt: "2025" }, false],
    [new Date(Number.NaN), { $lte: day }, false],
    [Buffer.from([255]), { $gt: Buffer.from([1, 2]) }, true],
    [Buffer.from([1]), { $lt: Buffer.from([1, 0]) }, true],
    [[2], { $gt: 1 }, false],
    [1, { $between: [1, 3] }, true],
    [3, { $between: [1, 3] }, true],
    [0, { $between: [1, 3] }, false],
    [4, { $between: [1, 3] }, false],
    [2, { $between: [3, 1] }, false],
    ["2", { $between: [1, 3] }, false],
    ["b", { $between: ["a", "c"] }, true],
    // lists
    [2, { $in: [1, 2] }, true],
    [3, { $in: [1, 2] }, false],
    ["2", { $in: [1, 2] }, false],
    [2n, { $in: [1, 2] }, true],
    [day, { $in: [new Date(day)] }, true],
    [3, { $nin: [1, 2] }, true],
    [2, { $nin: [1, 2] }, false],
    ["2", { $nin: [1, 2] }, true],
    [1, { $in: [] }, false],
    [1, { $nin: [] }, true],
    [undefined, { $nin: [] }, true],
    // patterns
    ["hello", { $like: "h%o" }, true],
    ["hello", { $like: "h%" }, true],
    ["hello", { $like: "%l%" }, true],
    ["hello", { $like: "h" }, false],
    ["hello", { $like: "H%" }, false],
    ["hello", { $like: "h_llo" }, true],
    ["hello", { $like: "h_" }, false],
    ["h\nllo", { $like: "h_llo" }, true],
    ["a\nb", { $like: "a%b" }, true],
    ["a\u{1f600}b", { $like: "a_b" }, true],
    ["", { $like: "" }, true],
    ["", { $like: "%" }, true],
    ["", { $like: "_" }, false],
    ["x", { $like: "" }, false],
    ["100%", { $like: "100\\%" }, true],
    ["100x", { $like: "100\\%" }, false],
    ["a_b", { $like: "a\\_b" }, true],
    ["axb", { $like: "a\\_b" }, false],
    ["a\\b", { $like: "a\\\\b" }, true],
    ["ab", { $like: "\\a\\b" }, true],
    ["aXbXc", { $like: "a%X%c" }, true],
    ["aab", { $like: "%ab" }, true],
    ["a.c", { $like: "a.c" }, true],
    ["abc", { $like: "a.c" }, false],
    [5, { $like: "5" }, false],
    ["HELLO", { $ilike: "h%o" }, true],
    ["hello", { $ilike: "H_LLO" }, true],
    ["ÉTÉ", { $ilike: "été" }, true],
    ["hello", { $ilike: "x%" }, false],
    ["hello", { $regex: "l{2}" }, true],
    ["hello", { $regex: "^l" }, false],
    ["HELLO", { $regex: "ell" }, false],
    ["HELLO", { $regex: /ell/i }, true],
    ["HELLO", /^h/i, true],
    ["ell", { $regex: /ell/g }, true],
    [5, { $regex: "5" }, false],
    ["hello", { $startsWith: "he" }, true],
    ["hello", { $startsWith: "lo" }, false],
    ["Hello", { $startsWith: "he" }, false],
    ["a%b", { $startsWith: "a%" }, true],
    ["axb", { $startsWith: "a%" }, false],
    ["hello", { $endsWith: "lo" }, true],
    ["hello", { $endsWith: "he" }, false],
    [["he"], { $startsWith: "he" }, false],
    [["lo"], { $endsWith: "lo" }, false],
    ["hello", { $contains: "ell" }, true],
    ["hello", { $contains: "%" }, false],
    ["a%b", { $contains: "%" }, true],
    ["hello", { $contains: "" }, true],
    ["15", { $contains: 5 }, false],
    [15, { $contains: "5" }, false],
    // arrays
    [["a", "b"], { $contains: "a" }, true],
    [["ab"], { $contains: "a" }, false],
    [[1, 2], { $contains: 2 }, true],
    [[1, 2], { $contains: "2" }, false],
    [[{ x: 1 }], { $contains: { x: 1 } }, true],
    [[{ x: 1, y: 2 }], { $contains: { x: 1 } }, false],
    [[[1]], { $contains: [1] }, true],
    [[1, 2], { $contains: [1] }, false],
    [[], { $contains: 1 }, false],
    [{ a: 1 }, { $contains: "a" }, false],
    [[1, 2], { $containsAny: [2, 3] }, true],
    [[1, 2], { $containsAny: [3] }, false],
    [[], { $containsAny: [3] }, false],
    ["abc", { $containsAny: ["a"] }, false],
    [[1, 2], { $containsAll: [1, 2] }, true],
    [[1, 2], { $containsAll: [1, 3] }, false],
    [[1], { $containsAll: [1, 1] }, true],
    [[1], { $containsAll: [] }, true],
    [[], { $containsAll: [] }, true],
    ["abc", { $containsAll: [] }, false]
  ])("%o against %o: %s", (value, condition, answer) => {
    expect(matches(value, condition)).toBe(answer)
  })

  it("joins by groups, in two-valued logic", () => {
    const row = { a: 1, b: null }
    const check = (where: unknown) => evaluateFilter(parseFilter(where), row)
    expect(check({})).toBe(true)
    expect(check({ $or: [] })).toBe(false)
    expect(check({ a: 1, c: null })).toBe(true)
    expect(check({ a: 1, b: 1 })).toBe(false)
    expect(check({ $or: [{ a: 2 }, { a: 1 }] })).toBe(true)
    expect(check({ $or: { a: 2, b: 2 } })).toBe(false)
    expect(check({ $nor: [{ a: 2 }, { b: 1 }] })).toBe(true)
    expect(check({ $nor: [{ a: 2 }, { a: 1 }] })).toBe(false)
    // Null is less than nothing and not less than anything.
    expect(check({ b: { $gt: 5 } })).toBe(false)
    expect(check({ $not: { b: { $gt: 5 } } })).toBe(true)
    expect(check({ $not: { missing: 1 } })).toBe(true)
  })

  it("reads own properties by their very name, then by path", () => {
    const row = { "a.b": 1, a: { b: 2, c: { d: 3 } }, list: [{ x: 1 }] }
    const check = (where: unknown) => evaluateFilter(parseFilter(where), row)
    expect(check({ "a.b": 1 })).toBe(true)
    expect(check({ "a.c.d": 3 })).toBe(true)
    expect(check({ "a.c.e": null })).toBe(true)
    expect(check({ "list.0.x": 1 })).toBe(true)
    expect(check({ toString: null })).toBe(true)
    expect(check({ constructor: { $exists: false } })).toBe(true)
    expect(check({ "__proto__.toString": null })).toBe(true)
  })

  it("matches a long text against many wildcards without delay", () => {
    expect(matches("a".repeat(20_000), { $like: `${"%a".repeat(20)}%b` })).toBe(false)
  })
})
