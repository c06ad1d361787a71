import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { openRegistry, openStore } from "../../src/index.ts"

interface Args {
  readonly store: string
  readonly accessKey: string
  readonly times: number
}

/** Changes the same product and app as all the others, by read, change and write. */
export default ({ accessKey, store, times }: Args, { index }: ProcessContext) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { apps, products, resources } = yield* openRegistry(yield* openStore(store), { accessKey })
        const counters = resources<{ readonly tag: string; readonly value: number }>({
          kind: "counter",
          sealed: true
        })
        const started = performance.now()
        for (let i = 0; i < times; i++) {
          yield* products.environments.create("shop", { slug: `e${index}-${i}` })
          yield* apps.variables.create("crm", { key: `v${index}-${i}`, type: "string" })
          yield* counters.update("shop", "shared", (old) => ({ ...old, value: old.value + 1 }))
        }
        return performance.now() - started
      })
    )
  )
