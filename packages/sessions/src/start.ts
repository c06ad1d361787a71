import { randomUUID } from "node:crypto"
import { type CacheCallError, CallCache } from "@ductape/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { issuer, issueToken } from "./accessToken.ts"
import { type Lifetime, lifetimeEnd } from "./period.ts"
import { issueRefreshToken } from "./refreshToken.ts"
import { defaults, longestSeconds } from "./SessionConfig.ts"
import { invalid, SessionError } from "./SessionError.ts"
import type { SessionKey } from "./SessionKeys.ts"
import {
  attempts,
  checked,
  contended,
  type Place,
  placeOf,
  retention,
  type SessionCall,
  type SessionFailure,
  type SessionRuntime,
  sealContent,
  sealIdentifier,
  userKey
} from "./SessionRuntime.ts"
import type { SessionCommit, SessionRecord } from "./SessionStore.ts"
import { checkData, type SessionData } from "./sessionData.ts"

export interface StartInput extends SessionCall {
  /** What the session holds: a JSON object of at most 4 KiB, with the user where the selector leads. */
  readonly data: SessionData
  /** Seconds that the access token lives, instead of the configured lifetime. */
  readonly expiresIn?: number | undefined
  /** Must equal what the selector finds in `data`. */
  readonly identifier?: string | number | boolean | undefined
  /** Tag of a cache: an equal start within its lifetime gives the same tokens, while they are good. */
  readonly cache?: string | undefined
}

export interface SessionTokens {
  /** `tag:jwt`. */
  readonly token: string
  readonly refreshToken: string
  /** When `token` expires. */
  readonly expiresAt: Date
  readonly sessionId: string
}

/** Signs an access token of a session. */
export const accessTokenOf = (
  runtime: SessionRuntime,
  key: SessionKey,
  session: { readonly id: string; readonly userId: string },
  times: { readonly iat: number; readonly exp: number },
  data: string
): Effect.Effect<string> =>
  Effect.promise(() =>
    issueToken(
      key,
      {
        iss: issuer(runtime.registry.workspace.id),
        sub: session.userId,
        sid: session.id,
        iat: times.iat,
        nbf: times.iat,
        exp: times.exp
      },
      data
    )
  ).pipe(Effect.map((jwt) => `${key.tag}:${jwt}`))

interface Ready {
  readonly data: SessionData
  readonly text: string
  readonly identifier: string
  readonly lifetime: Lifetime
}

/** The user's record, to be made or touched together with the session. */
const userOf = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  identifier: string,
  now: number
) {
  const key = userKey(runtime, place, identifier)
  const known = yield* runtime.store.getUser(key)
  const commit: SessionCommit["user"] =
    known === undefined
      ? {
          record: {
            key,
            scope: place.name,
            env: place.env,
            id: randomUUID(),
            userId: randomUUID(),
            firstSeen: now,
            lastSeen: now,
            sealed: sealIdentifier(runtime, key, identifier)
          },
          expect: "absent"
        }
      : { record: { ...known, lastSeen: Math.max(now, known.lastSeen) }, expect: "any" }
  return commit
})

const purgeInterval = 3_600_000
const purgedAt = new WeakMap<SessionRuntime, number>()

/** Sessions that ended long ago are dropped beside a start, at most once an hour. */
const purgeSometimes = (runtime: SessionRuntime, now: number): void => {
  if (now - (purgedAt.get(runtime) ?? Number.NEGATIVE_INFINITY) < purgeInterval) return
  purgedAt.set(runtime, now)
  runtime.inBackground(runtime.store.purge(now))
}

const begin = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  { data, text, identifier, lifetime }: Ready
): Effect.fn.Return<SessionTokens, SessionError> {
  const { config } = place
  for (let attempt = 0; attempt < attempts; attempt++) {
    const now = yield* Clock.currentTimeMillis
    const key = yield* runtime.keys.newest(place)
    const user = yield* userOf(runtime, place, identifier, now)
    const iat = Math.floor(now / 1_000)
    const exp = lifetimeEnd(iat, lifetime)
    const id = randomUUID()
    const refreshExpiry = config.refresh_expiry ?? defaults.refresh_expiry
    // A first token that was asked to live longer than sessions do, does.
    const absoluteEnd = Math.max(
      now + (config.absolute_expiry ?? defaults.absolute_expiry) * 1_000,
      exp * 1_000
    )
    const until = Math.min(now + refreshExpiry * 1_000, absoluteEnd)
    const endAt = Math.max(until, exp * 1_000)
    const refresh = issueRefreshToken(runtime.registry.keyring, place.name, {
      sessionId: id,
      generation: 0,
      sibling: false
    })
    const session: Omit<SessionRecord, "version"> = {
      id,
      scope: place.name,
      env: place.env,
      user: user.record.key,
      userId: user.record.userId,
      startAt: now,
      endAt,
      lastSeenAt: now,
      revokedAt: null,
      access: { [key.kid]: exp },
      lifetime,
      refreshExpiry,
      absoluteEnd,
      refresh: { generation: 0, digest: refresh.digest, rotatedAt: now, until },
      sealed: sealContent(runtime, id, { identifier, data }),
      keepUntil: endAt + retention
    }
    const token = yield* accessTokenOf(runtime, key, session, { iat, exp }, text)
    if (yield* runtime.store.commit({ session, expect: "absent", user })) {
      yield* Effect.annotateCurrentSpan({ "ductape.session.id": id })
      purgeSometimes(runtime, now)
      return { token, refreshToken: refresh.token, expiresAt: new Date(exp * 1_000), sessionId: id }
    }
    // The user was made by another start in between.
  }
  return yield* Effect.fail(contended("start the session"))
})

