import { type DuctapeError, isDuctapeError } from "@ductape/core"
import * as Effect from "effect/Effect"

/** Runs what throws typed errors; anything else that it throws is a defect. */
export const attempt = <A>(run: () => A): Effect.Effect<A, DuctapeError> => {
  try {
    return Effect.succeed(run())
  } catch (cause) {
    return isDuctapeError(cause) ? Effect.fail(cause) : Effect.die(cause)
  }
}
