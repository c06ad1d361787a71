import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { dayAndWeek } from "../src/dashboard.ts"
import { decode, openSessions, web, wednesday } from "./openSessions.ts"

const hour = 3_600_000
const user = (n: number) => ({ userId: `u${n}` })
const codeOf = <E extends { readonly code: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.flip(effect).pipe(Effect.map((error) => error.code))

describe("sessions listed", () => {
  it.effect("latest first, page by page, only the active ones", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const ids: Array<string> = []
      for (let n = 0; n < 25; n++) {
        yield* TestClock.adjust("1 second")
        ids.unshift((yield* sessions.start({ tag: "web", data: user(n % 5) })).sessionId)
      }
      const first = yield* sessions.listActive({ tag: "web" })
      assert.deepInclude(first, { total: 25, page: 1, limit: 20, totalPages: 2 })
      assert.deepStrictEqual(
        first.sessions.map(({ sessionId }) => sessionId),
        ids.slice(0, 20)
      )
      const second = yield* sessions.listActive({ tag: "web", page: 2 })
      assert.deepStrictEqual(
        second.sessions.map(({ sessionId }) => sessionId),
        ids.slice(20)
      )
      assert.deepInclude(yield* sessions.listActive({ tag: "web", page: 3 }), { total: 25, sessions: [] })
      const mine = yield* sessions.listActive({ tag: "web", identifier: "u2", limit: 2 })
      assert.deepInclude(mine, { total: 5, limit: 2, totalPages: 3 })
      assert.isTrue(mine.sessions.every(({ identifier }) => identifier === "u2"))
      yield* sessions.revoke({ tag: "web", sessionId: ids[0] })
      assert.strictEqual((yield* sessions.listActive({ tag: "web" })).total, 24)
      yield* TestClock.adjust("31 days")
      assert.deepInclude(yield* sessions.listActive({ tag: "web" }), {
        total: 0,
        totalPages: 0,
        sessions: []
      })
      for (const page of [{ page: 0 }, { page: 1.5 }, { limit: 0 }, { limit: 101 }, { limit: -1 }]) {
        assert.strictEqual(yield* codeOf(sessions.listActive({ tag: "web", ...page })), "VALIDATION_ERROR")
        assert.strictEqual(
          yield* codeOf(sessions.fetchUsers({ session: "web", ...page })),
          "VALIDATION_ERROR"
        )
      }
    })
  )

  it.effect("getInfo by id or token says everything but the data", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { sessionId, token } = yield* sessions.start({
        tag: "web",
        data: { ...user(1), role: "secret-role" }
      })
      const info = yield* sessions.getInfo({ tag: "web", sessionId })
      assert.deepStrictEqual(info, {
        sessionId,
        identifier: "u1",
        env: "prd",
        startAt: new Date(wednesday),
        endAt: new Date(wednesday + 30 * 24 * hour),
        lastSeenAt: new Date(wednesday),
        active: true
      })
      assert.deepStrictEqual(yield* sessions.getInfo({ tag: "web", token }), info)
      yield* TestClock.adjust(5_000)
      yield* sessions.revoke({ tag: "web", sessionId })
      assert.deepStrictEqual(yield* sessions.getInfo({ tag: "web", sessionId }), {
        ...info,
        active: false,
        revokedAt: new Date(wednesday + 5_000)
      })
      assert.strictEqual(yield* codeOf(sessions.getInfo({ tag: "web", token })), "SESSION_INVALID")
      assert.strictEqual(yield* codeOf(sessions.getInfo({ tag: "web", token: "web:x" })), "SESSION_INVALID")
      assert.strictEqual(yield* codeOf(sessions.getInfo({ tag: "web", sessionId: "x" })), "SESSION_NOT_FOUND")
      assert.strictEqual(
        yield* codeOf(sessions.getInfo({ tag: "web", env: "dev", sessionId })),
        "SESSION_NOT_FOUND"
      )
      assert.strictEqual(yield* codeOf(sessions.getInfo({ tag: "web" })), "VALIDATION_ERROR")
      assert.strictEqual(
        yield* codeOf(sessions.getInfo({ tag: "web", sessionId, token })),
        "VALIDATION_ERROR"
      )
    })
  )
})

