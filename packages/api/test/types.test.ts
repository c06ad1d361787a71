import type { DuctapeError } from "@ductape/core"
import * as Effect from "effect/Effect"
import { assert, describe, expectTypeOf, it } from "vitest"
import type { ActionError, Api, RunFailure } from "../src/index.ts"

describe("the error channel", () => {
  it("tells errors apart by tag and by reason", () => {
    const check = (api: Api["Service"]) => {
      const charge = api.run<{ id: string }>({ app: "stripe", action: "create-charge" })
      expectTypeOf(charge).toEqualTypeOf<Effect.Effect<{ id: string }, RunFailure>>()
      const byTag = charge.pipe(
        Effect.catchTag("ActionError", (error) => {
          expectTypeOf(error).toEqualTypeOf<ActionError>()
          return Effect.succeed(error.attempts)
        })
      )
      expectTypeOf<Extract<Effect.Error<typeof byTag>, ActionError>>().toEqualTypeOf<never>()
      const byReason = charge.pipe(
        Effect.catchReason("ActionError", "NotFound", (reason) => {
          expectTypeOf(reason.code).toExtend<string>()
          return Effect.succeed(undefined)
        })
      )
      expectTypeOf<Effect.Success<typeof byReason>>().toEqualTypeOf<{ id: string } | undefined>()
      const bySession = charge.pipe(
        Effect.catchReason("SessionError", "SessionInvalid", () => Effect.succeed("sign in"))
      )
      expectTypeOf<Effect.Success<typeof bySession>>().toEqualTypeOf<{ id: string } | string>()
      // @ts-expect-error: no such reason
      charge.pipe(Effect.catchReason("ActionError", "NoSuchReason", () => Effect.void))
      // @ts-expect-error: no such error
      charge.pipe(Effect.catchTag("NoSuchError", () => Effect.void))
      return [byTag, byReason, bySession]
    }
    assert.isFunction(check)
    expectTypeOf<RunFailure>().toExtend<DuctapeError>()
  })
})
