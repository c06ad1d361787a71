import { randomUUID } from "node:crypto"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CacheError } from "../CacheError.ts"
import {
  type CacheProvider,
  type CacheScope,
  type CacheStore,
  Entry,
  type EntryFields
} from "../CacheStore.ts"
import { nextRevision } from "../revision.ts"

/** Opens the provider once more, as another client or process would. */
export type OpenProvider = Effect.Effect<CacheProvider, CacheError, Scope.Scope>

export interface StoreTest {
  readonly store: CacheStore
  readonly provider: CacheProvider
  readonly scope: CacheScope
  readonly open: OpenProvider
}

/** Each by the rule that it holds a store to. */
export type StoreTests = Readonly<
  Record<string, (test: StoreTest) => Effect.Effect<void, unknown, Scope.Scope>>
>

/** One that no other test uses. */
export const newScope = (fields: Partial<CacheScope> = {}): CacheScope => ({
  workspace: randomUUID(),
  product: "shop",
  env: "dev",
  cache: "fx",
  ...fields
})

export const openStore = (provider: CacheProvider, scope: CacheScope): CacheStore =>
  provider.open(scope, { maxEntries: 1_000 })

export const newEntry = (fields: Partial<EntryFields> = {}): Entry => {
  const now = Date.now()
  return new Entry({
    revision: nextRevision(),
    value: "value",
    createdAt: now,
    updatedAt: now,
    expiresAt: null,
    keptUntil: fields.expiresAt ?? null,
    componentTag: "fx",
    componentType: "cache",
    tags: [],
    ...fields
  })
}

/** What was stored of an entry, without what the service keeps beside it. */
export const fieldsOf = (entry: Entry | undefined): EntryFields | undefined => {
  if (entry === undefined) return undefined
  const { primitive: _, record: __, settled: ___, ...fields } = entry
  return fields
}

/** By the machine's clock: servers do not follow a test's. */
export const realSleep = (milliseconds: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise((resolve) => setTimeout(resolve, milliseconds)))

/** Waits until it holds; the caller's assertion says what did not. */
export const eventually = (
  holds: () => Effect.Effect<boolean, unknown> | boolean,
  milliseconds = 10_000
): Effect.Effect<boolean, unknown> =>
  Effect.gen(function* () {
    const until = performance.now() + milliseconds
    for (;;) {
      const held = holds()
      if (typeof held === "boolean" ? held : yield* held) return true
      if (performance.now() > until) return false
      yield* realSleep(10)
    }
  })

/** A clock that tells a time of its own, while sleeping stays real, as sockets are. */
export const steppingClock = (real: Clock.Clock, start: number) => {
  let now = start
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
  return {
    clock,
    now: () => now,
    advance: (milliseconds: number) => {
      now += milliseconds
    }
  }
}
