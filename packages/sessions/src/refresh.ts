import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { leeway } from "./accessToken.ts"
import { lifetimeEnd } from "./period.ts"
import { issueRefreshToken, type RefreshToken, readRefreshToken, sameDigest } from "./refreshToken.ts"
import { revokeSession } from "./revoke.ts"
import { defaults } from "./SessionConfig.ts"
import { SessionError } from "./SessionError.ts"
import {
  attempts,
  contended,
  openContent,
  type Place,
  placeOf,
  type Result,
  retention,
  type SessionCall,
  type SessionRuntime,
  withoutVersion
} from "./SessionRuntime.ts"
import type { SessionRecord } from "./SessionStore.ts"
import { accessTokenOf, type SessionTokens } from "./start.ts"

export interface RefreshInput extends SessionCall {
  readonly refreshToken: string
}

const refusal = (code: "REFRESH_INVALID" | "REFRESH_EXPIRED" | "REFRESH_REUSED" | "SESSION_REVOKED") =>
  new SessionError({
    code,
    message: {
      REFRESH_INVALID: "The refresh token is none of this session configuration and environment.",
      REFRESH_EXPIRED: "The refresh token has expired. Have the user sign in again.",
      REFRESH_REUSED:
        "The refresh token was used before; in case it was stolen, its session has been ended. Have the user sign in again.",
      SESSION_REVOKED: "The session was ended. Have the user sign in again."
    }[code]
  })

/** What a genuine token is to the session as it stands. */
type Standing = "current" | "predecessor" | "retired"

const standing = (record: SessionRecord, token: RefreshToken, reuseLeeway: number, now: number): Standing => {
  const { generation, digest, rotatedAt } = record.refresh
  if (token.generation === generation) {
    return token.sibling || sameDigest(token.digest, digest) ? "current" : "retired"
  }
  return token.generation === generation - 1 && reuseLeeway > 0 && now - rotatedAt <= reuseLeeway * 1_000
    ? "predecessor"
    : "retired"
}

/** Ends the session of a retired token: its thief and its owner cannot be told apart. */
const endReused = Effect.fnUntraced(function* (runtime: SessionRuntime, record: SessionRecord, now: number) {
  // Logged by the one that ended it, should many come at once.
  if (yield* revokeSession(runtime, record.id, record.scope, now)) {
    const { identifier } = yield* openContent(runtime, record)
    yield* Effect.logWarning("a retired refresh token was shown again; its session has been ended").pipe(
      Effect.annotateLogs({
        "ductape.session.id": record.id,
        "ductape.session.identifier": identifier,
        "ductape.session.scope": record.scope
      })
    )
  }
  return yield* Effect.fail(refusal("REFRESH_REUSED"))
})

/** The session with another access token of it, good until `exp` (Unix seconds). */
const withToken = (record: SessionRecord, kid: string, exp: number, until: number, now: number) => {
  const used = Object.entries(record.access).filter(([, end]) => end + leeway > now / 1_000)
  const access: SessionRecord["access"] = Object.fromEntries(used)
  const endAt = Math.max(until, ...[...Object.values(access), exp].map((at) => at * 1_000))
  return {
    ...withoutVersion(record),
    endAt,
    lastSeenAt: now,
    access: { ...access, [kid]: Math.max(exp, access[kid] ?? 0) },
    keepUntil: endAt + retention
  }
}

const fullLife = (record: SessionRecord, iat: number): number =>
  Math.min(lifetimeEnd(iat, record.lifetime), Math.floor(record.absoluteEnd / 1_000))

/** The next turn: a new token of both kinds, if no other writer is first. */
const rotate = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  record: SessionRecord,
  now: number
) {
  const key = yield* runtime.keys.newest(place)
  const { data } = yield* openContent(runtime, record)
  const iat = Math.floor(now / 1_000)
  const exp = fullLife(record, iat)
  const until = Math.min(now + record.refreshExpiry * 1_000, record.absoluteEnd)
  const generation = record.refresh.generation + 1
  const refresh = issueRefreshToken(runtime.registry.keyring, place.name, {
    sessionId: record.id,
    generation,
    sibling: false
  })
  // Signed before it is written: a failure here leaves the old token as it was.
  const token = yield* accessTokenOf(runtime, key, record, { iat, exp }, JSON.stringify(data))
  const written = yield* runtime.store.commit({
    session: {
      ...withToken(record, key.kid, exp, until, now),
      refresh: { generation, digest: refresh.digest, rotatedAt: now, until }
    },
    expect: record.version
  })
  return written ? tokensOf(record, token, refresh.token, exp) : undefined
})

/**
 * For one who comes with the token that the last turn retired: tokens of this same turn, so that the
 * family does not fork. Whichever of its tokens is used next retires all of them. While the access token
 * that the turn issued has half its life left, this one ends with it, and nothing need be written.
 */
const siblingOf = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  record: SessionRecord,
  now: number
) {
  const { data } = yield* openContent(runtime, record)
  const iat = Math.floor(now / 1_000)
  const [kid, issued] = Object.entries(record.access).reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0])
  const full = fullLife(record, iat)
  const known = (issued - iat) * 2 >= full - iat ? yield* runtime.keys.find(kid) : undefined
  const key = known ?? (yield* runtime.keys.newest(place))
  const exp = known === undefined ? full : Math.min(issued, full)
  const refresh = issueRefreshToken(runtime.registry.keyring, place.name, {
    sessionId: record.id,
    generation: record.refresh.generation,
    sibling: true
  })
  const token = yield* accessTokenOf(runtime, key, record, { iat, exp }, JSON.stringify(data))
  const written =
    known !== undefined ||
    (yield* runtime.store.commit({
      session: withToken(record, key.kid, exp, record.refresh.until, now),
      expect: record.version
    }))
  return written ? tokensOf(record, token, refresh.token, exp) : undefined
})

const tokensOf = (
  record: SessionRecord,
  token: string,
  refreshToken: string,
  exp: number
): SessionTokens => ({
  token,
  refreshToken,
  expiresAt: new Date(exp * 1_000),
  sessionId: record.id
})

export const refresh = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: RefreshInput
): Effect.fn.Return<SessionTokens, Effect.Error<Result<never>>> {
  const place = yield* placeOf(runtime, input)
  // Bound to workspace, product, env and tag by its MAC: what is not ours never reaches the store.
  const token = readRefreshToken(runtime.registry.keyring, place.name, input.refreshToken)
  if (token === undefined) return yield* Effect.fail(refusal("REFRESH_INVALID"))
  yield* Effect.annotateCurrentSpan({ "ductape.session.id": token.sessionId })
  for (let attempt = 0; attempt < attempts; attempt++) {
    const record = yield* runtime.store.get(token.sessionId)
    if (record === undefined || record.scope !== place.name) {
      return yield* Effect.fail(refusal("REFRESH_INVALID"))
    }
    if (record.revokedAt !== null) return yield* Effect.fail(refusal("SESSION_REVOKED"))
    const now = yield* Clock.currentTimeMillis
    const is = standing(record, token, place.config.reuse_leeway ?? defaults.reuse_leeway, now)
    if (is === "retired") return yield* endReused(runtime, record, now)
    if (now >= record.refresh.until) return yield* Effect.fail(refusal("REFRESH_EXPIRED"))
    const issue = is === "predecessor" ? siblingOf : rotate
    const tokens = yield* issue(runtime, place, record, now)
    if (tokens !== undefined) return tokens
  }
  return yield* Effect.fail(contended("refresh the session"))
})
