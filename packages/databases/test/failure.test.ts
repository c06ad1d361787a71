import * as Effect from "effect/Effect"
import { assert, describe, expectTypeOf, it } from "vitest"
import type { DatabaseError, DatabaseFailure, Databases } from "../src/index.ts"

describe("the error channel", () => {
  it("tells errors apart by tag and by reason", () => {
    const check = (databases: Databases["Service"]) => {
      const count = databases.count({ database: "shop", table: "users" })
      expectTypeOf<Effect.Error<typeof count>>().toEqualTypeOf<DatabaseFailure>()
      const byTag = count.pipe(
        Effect.catchTag("DatabaseError", (error) => {
          expectTypeOf(error).toEqualTypeOf<DatabaseError>()
          return Effect.succeed(0)
        })
      )
      expectTypeOf<Extract<Effect.Error<typeof byTag>, DatabaseError>>().toEqualTypeOf<never>()
      const byReason = count.pipe(Effect.catchReason("DatabaseError", "Timeout", () => Effect.succeed(null)))
      expectTypeOf<Effect.Success<typeof byReason>>().toEqualTypeOf<number | null>()
      return [byTag, byReason]
    }
    assert.isFunction(check)
  })
})
