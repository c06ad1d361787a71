import type { Action, DataType, Field } from "@ductape/registry"
import { describe, expect, it } from "vitest"
import { ActionError, compileAction } from "../src/index.ts"

const failures = (action: Partial<Action>, input: unknown): unknown => {
  const plan = compileAction(
    { tag: "act", name: "Act", method: "POST", resource: "/t", ...action },
    { baseUrl: "https://a.example" }
  )
  try {
    plan.build(input)
  } catch (error) {
    if (error instanceof ActionError && error.code === "VALIDATION_ERROR") return error.details
    throw error
  }
  return []
}

const fails = (field: Field, value: unknown): boolean => {
  const details = failures({ body: { f: field } }, { body: { f: value } })
  return Array.isArray(details) && details.length > 0
}

const uuid = "123e4567-e89b-12d3-a456-426614174000"

const cases: Readonly<Record<DataType, readonly [good: Array<unknown>, bad: Array<unknown>]>> = {
  string: [
    ["", "x", "a b"],
    [1, true, {}, [], null]
  ],
  nospaces_string: [
    ["x", ""],
    ["a b", "a\tb", "a\nb", 1]
  ],
  email_string: [
    ["a@b.co", "a.b+c@d.e.f"],
    ["a@b", "a@@b.co", "@b.co", "a@", "a@b.", "a b@c.de", "a@.co", 1]
  ],
  numberstring: [
    ["1", "-1.5", "0.25"],
    ["", "1e5", "x", "1.", 1, "0x10", " 1"]
  ],
  number: [
    [0, 1, -5, 10n],
    [1.5, "1", Number.NaN, true]
  ],
  float: [
    [0, 1.5],
    ["1.5", Number.NaN, Number.POSITIVE_INFINITY]
  ],
  double: [
    [0, 1.5],
    ["1.5", Number.NEGATIVE_INFINITY, null]
  ],
  uuid: [
    [uuid, uuid.toUpperCase()],
    ["123e4567", `${uuid}0`, uuid.replaceAll("-", ""), 1]
  ],
  boolean: [
    [true, false],
    ["true", 0, 1, null]
  ],
  object: [
    [{}, { a: 1 }],
    [[], "x", null]
  ],
  array: [
    [[], [1, "a"]],
    [{}, "x"]
  ],
  "array-string": [
    [[], ["a"]],
    [["a", 1], "a"]
  ],
  "array-number": [[[1, 2]], [[1.5], ["1"], [1, null]]],
  "array-float": [[[1.5]], [["x"]]],
  "array-double": [[[1.5]], [[Number.NaN]]],
  "array-uuid": [[[uuid]], [["x"]]],
  "array-boolean": [[[true]], [["true"], true]]
}

describe("validation", () => {
  it.each(Object.entries(cases))("%s", (type, [good, bad]) => {
    for (const value of good)
      expect([value, fails({ type: type as DataType }, value)]).toEqual([value, false])
    for (const value of bad) expect([value, fails({ type: type as DataType }, value)]).toEqual([value, true])
  })

  it("counts code points of strings and items of arrays", () => {
    expect(fails({ type: "string", minLength: 2, maxLength: 2 }, "👍👍")).toBe(false)
    expect(fails({ type: "string", maxLength: 1 }, "👍👍")).toBe(true)
    expect(fails({ type: "string", minLength: 3 }, "👍👍")).toBe(true)
    expect(fails({ type: "array", minLength: 1, maxLength: 2 }, [1, 2, 3])).toBe(true)
    expect(fails({ type: "array", minLength: 1 }, [])).toBe(true)
  })

  it("collects every failure, by location and path", () => {
    expect(
      failures(
        {
          resource: "/t/:id",
          query: { limit: { type: "number" } },
          headers: { "X-Trace": { required: true } },
          cookies: { sid: { required: true } },
          body: {
            name: { type: "string", required: true },
            address: {
              type: "object",
              fields: { city: { type: "string", required: true }, zip: { maxLength: 2 } }
            },
            tags: { type: "array", items: { type: "object", fields: { id: { type: "number" } } } }
          }
        },
        { "query:limit": "ten", address: { zip: "123" }, tags: [{ id: 1 }, { id: "x" }] }
      )
    ).toMatchObject([
      { location: "params", path: "id", rule: "required" },
      { location: "query", path: "limit", rule: "type" },
      { location: "headers", path: "x-trace", rule: "required" },
      { location: "cookies", path: "sid", rule: "required" },
      { location: "body", path: "name", rule: "required" },
      { location: "body", path: "address.city", rule: "required" },
      { location: "body", path: "address.zip", rule: "maxLength" },
      { location: "body", path: "tags[1].id", rule: "type" }
    ])
  })

  it("does not enforce types that were told from a sample, but does lengths and required", () => {
    expect(fails({ type: "number", inferred: true }, "x")).toBe(false)
    expect(fails({ type: "number", inferred: true, required: true }, "x")).toBe(false)
    expect(fails({ type: "string", inferred: true, maxLength: 1 }, "xy")).toBe(true)
    expect(fails({ type: "string", inferred: true, required: true }, undefined)).toBe(true)
  })

  it("takes null only where it is allowed", () => {
    expect(fails({ type: "string" }, null)).toBe(true)
    expect(fails({ type: "string", nullable: true }, null)).toBe(false)
    expect(fails({}, null)).toBe(false)
  })

  it("never shows a value", () => {
    const details = failures({ body: { f: { type: "number" } } }, { f: "hunter2" })
    expect(JSON.stringify(details)).not.toContain("hunter2")
  })

  it("fills in defaults, also below objects, without touching the input", () => {
    const plan = compileAction(
      {
        tag: "a",
        name: "a",
        method: "POST",
        resource: "/t/:v",
        params: { v: { type: "string", defaultValue: "v9" } },
        query: { limit: { type: "number", defaultValue: 10, required: true } },
        body: {
          mode: { type: "string", defaultValue: "live" },
          nested: { type: "object", fields: { on: { type: "boolean", defaultValue: false } } }
        }
      },
      { baseUrl: "https://a.example" }
    )
    const input = Object.freeze({ nested: Object.freeze({ a: 1 }) })
    const built = plan.build(input)
    expect(built.path).toBe("/t/v9?limit=10")
    expect(JSON.parse(built.body as string)).toEqual({ mode: "live", nested: { a: 1, on: false } })
    expect(input).toEqual({ nested: { a: 1 } })
    expect(JSON.parse(plan.build({ mode: "test" }).body as string)).toEqual({ mode: "test" })
  })

  it("checks a whole body", () => {
    const action: Partial<Action> = {
      bodyFormat: {
        contentType: "application/json",
        shape: "whole",
        required: true,
        field: { type: "array", items: { type: "number" }, maxLength: 2 }
      }
    }
    expect(failures(action, {})).toMatchObject([{ location: "body", path: "", rule: "required" }])
    expect(failures(action, { body: [1, "x"] })).toMatchObject([
      { location: "body", path: "[1]", rule: "type" }
    ])
    expect(failures(action, { body: [1, 2, 3] })).toMatchObject([{ rule: "maxLength" }])
    expect(failures(action, { body: [1] })).toEqual([])
  })
})
