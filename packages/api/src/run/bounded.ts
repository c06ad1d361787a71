import { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import { ActionError } from "../ActionError.ts"
import type { RunFailure } from "../RunFailure.ts"
import type { Progress } from "./Progress.ts"
import type { CheckedCall, RunResponse } from "./RunCall.ts"

const cutOff = (
  code: "TIMEOUT" | "ABORTED",
  call: CheckedCall,
  progress: Progress,
  message: string
): ActionError =>
  new ActionError({
    code,
    message: `${call.app}.${call.action}: ${message}`,
    app: call.app,
    action: call.action,
    attempts: progress.attempts
  })

const whenAborted = (signal: AbortSignal, react: () => void): (() => void) => {
  signal.addEventListener("abort", react, { once: true })
  return () => signal.removeEventListener("abort", react)
}

/** Ends the run at the call's deadline, and as soon as its signal is aborted; a stream outlives the deadline. */
export const bounded = (
  call: CheckedCall,
  progress: Progress,
  run: Effect.Effect<RunResponse, RunFailure>
): Effect.Effect<RunResponse, RunFailure> => {
  const { signal, timeout } = call
  let effect = run
  if (timeout !== undefined) {
    effect = Effect.timeoutOrElse(effect, {
      duration: timeout,
      orElse: () => Effect.fail(cutOff("TIMEOUT", call, progress, `not done within ${timeout} ms.`))
    })
  }
  if (signal === undefined) return effect
  const aborted = () => cutOff("ABORTED", call, progress, "the signal was aborted.")
  const abortion = Effect.callback<never, RunFailure>((resume) =>
    Effect.sync(whenAborted(signal, () => resume(Effect.fail(aborted()))))
  )
  return Effect.suspend(() => {
    if (signal.aborted) return Effect.fail(aborted())
    return Effect.tap(Effect.raceFirst(effect, abortion), ({ data }) =>
      Effect.sync(() => {
        if (!(data instanceof Readable)) return
        if (signal.aborted) data.destroy(aborted())
        else
          data.once(
            "close",
            whenAborted(signal, () => data.destroy(aborted()))
          )
      })
    )
  })
}
