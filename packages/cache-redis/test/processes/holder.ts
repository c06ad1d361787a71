import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { type Place, withClient } from "./client.ts"

/** The first process takes the lease and never finishes; the second one wants the same entry. */
export default (place: Place, { index, report }: ProcessContext) =>
  withClient(place, (caches) => {
    const fallback = async () => {
      await report("loading")
      return index === 0 ? new Promise(() => setInterval(() => undefined, 1_000)) : "loaded by the other"
    }
    const read = caches.get({ cache: "fx", key: "held", fallback })
    if (index === 0) return read
    const taken = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1_500)))
    return Effect.andThen(taken, read)
  })
