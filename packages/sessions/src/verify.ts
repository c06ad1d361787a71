import { resolveContext } from "@ductape/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  issuer,
  openToken,
  type RefusalReason,
  readHeader,
  splitToken,
  type TokenText,
  timeRefusal
} from "./accessToken.ts"
import { SessionError, storeFailed } from "./SessionError.ts"
import {
  checked,
  openContent,
  type Place,
  placeOf,
  type Result,
  type SessionCall,
  type SessionFailure,
  type SessionRuntime
} from "./SessionRuntime.ts"
import { freeze, type SessionData } from "./sessionData.ts"
import { touch, touchInterval } from "./touch.ts"
import { tokenDigest, type VerifiedToken } from "./VerifiedTokens.ts"

export interface VerifyInput extends SessionCall {
  /** `tag:jwt` as `start` returned it, the bare JWT, or `sessionId:tag:jwt`; after `Bearer ` too. */
  readonly token: string
}

export type VerifyResult =
  | {
      readonly valid: true
      /** Frozen: the same object is given to all who verify the token. */
      readonly data: SessionData
      readonly sessionId: string
      readonly expiresAt: Date
      readonly reason?: undefined
    }
  | {
      readonly valid: false
      readonly reason: RefusalReason
      readonly data?: undefined
      readonly sessionId?: undefined
      readonly expiresAt?: undefined
    }

/** A verification with what calls of other capabilities need beside its result. */
export type Verification =
  | { readonly token: VerifiedToken; readonly reason?: undefined }
  | { readonly token?: undefined; readonly reason: RefusalReason }

const refused = (reason: RefusalReason): Verification => ({ reason })

export const resultOf = (verification: Verification): VerifyResult =>
  verification.token === undefined
    ? { valid: false, reason: verification.reason }
    : {
        valid: true,
        data: verification.token.data,
        sessionId: verification.token.sessionId,
        expiresAt: new Date(verification.token.exp * 1_000)
      }

/** `last_seen` is written beside the call, at most once a minute. */
const seen = (runtime: SessionRuntime, token: VerifiedToken, now: number): void => {
  if (now - token.touchedAt < touchInterval) return
  token.touchedAt = now
  runtime.inBackground(touch(runtime, token.sessionId, now))
}

/**
 * The answer for a token verified before, where it takes no waiting: its times hold, and neither the
 * definitions nor its session changed since. Everything else is `undefined`, and `verify` says why.
 */
export const peek = (runtime: SessionRuntime, input: VerifyInput, now: number): VerifiedToken | undefined => {
  const sync = runtime.store.sync
  if (sync === undefined) return undefined
  const text = splitToken(input.token)
  if (text === undefined) return undefined
  const token = runtime.verified.get(tokenDigest(text.jwt))
  if (token === undefined || token.revision === undefined) return undefined
  try {
    const tag = input.tag ?? input.session
    const { product, env } = resolveContext(input, runtime.defaults)
    if (
      token.scope.tag !== tag ||
      token.scope.product !== product ||
      token.scope.env !== env ||
      (text.tag !== undefined && text.tag !== tag) ||
      (text.sessionId !== undefined && text.sessionId !== token.sessionId) ||
      token.revision !== runtime.registry.knownRevision() ||
      timeRefusal(token, now) !== undefined
    ) {
      return undefined
    }
    const changes = sync.changes()
    if (changes !== token.changes) {
      if (sync.version(token.sessionId) !== token.version) return undefined
      token.changes = changes
    }
  } catch {
    return undefined
  }
  seen(runtime, token, now)
  return token
}

/** The token's own word, under its key; from memory if it was verified before and its key is still there. */
const authenticate = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  jwt: string,
  now: number
) {
  const header = readHeader(jwt)
  if (header === undefined) return refused("malformed")
  const key = yield* runtime.keys.find(header.kid)
  if (key === undefined) return refused("signature")
  const digest = tokenDigest(jwt)
  const known = runtime.verified.get(digest)
  if (
    known !== undefined &&
    known.scope.product === place.product &&
    known.scope.env === place.env &&
    known.scope.tag === place.tag
  ) {
    const time = timeRefusal(known, now)
    return time === undefined ? { token: known } : refused(time)
  }
  const opened = yield* Effect.promise(() =>
    openToken(jwt, header, key, { scope: place, issuer: issuer(runtime.registry.workspace.id), now })
  )
  if ("refused" in opened) return refused(opened.refused)
  const { sid, sub, iat, nbf, exp } = opened.claims
  const token: VerifiedToken = {
    scope: { product: place.product, env: place.env, tag: place.tag },
    kid: key.kid,
    sessionId: sid,
    subject: sub,
    iat,
    nbf,
    exp,
    data: freeze(opened.data),
    identifier: "",
    version: -1,
    changes: undefined,
    revision: undefined,
    touchedAt: 0
  }
  return { token, digest }
})