describe("users", () => {
  it.effect("are made once per identifier and environment, and touched by each start", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      yield* sessions.start({ tag: "web", data: user(1) })
      yield* TestClock.adjust("1 hour")
      yield* sessions.start({ tag: "web", data: user(2) })
      yield* sessions.start({ tag: "web", env: "dev", data: user(1) })
      yield* TestClock.adjust("1 hour")
      yield* sessions.start({ tag: "web", data: user(1) })
      const { users, ...page } = yield* sessions.fetchUsers({ session: "web" })
      assert.deepStrictEqual(page, { total: 2, page: 1, limit: 20, totalPages: 1 })
      const [first, second] = users
      assert.deepInclude(first, {
        identifier: "u1",
        env: "prd",
        product_tag: "shop",
        session_tag: "web",
        first_seen: new Date(wednesday),
        last_seen: new Date(wednesday + 2 * hour),
        createdAt: new Date(wednesday),
        updatedAt: new Date(wednesday + 2 * hour)
      })
      assert.strictEqual(second?.identifier, "u2")
      assert.notStrictEqual(first?.ductape_user_id, second?.ductape_user_id)
      assert.strictEqual((yield* sessions.users({ tag: "web", env: "*" })).total, 3)
      assert.strictEqual(
        (yield* sessions.users({ tag: "web", limit: 1, page: 2 })).users[0]?.identifier,
        "u2"
      )
    })
  )

  it.effect("many starts of a new user at once make one user", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const started = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => sessions.start({ tag: "web", data: user(1) }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(started.map(({ token }) => decode(token).claims.sub)).size, 1)
      const details = yield* sessions.fetchUserDetails({ session: "web", identifier: "u1" })
      assert.deepInclude(details, { totalSessions: 50, activeSessionsCount: 50 })
      assert.strictEqual((yield* sessions.fetchUsers({ session: "web" })).total, 1)
    })
  )

  it.effect("details list all sessions of the user, of all environments for '*'", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const a = yield* sessions.start({ tag: "web", data: user(1) })
      yield* TestClock.adjust("1 hour")
      const b = yield* sessions.start({ tag: "web", data: user(1) })
      const dev = yield* sessions.start({ tag: "web", env: "dev", data: user(1) })
      yield* sessions.start({ tag: "web", data: user(2) })
      yield* sessions.revoke({ tag: "web", sessionId: a.sessionId })
      const details = yield* sessions.fetchUserDetails({ tag: "web", identifier: "u1" })
      assert.deepInclude(details, { identifier: "u1", totalSessions: 2, activeSessionsCount: 1 })
      assert.deepStrictEqual(details.sessions, [
        {
          session_id: b.sessionId,
          start_at: new Date(wednesday + hour),
          end_at: new Date(wednesday + hour + 30 * 24 * hour),
          active: true
        },
        {
          session_id: a.sessionId,
          start_at: new Date(wednesday),
          end_at: new Date(wednesday + 30 * 24 * hour),
          active: false
        }
      ])
      const all = yield* sessions.fetchUserDetails({ tag: "web", env: "*", identifier: "u1" })
      assert.deepInclude(all, { totalSessions: 3, activeSessionsCount: 2 })
      assert.include(
        all.sessions.map(({ session_id }) => session_id),
        dev.sessionId
      )
      assert.strictEqual(
        yield* codeOf(sessions.fetchUserDetails({ session: "web", identifier: "nobody" })),
        "SESSION_USER_NOT_FOUND"
      )
      assert.strictEqual(
        yield* codeOf(sessions.fetchUserDetails({ session: "web", identifier: "" })),
        "VALIDATION_ERROR"
      )
    })
  )

  it.effect("numbers and texts that look alike are one user, as the selector makes text of them", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { schema: { userId: 1 } } })
      yield* sessions.start({ tag: "web", data: { userId: 7 } })
      assert.deepStrictEqual(yield* sessions.revokeAll({ tag: "web", identifier: 7 }), { revoked: 1 })
      yield* sessions.start({ tag: "web", data: { userId: 7 } })
      assert.deepStrictEqual(yield* sessions.revokeAll({ tag: "web", identifier: "7" }), { revoked: 1 })
    })
  )
})

