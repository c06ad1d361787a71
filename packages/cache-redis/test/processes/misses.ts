import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { type Place, withClient } from "./client.ts"

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Everyone asks for one missing key at once; tells how often it was loaded here, and what came of it. */
export default (
  place: Place & { readonly startAt: number; readonly asks: number },
  { index }: ProcessContext
) =>
  withClient(place, (caches) =>
    Effect.gen(function* () {
      let loads = 0
      const fallback = async () => {
        loads++
        await pause(300)
        return { by: index }
      }
      // The store and the connection are open before the start.
      yield* caches.get({ cache: "fx", key: "warm" })
      yield* Effect.promise(() => pause(place.startAt - Date.now()))
      const values = yield* Effect.all(
        Array.from({ length: place.asks }, () => caches.get({ cache: "fx", key: "hot", fallback })),
        { concurrency: "unbounded" }
      )
      return { loads, values: [...new Set(values.map((value) => value.by))] }
    })
  )
