import { existsSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { openShop, type Shop } from "./openShop.ts"

export interface SeeRevocation {
  readonly shop: Shop
  readonly token: string
  /** Appears once the session has been revoked. */
  readonly flag: string
}

/** Verifies a token until it is told that the session has been revoked, then once more. */
export default ({ shop, token, flag }: SeeRevocation, { report }: ProcessContext): Promise<unknown> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { sessions } = yield* openShop(shop)
        const before = [
          yield* sessions.verify({ tag: "web", token }),
          yield* sessions.verify({ tag: "web", token })
        ]
        yield* Effect.promise(() => report("verified"))
        while (!existsSync(flag)) {
          sessions.verifyNow({ tag: "web", token })
          yield* Effect.promise(() => setTimeout(5))
        }
        const now = sessions.verifyNow({ tag: "web", token })
        const after = yield* sessions.verify({ tag: "web", token })
        return { before: before.map(({ valid }) => valid), now: now?.valid, after: after.reason }
      })
    )
  )
