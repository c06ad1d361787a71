import { isDeepStrictEqual } from "node:util"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Binding, CacheFailure } from "./Bindings.ts"
import { defaultMaxValueBytes } from "./CacheConfig.ts"
import { CacheError, invalid } from "./CacheError.ts"
import {
  type CacheCall,
  type Lifetime,
  optionalCacheTag,
  readCacheTag,
  readKey,
  readLabel,
  readLifetime,
  readTag,
  readTags,
  type Times
} from "./CacheInput.ts"
import { Entry } from "./CacheStore.ts"
import { ask, attempt, call, type Desk, enter, enterAll, requireEnumeration } from "./Desk.ts"
import { KeyLocks } from "./KeyLocks.ts"
import { byteLength, decodeText, encodeValue, tooLarge } from "./payload.ts"
import { fits, openEntry, sealText } from "./ReadThrough.ts"
import { ambiguous, everyCache, type GetInput, liveEntry } from "./reads.ts"
import { nextRevision } from "./revision.ts"

export interface SetInput extends GetInput, Lifetime {
  /** A string is stored verbatim, another JSON value as JSON. */
  readonly value: unknown
  /** At most 32; the entry can be cleared by each. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** Default: the tag of the cache. */
  readonly componentTag?: string | undefined
  /** Default: `cache`. */
  readonly componentType?: string | undefined
}

export interface CompareAndSetInput extends SetInput {
  /** What the entry must hold, compared as JSON; left out or `undefined`: there must be none. */
  readonly expected?: unknown
}

export interface IncrementInput extends GetInput, Lifetime {
  /** A whole number, also negative. Default: 1. */
  readonly by?: number | undefined
}

export interface ClearInput extends CacheCall {
  /** Either `key`, or `tag` with `cache`. */
  readonly key?: string | undefined
  readonly tag?: string | undefined
}

export interface ExpireInput extends GetInput, Pick<Lifetime, "expiry" | "ttl" | "grace"> {}

export interface CacheWrites {
  /** Replaces what is there, its lifetime included, and keeps `createdAt`. */
  readonly set: (input: SetInput) => Effect.Effect<true, CacheFailure>
  /** `set` without waiting, for what is kept in memory. `undefined`: nothing was done; take `set`. */
  readonly setSync: (input: SetInput) => true | undefined
  /** Whether something alive was removed. */
  readonly clear: (input: ClearInput) => Effect.Effect<boolean, CacheFailure>
  /** `env: "*"`: in all environments of the product. */
  readonly clearAll: (input: CacheCall) => Effect.Effect<{ readonly cleared: number }, CacheFailure>
  /** Gives a live entry another lifetime; `false` if there is none. */
  readonly expire: (input: ExpireInput) => Effect.Effect<boolean, CacheFailure>
  /**
   * Adds to a whole number, atomically among all processes; a missing entry counts as 0. `ttl` and
   * `expiry` hold for an entry that this call makes; an existing one keeps its lifetime.
   */
  readonly increment: (input: IncrementInput) => Effect.Effect<number, CacheFailure>
  /** Writes if the entry holds `expected`, atomically among all processes; whether it did. */
  readonly compareAndSet: (input: CompareAndSetInput) => Effect.Effect<boolean, CacheFailure>
}

const attempts = 1_000

const crowded = (cache: string): CacheError =>
  new CacheError({
    code: "SET_VALUE_FAILED",
    message: `Cache '${cache}': the entry was changed by others ${attempts} times in a row while this call tried to.`,
    details: { cache }
  })

const notCountable = (cache: string): CacheError =>
  new CacheError({
    code: "SET_VALUE_FAILED",
    status: 400,
    retryable: false,
    message: `Cache '${cache}': the entry, or the sum, is no whole number between ±(2^53 - 1). Set a whole number first, or clear the entry.`,
    details: { cache }
  })

const wholeNumber = /^-?\d{1,16}$/

/** What is to become of an entry: nothing (and the call returns that), or another one. */
type Step<A> = { readonly result: A } | { readonly result: A; readonly entry: Entry }

