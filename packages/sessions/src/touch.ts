import * as Effect from "effect/Effect"
import type { SessionError } from "./SessionError.ts"
import { type SessionRuntime, withoutVersion } from "./SessionRuntime.ts"

/** Milliseconds between two writes of `last_seen`. */
export const touchInterval = 60_000

/**
 * Writes when session and user were last seen. If another writer is first, it is left: whoever that was
 * wrote a time of its own, or ended the session.
 */
export const touch = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  sessionId: string,
  now: number
): Effect.fn.Return<void, SessionError> {
  const record = yield* runtime.store.get(sessionId)
  if (record === undefined || record.revokedAt !== null || now - record.lastSeenAt < touchInterval) return
  const user = yield* runtime.store.getUser(record.user)
  yield* runtime.store.commit({
    session: { ...withoutVersion(record), lastSeenAt: now },
    expect: record.version,
    ...(user === undefined
      ? {}
      : { user: { record: { ...user, lastSeen: Math.max(now, user.lastSeen) }, expect: "any" as const } })
  })
})