const cachedTokens = "session-start-cache"

/** Kept tokens that are still as good as new: the session lives and its refresh token was not used. */
const reusable = Effect.fnUntraced(function* (runtime: SessionRuntime, place: Place, sealed: string) {
  const kept = yield* Effect.try({
    try: () =>
      JSON.parse(
        Buffer.from(runtime.registry.keyring.open(cachedTokens, sealed, place.name)).toString()
      ) as Omit<SessionTokens, "expiresAt"> & { readonly expiresAt: string },
    catch: () => undefined
  }).pipe(Effect.orElseSucceed(() => undefined))
  if (kept === undefined) return undefined
  const now = yield* Clock.currentTimeMillis
  const record = yield* runtime.store.get(kept.sessionId)
  const expiresAt = new Date(kept.expiresAt)
  return record !== undefined &&
    record.revokedAt === null &&
    record.refresh.generation === 0 &&
    now < record.refresh.until &&
    now < expiresAt.getTime()
    ? { ...kept, expiresAt }
    : undefined
})

/** What `start` fails with; the last only with `cache`. */
export type StartFailure = SessionFailure | CacheCallError

const throughCache = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  tag: string,
  ready: Ready
): Effect.fn.Return<SessionTokens, StartFailure> {
  const cache = yield* CallCache
  if (cache === undefined) {
    return yield* Effect.fail(
      new SessionError({
        code: "UNSUPPORTED_OPERATION",
        message: `'cache: ${tag}' needs @ductape/cache: provide its layer beside that of the sessions.`
      })
    )
  }
  const context = { product: place.product, env: place.env }
  const kept = cache.through(
    {
      context,
      cache: tag,
      componentType: "session",
      componentTag: place.tag,
      identity: { data: ready.data, lifetime: ready.lifetime }
    },
    // A cache may be read by more than may read tokens: it gets them sealed.
    begin(runtime, place, ready).pipe(
      Effect.map((tokens) => runtime.registry.keyring.seal(cachedTokens, JSON.stringify(tokens), place.name))
    )
  )
  // Typed with the base class there: see CacheCallError.
  const { value } = yield* Effect.andThen(cache.check(context, tag), kept) as Effect.Effect<
    Effect.Success<typeof kept>,
    StartFailure
  >
  return (yield* reusable(runtime, place, value)) ?? (yield* begin(runtime, place, ready))
})

export const start = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: StartInput
): Effect.fn.Return<SessionTokens, StartFailure> {
  const place = yield* placeOf(runtime, input)
  const ready = yield* checked((): Ready => {
    const { expiresIn } = input
    if (
      expiresIn !== undefined &&
      !(Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= longestSeconds)
    ) {
      throw invalid("expiresIn", "range", "must be a positive whole number of seconds")
    }
    const { text, identifier } = checkData(place.config, input.data)
    if (input.identifier !== undefined && String(input.identifier) !== identifier) {
      throw new SessionError({
        code: "SESSION_DATA_INVALID",
        message: `'identifier' differs from what ${place.config.selector} finds in 'data'. Leave it out.`,
        details: [{ path: "identifier", rule: "selector", message: "must equal the selector's value" }]
      })
    }
    const { expiry, period } = place.config
    return {
      // As it will be read back.
      data: JSON.parse(text) as SessionData,
      text,
      identifier,
      lifetime:
        expiresIn === undefined
          ? { expiry, ...(period === undefined ? {} : { period }) }
          : { expiry: expiresIn }
    }
  })
  return input.cache === undefined
    ? yield* begin(runtime, place, ready)
    : yield* throughCache(runtime, place, input.cache, ready)
})
