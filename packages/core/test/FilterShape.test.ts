import { describe, expect, it } from "vitest"
import { filterShape, parseFilter } from "../src/index.ts"

const shape = (where: unknown) => filterShape(parseFilter(where))

describe("filterShape", () => {
  it.each<[unknown, ReadonlyArray<unknown>]>([
    [{}, []],
    [{ a: 1, b: "x" }, [1, "x"]],
    [{ a: { $between: [1, 2] }, b: null }, [1, 2]],
    [{ a: { $in: [3, 1, 2] } }, [[3, 1, 2]]],
    [{ a: { $in: [3, null] } }, [[3]]],
    [{ a: { $regex: /x/i } }, ["x"]],
    [{ a: { $containsAll: [] } }, [[]]],
    [{ $not: { $or: [{ a: 1 }, { b: { $like: "x" } }] } }, [1, "x"]]
  ])("%o binds its values in order", (where, values) => {
    expect(shape(where).values).toEqual(values)
  })

  it.each<[unknown, unknown]>([
    [{ a: 1 }, { a: 2.5 }],
    [{ a: 1 }, { a: { $EQ: 2 } }],
    [{ a: { $in: [1, 2] } }, { a: { $in: [3] } }],
    [{ a: { $in: [1, "x"] } }, { a: { $in: ["y", "z", 3] } }],
    [{ a: { $between: [1, 2] } }, { a: { $between: [3, 4] } }],
    [{ a: /x/ }, { a: { $regex: "y" } }],
    [{ $and: [{ a: 1 }, { b: 2 }] }, { a: 1, b: 2 }],
    [{ a: { $isNull: true } }, { a: null }],
    [{ a: new Date(0) }, { a: new Date(1) }],
    [{ a: { x: 1 } }, { a: { y: [2] } }]
  ])("%o has the shape of %o", (left, right) => {
    expect(shape(left).key).toBe(shape(right).key)
  })

  it.each<[unknown, unknown]>([
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: "1" }],
    [{ a: 1 }, { a: { $ne: 1 } }],
    [{ a: 1 }, { a: null }],
    [{ a: 1 }, { $not: { a: 1 } }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 }
    ],
    [{ a: 1, b: 2 }, { $or: { a: 1, b: 2 } }],
    [{ $or: [{ a: 1, b: 2 }, { c: 3 }] }, { $or: [{ a: 1 }, { b: 2, c: 3 }] }],
    [{ a: /x/ }, { a: /x/i }],
    [{ a: { $in: [1] } }, { a: { $in: ["1"] } }],
    [{ a: { $in: [1] } }, { a: { $nin: [1] } }],
    [{ a: { $in: [1] } }, { a: { $containsAny: [1] } }],
    [{ a: { $contains: 1 } }, { a: { $contains: [1] } }],
    [
      { x: 1, "a eq n,b": 1 },
      { x: 1, a: 1, b: 1 }
    ],
    [{}, { $or: [] }]
  ])("%o has another shape than %o", (left, right) => {
    expect(shape(left).key).not.toBe(shape(right).key)
  })

  it("holds no value in its key", () => {
    expect(
      shape({ a: "canary", b: { $in: ["canary"] }, c: { $regex: "canary" }, d: { canary: 1 } }).key
    ).not.toContain("canary")
  })
})
