import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { leeway } from "./accessToken.ts"
import { type Place, placesOf, type Result, type SessionCall, type SessionRuntime } from "./SessionRuntime.ts"
import { sessionsOf } from "./scan.ts"

export interface RotateKeysInput extends SessionCall {
  /**
   * Removes the older keys now, and with them every access token signed under them, after a leak, say;
   * clients go on with their refresh tokens. Other processes notice within a second. Default: an older key goes with a later rotation, once the
   * last token signed under it has expired.
   */
  readonly dropOlder?: boolean | undefined
}

export interface SessionKeyInfo {
  readonly kid: string
  readonly env: string
  readonly createdAt: Date
  /** The newest signs; the others only verify. */
  readonly signs: boolean
}

/** Milliseconds within which every process has noticed a new key. */
const noticed = 60_000

const rotateAt = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  place: Place,
  dropOlder: boolean,
  now: number
) {
  const keys = yield* runtime.keys.all(place)
  const usedUntil = new Map<string, number>()
  for (const { access } of dropOlder ? [] : yield* sessionsOf(runtime, { scope: place.name })) {
    for (const [kid, exp] of Object.entries(access))
      usedUntil.set(kid, Math.max(exp, usedUntil.get(kid) ?? 0))
  }
  // A key may have signed until every process noticed the next one.
  const spent = keys.filter(({ kid }, i) => {
    const successor = keys[i - 1]
    return (
      successor !== undefined &&
      successor.createdAt + noticed < now &&
      ((usedUntil.get(kid) ?? 0) + leeway) * 1_000 <= now
    )
  })
  yield* runtime.keys.rotate(
    place,
    (dropOlder ? keys : spent).map(({ kid }) => kid)
  )
  return (yield* runtime.keys.all(place)).map(
    ({ kid, env, createdAt }, i): SessionKeyInfo => ({
      kid,
      env,
      createdAt: new Date(createdAt),
      signs: i === 0
    })
  )
})

/** @returns the keys that there are now, of each environment the newest first */
export const rotateKeys = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: RotateKeysInput
): Effect.fn.Return<{ readonly keys: ReadonlyArray<SessionKeyInfo> }, Effect.Error<Result<never>>> {
  const places = yield* placesOf(runtime, input)
  const now = yield* Clock.currentTimeMillis
  const keys = yield* Effect.forEach(places, (place) =>
    rotateAt(runtime, place, input.dropOlder === true, now)
  )
  runtime.verified.clear()
  return { keys: keys.flat() }
})
