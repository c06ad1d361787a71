import { describe, expect, it } from "vitest"
import { ContextError, resolveContext } from "../src/index.ts"

const failure = (run: () => unknown): ContextError => {
  try {
    run()
  } catch (error) {
    if (error instanceof ContextError) return error
    throw error
  }
  throw new Error("it did not fail")
}

describe("resolveContext", () => {
  it("takes each field from the first source that has it", () => {
    expect(
      resolveContext({ env: "prd" }, { product: "active", env: "dev" }, { product: "made", env: "tst" })
    ).toEqual({ product: "active", env: "prd" })
    expect(resolveContext({}, undefined, { product: "made", env: "tst" })).toEqual({
      product: "made",
      env: "tst"
    })
  })

  it("reads product_tag as product, which wins over it", () => {
    expect(resolveContext({ product_tag: "old", env: "dev" })).toEqual({ product: "old", env: "dev" })
    expect(resolveContext({ product: "new", product_tag: "old", env: "dev" }).product).toBe("new")
  })

  it.each(["product", "env"] as const)("names a missing %s and says what to do", (field) => {
    const { [field]: _, ...rest } = { product: "p", env: "e" }
    const error = failure(() => resolveContext(rest))
    expect(error).toMatchObject({ code: "CONTEXT_MISSING", status: 400, details: { field } })
    expect(error.message).toContain(`'${field}'`)
    expect(error.message).toContain("new Ductape({ accessKey, product, env })")
  })

  it("refuses an empty name or one that is no string", () => {
    expect(failure(() => resolveContext({ product: "", env: "dev" }, { product: "p" })).code).toBe(
      "VALIDATION_ERROR"
    )
    const wrong = { product: "p", env: 5 } as unknown as { product: string; env: string }
    expect(failure(() => resolveContext(wrong))).toMatchObject({
      code: "VALIDATION_ERROR",
      details: [{ path: "env", rule: "type" }]
    })
  })
})