describe("the dashboard", () => {
  it("knows where UTC days and weeks begin", () => {
    const monday = Date.UTC(2026, 0, 12)
    for (const [now, today, week] of [
      [Date.UTC(2026, 0, 14, 12), Date.UTC(2026, 0, 14), monday],
      [monday, monday, monday],
      [monday - 1, monday - 86_400_000, monday - 7 * 86_400_000],
      [Date.UTC(2026, 0, 18, 23, 59, 59, 999), Date.UTC(2026, 0, 18), monday],
      [Date.UTC(1970, 0, 1, 1), 0, -3 * 86_400_000]
    ] as const) {
      assert.deepStrictEqual(dayAndWeek(now), { today, week })
    }
  })

  it.effect("counts users and sessions by how they are and how they ended", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({
        config: { expiry: 1, period: "hours", refresh_expiry: 7_200 }
      })
      assert.deepStrictEqual(yield* sessions.fetchDashboard({ session: "web" }), {
        totalUsers: 0,
        activeUsers: 0,
        inactiveUsers: 0,
        expiredUsers: 0,
        newUsersToday: 0,
        newUsersThisWeek: 0,
        totalSessions: 0,
        activeSessions: 0,
        averageSessionsPerUser: 0
      })
      // On Sunday: one. On Monday: one more. On Wednesday: two, one of them twice.
      yield* TestClock.setTime(wednesday - 3 * 24 * hour)
      yield* sessions.start({ tag: "web", data: user(1) })
      yield* TestClock.setTime(wednesday - 2 * 24 * hour - 12 * hour)
      const ended = yield* sessions.start({ tag: "web", data: user(2) })
      yield* sessions.revoke({ tag: "web", sessionId: ended.sessionId })
      yield* TestClock.setTime(wednesday)
      yield* sessions.start({ tag: "web", data: user(3) })
      yield* sessions.start({ tag: "web", data: user(3) })
      const last = yield* sessions.start({ tag: "web", data: user(4) })
      yield* sessions.start({ tag: "web", env: "dev", data: user(5) })
      assert.deepStrictEqual(yield* sessions.fetchDashboard({ session: "web" }), {
        totalUsers: 4,
        activeUsers: 2,
        inactiveUsers: 2,
        expiredUsers: 1,
        newUsersToday: 2,
        newUsersThisWeek: 3,
        totalSessions: 5,
        activeSessions: 3,
        averageSessionsPerUser: 1.25
      })
      yield* sessions.revoke({ tag: "web", sessionId: last.sessionId })
      assert.deepInclude(yield* sessions.fetchDashboard({ tag: "web", env: "*" }), {
        totalUsers: 5,
        activeUsers: 2,
        expiredUsers: 1,
        totalSessions: 6,
        activeSessions: 3,
        averageSessionsPerUser: 1.2
      })
    })
  )

  it.effect("ended sessions are forgotten 30 days later, their users are not", () =>
    Effect.gen(function* () {
      const { sessions, store } = yield* openSessions()
      const { sessionId } = yield* sessions.start({ tag: "web", data: user(1) })
      yield* TestClock.adjust("59 days")
      yield* sessions.start({ tag: "web", data: user(2) })
      yield* TestClock.adjust("1 minute")
      assert.isDefined(yield* store.get(sessionId))
      yield* TestClock.adjust("2 days")
      yield* sessions.start({ tag: "web", data: user(2) })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(yield* store.get(sessionId))
      assert.deepInclude(yield* sessions.fetchDashboard({ session: "web" }), {
        totalUsers: 2,
        totalSessions: 2
      })
    })
  )
})

describe("sessions of two configurations", () => {
  it.effect("know nothing of each other", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      yield* sessions.create({ ...web, tag: "app" })
      const { sessionId } = yield* sessions.start({ tag: "web", data: user(1) })
      assert.strictEqual((yield* sessions.listActive({ tag: "app" })).total, 0)
      assert.strictEqual((yield* sessions.fetchUsers({ session: "app" })).total, 0)
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "app", sessionId }), { revoked: 0 })
      assert.deepStrictEqual(yield* sessions.revokeAll({ tag: "app", identifier: "u1" }), { revoked: 0 })
      assert.strictEqual(yield* codeOf(sessions.getInfo({ tag: "app", sessionId })), "SESSION_NOT_FOUND")
    })
  )
})
