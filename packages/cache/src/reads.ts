import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Binding, CacheFailure } from "./Bindings.ts"
import { CacheError } from "./CacheError.ts"
import {
  type CacheCall,
  isKey,
  type Lifetime,
  optionalCacheTag,
  readCacheTag,
  readKey,
  readLabel,
  readLifetime,
  readTags
} from "./CacheInput.ts"
import { type Entry, isLive } from "./CacheStore.ts"
import type { CacheValue } from "./CacheValue.ts"
import { ask, attempt, call, contextOf, type Desk, enter, recordOf } from "./Desk.ts"
import { decodeText, encodeResult } from "./payload.ts"

export interface GetInput extends CacheCall {
  readonly key: string
}

/** What a `fallback` may return: a value, a promise of one, or an Effect. */
export type Loader<A, E = never> = () => A | PromiseLike<A> | Effect.Effect<A, E>

export interface ReadInput<A, E = never> extends GetInput, Omit<Lifetime, "expiry"> {
  /** Called on a miss; its result is stored and returned as its JSON form. */
  readonly fallback: Loader<A, E>
  /** Skips the lookup and overwrites. Default: `false`. */
  readonly refresh?: boolean | undefined
  /** Tags that the stored entry can be cleared by. */
  readonly tags?: ReadonlyArray<string> | undefined
  readonly componentTag?: string | undefined
  readonly componentType?: string | undefined
}

export interface CacheReads {
  /**
   * Without `fallback` the record, or `null`; without `cache` it searches every cache of the product
   * (several hits: `CACHE_KEY_AMBIGUOUS`). With `fallback` the value itself (cache.md §3).
   */
  readonly get: {
    <A, E = never>(input: ReadInput<A, E>): Effect.Effect<A, unknown>
    (input: GetInput): Effect.Effect<CacheValue | null, CacheFailure>
  }
  /**
   * `get` without waiting, where that is possible: what is in memory. `undefined`: take `get`.
   * Anything else is its result, for both forms.
   */
  readonly getSync: (input: GetInput | ReadInput<unknown, unknown>) => unknown
  /** The same as a promise, which is settled already. `undefined`: take `get`. */
  readonly getSettled: (input: GetInput | ReadInput<unknown, unknown>) => Promise<unknown> | undefined
  readonly has: (input: GetInput) => Effect.Effect<boolean, CacheFailure>
  /** Seconds left, rounded up; `null` if there is no such entry or it does not expire. */
  readonly ttl: (input: GetInput) => Effect.Effect<number | null, CacheFailure>
}

/** The result of a loader as an Effect that fails with the very error that was thrown. */
const loaderOf = <A>(fallback: Loader<A, unknown>): Effect.Effect<A, unknown> =>
  Effect.flatMap(
    Effect.try({ try: fallback, catch: (error) => error }),
    (result): Effect.Effect<A, unknown> => {
      if (Effect.isEffect(result)) return result as Effect.Effect<A, unknown>
      if (!isThenable(result)) return Effect.succeed(result)
      return Effect.tryPromise({ try: () => Promise.resolve(result), catch: (error) => error })
    }
  )

const isThenable = <A>(value: A | PromiseLike<A>): value is PromiseLike<A> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

const isRead = (input: GetInput | ReadInput<unknown, unknown>): input is ReadInput<unknown, unknown> =>
  "fallback" in input && input.fallback !== undefined

export const ambiguous = (key: string, caches: ReadonlyArray<string>): CacheError =>
  new CacheError({
    code: "CACHE_KEY_AMBIGUOUS",
    message: `The key is in several caches (${caches.join(", ")}). Name one with 'cache'.`,
    details: { caches, keyLength: key.length }
  })

/** The entry alive now. */
export const liveEntry = (binding: Binding, key: string): Effect.Effect<Entry | undefined, CacheError> =>
  Effect.gen(function* () {
    const entry = yield* ask(binding, "GET_VALUE_FAILED", binding.store.get(key))
    const now = yield* Clock.currentTimeMillis
    return entry !== undefined && isLive(entry, now) ? entry : undefined
  })

/** The bindings that a call without `cache` means: all caches of the product. */
export const everyCache = (
  desk: Desk,
  input: CacheCall
): Effect.Effect<ReadonlyArray<Binding>, CacheFailure> =>
  Effect.gen(function* () {
    const context = yield* contextOf(desk, input)
    const { product } = yield* desk.registry.environment(context)
    const configs = yield* desk.bindings.configs.fetchAll(product.tag)
    return yield* Effect.forEach(configs, ({ tag }) => enter(desk, input, tag))
  })

