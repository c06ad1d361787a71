import { type ContextDefaults, SessionVerifier, type VerifiedSession } from "@ductape/core"
import { Registry, type RegistryShape } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createConfig, deleteConfig, fetchConfig, listConfigs, updateConfig } from "./configs.ts"
import { fetchDashboard, type SessionDashboard } from "./dashboard.ts"
import * as listing from "./listing.ts"
import { RegistrySessionStore } from "./RegistrySessionStore.ts"
import { type RefreshInput, refresh } from "./refresh.ts"
import { type RevokeAllInput, type Revoked, type RevokeInput, revoke, revokeAll } from "./revoke.ts"
import { type RotateKeysInput, rotateKeys, type SessionKeyInfo } from "./rotateKeys.ts"
import type { SessionConfig, StoredSessionConfig } from "./SessionConfig.ts"
import { invalid, SessionError } from "./SessionError.ts"
import { makeSessionKeys } from "./SessionKeys.ts"
import type { Result, SessionCall, SessionRuntime } from "./SessionRuntime.ts"
import { SessionStore, type SessionStoreShape } from "./SessionStore.ts"
import type { SessionData } from "./sessionData.ts"
import { type SessionTokens, type StartFailure, type StartInput, start } from "./start.ts"
import { VerifiedTokens } from "./VerifiedTokens.ts"
import {
  decrypt,
  peek,
  resultOf,
  type VerifyInput,
  type VerifyResult,
  verification,
  verifyForCall
} from "./verify.ts"

export interface SessionsOptions extends ContextDefaults {
  /** How many verified tokens are remembered, so that they need no cryptography again; default 10000, 0 for none. */
  readonly verifiedTokens?: number | undefined
}

/** Sessions of the workspace's products. Every method takes `product` and `env` where the defaults do not do. */
export interface SessionsShape {
  /**
   * Makes a configuration. Fails with `SESSION_CONFIG_EXISTS`, `SELECTOR_INVALID`, `VALIDATION_ERROR`.
   *
   * With `data` and no `schema` it is an old spelling of `start`.
   */
  readonly create: {
    (config: SessionConfig): Result<StoredSessionConfig>
    (product: string, config: SessionConfig): Result<StoredSessionConfig>
    /** @deprecated use `start` */
    (input: StartInput): Effect.Effect<SessionTokens, StartFailure>
  }
  readonly list: (product?: string) => Result<ReadonlyArray<StoredSessionConfig>>
  /** The same as `list`. */
  readonly fetchAll: (product?: string) => Result<ReadonlyArray<StoredSessionConfig>>
  /** Fails with `SESSION_CONFIG_NOT_FOUND`. */
  readonly fetch: {
    (tag: string): Result<StoredSessionConfig>
    (product: string, tag: string): Result<StoredSessionConfig>
  }
  /** Sessions under way keep the lifetime and the identifier that they began with. */
  readonly update: {
    (tag: string, patch: Partial<SessionConfig>): Result<StoredSessionConfig>
    (product: string, tag: string, patch: Partial<SessionConfig>): Result<StoredSessionConfig>
  }
  /** Also ends all its sessions. `false`: there was none. */
  readonly delete: {
    (tag: string): Result<boolean>
    (product: string, tag: string): Result<boolean>
  }
  /** Begins a session. Fails with `SESSION_DATA_INVALID`, `SESSION_CONFIG_NOT_FOUND`. */
  readonly start: (input: StartInput) => Effect.Effect<SessionTokens, StartFailure>
  /** Answers for any token; fails only when configuration, environment or store do. */
  readonly verify: (input: VerifyInput) => Result<VerifyResult>
  /**
   * The answer of `verify` where it takes no waiting: a token verified before, in a store that answers
   * at once, of a session unchanged since. `undefined`: ask `verify`. Takes a few microseconds, and is no span.
   */
  readonly verifyNow: (input: VerifyInput) => VerifyResult | undefined
  /** The data of a session; fails with `SESSION_INVALID` where `verify` says no. */
  readonly decrypt: (input: VerifyInput) => Result<SessionData>
  /** New tokens for old. Fails with `REFRESH_INVALID`, `REFRESH_EXPIRED`, `REFRESH_REUSED`, `SESSION_REVOKED`. */
  readonly refresh: (input: RefreshInput) => Result<SessionTokens>
  readonly revoke: (input: RevokeInput) => Result<Revoked>
  readonly revokeAll: (input: RevokeAllInput) => Result<Revoked>
  /** Latest start first. Reads every session of the configuration, or of the user. */
  readonly listActive: (
    input: listing.ListActiveInput
  ) => Result<listing.Page & { readonly sessions: ReadonlyArray<listing.SessionInfo> }>
  /** Never the data. Fails with `SESSION_NOT_FOUND`, and for a token that is refused `SESSION_INVALID`. */
  readonly getInfo: (input: listing.GetInfoInput) => Result<listing.SessionInfo>
  /** Latest seen first. */
  readonly fetchUsers: (
    input: listing.FetchUsersInput
  ) => Result<listing.Page & { readonly users: ReadonlyArray<listing.SessionUser> }>
  /** The same as `fetchUsers`. */
  readonly users: (
    input: listing.FetchUsersInput
  ) => Result<listing.Page & { readonly users: ReadonlyArray<listing.SessionUser> }>
  /** Fails with `SESSION_USER_NOT_FOUND`. */
  readonly fetchUserDetails: (input: listing.FetchUserDetailsInput) => Result<listing.SessionUserDetails>
  readonly fetchDashboard: (input: SessionCall) => Result<SessionDashboard>
  /** A new key signs from now on; older ones verify until their last token expires. */
  readonly rotateKeys: (input: RotateKeysInput) => Result<{ readonly keys: ReadonlyArray<SessionKeyInfo> }>
  /** The session of a call of another capability; fails with `SESSION_INVALID`. */
  readonly verifySession: (
    session: unknown,
    context: { readonly product: string; readonly env: string }
  ) => Result<VerifiedSession>
}

