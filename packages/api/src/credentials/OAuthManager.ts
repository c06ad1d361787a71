import { AsyncLocalStorage } from "node:async_hooks"
import { randomUUID } from "node:crypto"
import type { ResolvedContext } from "@ductape/core"
import { escapeTemplate } from "@ductape/core"
import type { RegistryShape } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ActionError } from "../ActionError.ts"
import type { RunFailure } from "../RunFailure.ts"
import { isPlainObject } from "../request/plainObject.ts"
import type { FlatCredentials } from "./CredentialBook.ts"
import { withLease } from "./Lease.ts"
import { expiryOf, type OAuthConfig, type OAuthTokens, refreshedTokens, secretKeyOf } from "./OAuthConfig.ts"
import { type OAuthOwner, type OAuthRecord, OAuthStore, ownerKey } from "./OAuthStore.ts"

/** Keys of the apps whose tokens are being refreshed in this async context. */
const refreshing = new AsyncLocalStorage<ReadonlySet<string>>()

/** To be asked synchronously in a call, while its caller's async context is the current one. */
export const appsBeingRefreshed = (): ReadonlySet<string> | undefined => refreshing.getStore()

/** `onExpiry` may take this long, in milliseconds. */
const refreshLimit = 60_000

interface State {
  readonly tokens: OAuthTokens
  readonly record: OAuthRecord
}

/** The tokens of one (product, env, app) in this process. Values are private: nothing prints them. */
export class OAuthEntry {
  readonly owner: OAuthOwner
  readonly key: string
  readonly config: OAuthConfig
  readonly fingerprint: string
  #state: State
  #unsaved: State | undefined
  flight: Deferred.Deferred<void, RunFailure> | undefined

  constructor(owner: OAuthOwner, config: OAuthConfig, state: State) {
    this.owner = owner
    this.key = ownerKey(owner)
    this.config = config
    this.fingerprint = state.record.fingerprint
    this.#state = state
  }

  get generation(): number {
    return this.#state.record.generation
  }

  get record(): OAuthRecord {
    return this.#state.record
  }

  tokens(): OAuthTokens {
    return this.#state.tokens
  }

  take(state: State): void {
    this.#state = state
    this.#unsaved = undefined
  }

  /** New tokens that could not be kept yet: the provider gave them once and may not again. */
  unsaved(): State | undefined {
    return this.#unsaved
  }

  hold(state: State): void {
    this.#unsaved = state
  }

  isExpired(now: number): boolean {
    return now >= this.#state.record.expiresAt
  }

  isDue(now: number): boolean {
    const { expiresAt, obtainedAt } = this.#state.record
    const half = Math.max(0, (expiresAt - obtainedAt) / 2)
    return now >= expiresAt - Math.min(this.config.refreshBuffer ?? 60_000, half)
  }

  /** Flat credentials of the current tokens; templates in them resolve, what is in a token does not. */
  credentials(): FlatCredentials {
    const { tokens } = this.#state
    const flat = this.#flat(tokens)
    const dangerous = Object.values(tokens)
      .filter((token) => token.includes("$"))
      .sort((a, b) => b.length - a.length)
    return dangerous.length === 0 ? flat : (inert(flat, dangerous) as FlatCredentials)
  }

  #flat(tokens: OAuthTokens): FlatCredentials {
    let flat: unknown
    let cause: unknown
    try {
      flat = this.config.credentials({ ...tokens })
    } catch (thrown) {
      cause = thrown
    }
    if (isPlainObject(flat)) return flat
    throw new ActionError({
      code: "VALIDATION_ERROR",
      message: `api.oauth({ credentials }) of app '${this.owner.app}' must return an object such as { 'headers:Authorization': … }.`,
      app: this.owner.app,
      ...(cause === undefined ? {} : { cause })
    })
  }
}

const inert = (value: unknown, tokens: ReadonlyArray<string>): unknown => {
  if (typeof value === "string") {
    return tokens.reduce((text, token) => text.replaceAll(token, () => escapeTemplate(token)), value)
  }
  if (Array.isArray(value)) return value.map((item: unknown) => inert(item, tokens))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inert(member, tokens)]))
}

/** Keeps OAuth tokens fresh: one refresh at a time, in this process and among those sharing the store. */
export class OAuthManager {
  readonly #registry: RegistryShape
  readonly #scope: Scope.Scope
  readonly #store: OAuthStore
  readonly #holder = randomUUID()
  readonly #entries = new Map<string, OAuthEntry>()

  constructor(registry: RegistryShape, scope: Scope.Scope) {
    this.#registry = registry
    this.#scope = scope
    this.#store = new OAuthStore(registry)
  }

