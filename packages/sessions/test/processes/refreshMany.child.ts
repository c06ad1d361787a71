import { setTimeout } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { openShop, type Shop } from "./openShop.ts"

export interface RefreshMany {
  readonly shop: Shop
  readonly refreshToken: string
  readonly count: number
  /** Unix milliseconds: all processes begin together. */
  readonly at: number
}

export interface RefreshedMany {
  readonly tokens: ReadonlyArray<{ readonly token: string; readonly refreshToken: string }>
  readonly codes: ReadonlyArray<string>
}

/** Shows one refresh token many times at once. */
export default ({ shop, refreshToken, count, at }: RefreshMany): Promise<RefreshedMany> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { sessions } = yield* openShop(shop)
        yield* sessions.listActive({ tag: "web" })
        yield* Effect.promise(() => setTimeout(Math.max(0, at - Date.now())))
        const results = yield* Effect.forEach(
          Array.from({ length: count }),
          () => Effect.result(sessions.refresh({ tag: "web", refreshToken })),
          { concurrency: "unbounded" }
        )
        return {
          tokens: results.flatMap((r) =>
            r._tag === "Success" ? [{ token: r.success.token, refreshToken: r.success.refreshToken }] : []
          ),
          codes: results.flatMap((r) => (r._tag === "Failure" ? [r.failure.code] : []))
        }
      })
    )
  )
