import { describe, expect, it } from "vitest"
import { looseTag, tagFrom } from "../src/index.ts"

describe("tagFrom", () => {
  it.each([
    ["E-commerce Platform", "ecommerce-platform"],
    ["My Shop", "my-shop"],
    ["  Stripe (EU), v2!  ", "stripe-eu-v2"],
    ["Überweisung 24", "uberweisung-24"],
    ["many   spaces", "many-spaces"],
    ["x".repeat(200), "x".repeat(100)],
    ["!!!", ""]
  ])("%s → %s", (name, tag) => {
    expect(tagFrom(name)).toBe(tag)
  })
})

describe("looseTag", () => {
  it.each(["create-charge", "Create_Charge", "CREATE-CHARGE"])("%s", (name) => {
    expect(looseTag(name)).toBe("create-charge")
  })

  it("keeps words apart", () => {
    expect(looseTag("createcharge")).not.toBe(looseTag("create-charge"))
  })
})
