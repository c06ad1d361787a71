import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isActive, placesOf, type Result, type SessionCall, type SessionRuntime } from "./SessionRuntime.ts"
import { sessionsOf, usersOf } from "./scan.ts"

export interface SessionDashboard {
  readonly totalUsers: number
  /** With at least one active session. */
  readonly activeUsers: number
  readonly inactiveUsers: number
  /** Inactive users whose sessions all ended by expiry. */
  readonly expiredUsers: number
  /** First seen since 00:00 UTC. */
  readonly newUsersToday: number
  /** First seen since Monday 00:00 UTC. */
  readonly newUsersThisWeek: number
  readonly totalSessions: number
  readonly activeSessions: number
  /** To two decimals; 0 without users. */
  readonly averageSessionsPerUser: number
}

const day = 86_400_000

/** 00:00 UTC of the day, and of its week's Monday. */
export const dayAndWeek = (now: number): { readonly today: number; readonly week: number } => {
  const today = Math.floor(now / day) * day
  const sinceMonday = (new Date(today).getUTCDay() + 6) % 7
  return { today, week: today - sinceMonday * day }
}

export const fetchDashboard = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: SessionCall
): Effect.fn.Return<SessionDashboard, Effect.Error<Result<never>>> {
  const places = yield* placesOf(runtime, input)
  const now = yield* Clock.currentTimeMillis
  const users = (yield* Effect.forEach(places, (place) => usersOf(runtime, place.name))).flat()
  const sessions = (yield* Effect.forEach(places, (place) =>
    sessionsOf(runtime, { scope: place.name })
  )).flat()
  const active = new Set<string>()
  const revoked = new Set<string>()
  let activeSessions = 0
  for (const session of sessions) {
    if (session.revokedAt !== null) revoked.add(session.user)
    if (!isActive(session, now)) continue
    active.add(session.user)
    activeSessions++
  }
  const { today, week } = dayAndWeek(now)
  const count = (keep: (user: (typeof users)[number]) => boolean) => users.filter(keep).length
  const activeUsers = count(({ key }) => active.has(key))
  return {
    totalUsers: users.length,
    activeUsers,
    inactiveUsers: users.length - activeUsers,
    expiredUsers: count(({ key }) => !active.has(key) && !revoked.has(key)),
    newUsersToday: count(({ firstSeen }) => firstSeen >= today),
    newUsersThisWeek: count(({ firstSeen }) => firstSeen >= week),
    totalSessions: sessions.length,
    activeSessions,
    averageSessionsPerUser: users.length === 0 ? 0 : Math.round((sessions.length / users.length) * 100) / 100
  }
})
