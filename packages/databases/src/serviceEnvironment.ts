import { CallCache, type DuctapeError, SessionVerifier } from "@ductape/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { CallEnvironment } from "./calls.ts"
import type { Scope } from "./DatabaseConnection.ts"
import { DatabaseError } from "./DatabaseError.ts"

/** Whether anyone looks at spans: the tracer that comes with Effect keeps none. */
export const hasTracer = (context: Context.Context<never>): boolean =>
  Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer

const now = (): bigint => BigInt(Date.now()) * 1_000_000n

const empty = Context.empty()

const spanOf =
  (tracer: Tracer.Tracer): NonNullable<CallEnvironment["span"]> =>
  (name, attributes) => {
    const span = tracer.span({
      name,
      parent: Option.none(),
      annotations: empty,
      links: [],
      startTime: now(),
      kind: "client",
      root: true,
      sampled: true
    })
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
    return {
      end: (error) => span.end(now(), error === undefined ? Exit.void : Exit.fail(error))
    }
  }

const contextOf = (scope: Scope): { readonly product: string; readonly env: string } => {
  const { env, product } = scope.connection.identity
  return { product: product ?? "", env: env ?? "" }
}

const made = new WeakMap<Context.Context<never>, CallEnvironment>()

/** What calls need of the services around them: sessions, the call cache, a tracer. */
export const environmentOf = (context: Context.Context<never>): CallEnvironment => {
  const known = made.get(context)
  if (known !== undefined) return known
  const verifier = Context.get(context, SessionVerifier)
  const cache = Context.get(context, CallCache)
  const run = Effect.runPromiseWith(context)
  const environment: CallEnvironment = {
    span: hasTracer(context) ? spanOf(Context.get(context, Tracer.Tracer)) : undefined,
    verifySession: verifier === undefined ? undefined : (session, at) => run(verifier.verify(session, at)),
    cached:
      cache === undefined
        ? undefined
        : async (tag, scope, identity, load) => {
            const { value } = await run(
              cache.through(
                {
                  context: contextOf(scope),
                  cache: tag,
                  componentType: "database",
                  componentTag: scope.connection.identity.database,
                  identity
                },
                Effect.tryPromise({
                  try: load,
                  catch: (cause): DuctapeError =>
                    cause instanceof DatabaseError
                      ? cause
                      : new DatabaseError({ code: "QUERY_ERROR", message: "The call failed.", cause })
                })
              )
            )
            return value
          }
  }
  made.set(context, environment)
  return environment
}