export const makeReads = (desk: Desk, now: () => number): CacheReads => {
  const { options } = desk

  const knownBinding = (input: CacheCall): Binding | undefined => {
    const product = input.product ?? input.product_tag ?? options.product
    const env = input.env ?? options.env
    const tag = input.cache ?? input.cache_tag
    if (product === undefined || env === undefined || tag === undefined) return undefined
    return input.session === undefined ? desk.bindings.known(product, env, tag) : undefined
  }

  const find = (input: GetInput) =>
    Effect.gen(function* () {
      const key = yield* attempt(() => readKey(input.key))
      const tag = yield* attempt(() => optionalCacheTag(input))
      const bindings = tag === undefined ? yield* everyCache(desk, input) : [yield* enter(desk, input, tag)]
      const hits: Array<{ readonly binding: Binding; readonly entry: Entry }> = []
      for (const binding of bindings) {
        const entry = yield* liveEntry(binding, key)
        if (entry !== undefined) hits.push({ binding, entry })
      }
      const [hit] = hits
      if (hits.length > 1) {
        return yield* ambiguous(
          key,
          hits.map(({ binding }) => binding.scope.cache)
        )
      }
      return hit === undefined ? undefined : { key, ...hit }
    })

  const record = (input: GetInput): Effect.Effect<CacheValue | null, CacheFailure> =>
    Effect.map(find(input), (hit) =>
      hit === undefined ? null : (recordOf(hit.binding, hit.key, hit.entry) ?? null)
    )

  /** The usual case in few steps: the cache is named and known, and nothing has to be verified. */
  const recordOfKnown = (input: GetInput): Effect.Effect<CacheValue | null, CacheFailure> =>
    Effect.suspend(() => {
      const { key } = input
      const binding = knownBinding(input)
      if (binding === undefined || !isKey(key)) return record(input)
      return Effect.map(ask(binding, "GET_VALUE_FAILED", binding.store.get(key)), (entry) =>
        entry !== undefined && isLive(entry, now()) ? (recordOf(binding, key, entry) ?? null) : null
      )
    })

  const read = (input: ReadInput<unknown, unknown>): Effect.Effect<unknown, unknown> =>
    Effect.gen(function* () {
      const key = yield* attempt(() => readKey(input.key))
      const tag = yield* attempt(() => readCacheTag(input))
      const { fallback } = input
      if (typeof fallback !== "function") {
        return yield* new CacheError({
          code: "VALIDATION_ERROR",
          message: "'fallback' must be a function.",
          details: [{ path: "fallback", rule: "type", message: "must be a function" }]
        })
      }
      const request = yield* attempt(() => {
        const { ttl, grace, jitter } = input
        readLifetime({ ttl, grace, jitter }, {}, now())
        return {
          lifetime: { ttl, grace, jitter },
          tags: readTags(input.tags),
          componentTag: readLabel(input.componentTag, "componentTag", tag),
          componentType: readLabel(input.componentType, "componentType", "cache")
        }
      })
      const binding = yield* enter(desk, input, tag)
      const { text, state } = yield* desk.through.read({
        ...request,
        binding,
        key,
        refresh: input.refresh === true,
        timeout: input.timeout,
        load: Effect.flatMap(loaderOf(fallback), (value) =>
          value === undefined
            ? Effect.undefined
            : attempt(() => ({ text: encodeResult(value), base64: false }))
        )
      })
      yield* Effect.annotateCurrentSpan("ductape.cache.result", state)
      return text === undefined ? undefined : decodeText(text.text)
    })

  const get = (input: GetInput | ReadInput<unknown, unknown>) =>
    isRead(input) ? call("get", input, read(input)) : call("get", input, recordOfKnown(input))

  /** The value of a hit: parsed anew each time if the caller could change it. */
  const valueOf = (binding: Binding, key: string, entry: Entry): unknown => {
    if (entry.primitive !== undefined) return entry.primitive
    const opened = recordOf(binding, key, entry)
    if (opened === undefined || entry.encoding === "base64" || entry.encoding === "sealed-base64") {
      return undefined
    }
    const value = decodeText(opened.value)
    if (binding.sealer === undefined && (typeof value !== "object" || value === null)) {
      entry.primitive = value as string | number | boolean | null
    }
    return value
  }

  const getSync = (input: GetInput | ReadInput<unknown, unknown>): unknown => {
    const binding = knownBinding(input)
    if (binding === undefined || binding.sync === undefined) return undefined
    const { key } = input
    const entry = binding.sync.get(key)
    const reads = "fallback" in input && input.fallback !== undefined
    if (entry === undefined) return binding.sync.complete && !reads && isKey(key) ? null : undefined
    if (entry.expiresAt !== null && entry.expiresAt <= now()) return undefined
    if (!reads) return recordOf(binding, key, entry) ?? null
    return input.refresh === true ? undefined : valueOf(binding, key, entry)
  }

  // A promise for each hit would cost more than the hit.
  const getSettled = (input: GetInput | ReadInput<unknown, unknown>): Promise<unknown> | undefined => {
    const entry = isRead(input) ? undefined : knownBinding(input)?.sync?.get(input.key)
    if (entry?.settled !== undefined && (entry.expiresAt === null || entry.expiresAt > now())) {
      return entry.settled
    }
    const value = getSync(input)
    if (value === undefined) return undefined
    if (entry === undefined || entry.record !== value) return Promise.resolve(value)
    entry.settled = Promise.resolve(entry.record)
    return entry.settled
  }

  return {
    get: get as CacheReads["get"],
    getSync,
    getSettled,
    has: (input) =>
      call(
        "has",
        input,
        Effect.map(record(input), (found) => found !== null)
      ),
    ttl: (input) =>
      call(
        "ttl",
        input,
        Effect.gen(function* () {
          const expiresAt = (yield* find(input))?.entry.expiresAt ?? null
          return expiresAt === null
            ? null
            : Math.max(1, Math.ceil((expiresAt - (yield* Clock.currentTimeMillis)) / 1000))
        })
      )
  }
}
