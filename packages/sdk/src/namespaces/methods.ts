import type { DuctapeError } from "@ductape/core"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Runner } from "../Runner.ts"

/** The methods of a service, as Promises. */
export type Promised<Shape, Names extends keyof Shape> = {
  readonly [Name in Names]: Shape[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Result extends Effect.Effect<infer A, infer _E, infer _R> ? A : Result>
    : never
}

type Method<R> = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, DuctapeError, R>

/**
 * Lines of a namespace: each named method of the service, or of a part of it, run as a Promise. The
 * `signal` of a method's input object aborts it.
 */
export const methodsOf =
  <S, R, Part>(runner: Runner<R>, service: Context.Key<R, S>, part: (shape: S) => Part) =>
  <const Names extends ReadonlyArray<keyof Part & string>>(names: Names): Promised<Part, Names[number]> =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...args: ReadonlyArray<unknown>) => {
          const input = args[0] as { readonly signal?: AbortSignal } | undefined
          return runner.use(
            service,
            (shape) => {
              const result = (part(shape)[name] as Method<R>)(...args)
              return Effect.isEffect(result) ? result : Effect.succeed(result)
            },
            input?.signal
          )
        }
      ])
    ) as Promised<Part, Names[number]>

export const methods = <S, R, const Names extends ReadonlyArray<keyof S & string>>(
  runner: Runner<R>,
  service: Context.Key<R, S>,
  names: Names
): Promised<S, Names[number]> => methodsOf(runner, service, (shape) => shape)(names)
