import type { Readable } from "node:stream"
import { assert, describe, expectTypeOf, it } from "vitest"
import { type Ductape, type DuctapeTypes, ImportDocTypes as FromRoot } from "../src/index.ts"
import { DataTypes, ImportDocTypes, TokenPeriods } from "../src/types.ts"

describe("types", () => {
  it("api.run is generic, and typed by what it returns", () => {
    const check = (ductape: Ductape) => {
      const call = { app: "a", action: "b" }
      expectTypeOf(ductape.api.run(call)).toEqualTypeOf<Promise<unknown>>()
      expectTypeOf(ductape.api.run<{ id: string }>(call)).toEqualTypeOf<Promise<{ id: string }>>()
      expectTypeOf(ductape.api.run({ ...call, returns: "stream" })).toEqualTypeOf<Promise<Readable>>()
      expectTypeOf(
        ductape.api.run<number>({ ...call, returns: "response" }).then((_) => _.data)
      ).toEqualTypeOf<Promise<number>>()
    }
    assert.isFunction(check)
    expectTypeOf<keyof DuctapeTypes>().toEqualTypeOf<never>()
  })

  it("the enums are the same from both entries", () => {
    assert.strictEqual(ImportDocTypes, FromRoot)
    assert.strictEqual(DataTypes.NUMBER, DataTypes.DOUBLE)
    assert.strictEqual(TokenPeriods.SECONDS, "secs")
  })
})
