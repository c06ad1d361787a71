import { describe, expect, it } from "vitest"
import { backtracks, SchemaValues, seededRandom } from "../src/index.ts"

const root = {
  components: {
    schemas: {
      Node: {
        type: "object",
        required: ["id"],
        properties: { id: { type: "integer" }, next: { $ref: "#/components/schemas/Node" } }
      }
    }
  }
}
const values = (schema: unknown, count = 50): ReadonlyArray<unknown> =>
  Array.from({ length: count }, (_, seed) => new SchemaValues({ root, seed }).value(schema))

describe("SchemaValues", () => {
  it("makes the same value for the same seed, others for others", () => {
    const schema = { type: "array", minItems: 3, items: { type: "string" } }
    expect(values(schema)).toEqual(values(schema))
    expect(new Set(values(schema).map((value) => JSON.stringify(value))).size).toBeGreaterThan(5)
  })

  it.each<[object, (value: unknown) => boolean]>([
    [
      { type: "integer", minimum: 3, maximum: 5 },
      (v) => Number.isInteger(v) && Number(v) >= 3 && Number(v) <= 5
    ],
    [{ type: "integer", minimum: 3, exclusiveMinimum: true, maximum: 4 }, (v) => v === 4],
    [{ type: "number", exclusiveMinimum: 0, maximum: 1 }, (v) => Number(v) > 0 && Number(v) <= 1],
    [{ type: "integer", multipleOf: 10, minimum: 11 }, (v) => v === 20],
    [
      { type: "string", minLength: 30, maxLength: 40 },
      (v) => String(v).length >= 30 && String(v).length <= 40
    ],
    [{ type: "string", pattern: "^[a-f]{4}-\\d+$" }, (v) => /^[a-f]{4}-\d+$/.test(String(v))],
    [{ type: "string", pattern: "^\\d+$", minLength: 12, maxLength: 12 }, (v) => /^\d{12}$/.test(String(v))],
    [
      { type: "string", format: "uuid" },
      (v) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(v))
    ],
    [{ enum: ["a", "b", null] }, (v) => v === "a" || v === "b"],
    [{ const: 7 }, (v) => v === 7],
    [
      { allOf: [{ required: ["a"] }, { properties: { a: { type: "boolean" } } }] },
      (v) => typeof (v as { a: unknown }).a === "boolean"
    ],
    [{ oneOf: [{ type: "null" }, { type: "boolean" }] }, (v) => typeof v === "boolean"],
    [
      { type: "object", required: ["a", "b"], properties: { a: { type: "string", readOnly: true } } },
      (v) => !Object.hasOwn(v as object, "a") && Object.hasOwn(v as object, "b")
    ],
    [{ $ref: "#/components/schemas/Node" }, (v) => Number.isInteger((v as { id: unknown }).id)]
  ])("keeps to %j", (schema, holds) => {
    for (const value of values(schema)) expect(holds(value), JSON.stringify(value)).toBe(true)
  })

  it("ends for types inside themselves", () => {
    const endless = {
      type: "object",
      required: ["self"],
      properties: { self: { $ref: "#/components/schemas/Loop" } }
    }
    const looping = { components: { schemas: { Loop: endless } } }
    expect(new SchemaValues({ root: looping, seed: 1 }).value(endless)).toBeTypeOf("object")
  })

  it("leaves patterns alone that could be matched forever", () => {
    expect(backtracks("^([a-z]*)*$")).toBe(true)
    expect(backtracks("^[a-z]*(b|c)+$")).toBe(false)
  })
})

it("seededRandom is even and between 0 and 1", () => {
  const random = seededRandom(1)
  const drawn = Array.from({ length: 10_000 }, random)
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...drawn)).toBeLessThan(1)
  expect(drawn.reduce((sum, value) => sum + value, 0) / drawn.length).toBeCloseTo(0.5, 1)
})
