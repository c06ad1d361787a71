import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Binding } from "./Bindings.ts"
import { defaultMaxValueBytes } from "./CacheConfig.ts"
import { type Lifetime, readLifetime } from "./CacheInput.ts"
import { type CacheLease, Entry, isLive } from "./CacheStore.ts"
import { type Flight, Flights } from "./Flights.ts"
import { Lost } from "./Health.ts"
import { byteLength } from "./payload.ts"
import { nextRevision } from "./revision.ts"

/** The text of a value; `base64`: of bytes. */
export interface Text {
  readonly text: string
  readonly base64: boolean
}

export interface ReadThroughRequest<E> {
  readonly binding: Binding
  readonly key: string
  readonly lifetime: Omit<Lifetime, "expiry">
  readonly tags: ReadonlyArray<string>
  readonly componentTag: string
  readonly componentType: string
  /** Skips the lookup and overwrites. */
  readonly refresh: boolean
  /** Deadline of the call in milliseconds, which the provider may use up a part of. */
  readonly timeout: number | undefined
  /** `undefined`: returned, not stored. */
  readonly load: Effect.Effect<Text | undefined, E>
}

export interface ReadThroughResult {
  /** `undefined` if that was loaded. */
  readonly text: Text | undefined
  readonly state: "hit" | "stale" | "miss"
}

/** `left`: a refresh that another process does already; nothing was loaded. */
type Loaded = ReadThroughResult | { readonly state: "left" }

export interface LeaseOptions {
  /** Milliseconds after which the lease of a process that died is given to another. Default: 5000. */
  readonly ttl?: number | undefined
  /** Milliseconds that a process waits for another one's load before it loads itself. Default: 10000. */
  readonly wait?: number | undefined
}

/** Milliseconds that one question to a provider may take within a read-through. */
const standardBudget = 1_000
/** The part of a call's deadline that one question may take. */
const budgetShare = 0.2
/** How much longer than its own budget a call may wait for the answer to another one's question. */
const joinShare = 1.5
/** The part of a call's deadline that waiting for another process may take. */
const waitShare = 0.5
/** Milliseconds without another background refresh after one has failed. */
const restAfterFailure = 1_000

const firstPoll = 10
const lastPoll = 100

/** The text of an entry, opened; `undefined` if it was written under another setting of `encrypt`. */
export const openEntry = (binding: Binding, key: string, entry: Entry): Text | undefined => {
  const { encoding } = entry
  const sealed = encoding === "sealed" || encoding === "sealed-base64"
  const base64 = encoding === "base64" || encoding === "sealed-base64"
  if (!sealed) return binding.sealer === undefined ? { text: entry.value, base64 } : undefined
  const text = binding.sealer?.open(entry.value, binding.address(key))
  return text === undefined ? undefined : { text, base64 }
}

/** What goes into an entry's `value` and `encoding`. */
export const sealText = (
  binding: Binding,
  key: string,
  { text, base64 }: Text
): Pick<Entry, "value" | "encoding"> =>
  binding.sealer === undefined
    ? { value: text, encoding: base64 ? "base64" : undefined }
    : {
        value: binding.sealer.seal(text, binding.address(key)),
        encoding: base64 ? "sealed-base64" : "sealed"
      }

export const fits = (binding: Binding, text: string): boolean => {
  const limit = binding.config.max_value_bytes ?? defaultMaxValueBytes
  return text.length * 3 <= limit || byteLength(text) <= limit
}

/** Reads through a cache: a hit, a stale value with a refresh behind it, or one shared load. */
export class ReadThrough {
  readonly flights: Flights
  readonly #leaseTtl: number
  readonly #leaseWait: number
  readonly #resting = new Map<string, number>()

  constructor(scope: Scope.Scope, lease: LeaseOptions = {}) {
    this.flights = new Flights(scope)
    this.#leaseTtl = lease.ttl ?? 5_000
    this.#leaseWait = lease.wait ?? 10_000
  }

