import { describe, expect, it } from "vitest"
import { lookupName, tagOf } from "../src/index.ts"

describe("tagOf", () => {
  it.each([
    ["E-commerce Platform", "ecommerce-platform"],
    ["My Shop", "my-shop"],
    ["  Stripe (EU), v2!  ", "stripe-eu-v2"],
    ["snake_case name", "snake-case-name"],
    ["Überweisung 24", "überweisung-24"],
    ["many   spaces", "many-spaces"],
    ["!!!", ""]
  ])("%s → %s", (name, tag) => {
    expect(tagOf(name)).toBe(tag)
  })
})

describe("lookupName", () => {
  it.each(["stripe-app", "Stripe_App", "STRIPE APP", "stripeapp"])("%s", (name) => {
    expect(lookupName(name)).toBe("stripeapp")
  })
})
