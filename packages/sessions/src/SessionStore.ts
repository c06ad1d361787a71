import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Lifetime } from "./period.ts"
import type { SessionError } from "./SessionError.ts"

/**
 * One session as it is kept. Nothing in it is a credential or readable user data: tokens are there
 * only as digests, identifier and data only sealed.
 */
export interface SessionRecord {
  /** A random UUID. */
  readonly id: string
  /** `<product>/<env>/<tag>`. */
  readonly scope: string
  readonly env: string
  /** Key of its {@link SessionUserRecord}. */
  readonly user: string
  readonly userId: string
  /** Times are Unix milliseconds, unless they say seconds. */
  readonly startAt: number
  /** After it, neither token of the session is accepted. Moves on with each refresh. */
  readonly endAt: number
  readonly lastSeenAt: number
  readonly revokedAt: number | null
  /** By signing key: until when (Unix seconds) access tokens signed under it may be valid. */
  readonly access: Readonly<Record<string, number>>
  /** As configured when it began. */
  readonly lifetime: Lifetime
  /** Seconds that a refresh token may lie unused. */
  readonly refreshExpiry: number
  /** No refresh, and no token from one, lives past it. */
  readonly absoluteEnd: number
  readonly refresh: {
    /** Which turn of the rotation the current refresh token is of, from 0. */
    readonly generation: number
    /** SHA-256 of the current secret, base64url. */
    readonly digest: string
    /** When the current generation began, which is when the last one retired. */
    readonly rotatedAt: number
    readonly until: number
  }
  /** Identifier and data. */
  readonly sealed: string
  /** From then on a store may drop the record. */
  readonly keepUntil: number
  /** Set by the store: grows with every write of the record. */
  readonly version: number
}

/** A user of one session configuration in one environment. */
export interface SessionUserRecord {
  /** A keyed digest of product, tag, env and identifier. */
  readonly key: string
  readonly scope: string
  readonly env: string
  readonly id: string
  readonly userId: string
  readonly firstSeen: number
  readonly lastSeen: number
  /** The identifier. */
  readonly sealed: string
}

export interface SessionCommit {
  readonly session: Omit<SessionRecord, "version">
  /** `absent`: the session must be new; a number: it must have that version. */
  readonly expect: "absent" | number
  readonly user?:
    | {
        readonly record: SessionUserRecord
        /** `absent`: the user must be new; `any`: replaces what is there. */
        readonly expect: "absent" | "any"
      }
    | undefined
}

export interface SessionQuery {
  readonly scope: string
  /** Only those of that user. */
  readonly user?: string | undefined
  /** Ids greater than this one, in code point order. */
  readonly after?: string | undefined
  readonly limit: number
}

/**
 * Where sessions are kept. Six methods over two tables, so that Redis (a hash per session, a set per
 * scope and per user, `commit` as one script) or an SQL database can fill it. The conformance suite is
 * in `@ductape/sessions/testing`.
 *
 * What every store must hold to:
 * - `commit` is one atomic step: both records or neither, and the expectations are checked in the
 *   same step. Refresh rotation and revocation rest on nothing else.
 * - A commit that succeeded is seen by every later `get`, in every process.
 * - Failures are `SESSION_STORE_FAILED`; `retryable` when the same call may succeed later.
 */
export interface SessionStoreShape {
  /** `registry`, `redis`, … */
  readonly name: string
  readonly get: (id: string) => Effect.Effect<SessionRecord | undefined, SessionError>
  readonly getUser: (key: string) => Effect.Effect<SessionUserRecord | undefined, SessionError>
  /** `false`: an expectation does not hold, and nothing was written. */
  readonly commit: (commit: SessionCommit) => Effect.Effect<boolean, SessionError>
  /** In order of id, by code point. */
  readonly list: (query: SessionQuery) => Effect.Effect<ReadonlyArray<SessionRecord>, SessionError>
  /** In order of key, by code point. */
  readonly listUsers: (
    query: Omit<SessionQuery, "user">
  ) => Effect.Effect<ReadonlyArray<SessionUserRecord>, SessionError>
  /** Drops sessions whose `keepUntil` is at or before `now`. */
  readonly purge: (now: number) => Effect.Effect<void, SessionError>
  /** For stores that answer without waiting: lets `verify` do so too. */
  readonly sync?:
    | {
        /** A number that differs from before whenever any session may have changed, in any process. */
        readonly changes: () => number
        /** The session's version now; `undefined` if there is none. */
        readonly version: (id: string) => number | undefined
      }
    | undefined
}

export class SessionStore extends Context.Service<SessionStore, SessionStoreShape>()(
  "@ductape/sessions/SessionStore"
) {}
