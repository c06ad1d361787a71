import { inspect } from "node:util"
import { assert, describe, it } from "vitest"
import { assertNoCanary, canary } from "../src/index.ts"

const secret = canary("token")

class Hidden {
  readonly #secret: string
  constructor(value: string) {
    this.#secret = value
  }
  reveal() {
    return this.#secret
  }
}

describe("canary", () => {
  it("is unique and greppable", () => {
    assert.match(secret, /^canary-token-[0-9a-f]{24}$/)
    assert.notStrictEqual(canary("token"), secret)
  })

  it.each<[string, () => unknown]>([
    ["a string", () => `Bearer ${secret}`],
    ["a message", () => new Error(secret)],
    ["a cause of a cause", () => new Error("outer", { cause: new Error("inner", { cause: { secret } }) })],
    ["an aggregate", () => new AggregateError([new Error(secret)])],
    ["a property that is not enumerable", () => Object.defineProperty({}, "x", { value: { deep: secret } })],
    ["a symbol's property", () => ({ [Symbol("x")]: [secret] })],
    ["a key", () => ({ [secret]: 1 })],
    ["a map's key", () => new Map([[secret, 1]])],
    ["a set", () => new Set([{ secret }])],
    ["toJSON", () => ({ toJSON: () => ({ secret: String(secret) }) })],
    ["a custom inspect", () => ({ [inspect.custom]: () => secret.slice(0) })],
    ["a toString", () => ({ toString: () => secret })],
    ["bytes", () => Buffer.from(`x${secret}`)],
    ["base64", () => Buffer.from(secret).toString("base64")],
    ["base64 of user and password", () => Buffer.from(`user:${secret}`).toString("base64")],
    ["base64 one further", () => Buffer.from(`users:${secret}!`).toString("base64")],
    ["base64url", () => Buffer.from(`us:${secret}?`).toString("base64url")],
    ["hex", () => Buffer.from(secret).toString("hex")]
  ])("is found in %s", (_, thing) => {
    assert.throws(
      () => assertNoCanary([canary("other"), secret], { fine: true }, thing()),
      /canary-token leaked/
    )
  })

  it("is not repeated whole by the complaint's name, and not found where it is not", () => {
    const cyclic: Record<string, unknown> = { text: canary("token") }
    cyclic["self"] = cyclic
    assertNoCanary([secret], cyclic, new Error("no"), null, undefined, 1n, new Hidden(secret), () => secret)
  })
})
