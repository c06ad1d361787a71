import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { lifetimeEnd, type Period } from "../src/period.ts"
import { openSessions, wednesday } from "./openSessions.ts"

const data = { userId: "u1" }
const utc = (text: string) => Date.parse(`${text}Z`) / 1_000

describe("lifetimes", () => {
  it("count seconds to weeks exactly, in every spelling", () => {
    const at = utc("2026-03-28T23:30:00")
    const spellings: ReadonlyArray<readonly [number, ReadonlyArray<Period>]> = [
      [1, ["secs", "sec", "second", "seconds"]],
      [60, ["mins", "min", "minute", "minutes"]],
      [3_600, ["hours", "hour"]],
      [86_400, ["days", "day"]],
      [604_800, ["weeks", "week"]]
    ]
    for (const [seconds, words] of spellings) {
      for (const period of words) assert.strictEqual(lifetimeEnd(at, { expiry: 3, period }), at + 3 * seconds)
    }
    assert.strictEqual(lifetimeEnd(at, { expiry: 7 }), at + 7)
  })

  it("follow the UTC calendar for months and years, the day clamped", () => {
    for (const [from, expiry, period, to] of [
      ["2026-01-31T10:20:30", 1, "months", "2026-02-28T10:20:30"],
      ["2028-01-31T10:20:30", 1, "month", "2028-02-29T10:20:30"],
      ["2026-01-31T00:00:00", 3, "months", "2026-04-30T00:00:00"],
      ["2026-01-31T00:00:00", 2, "months", "2026-03-31T00:00:00"],
      ["2026-12-15T23:59:59", 1, "months", "2027-01-15T23:59:59"],
      ["2026-11-30T12:00:00", 3, "months", "2027-02-28T12:00:00"],
      ["2026-05-31T12:00:00", 13, "months", "2027-06-30T12:00:00"],
      ["2028-02-29T06:00:00", 1, "years", "2029-02-28T06:00:00"],
      ["2028-02-29T06:00:00", 4, "year", "2032-02-29T06:00:00"],
      ["2026-07-01T00:00:00", 1, "years", "2027-07-01T00:00:00"]
    ] as const) {
      assert.strictEqual(lifetimeEnd(utc(from), { expiry, period }), utc(to), `${from} + ${expiry} ${period}`)
    }
  })

  it.effect("a token of one month expires at the same time next month", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { expiry: 1, period: "months" } })
      yield* TestClock.setTime(Date.UTC(2026, 0, 31, 8))
      const { expiresAt } = yield* sessions.start({ tag: "web", data })
      assert.strictEqual(expiresAt.toISOString(), "2026-02-28T08:00:00.000Z")
    })
  )

  it.effect("a token that outlives absolute_expiry by its own lifetime is honoured", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { expiry: 1, period: "years" } })
      const { expiresAt, sessionId, token } = yield* sessions.start({ tag: "web", data })
      assert.strictEqual(expiresAt.toISOString(), "2027-01-14T12:00:00.000Z")
      assert.deepStrictEqual((yield* sessions.getInfo({ tag: "web", sessionId })).endAt, expiresAt)
      yield* TestClock.adjust("300 days")
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
    })
  )

  it.effect("expiresIn replaces the configured lifetime, for the session's refreshes too", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const first = yield* sessions.start({ tag: "web", data, expiresIn: 30 })
      assert.strictEqual(first.expiresAt.getTime(), wednesday + 30_000)
      const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      assert.strictEqual(second.expiresAt.getTime(), wednesday + 30_000)
    })
  )
})

describe("expiry of access tokens", () => {
  it.effect("just inside and just outside the leeway of 5 s, from cryptography and from memory alike", () =>
    Effect.gen(function* () {
      for (const verifyBefore of [false, true]) {
        const { sessions } = yield* openSessions()
        const { token } = yield* sessions.start({ tag: "web", data })
        if (verifyBefore) assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
        const end = wednesday + 15 * 60_000
        for (const [at, reason] of [
          [end - 1, undefined],
          [end, undefined],
          [end + 4_999, undefined],
          [end + 5_000, "expired"],
          [end + 86_400_000, "expired"]
        ] as const) {
          yield* TestClock.setTime(at)
          assert.strictEqual((yield* sessions.verify({ tag: "web", token })).reason, reason, `${at - end}`)
        }
      }
    })
  )

  it.effect("a token from a clock that is ahead, by 5 s and by 6", () =>
    Effect.gen(function* () {
      for (const verifyBefore of [false, true]) {
        const { sessions } = yield* openSessions()
        const { token } = yield* sessions.start({ tag: "web", data })
        if (verifyBefore) assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
        yield* TestClock.setTime(wednesday - 5_000)
        assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
        yield* TestClock.setTime(wednesday - 5_001)
        assert.strictEqual((yield* sessions.verify({ tag: "web", token })).reason, "not_yet_valid")
      }
    })
  )
})
