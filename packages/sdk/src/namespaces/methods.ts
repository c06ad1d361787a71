import type { DuctapeError } from "@ductape/core"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Runner } from "../Runner.ts"

/** The methods of a service, as Promises. */
export type Promised<Shape, Names extends keyof Shape> = {
  readonly [Name in Names]: Shape[Name] extends (
    ...args: infer Args
  ) => Effect.Effect<infer A, infer _E, infer _R>
    ? (...args: Args) => Promise<A>
    : never
}

/**
 * Lines of a namespace: each named method of the service, run as a Promise. The `signal` of a
 * method's input object aborts it.
 */
export const methods = <S, R, const Names extends ReadonlyArray<keyof S & string>>(
  runner: Runner<R>,
  service: Context.Key<R, S>,
  names: Names
): Promised<S, Names[number]> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      (...args: ReadonlyArray<unknown>) => {
        const input = args[0] as { readonly signal?: AbortSignal } | undefined
        return runner.use(
          service,
          (shape) =>
            (shape[name] as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, DuctapeError, R>)(
              ...args
            ),
          input?.signal
        )
      }
    ])
  ) as Promised<S, Names[number]>
