import { describe, expect, it } from "vitest"
import { readPath } from "../src/index.ts"

const data = {
  user: { id: 7, name: null, "a.b": "whole", a: { b: "split" } },
  list: [{ x: 1 }, [2, 3]],
  "dotted.key": 1,
  zero: 0
}

describe("readPath", () => {
  it.each<[ReadonlyArray<string>, unknown]>([
    [["user", "id"], 7],
    [["user.id"], 7],
    [["user", "name"], null],
    [["user", "a.b"], "whole"],
    [["user.a.b"], "split"],
    [["list", "0", "x"], 1],
    [["list.1.0"], 2],
    [["dotted.key"], 1],
    [["zero"], 0],
    [[], data]
  ])("%j", (segments, value) => {
    expect(readPath(data, segments)).toEqual(value)
  })

  it.each<[ReadonlyArray<string>]>([
    [["nope"]],
    [["user", "name", "first"]],
    [["list", "2"]],
    [["list", "-1"]],
    [["list", "01"]],
    [["list", "length"]],
    [["zero", "toFixed"]],
    [["user.nope.id"]],
    [["user", "toString"]],
    [["__proto__"]],
    [["user", "constructor"]],
    [["user.constructor.name"]],
    [["prototype"]]
  ])("%j leads nowhere", (segments) => {
    expect(readPath(data, segments)).toBeUndefined()
  })

  it("does not read forbidden names even where they are own keys", () => {
    expect(
      readPath(JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'), ["__proto__", "x"])
    ).toBeUndefined()
    expect(readPath({ constructor: 2 }, ["constructor"])).toBeUndefined()
  })

  it("does not read characters or properties of strings", () => {
    expect(readPath("text", ["0"])).toBeUndefined()
    expect(readPath("text", ["length"])).toBeUndefined()
  })
})
