import * as Effect from "effect/Effect"
import { createWorkspace, openStore } from "../../src/index.ts"

interface Args {
  readonly file: string
  /** Unix milliseconds at which all begin. */
  readonly at: number
}

export default ({ at, file }: Args) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, at - Date.now())))
        return yield* createWorkspace(yield* openStore(file), { name: "Acme" }).pipe(
          Effect.as("made"),
          Effect.catch((error) => Effect.succeed(error.code))
        )
      })
    )
  )
