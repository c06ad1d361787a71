import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { DuctapeError, defineError, isDuctapeError } from "../src/index.ts"

class ShopError extends defineError("ShopError", {
  NOT_FOUND: { status: 404 },
  CONNECTION_LOST: { status: 503, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
  UNSUPPORTED_OPERATION: { status: 501 }
}) {}

describe("DuctapeError", () => {
  it("takes status and retryability from its code", () => {
    const error = new ShopError({ code: "CONNECTION_LOST", message: "gone" })
    expect(error).toMatchObject({
      _tag: "ShopError",
      name: "ShopError",
      code: "CONNECTION_LOST",
      status: 503,
      retryable: true,
      isRetryable: true,
      message: "gone"
    })
    expect(error.reason).toEqual({ _tag: "ConnectionLost", code: "CONNECTION_LOST", isRetryable: true })
  })

  it("lets one error say otherwise", () => {
    const error = new ShopError({ code: "NOT_FOUND", message: "no", status: 410, retryable: true })
    expect([error.status, error.retryable, error.reason.isRetryable]).toEqual([410, true, true])
  })

  it("is an Error, a DuctapeError and nothing of another package", () => {
    const error = new ShopError({ code: "NOT_FOUND", message: "no" })
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(DuctapeError)
    expect(isDuctapeError(error)).toBe(true)
    expect(isDuctapeError(new Error("no"))).toBe(false)
    expect(isDuctapeError({ code: "NOT_FOUND" })).toBe(false)
  })

  it("knows the codes of its class", () => {
    expect(ShopError.codes).toEqual(["NOT_FOUND", "CONNECTION_LOST", "TIMEOUT", "UNSUPPORTED_OPERATION"])
  })

  it.each([
    ["TIMEOUT", "TIMEOUT_ERROR", true],
    ["TIMEOUT", "TIMEOUT", true],
    ["UNSUPPORTED_OPERATION", "NOT_SUPPORTED", true],
    ["UNSUPPORTED_OPERATION", "CACHE_UNSUPPORTED", true],
    ["NOT_FOUND", "TIMEOUT", false]
  ] as const)("%s is %s: %s", (code, asked, answer) => {
    expect(new ShopError({ code, message: "x" }).is(asked)).toBe(answer)
  })

  it("has the response of an HTTP client's error", () => {
    const error = new ShopError({ code: "NOT_FOUND", message: "no", details: { tag: "x" } })
    expect(error.response).toEqual({
      status: 404,
      data: { code: "NOT_FOUND", message: "no", details: { tag: "x" } }
    })
    expect(new ShopError({ code: "NOT_FOUND", message: "no" }).response.data).not.toHaveProperty("details")
  })

  it("keeps its cause, but neither JSON nor inspect shows it", () => {
    const cause = new Error("postgres://user:canary-7f3@host")
    const error = new ShopError({ code: "CONNECTION_LOST", message: "gone", cause, details: { host: "h" } })
    expect(error.cause).toBe(cause)
    for (const text of [JSON.stringify(error), inspect(error), String(error), error.stack ?? ""]) {
      expect(text).not.toContain("canary-7f3")
    }
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      _tag: "ShopError",
      code: "CONNECTION_LOST",
      status: 503,
      retryable: true,
      message: "gone",
      details: { host: "h" }
    })
    expect(inspect(error)).toContain("[CONNECTION_LOST 503] { host: 'h' }")
  })

  it("can be yielded, and caught by its tag or reason", async () => {
    const failing = Effect.gen(function* () {
      return yield* new ShopError({ code: "NOT_FOUND", message: "no" })
    })
    expect(
      await Effect.runPromise(failing.pipe(Effect.catchTag("ShopError", (e) => Effect.succeed(e.code))))
    ).toBe("NOT_FOUND")
    const byReason = failing.pipe(Effect.catchReason("ShopError", "NotFound", (r) => Effect.succeed(r.code)))
    expect(await Effect.runPromise(byReason)).toBe("NOT_FOUND")
  })
})
