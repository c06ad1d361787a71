import type { CachedCall, DuctapeError, ResolvedContext } from "@ductape/core"
import * as Effect from "effect/Effect"
import type { CacheFailure } from "./Bindings.ts"
import { canonicalJson } from "./canonicalJson.ts"
import type { Desk } from "./Desk.ts"
import type { Text } from "./ReadThrough.ts"

/** Changes with what goes into a key, so that entries of older versions are not found. */
const scheme = 1

const purpose = "cache-call-keys"

/** What `CallCache` of `@ductape/core` asks for. */
export interface CacheCalls {
  readonly through: <A, E, R>(
    call: CachedCall,
    load: Effect.Effect<A, E, R>
  ) => Effect.Effect<{ readonly value: A; readonly cached: boolean }, E | DuctapeError, R>
  readonly check: (context: ResolvedContext, cache: string) => Effect.Effect<void, DuctapeError>
}

/**
 * The key of a call's result: a keyed hash, so that nothing of the call can be read from it or tried
 * against it.
 */
const keyOf = (desk: Desk, call: CachedCall): string => {
  const { context, componentType, componentTag, identity } = call
  const text = canonicalJson([scheme, context.product, context.env, componentType, componentTag, identity])
  return `${componentType}:${componentTag}:${desk.registry.keyring.mac(purpose, text)}`
}

/** `undefined`: there is nothing to store, or it has no JSON form. */
const textOf = (value: unknown): Text | undefined => {
  if (value instanceof Uint8Array) return { text: Buffer.from(value).toString("base64"), base64: true }
  try {
    const text = JSON.stringify(value)
    return text === undefined ? undefined : { text, base64: false }
  } catch {
    return undefined
  }
}

const valueOf = ({ text, base64 }: Text): unknown =>
  base64 ? new Uint8Array(Buffer.from(text, "base64")) : JSON.parse(text)

export const makeCalls = (desk: Desk): CacheCalls => ({
  check: (context, cache) => Effect.asVoid(desk.bindings.resolve(context, cache)),
  through: <A, E, R>(call: CachedCall, load: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const { env, product } = call.context
      const known = desk.bindings.known(product, env, call.cache)
      const binding = known ?? (yield* desk.bindings.resolve(call.context, call.cache))
      const services = yield* Effect.context<R>()
      // What cannot be stored cannot be shared either: each caller gets what it loaded itself.
      let own: { readonly value: A } | undefined
      const { text, state } = yield* desk.through.read<E | CacheFailure>({
        binding,
        key: keyOf(desk, call),
        lifetime: {},
        tags: [],
        componentTag: call.componentTag,
        componentType: call.componentType,
        refresh: false,
        timeout: call.timeout,
        load: Effect.map(Effect.provideContext(load, services), (value) => {
          own = { value }
          return textOf(value)
        })
      })
      if (text !== undefined) return { value: valueOf(text) as A, cached: state !== "miss" }
      return { value: own === undefined ? yield* load : own.value, cached: false }
    }).pipe(
      Effect.withSpan(
        "Caches.through",
        { attributes: { "ductape.cache": call.cache, "ductape.component": call.componentType } },
        { captureStackTrace: false }
      )
    )
})
