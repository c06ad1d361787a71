import * as Effect from "effect/Effect"
import { type Place, withClient } from "./client.ts"

/** Adds to one counter by `increment`, and to another by comparing and setting. */
export default (place: Place & { readonly times: number; readonly cache: string }) =>
  withClient(place, (caches) => {
    const { cache, times } = place
    const byComparing: Effect.Effect<void, unknown> = Effect.gen(function* () {
      for (;;) {
        const record = yield* caches.get({ cache, key: "compared" })
        const expected = record === null ? undefined : Number(record.value)
        const input = { cache, key: "compared", expected, value: (expected ?? 0) + 1 }
        if (yield* caches.compareAndSet(input)) return
      }
    })
    const both = Effect.all([caches.increment({ cache, key: "counted" }), byComparing])
    return Effect.forEach(Array.from({ length: times }), () => both, { concurrency: 5, discard: true })
  })