  /** The entry of the first of `names` that has one. */
  find(context: ResolvedContext, names: ReadonlyArray<string>): OAuthEntry | undefined {
    if (this.#entries.size === 0) return undefined
    for (const app of names) {
      const entry = this.#entries.get(ownerKey({ context, app }))
      if (entry !== undefined) return entry
    }
    return undefined
  }

  /** Starts keeping tokens of a configuration that was checked; see {@link OAuthConfig}. */
  setup(config: OAuthConfig, context: ResolvedContext): Effect.Effect<void, RunFailure> {
    const owner: OAuthOwner = { context, app: config.app }
    const store = this.#store
    const adopt = (record: OAuthRecord) =>
      Effect.map(store.tokens(owner, record.keys), (tokens) => ({ tokens, record }))
    const start = Effect.gen(function* () {
      const fingerprint = store.fingerprint(config.tokens)
      const known = yield* store.read(owner)
      if (known?.fingerprint === fingerprint) return yield* adopt(known)
      const given = Object.fromEntries(
        Object.entries(config.tokens).flatMap(([name, value]) => {
          const key = secretKeyOf(value)
          return key === undefined ? [] : [[name, key]]
        })
      )
      const keys = store.keysFor(owner, Object.keys(config.tokens), given)
      const referred = yield* store.tokens(owner, given)
      const now = yield* Clock.currentTimeMillis
      const record: OAuthRecord = {
        fingerprint,
        keys,
        expiresAt: expiryOf(config, now),
        obtainedAt: now,
        generation: (known?.generation ?? 0) + 1
      }
      const plain = Object.fromEntries(
        Object.entries(config.tokens).filter(([name]) => given[name] === undefined)
      )
      yield* store.write(owner, plain, record)
      return { tokens: { ...plain, ...referred }, record }
    })
    return Effect.map(
      withLease(
        this.#registry,
        this.#leaseOf(ownerKey(owner)),
        this.#holder,
        Effect.succeed<State | undefined>(undefined),
        start
      ),
      (state) => {
        const entry = new OAuthEntry(owner, config, state)
        this.#entries.set(entry.key, entry)
      }
    )
  }

  /** Makes sure that the tokens are good for use now. */
  freshen(entry: OAuthEntry): Effect.Effect<void, RunFailure> {
    return Clock.clockWith((clock) =>
      entry.isDue(clock.currentTimeMillisUnsafe())
        ? Effect.catch(this.#refresh(entry), (error) =>
            entry.isExpired(clock.currentTimeMillisUnsafe())
              ? Effect.fail(error)
              : Effect.logWarning(
                  `The OAuth token of app '${entry.owner.app}' could not be refreshed; the current one is used until it expires.`,
                  { code: error.code, app: entry.owner.app }
                )
          )
        : Effect.void
    )
  }

  /** After a 401: new tokens, unless others than those of `generation` are there already. */
  renew(entry: OAuthEntry, generation: number): Effect.Effect<void, RunFailure> {
    return Effect.suspend(() => (entry.generation === generation ? this.#refresh(entry) : Effect.void))
  }

  /** Joins the refresh under way, or starts it apart from the caller, whose end must not end it. */
  #refresh(entry: OAuthEntry): Effect.Effect<void, RunFailure> {
    return Effect.uninterruptibleMask((restore) => {
      const known = entry.flight
      if (known !== undefined) return restore(Deferred.await(known))
      const flight = Deferred.makeUnsafe<void, RunFailure>()
      entry.flight = flight
      const work = restore(this.#refreshUnderLease(entry)).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            entry.flight = undefined
            Deferred.doneUnsafe(flight, exit)
          })
        )
      )
      return Effect.andThen(Effect.forkIn(work, this.#scope), restore(Deferred.await(flight)))
    })
  }

  #refreshUnderLease(entry: OAuthEntry): Effect.Effect<void, RunFailure> {
    const store = this.#store
    const used = entry.generation
    /** Takes what another process has made of the tokens meanwhile; whether that will do. */
    const adopt = Effect.gen(function* () {
      const record = yield* store.read(entry.owner)
      if (record === undefined || record.generation === used) return false
      if (record.fingerprint !== entry.fingerprint) return false
      entry.take({ record, tokens: yield* store.tokens(entry.owner, record.keys) })
      return !entry.isDue(yield* Clock.currentTimeMillis)
    })
    const done = Effect.map(adopt, (enough) => (enough ? true : undefined))
    const renewed = Effect.gen(function* () {
      if (yield* adopt) return true
      const next = entry.unsaved() ?? (yield* obtain(entry, store))
      entry.hold(next)
      yield* store.write(entry.owner, next.tokens, next.record)
      entry.take(next)
      return true
    })
    return Effect.asVoid(
      withLease(this.#registry, this.#leaseOf(entry.key), this.#holder, done, renewed).pipe(
        Effect.mapError((error) => refreshFailed(entry, error))
      )
    )
  }

  #leaseOf(key: string): string {
    return `oauth:${key}`
  }
}

const refreshFailed = (entry: OAuthEntry, cause: unknown): ActionError =>
  cause instanceof ActionError && cause.code === "OAUTH_REFRESH_FAILED"
    ? cause
    : new ActionError({
        code: "OAUTH_REFRESH_FAILED",
        message: `The OAuth token of app '${entry.owner.app}' could not be refreshed. The next run tries again.`,
        app: entry.owner.app,
        cause
      })

/** Asks `onExpiry` for new tokens. */
const obtain = Effect.fnUntraced(function* (
  entry: OAuthEntry,
  store: OAuthStore
): Effect.fn.Return<State, RunFailure> {
  const { config, owner, record } = entry
  const result = yield* Effect.tryPromise({
    try: () => {
      const apps = new Set([...(refreshing.getStore() ?? []), entry.key])
      return refreshing.run(apps, async () => await config.onExpiry({ ...entry.tokens() }))
    },
    catch: (cause) => refreshFailed(entry, cause)
  }).pipe(
    Effect.timeoutOrElse({
      duration: refreshLimit,
      orElse: () => Effect.fail(refreshFailed(entry, new Error(`onExpiry took over ${refreshLimit} ms`)))
    })
  )
  const tokens = refreshedTokens(result)
  if (typeof tokens === "string") {
    return yield* Effect.fail(refreshFailed(entry, new Error(`onExpiry: ${tokens}`)))
  }
  const all = { ...entry.tokens(), ...tokens }
  const now = yield* Clock.currentTimeMillis
  return {
    tokens: all,
    record: {
      ...record,
      keys: store.keysFor(owner, Object.keys(all), record.keys),
      expiresAt: expiryOf(result, now),
      obtainedAt: now,
      generation: record.generation + 1
    }
  }
})
