import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { invalid, type SessionError } from "./SessionError.ts"
import {
  attempts,
  checked,
  contended,
  isActive,
  type Place,
  placesOf,
  type Result,
  type SessionCall,
  type SessionRuntime,
  text,
  userKey,
  withoutVersion
} from "./SessionRuntime.ts"
import { sessionsOf } from "./scan.ts"

export interface RevokeInput extends SessionCall {
  readonly sessionId?: string | undefined
  /** Ends all active sessions of that user. */
  readonly identifier?: string | number | boolean | undefined
}

export interface RevokeAllInput extends SessionCall {
  readonly identifier?: string | number | boolean | undefined
  /** Ends the sessions of everyone. */
  readonly all?: boolean | undefined
}

export interface Revoked {
  /** How many active sessions were ended. */
  readonly revoked: number
}

/** Ends a session, however many writers are at it. @returns whether it was active */
export const revokeSession = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  id: string,
  scope: string,
  now: number
): Effect.fn.Return<boolean, SessionError> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const record = yield* runtime.store.get(id)
    if (record === undefined || record.scope !== scope || !isActive(record, now)) return false
    const session = { ...withoutVersion(record), revokedAt: now }
    if (yield* runtime.store.commit({ session, expect: record.version })) return true
  }
  return yield* Effect.fail(contended("end the session"))
})

/** Ends the active sessions of a user, or of all, in these scopes. */
export const revokeIn = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  places: ReadonlyArray<Place>,
  identifier: string | undefined
): Effect.fn.Return<number, SessionError> {
  const now = yield* Clock.currentTimeMillis
  let revoked = 0
  for (const place of places) {
    const user = identifier === undefined ? undefined : userKey(runtime, place, identifier)
    for (const { id } of yield* sessionsOf(runtime, { scope: place.name, user }, (r) => isActive(r, now))) {
      if (yield* revokeSession(runtime, id, place.name, now)) revoked++
    }
  }
  return revoked
})

/** A user as callers name one: what the selector found, which `start` made text of. */
export const identifierText = (value: unknown): string =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : text("identifier", value)

export const revoke = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: RevokeInput
): Effect.fn.Return<Revoked, Effect.Error<Result<never>>> {
  const { sessionId, identifier } = yield* checked(() => {
    if ((input.sessionId === undefined) === (input.identifier === undefined)) {
      throw invalid("sessionId", "one-of", "or 'identifier' must be given, and not both")
    }
    return input.sessionId === undefined
      ? { identifier: identifierText(input.identifier) }
      : { sessionId: text("sessionId", input.sessionId) }
  })
  const places = yield* placesOf(runtime, input)
  if (sessionId === undefined) return { revoked: yield* revokeIn(runtime, places, identifier) }
  const now = yield* Clock.currentTimeMillis
  for (const place of places) {
    if (yield* revokeSession(runtime, sessionId, place.name, now)) return { revoked: 1 }
  }
  return { revoked: 0 }
})

export const revokeAll = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: RevokeAllInput
): Effect.fn.Return<Revoked, Effect.Error<Result<never>>> {
  const identifier = yield* checked(() => {
    if ((input.all === true) === (input.identifier !== undefined)) {
      throw invalid("identifier", "one-of", "or 'all: true' must be given, and not both")
    }
    return input.identifier === undefined ? undefined : identifierText(input.identifier)
  })
  return { revoked: yield* revokeIn(runtime, yield* placesOf(runtime, input), identifier) }
})
