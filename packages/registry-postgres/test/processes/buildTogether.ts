import { openRegistry } from "@ductape/registry"
import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { PostgresStore } from "../../src/index.ts"

interface Args {
  readonly url: string
  readonly accessKey: string
  readonly times: number
}

/** Changes the same product and app as all the others, by read, change and write. */
export default ({ accessKey, times, url }: Args, { index }: ProcessContext) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { apps, products } = yield* openRegistry(yield* PostgresStore.make(url), { accessKey })
        for (let i = 0; i < times; i++) {
          yield* products.environments.create("shop", { slug: `e${index}-${i}` })
          yield* apps.variables.create("crm", { key: `v${index}-${i}`, type: "string" })
        }
      })
    )
  )