  read<E>(request: ReadThroughRequest<E>): Effect.Effect<ReadThroughResult, E> {
    const { binding, key, lifetime, refresh } = request
    const address = binding.address(key)
    return Effect.gen({ self: this }, function* () {
      let lost = false
      if (!refresh) {
        const found = yield* this.#lookup(request)
        if (found === Lost) lost = true
        else if (found !== undefined) {
          const now = yield* Clock.currentTimeMillis
          const text = openEntry(binding, key, found)
          if (text !== undefined && isLive(found, now)) return { text, state: "hit" } as const
          const grace = lifetime.grace ?? binding.config.grace ?? 0
          if (text !== undefined && isServable(found, now, grace)) {
            yield* this.#refreshBehind(request, address, now)
            return { text, state: "stale" } as const
          }
        }
      }
      // A load that began before a `refresh` was asked for may bring what is old by now.
      if (refresh) this.flights.taint(address)
      const loaded = yield* this.flights.run(address, (flight) => this.#load(request, flight, lost, false))
      return loaded.state === "left" ? yield* this.read(request) : loaded
    })
  }

  /** One question for all who want the same entry at once. */
  #lookup<E>({
    binding,
    key,
    timeout
  }: ReadThroughRequest<E>): Effect.Effect<Entry | undefined | typeof Lost> {
    if (binding.sync !== undefined) {
      const entry = binding.sync.get(key)
      if (entry !== undefined || binding.sync.complete) return Effect.succeed(entry)
    }
    const budget = budgetOf(timeout)
    const asked = this.flights.run(`${binding.address(key)} lookup`, () =>
      binding.health.tolerate(binding.store.get(key), budget)
    )
    return timeout === undefined
      ? asked
      : Effect.timeoutOrElse(asked, { duration: budget * joinShare, orElse: () => Effect.succeed(Lost) })
  }

  #refreshBehind<E>(request: ReadThroughRequest<E>, address: string, now: number): Effect.Effect<void> {
    const rests = this.#resting.get(address)
    if (rests !== undefined) {
      if (now < rests) return Effect.void
      this.#resting.delete(address)
    }
    return this.flights.detach(address, (flight) =>
      this.#load(request, flight, false, true).pipe(
        Effect.tapCause(() =>
          Effect.flatMap(Clock.currentTimeMillis, (failed) => {
            if (this.#resting.size >= 10_000) this.#resting.clear()
            this.#resting.set(address, failed + restAfterFailure)
            return Effect.logWarning(
              `A stale value of cache '${request.binding.scope.cache}' could not be refreshed; it is served until its grace ends.`
            )
          })
        )
      )
    )
  }

  /**
   * A change to the entry of that address, or of all that start so: no load that began before may
   * overwrite it, and no lookup that began before answers who asks after it.
   */
  changing<A, E>(address: string, all: boolean, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const taint = () => this.changed(address, all)
    return Effect.suspend(() => {
      taint()
      return Effect.ensuring(effect, Effect.sync(taint))
    })
  }

  /** The same for a change that is over. */
  changed(address: string, all: boolean): void {
    if (all) this.flights.taintAll(address)
    else for (const id of [address, `${address} lookup`]) this.flights.taint(id)
  }

  /** Loads and stores, as the only one in this process and, with a lease, among all. */
  #load<E>(
    request: ReadThroughRequest<E>,
    flight: Flight,
    lostBefore: boolean,
    background: boolean
  ): Effect.Effect<Loaded, E> {
    const { binding, key, load, refresh, timeout } = request
    const budget = budgetOf(timeout)
    return Effect.gen({ self: this }, function* () {
      let lost = lostBefore
      let holder: string | undefined
      const { lease } = binding.store
      if (!lost && !refresh) {
        if (lease === undefined) {
          const found = yield* this.#recheck(request)
          if (found === Lost) lost = true
          else if (found !== undefined) return { text: found, state: "hit" } as const
        } else {
          const turn = yield* this.#takeTurn(request, lease, background)
          if (turn.kind === "hit") return { text: turn.text, state: "hit" } as const
          if (turn.kind === "leave") return { state: "left" } as const
          lost = turn.kind === "lost"
          holder = turn.kind === "lease" ? turn.holder : undefined
        }
      }
      const release =
        lease === undefined || holder === undefined
          ? Effect.void
          : Effect.asVoid(binding.health.tolerate(lease.release(key, holder), budget))
      const text = yield* Effect.onError(this.#renewing(request, lease, holder, load), () => release)
      if (text === undefined || lost || flight.tainted || !(yield* this.#mayStore(request, text))) {
        yield* release
        return { text, state: "miss" } as const
      }
      const now = yield* Clock.currentTimeMillis
      const entry = new Entry({
        ...sealText(binding, key, text),
        ...readLifetime(request.lifetime, binding.config, now),
        revision: nextRevision(),
        createdAt: now,
        updatedAt: now,
        componentTag: request.componentTag,
        componentType: request.componentType,
        tags: request.tags
      })
      yield* binding.health.tolerate(binding.store.set(key, entry, { now, lease: holder }), budget)
      return { text, state: "miss" } as const
    })
  }

  /** Someone may have stored it between the lookup and the start of this load. */
  #recheck<E>(request: ReadThroughRequest<E>): Effect.Effect<Text | undefined | typeof Lost> {
    return Effect.gen({ self: this }, function* () {
      const found = yield* this.#lookup(request)
      if (found === Lost) return Lost
      const now = yield* Clock.currentTimeMillis
      if (found === undefined || !isLive(found, now)) return undefined
      return openEntry(request.binding, request.key, found)
    })
  }

  /** Takes the lease, or waits for what its holder loads. */
  #takeTurn<E>(
    request: ReadThroughRequest<E>,
    lease: CacheLease,
    background: boolean
  ): Effect.Effect<
    | { readonly kind: "lease"; readonly holder: string }
    | { readonly kind: "hit"; readonly text: Text }
    | { readonly kind: "alone" | "lost" | "leave" }
  > {
    const { binding, key, tags, timeout } = request
    const budget = budgetOf(timeout)
    const holder = nextRevision()
    const wait = timeout === undefined ? this.#leaseWait : Math.min(this.#leaseWait, timeout * waitShare)
    return Effect.gen({ self: this }, function* () {
      const until = (yield* Clock.currentTimeMillis) + wait
      for (let pause = firstPoll; ; pause = Math.min(lastPoll, pause * 2)) {
        const now = yield* Clock.currentTimeMillis
        const options = { ttl: this.#leaseTtl, now, tags }
        const taken = yield* binding.health.tolerate(lease.acquire(key, holder, options), budget)
        if (taken === Lost) return { kind: "lost" } as const
        const found = yield* this.#recheck(request)
        if (found !== undefined && found !== Lost) {
          if (taken) yield* binding.health.tolerate(lease.release(key, holder), budget)
          return { kind: "hit", text: found } as const
        }
        if (taken) return { kind: "lease", holder } as const
        if (found === Lost) return { kind: "lost" } as const
        if (background) return { kind: "leave" } as const
        if ((yield* Clock.currentTimeMillis) >= until) return { kind: "alone" } as const
        yield* Effect.sleep(pause * (0.5 + Math.random() / 2))
      }
    })
  }

  /** The load, its lease held on to for as long as it takes. */
  #renewing<E>(
    { binding, key }: ReadThroughRequest<E>,
    lease: CacheLease | undefined,
    holder: string | undefined,
    load: Effect.Effect<Text | undefined, E>
  ): Effect.Effect<Text | undefined, E> {
    if (lease === undefined || holder === undefined) return load
    const renew = Effect.sleep(this.#leaseTtl / 3).pipe(
      Effect.andThen(binding.health.tolerate(lease.renew(key, holder, this.#leaseTtl), standardBudget)),
      Effect.forever
    )
    return Effect.raceFirst(load, renew)
  }

  #mayStore<E>({ binding, key }: ReadThroughRequest<E>, { text }: Text): Effect.Effect<boolean> {
    if (fits(binding, text)) return Effect.succeed(true)
    return Effect.as(
      Effect.logDebug(
        `A value of ${byteLength(text)} bytes was not cached in '${binding.scope.cache}': its max_value_bytes is ${binding.config.max_value_bytes ?? defaultMaxValueBytes}.`,
        { key: key.slice(0, 64) }
      ),
      false
    )
  }
}

const isServable = (entry: Entry, now: number, grace: number): boolean =>
  entry.expiresAt !== null &&
  now < entry.expiresAt + grace * 1000 &&
  (entry.keptUntil === null || now < entry.keptUntil)

const budgetOf = (timeout: number | undefined): number =>
  timeout === undefined ? standardBudget : Math.max(1, Math.min(standardBudget, timeout * budgetShare))
