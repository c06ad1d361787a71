import {
  type ContextError,
  type ResolvedContext,
  resolveContext,
  type SessionInput,
  SessionVerifier
} from "@ductape/core"
import type { Product, RegistryError, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { Binding, Bindings, CacheFailure, CachesOptions } from "./Bindings.ts"
import { CacheError } from "./CacheError.ts"
import { type CacheCall, noAnswer, readTimeout } from "./CacheInput.ts"
import type { Entry } from "./CacheStore.ts"
import { type CacheValue, makeRecord } from "./CacheValue.ts"
import { openEntry, type ReadThrough } from "./ReadThrough.ts"

type FailedCode = Extract<CacheError["code"], `${string}_FAILED`>

/** What the methods of the service share. */
export interface Desk {
  readonly registry: RegistryShape
  readonly bindings: Bindings
  readonly through: ReadThrough
  readonly options: CachesOptions
}

/** Validation throws; here it becomes a failure. */
export const attempt = <A>(read: () => A): Effect.Effect<A, CacheError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(read())
    } catch (error) {
      if (error instanceof CacheError) return Effect.fail(error)
      throw error
    }
  })

export const contextOf = (
  desk: Desk,
  input: Pick<CacheCall, "product" | "product_tag" | "env">
): Effect.Effect<ResolvedContext, ContextError> =>
  Effect.try({
    try: () => resolveContext(input, desk.options),
    catch: (error) => error as ContextError
  })

export const productOf = (
  desk: Desk,
  input: { readonly product?: string | undefined; readonly product_tag?: string | undefined }
): Effect.Effect<Product, ContextError | RegistryError> =>
  // Only the product counts; an environment is not asked for.
  Effect.flatMap(contextOf(desk, { ...input, env: "-" }), ({ product }) =>
    desk.registry.products.fetch(product)
  )

const checkSession = (session: SessionInput, context: ResolvedContext): Effect.Effect<void, CacheFailure> =>
  Effect.gen(function* () {
    const verifier = yield* SessionVerifier
    if (verifier === undefined) {
      return yield* new CacheError({
        code: "UNSUPPORTED_OPERATION",
        message: "This call has a 'session', and no session service is provided. Add Sessions.layer."
      })
    }
    // Its own error passes through: who calls with a session expects those.
    yield* verifier.verify(session, context) as Effect.Effect<unknown, CacheFailure>
  })

/** Session check, product, environment, configuration: what comes before anything is asked of a provider. */
export const enter = (desk: Desk, input: CacheCall, tag: string): Effect.Effect<Binding, CacheFailure> =>
  Effect.gen(function* () {
    const context = yield* contextOf(desk, input)
    if (input.session !== undefined) yield* checkSession(input.session, context)
    const { env, product } = context
    return desk.bindings.known(product, env, tag) ?? (yield* desk.bindings.resolve(context, tag))
  })

/** The same for every environment of the product if `env` is `*`. */
export const enterAll = (
  desk: Desk,
  input: CacheCall,
  tag: string
): Effect.Effect<ReadonlyArray<Binding>, CacheFailure> =>
  Effect.gen(function* () {
    if (input.env !== "*") return [yield* enter(desk, input, tag)]
    const product = yield* productOf(desk, input)
    return yield* Effect.forEach(
      product.envs.filter((env) => env.active),
      (env) => enter(desk, { ...input, product: product.tag, env: env.slug }, tag)
    )
  })

/** One public call: its span and its deadline. */
export const call = <A, E>(
  method: string,
  input: CacheCall,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E | CacheError> =>
  Effect.withSpan(input.timeout === undefined ? effect : bounded(input.timeout, effect), `Caches.${method}`, {
    attributes: attributesOf(input),
    captureStackTrace: false
  })

const bounded = <A, E>(timeout: number, effect: Effect.Effect<A, E>): Effect.Effect<A, E | CacheError> =>
  Effect.flatMap(
    attempt(() => readTimeout(timeout)),
    () => Effect.timeoutOrElse(effect, { duration: timeout, orElse: () => Effect.fail(noAnswer(timeout)) })
  )

const attributesOf = (input: CacheCall): Record<string, string> => {
  const attributes: Record<string, string> = {}
  const cache = input.cache ?? input.cache_tag
  const product = input.product ?? input.product_tag
  if (typeof cache === "string") attributes["ductape.cache"] = cache
  if (typeof product === "string") attributes["ductape.product"] = product
  if (typeof input.env === "string") attributes["ductape.env"] = input.env
  return attributes
}

/** A question to the provider whose failure is the caller's. */
export const ask = <A>(
  { health, provider, scope }: Binding,
  code: FailedCode,
  effect: Effect.Effect<A, CacheError>
): Effect.Effect<A, CacheError> =>
  health.watch(effect).pipe(
    Effect.mapError(
      (cause) =>
        new CacheError({
          code,
          message: `Cache '${scope.cache}' in environment '${scope.env}' (${provider.name}): ${cause.message}`,
          retryable: cause.retryable,
          details: { cache: scope.cache, env: scope.env, reason: cause.code },
          cause
        })
    )
  )

/** What `get` returns for an entry; `undefined` if it was sealed under another setting. */
export const recordOf = (binding: Binding, key: string, entry: Entry): CacheValue | undefined => {
  if (entry.record !== undefined) return entry.record
  const opened = openEntry(binding, key, entry)
  if (opened === undefined) return undefined
  const record = makeRecord(binding.scope, key, entry, opened.text)
  // An opened value is not left lying about.
  if (binding.sealer === undefined) entry.record = record
  return record
}

export const requireEnumeration = ({ provider, scope }: Binding): Effect.Effect<void, CacheError> =>
  provider.capabilities.has("enumerate")
    ? Effect.void
    : Effect.fail(
        new CacheError({
          code: "CACHE_UNSUPPORTED",
          message: `Cache '${scope.cache}': '${provider.name}' cannot list its entries.`,
          details: { cache: scope.cache, provider: provider.name }
        })
      )