/** Verifies a token taken apart, through definitions and store. */
const verifyText = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: SessionCall,
  text: TokenText | undefined,
  now: number
): Effect.fn.Return<Verification, SessionFailure> {
  // Asked before the definitions are read: one that changes in between is then noticed by the next verify.
  const revision = yield* runtime.registry.revision.pipe(
    Effect.mapError((cause) => storeFailed("read the workspace's revision", cause))
  )
  const place = yield* placeOf(runtime, input)
  if (text === undefined) return refused("malformed")
  if (text.tag !== undefined && text.tag !== place.tag) return refused("wrong_tag")
  const found = yield* authenticate(runtime, place, text.jwt, now)
  if (found.token === undefined) return refused(found.reason)
  const { token } = found
  if (text.sessionId !== undefined && text.sessionId !== token.sessionId) return refused("wrong_context")
  // Asked before the record is read, for the same reason.
  const changes = runtime.store.sync?.changes()
  const record = yield* runtime.store.get(token.sessionId)
  if (
    record === undefined ||
    record.revokedAt !== null ||
    record.scope !== place.name ||
    record.userId !== token.subject
  ) {
    return refused("revoked")
  }
  if (token.version !== record.version) {
    if (token.identifier === "") token.identifier = (yield* openContent(runtime, record)).identifier
    token.version = record.version
    token.touchedAt = Math.max(token.touchedAt, record.lastSeenAt)
  }
  token.changes = changes
  token.revision = revision
  if ("digest" in found) runtime.verified.set(found.digest, token)
  seen(runtime, token, now)
  return { token }
})

/** @returns the verification; fails only for configuration, context and store */
export const verification = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: VerifyInput
): Effect.fn.Return<Verification, SessionFailure> {
  const now = yield* Clock.currentTimeMillis
  const hit = peek(runtime, input, now)
  return hit === undefined ? yield* verifyText(runtime, input, splitToken(input.token), now) : { token: hit }
})

/** A refusal as an error. Why is in its cause, which `response` and JSON leave out. */
export const sessionInvalid = (reason: RefusalReason): SessionError =>
  new SessionError({
    code: "SESSION_INVALID",
    message: "The session token was refused. Have the user sign in again.",
    cause: new Error(`session token refused: ${reason}`)
  })

export const decrypt = (runtime: SessionRuntime, input: VerifyInput): Result<SessionData> =>
  verification(runtime, input).pipe(
    Effect.flatMap(({ token, reason }) =>
      token === undefined ? Effect.fail(sessionInvalid(reason)) : Effect.succeed(token.data)
    )
  )

/** The session that a call of another capability names: `tag:jwt`, or its parts. */
export const verifyForCall = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  session: unknown,
  context: { readonly product: string; readonly env: string }
) {
  const whole = typeof session === "string" ? splitToken(session) : undefined
  if (typeof session === "string" && whole?.tag === undefined)
    return yield* Effect.fail(sessionInvalid("malformed"))
  const input = yield* checked(() => {
    if (typeof session === "string") return { tag: whole?.tag, token: session }
    if (typeof session !== "object" || session === null || !("token" in session)) {
      throw new SessionError({
        code: "VALIDATION_ERROR",
        message: "'session' must be the token that sessions.start returned, or { tag, token }.",
        details: [{ path: "session", rule: "type", message: "must be 'tag:jwt' or { tag, token }" }]
      })
    }
    return session as { readonly tag?: string; readonly token: string }
  })
  const { token, reason } = yield* verification(runtime, {
    tag: input.tag,
    token: input.token,
    product: context.product,
    env: context.env
  }).pipe(
    Effect.catch((cause) =>
      // The tag of the short form comes with the token, from outside: not the caller's mistake.
      cause.code === "SESSION_CONFIG_NOT_FOUND" && typeof session === "string"
        ? Effect.succeed(refused("wrong_tag"))
        : Effect.fail(cause)
    )
  )
  if (token === undefined) return yield* Effect.fail(sessionInvalid(reason))
  return {
    tag: token.scope.tag,
    sessionId: token.sessionId,
    identifier: token.identifier,
    data: token.data
  }
})