/** Never ends, but fails once the signal is aborted. */
const untilAborted = (method: string, signal: AbortSignal): Effect.Effect<never, SessionError> =>
  Effect.callback((resume) => {
    const abort = () =>
      resume(
        Effect.fail(
          new SessionError({ code: "ABORTED", message: `sessions.${method} was aborted by its signal.` })
        )
      )
    if (signal.aborted) abort()
    else signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

const tooSlow = (method: string, timeout: number) =>
  Effect.fail(
    new SessionError({
      code: "TIMEOUT",
      message: `sessions.${method} took longer than its timeout of ${timeout} ms.`
    })
  )

/** A span around the call, its deadline and its signal. */
const traced =
  <Input extends Pick<SessionCall, "timeout" | "signal">, A, E, R>(
    method: string,
    run: (input: Input) => Effect.Effect<A, E, R>
  ) =>
  (input: Input): Effect.Effect<A, E | SessionError, R> => {
    const { signal, timeout } = input
    if (timeout !== undefined && !(Number.isFinite(timeout) && timeout > 0)) {
      return Effect.fail(invalid("timeout", "range", "must be a positive number of milliseconds"))
    }
    let call: Effect.Effect<A, E | SessionError, R> = run(input)
    if (timeout !== undefined) {
      call = Effect.timeoutOrElse(call, { duration: timeout, orElse: () => tooSlow(method, timeout) })
    }
    if (signal !== undefined) call = Effect.raceFirst(untilAborted(method, signal), call)
    return Effect.withSpan(call, `Sessions.${method}`, { captureStackTrace: false })
  }

const span =
  (method: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.withSpan(effect, `Sessions.${method}`, { captureStackTrace: false })

const shapeOf = (runtime: SessionRuntime, clock: Clock.Clock): SessionsShape => {
  const of =
    <Input, A, E, R>(run: (runtime: SessionRuntime, input: Input) => Effect.Effect<A, E, R>) =>
    (input: Input) =>
      run(runtime, input)
  const begin = traced("start", of(start))
  const list: SessionsShape["list"] = (product) => listConfigs(runtime, product).pipe(span("list"))
  const users = traced("fetchUsers", of(listing.fetchUsers))
  const slowly = traced("verify", (input: VerifyInput) =>
    verification(runtime, input).pipe(Effect.map(resultOf))
  )
  // Overloads by the number of arguments: an owner in front, or not.
  const create = (...given: ReadonlyArray<unknown>) => {
    const [product, input] = given.length > 1 ? given : [undefined, given[0]]
    const isStart = typeof input === "object" && input !== null && "data" in input && !("schema" in input)
    return isStart
      ? begin(
          product === undefined
            ? (input as StartInput)
            : { ...(input as StartInput), product: product as string }
        )
      : createConfig(runtime, product as string | undefined, input as SessionConfig).pipe(span("create"))
  }
  return {
    create: create as SessionsShape["create"],
    list,
    fetchAll: list,
    fetch: (first: string, second?: string) =>
      fetchConfig(runtime, second === undefined ? undefined : first, second ?? first).pipe(span("fetch")),
    update: (...given: ReadonlyArray<unknown>) => {
      const [product, tag, patch] = given.length > 2 ? given : [undefined, ...given]
      return updateConfig(
        runtime,
        product as string | undefined,
        tag as string,
        patch as Partial<SessionConfig>
      ).pipe(span("update"))
    },
    delete: (first: string, second?: string) =>
      deleteConfig(runtime, second === undefined ? undefined : first, second ?? first).pipe(span("delete")),
    start: begin,
    verify: (input) =>
      Effect.clockWith((clock) => {
        const hit = peek(runtime, input, clock.currentTimeMillisUnsafe())
        return hit === undefined
          ? slowly(input)
          : Effect.succeed(resultOf({ token: hit })).pipe(span("verify"))
      }),
    verifyNow: (input) => {
      const token = peek(runtime, input, clock.currentTimeMillisUnsafe())
      return token === undefined ? undefined : resultOf({ token })
    },
    decrypt: traced("decrypt", of(decrypt)),
    refresh: traced("refresh", of(refresh)),
    revoke: traced("revoke", of(revoke)),
    revokeAll: traced("revokeAll", of(revokeAll)),
    listActive: traced("listActive", of(listing.listActive)),
    getInfo: traced("getInfo", of(listing.getInfo)),
    fetchUsers: users,
    users,
    fetchUserDetails: traced("fetchUserDetails", of(listing.fetchUserDetails)),
    fetchDashboard: traced("fetchDashboard", of(fetchDashboard)),
    rotateKeys: traced("rotateKeys", of(rotateKeys)),
    verifySession: (session, context) => verifyForCall(runtime, session, context).pipe(span("verifySession"))
  }
}

/** The service over an opened workspace and a store. Pending writes of `last_seen` end with the scope. */
export const makeSessions = Effect.fnUntraced(function* (
  registry: RegistryShape,
  store: SessionStoreShape,
  options: SessionsOptions = {}
): Effect.fn.Return<SessionsShape, never, Scope.Scope> {
  // Loaded when sessions are opened, which keeps it out of the import of this package.
  const FiberSet = yield* Effect.promise(() => import("effect/FiberSet"))
  const pending = yield* FiberSet.make()
  // Runs before the set is interrupted: what was seen is written, if the store answers.
  yield* Effect.addFinalizer(() =>
    FiberSet.awaitEmpty(pending).pipe(Effect.timeout("1 second"), Effect.ignore)
  )
  const fork = yield* FiberSet.runtime(pending)<never>()
  const runtime: SessionRuntime = {
    registry,
    store,
    keys: makeSessionKeys(registry),
    verified: new VerifiedTokens(options.verifiedTokens ?? 10_000),
    configs: registry.resources<SessionConfig>({ kind: "session-config", sealed: false }),
    defaults: options,
    inBackground: (effect) => {
      // A new fiber would begin within the call that forks it.
      fork(
        Effect.yieldNow.pipe(
          Effect.andThen(effect),
          Effect.catchCause((cause) => Effect.logDebug("session bookkeeping failed", cause))
        )
      )
    }
  }
  return shapeOf(runtime, yield* Clock.Clock)
})

/**
 * JWT sessions with refresh rotation, reuse detection and revocation.
 *
 * @example
 * const sessions = yield* Sessions
 * const { token, refreshToken } = yield* sessions.start({ tag: "web", data: { userId: "42" } })
 * const { valid, data } = yield* sessions.verify({ tag: "web", token })
 */
export class Sessions extends Context.Service<Sessions, SessionsShape>()("@ductape/sessions/Sessions") {
  /** Over any {@link SessionStore}. */
  static readonly layerWithStore = (
    options: SessionsOptions = {}
  ): Layer.Layer<Sessions, never, Registry | SessionStore> =>
    Layer.effect(
      Sessions,
      Effect.gen(function* () {
        return yield* makeSessions(yield* Registry, yield* SessionStore, options)
      })
    )

  /** With the sessions in the workspace's own store. */
  static readonly layer = (options: SessionsOptions = {}): Layer.Layer<Sessions, never, Registry> =>
    Sessions.layerWithStore(options).pipe(Layer.provide(RegistrySessionStore.layer))

  /** What lets `api.run`, databases and caches take `session`. */
  static readonly verifierLayer: Layer.Layer<never, never, Sessions> = Layer.effect(
    SessionVerifier,
    Sessions.use((sessions) => Effect.succeed({ verify: sessions.verifySession }))
  )
}
