import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ResolvedContext, SessionInput } from "./CallContext.ts"
import type { DuctapeError } from "./DuctapeError.ts"

/**
 * What the `session` of a call fails with, for capabilities that do not import the one of sessions: these
 * services are typed with the base class, and who asks them casts to this.
 */
export type SessionCallError = DuctapeError<
  "SESSION_INVALID" | "SESSION_CONFIG_NOT_FOUND" | "SESSION_STORE_FAILED" | "VALIDATION_ERROR"
> & { readonly _tag: "SessionError" }

/** What the `cache` of a call fails with; see {@link SessionCallError}. */
export type CacheCallError = DuctapeError<
  "CACHE_NOT_FOUND" | "UNSUPPORTED_OPERATION" | "VALIDATION_ERROR"
> & {
  readonly _tag: "CacheError"
}

/** A session that was verified for this call. */
export interface VerifiedSession {
  readonly tag: string
  readonly sessionId: string
  readonly identifier: string
  /** What `$Session{…}` reads. */
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * Verifies the `session` of a call. Provided by `@ductape/sessions`; `undefined` while no such
 * layer is there, and a call with `session` then fails with `UNSUPPORTED_OPERATION`.
 */
export const SessionVerifier = Context.Reference<
  | {
      readonly verify: (
        session: SessionInput,
        context: ResolvedContext
      ) => Effect.Effect<VerifiedSession, DuctapeError>
    }
  | undefined
>("@ductape/core/SessionVerifier", { defaultValue: () => undefined })

/** One cacheable call, already resolved: its key is made from everything that can change its result. */
export interface CachedCall {
  readonly context: ResolvedContext
  /** Tag of the cache. */
  readonly cache: string
  /** `action`, `database`, `graph`, `vector`, … */
  readonly componentType: string
  readonly componentTag: string
  /**
   * What tells this call from others (cache.md §5, items 1 to 4), as JSON values; credentials may
   * be in it, since only a keyed hash of it is kept.
   */
  readonly identity: unknown
  /** What is left of the call's deadline in milliseconds: the cache uses up a part of it at most. */
  readonly timeout?: number | undefined
}

/**
 * Reads a call's result from a cache, or loads and stores it. Provided by `@ductape/cache`;
 * `undefined` while no such layer is there, and a call with `cache` then fails with
 * `UNSUPPORTED_OPERATION`.
 */
export const CallCache = Context.Reference<
  | {
      /**
       * `value` must survive JSON, or be a `Uint8Array`. A failing cache never fails the call;
       * a failing `load` fails with its own error and stores nothing.
       */
      readonly through: <A, E, R>(
        call: CachedCall,
        load: Effect.Effect<A, E, R>
      ) => Effect.Effect<{ readonly value: A; readonly cached: boolean }, E | DuctapeError, R>
      /** Fails with `CACHE_NOT_FOUND` before anything else is done. */
      readonly check: (context: ResolvedContext, cache: string) => Effect.Effect<void, DuctapeError>
    }
  | undefined
>("@ductape/core/CallCache", { defaultValue: () => undefined })
