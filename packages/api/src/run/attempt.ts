import * as Effect from "effect/Effect"
import { isRunFailure, type RunFailure } from "../RunFailure.ts"

/** Runs what throws typed errors; anything else that it throws is a defect. */
export const attempt = <A>(run: () => A): Effect.Effect<A, RunFailure> => {
  try {
    return Effect.succeed(run())
  } catch (cause) {
    return isRunFailure(cause) ? Effect.fail(cause) : Effect.die(cause)
  }
}
