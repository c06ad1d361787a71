import type { ProcessContext } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { openRegistry, SqliteStore } from "../../src/index.ts"

interface Args {
  readonly file: string
  readonly accessKey: string
  readonly round: number
}

/** Writes secrets, each as one transaction, and reports each once it was acknowledged. */
export default ({ accessKey, file, round }: Args, { index, report }: ProcessContext) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { secrets } = yield* openRegistry(yield* SqliteStore.make(file), { accessKey })
        for (let i = 0; ; i++) {
          const key = `R${round}_${index}_${i}`
          const value = `${key} ${"x".repeat((i % 7) * 1_000)}`
          // Two records that must be there together.
          yield* secrets.put([
            { key: `${key}_A`, value },
            { key: `${key}_B`, value }
          ])
          yield* Effect.promise(() => report(key))
        }
      })
    )
  )