export const makeWrites = (desk: Desk, clock: () => number): CacheWrites => {
  const locks = new KeyLocks()

  /** Reads, decides and writes as one step, repeated while others are faster. */
  const change = <A>(
    binding: Binding,
    key: string,
    decide: (old: Entry | undefined, now: number) => Effect.Effect<Step<A>, CacheError>
  ): Effect.Effect<A, CacheError> => {
    const address = binding.address(key)
    const once = Effect.gen(function* () {
      for (let attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0) yield* Effect.sleep(Math.random() * Math.min(50, attempt * 2))
        const old = yield* liveEntry(binding, key)
        const now = yield* Clock.currentTimeMillis
        const step = yield* decide(old, now)
        if (!("entry" in step)) return step.result
        const swapped = binding.store.swap(key, old?.revision ?? null, step.entry, now)
        const asked = ask(binding, "SET_VALUE_FAILED", swapped)
        if (yield* desk.through.changing(address, false, asked)) return step.result
      }
      return yield* crowded(binding.scope.cache)
    })
    return locks.hold(address, once)
  }

  const makeEntry = (
    binding: Binding,
    key: string,
    input: Omit<SetInput, "value">,
    text: string,
    times: Times,
    now: number,
    old?: Entry
  ): Entry => {
    if (!fits(binding, text)) {
      throw tooLarge(byteLength(text), binding.config.max_value_bytes ?? defaultMaxValueBytes)
    }
    return new Entry({
      ...sealText(binding, key, { text, base64: false }),
      ...times,
      revision: nextRevision(),
      createdAt: old?.createdAt ?? now,
      updatedAt: now,
      componentTag: readLabel(input.componentTag, "componentTag", binding.scope.cache),
      componentType: readLabel(input.componentType, "componentType", "cache"),
      tags: readTags(input.tags)
    })
  }

  const readSet = (input: SetInput) =>
    attempt(() => ({ key: readKey(input.key), tag: readCacheTag(input), text: encodeValue(input.value) }))

  const set = (input: SetInput) =>
    Effect.gen(function* () {
      const { key, tag, text } = yield* readSet(input)
      const binding = yield* enter(desk, input, tag)
      const now = yield* Clock.currentTimeMillis
      const entry = yield* attempt(() =>
        makeEntry(binding, key, input, text, readLifetime(input, binding.config, now), now)
      )
      const asked = ask(binding, "SET_VALUE_FAILED", binding.store.set(key, entry, { now }))
      yield* desk.through.changing(binding.address(key), false, asked)
      return true as const
    })

  const setSync = (input: SetInput): true | undefined => {
    const product = input.product ?? input.product_tag ?? desk.options.product
    const env = input.env ?? desk.options.env
    const tag = input.cache ?? input.cache_tag
    if (product === undefined || env === undefined || tag === undefined) return undefined
    if (input.session !== undefined) return undefined
    const binding = desk.bindings.known(product, env, tag)
    const write = binding?.sync?.set
    if (binding === undefined || write === undefined) return undefined
    try {
      const key = readKey(input.key)
      const text = encodeValue(input.value)
      const now = clock()
      const entry = makeEntry(binding, key, input, text, readLifetime(input, binding.config, now), now)
      if (!desk.through.flights.idle) desk.through.changed(binding.address(key), false)
      write(key, entry, now)
      return true
    } catch {
      // `set` says what is wrong with it.
      return undefined
    }
  }

  const clearKey = (input: ClearInput) =>
    Effect.gen(function* () {
      const key = yield* attempt(() => readKey(input.key))
      const tag = yield* attempt(() => optionalCacheTag(input))
      let bindings: ReadonlyArray<Binding>
      if (tag !== undefined) bindings = [yield* enter(desk, input, tag)]
      else {
        const holders: Array<Binding> = []
        for (const binding of yield* everyCache(desk, input)) {
          if ((yield* liveEntry(binding, key)) !== undefined) holders.push(binding)
        }
        if (holders.length > 1) {
          return yield* ambiguous(
            key,
            holders.map(({ scope }) => scope.cache)
          )
        }
        bindings = holders
      }
      const [binding] = bindings
      if (binding === undefined) return false
      const now = yield* Clock.currentTimeMillis
      const asked = ask(binding, "CLEAR_VALUE_FAILED", binding.store.remove(key, now))
      return yield* desk.through.changing(binding.address(key), false, asked)
    })

  const clearMany = (input: ClearInput, entryTag: string | undefined) =>
    Effect.gen(function* () {
      const tag = yield* attempt(() => readCacheTag(input))
      const bindings = yield* enterAll(desk, input, tag)
      let cleared = 0
      for (const binding of bindings) {
        yield* requireEnumeration(binding)
        const now = yield* Clock.currentTimeMillis
        const code = entryTag === undefined ? "CLEAR_VALUES_FAILED" : "CLEAR_VALUE_FAILED"
        const asked = ask(binding, code, binding.store.clear({ now, tag: entryTag }))
        cleared += yield* desk.through.changing(binding.address(""), true, asked)
      }
      return cleared
    })

  const clear = (input: ClearInput): Effect.Effect<boolean, CacheFailure> => {
    if (input.tag === undefined) return clearKey(input)
    if (input.key !== undefined) return Effect.fail(invalid("tag", "cannot be given together with 'key'"))
    return Effect.flatMap(
      attempt(() => readTag(input.tag)),
      (tag) => Effect.map(clearMany(input, tag), (cleared) => cleared > 0)
    )
  }

  const expire = (input: ExpireInput) =>
    Effect.gen(function* () {
      const key = yield* attempt(() => readKey(input.key))
      const tag = yield* attempt(() => readCacheTag(input))
      if (input.ttl === undefined && input.expiry === undefined) {
        return yield* invalid("ttl", "is required, or 'expiry'")
      }
      const binding = yield* enter(desk, input, tag)
      return yield* change<boolean>(binding, key, (old, now) =>
        attempt(() => {
          const { expiry, ttl, grace } = input
          const times = readLifetime({ expiry, ttl, grace, jitter: 0 }, binding.config, now)
          if (old === undefined) return { result: false }
          return { result: true, entry: new Entry({ ...old, ...times, revision: nextRevision() }) }
        })
      )
    })

  const increment = (input: IncrementInput) =>
    Effect.gen(function* () {
      const key = yield* attempt(() => readKey(input.key))
      const tag = yield* attempt(() => readCacheTag(input))
      const by = input.by ?? 1
      if (!Number.isSafeInteger(by)) return yield* invalid("by", "must be a whole number")
      const binding = yield* enter(desk, input, tag)
      return yield* change<number>(binding, key, (old, now) =>
        attempt(() => {
          const fresh = readLifetime(input, binding.config, now)
          const text = old === undefined ? "0" : openEntry(binding, key, old)?.text
          const sum = text !== undefined && wholeNumber.test(text) ? Number(text) + by : Number.NaN
          if (!Number.isSafeInteger(sum)) throw notCountable(tag)
          const result = sum === 0 ? 0 : sum
          if (old === undefined) {
            return { result, entry: makeEntry(binding, key, { ...input }, String(result), fresh, now) }
          }
          const sealed = sealText(binding, key, { text: String(result), base64: false })
          return { result, entry: new Entry({ ...old, ...sealed, revision: nextRevision(), updatedAt: now }) }
        })
      )
    })

  const compareAndSet = (input: CompareAndSetInput) =>
    Effect.gen(function* () {
      const { key, tag, text } = yield* readSet(input)
      const expected = yield* attempt(() =>
        input.expected === undefined ? undefined : encodeValue(input.expected)
      )
      const binding = yield* enter(desk, input, tag)
      return yield* change<boolean>(binding, key, (old, now) =>
        attempt(() => {
          const entry = makeEntry(
            binding,
            key,
            input,
            text,
            readLifetime(input, binding.config, now),
            now,
            old
          )
          const held = old === undefined ? undefined : openEntry(binding, key, old)?.text
          return sameText(held, expected) ? { result: true, entry } : { result: false }
        })
      )
    })

  return {
    set: (input) => call("set", input, set(input)),
    setSync,
    clear: (input) => call("clear", input, clear(input)),
    clearAll: (input) =>
      call(
        "clearAll",
        input,
        Effect.map(clearMany(input, undefined), (cleared) => ({ cleared }))
      ),
    expire: (input) => call("expire", input, expire(input)),
    increment: (input) => call("increment", input, increment(input)),
    compareAndSet: (input) => call("compareAndSet", input, compareAndSet(input))
  }
}

/** The same text, or JSON of the same value. */
const sameText = (held: string | undefined, expected: string | undefined): boolean =>
  held === expected ||
  (held !== undefined && expected !== undefined && isDeepStrictEqual(decodeText(held), decodeText(expected)))
