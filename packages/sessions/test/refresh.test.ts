import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { TestClock } from "effect/testing"
import { decode, openAgain, openSessions, wednesday } from "./openSessions.ts"

const data = { userId: "u1" }

type Client = "A" | "B"

/** One step of a client: it shows a token that it holds (by number), signs out, or lets the leeway pass. */
type Step =
  | { readonly do: "refresh"; readonly client: Client; readonly token: number }
  | { readonly do: "logout" }
  | { readonly do: "wait" }

/** What the rules say, in a dozen lines. */
class Model {
  generation = 0
  rotatedAt = 0
  now = 0
  end: "none" | "reused" | "logout" = "none"
  /** Generation of each token ever issued; both clients begin with the first, one of them a thief. */
  readonly tokens = [0]
  readonly holds: Record<Client, Array<number>> = { A: [0], B: [0] }
  readonly leeway: number

  constructor(leeway: number) {
    this.leeway = leeway
  }

  steps(): ReadonlyArray<Step> {
    const refreshes = (["A", "B"] as const).flatMap((client) =>
      this.holds[client].map((token): Step => ({ do: "refresh", client, token }))
    )
    return [...refreshes, { do: "logout" }, { do: "wait" }]
  }

  apply(step: Step): string {
    if (step.do === "wait") {
      this.now += this.leeway + 1
      return "waited"
    }
    if (step.do === "logout") {
      const active = this.end === "none"
      if (active) this.end = "logout"
      return active ? "1" : "0"
    }
    if (this.end !== "none") return "SESSION_REVOKED"
    const generation = this.tokens[step.token] ?? -1
    const current = generation === this.generation
    const late = this.leeway === 0 || this.now - this.rotatedAt > this.leeway
    if (!current && (generation !== this.generation - 1 || late)) {
      this.end = "reused"
      return "REFRESH_REUSED"
    }
    if (current) {
      this.generation++
      this.rotatedAt = this.now
    }
    this.holds[step.client].push(this.tokens.length)
    this.tokens.push(this.generation)
    return "refreshed"
  }
}

/** Every order of that many steps. */
const paths = (leeway: number, length: number): ReadonlyArray<ReadonlyArray<Step>> => {
  const extend = (path: ReadonlyArray<Step>): ReadonlyArray<ReadonlyArray<Step>> => {
    if (path.length === length) return [path]
    const model = new Model(leeway)
    for (const step of path) model.apply(step)
    return model.steps().flatMap((step) => extend([...path, step]))
  }
  return extend([])
}

describe("refresh rotation", () => {
  for (const leeway of [0, 10]) {
    it.effect(`two clients with one token, four steps, in every order; leeway ${leeway} s`, () =>
      Effect.gen(function* () {
        const { sessions } = yield* openSessions({ config: { reuse_leeway: leeway } })
        const all = paths(leeway, 4)
        assert.isAbove(all.length, 400)
        for (const path of all) {
          const model = new Model(leeway)
          const started = yield* sessions.start({ tag: "web", data })
          const tokens = [started.refreshToken]
          const access = [started.token]
          for (const [at, step] of path.entries()) {
            const expected = model.apply(step)
            const told = `step ${at + 1} of ${JSON.stringify(path)}`
            if (step.do === "wait") yield* TestClock.adjust((leeway + 1) * 1_000)
            else if (step.do === "logout") {
              const { revoked } = yield* sessions.revoke({ tag: "web", sessionId: started.sessionId })
              assert.strictEqual(String(revoked), expected, told)
            } else {
              const refreshToken = tokens[step.token] ?? ""
              const result = yield* sessions.refresh({ tag: "web", refreshToken }).pipe(Effect.result)
              assert.strictEqual(
                result._tag === "Success" ? "refreshed" : result.failure.code,
                expected,
                told
              )
              if (result._tag === "Success") {
                assert.strictEqual(result.success.sessionId, started.sessionId)
                tokens.push(result.success.refreshToken)
                access.push(result.success.token)
              }
            }
            for (const token of access) {
              const { valid, reason } = yield* sessions.verify({ tag: "web", token })
              assert.strictEqual(valid ? "none" : reason, model.end === "none" ? "none" : "revoked", told)
            }
          }
          assert.strictEqual(new Set(tokens).size, tokens.length)
        }
      })
    )
  }

  it.effect("a reuse ends the session and is logged with session and user, without a token", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make((options) => {
        lines.push(JSON.stringify(Logger.formatStructured.log(options)))
      })
      yield* Effect.gen(function* () {
        const { sessions } = yield* openSessions()
        const first = yield* sessions.start({ tag: "web", data })
        const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
        yield* Effect.flip(sessions.refresh({ tag: "web", refreshToken: first.refreshToken }))
        const logged = lines.filter((line) => line.includes("retired refresh token"))
        assert.strictEqual(logged.length, 1)
        assert.include(logged[0], first.sessionId)
        assert.include(logged[0], `"u1"`)
        for (const secret of [first.token, first.refreshToken, second.token, second.refreshToken]) {
          for (const part of secret.split(":")) if (part !== "web") assert.notInclude(lines.join(), part)
        }
      }).pipe(Effect.provide(Logger.layer([logger])))
    })
  )

  it.effect("a token retired two turns ago is reuse even within the leeway", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { reuse_leeway: 300 } })
      const first = yield* sessions.start({ tag: "web", data })
      const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      yield* sessions.refresh({ tag: "web", refreshToken: second.refreshToken })
      const error = yield* Effect.flip(sessions.refresh({ tag: "web", refreshToken: first.refreshToken }))
      assert.strictEqual(error.code, "REFRESH_REUSED")
    })
  )

  it.effect("the leeway ends where it says, to the millisecond", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { reuse_leeway: 10 } })
      for (const [wait, expected] of [
        [10_000, "ok"],
        [10_001, "REFRESH_REUSED"]
      ] as const) {
        const { refreshToken } = yield* sessions.start({ tag: "web", data })
        yield* sessions.refresh({ tag: "web", refreshToken })
        yield* TestClock.adjust(wait)
        const again = sessions.refresh({ tag: "web", refreshToken })
        assert.strictEqual(
          yield* again.pipe(Effect.match({ onFailure: (e) => e.code, onSuccess: () => "ok" })),
          expected
        )
      }
    })
  )

  it.effect("a sibling's access token expires no later than the one its turn issued", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { reuse_leeway: 60 } })
      const { refreshToken } = yield* sessions.start({ tag: "web", data })
      const turn = yield* sessions.refresh({ tag: "web", refreshToken })
      yield* TestClock.adjust("30 seconds")
      const sibling = yield* sessions.refresh({ tag: "web", refreshToken })
      assert.deepStrictEqual(sibling.expiresAt, turn.expiresAt)
      assert.isTrue((yield* sessions.verify({ tag: "web", token: sibling.token })).valid)
    })
  )

  it.effect("a sibling that comes when that one is as good as spent gets one of its own", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { reuse_leeway: 60, expiry: 10, period: "secs" } })
      const { refreshToken } = yield* sessions.start({ tag: "web", data })
      yield* sessions.refresh({ tag: "web", refreshToken })
      for (const [seconds, end] of [
        [5, 10],
        [6, 16],
        [20, 30]
      ] as const) {
        yield* TestClock.setTime(wednesday + seconds * 1_000)
        const { token, expiresAt } = yield* sessions.refresh({ tag: "web", refreshToken })
        assert.strictEqual(expiresAt.getTime(), wednesday + end * 1_000)
        assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
      }
    })
  )

  it.effect("many refreshes at once, in one process: one succeeds; with leeway all do, as one family", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const race = (refreshToken: string) =>
        Effect.forEach(
          Array.from({ length: 100 }),
          () => Effect.result(sessions.refresh({ tag: "web", refreshToken })),
          { concurrency: "unbounded" }
        )
      const strict = yield* race((yield* sessions.start({ tag: "web", data })).refreshToken)
      assert.strictEqual(strict.filter((r) => r._tag === "Success").length, 1)
      yield* sessions.update("web", { reuse_leeway: 10 })
      const lenient = yield* race((yield* sessions.start({ tag: "web", data })).refreshToken)
      const tokens = lenient.flatMap((r) => (r._tag === "Success" ? [r.success.refreshToken] : []))
      assert.strictEqual(tokens.length, 100)
      yield* TestClock.adjust("11 seconds")
      const [first = "", second = ""] = tokens
      yield* sessions.refresh({ tag: "web", refreshToken: first })
      yield* TestClock.adjust("11 seconds")
      const late = yield* Effect.flip(sessions.refresh({ tag: "web", refreshToken: second }))
      assert.strictEqual(late.code, "REFRESH_REUSED")
    })
  )

  it.effect("a write of last_seen in between does not fail a refresh", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { store, sessions } = opened
      let touches = 0
      const original = store.get
      const contended = {
        ...opened,
        store: {
          ...store,
          get: (id: string) =>
            original(id).pipe(
              Effect.tap((record) => {
                if (record === undefined || touches === 3) return Effect.void
                touches++
                return store.commit({
                  session: { ...record, lastSeenAt: record.lastSeenAt + 1 },
                  expect: record.version
                })
              })
            )
        }
      }
      const { refreshToken } = yield* sessions.start({ tag: "web", data })
      const other = yield* openAgain(contended)
      const refreshed = yield* other.sessions.refresh({ tag: "web", refreshToken })
      assert.isTrue((yield* sessions.verify({ tag: "web", token: refreshed.token })).valid)
      assert.strictEqual(touches, 3)
    })
  )

  it.effect("data comes from the sealed record, whatever the access token said", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const first = yield* sessions.start({ tag: "web", data: { userId: "u1", more: [{ deep: "ü" }] } })
      yield* TestClock.adjust("1 hour")
      const { token } = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      assert.deepStrictEqual(yield* sessions.decrypt({ tag: "web", token }), {
        userId: "u1",
        more: [{ deep: "ü" }]
      })
      assert.strictEqual(decode(token).claims.sub, decode(first.token).claims.sub)
    })
  )
})

describe("refresh lifetimes", () => {
  const outcome = <A, E extends { readonly code: string }>(effect: Effect.Effect<A, E>) =>
    Effect.match(effect, { onFailure: (e) => e.code, onSuccess: () => "ok" })

  it.effect("refresh_expiry slides with each refresh", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { refresh_expiry: 100 } })
      let { refreshToken } = yield* sessions.start({ tag: "web", data })
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust(99_999)
        refreshToken = (yield* sessions.refresh({ tag: "web", refreshToken })).refreshToken
      }
      yield* TestClock.adjust(100_000)
      assert.strictEqual(yield* outcome(sessions.refresh({ tag: "web", refreshToken })), "REFRESH_EXPIRED")
    })
  )

  it.effect("absolute_expiry does not, and no access token outlives it", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { refresh_expiry: 3_000, absolute_expiry: 4_000 } })
      const first = yield* sessions.start({ tag: "web", data })
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(
        yield* outcome(sessions.refresh({ tag: "web", refreshToken: first.refreshToken })),
        "REFRESH_EXPIRED"
      )
      const other = yield* sessions.start({ tag: "web", data })
      yield* TestClock.adjust("49 minutes")
      const second = yield* sessions.refresh({ tag: "web", refreshToken: other.refreshToken })
      yield* TestClock.adjust("17 minutes")
      const third = yield* sessions.refresh({ tag: "web", refreshToken: second.refreshToken })
      const end = wednesday + (50 * 60 + 4_000) * 1_000
      assert.strictEqual(third.expiresAt.getTime(), end)
      yield* TestClock.setTime(end)
      assert.strictEqual(
        yield* outcome(sessions.refresh({ tag: "web", refreshToken: third.refreshToken })),
        "REFRESH_EXPIRED"
      )
      assert.isFalse((yield* sessions.getInfo({ tag: "web", sessionId: third.sessionId })).active)
    })
  )

  it.effect("30 and 90 days by default", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const idle = yield* sessions.start({ tag: "web", data })
      let busy = idle
      for (const day of [29, 58, 87]) {
        yield* TestClock.setTime(wednesday + day * 86_400_000)
        busy =
          day === 29
            ? yield* sessions.start({ tag: "web", data })
            : yield* sessions.refresh({ tag: "web", refreshToken: busy.refreshToken })
      }
      assert.strictEqual(
        yield* outcome(sessions.refresh({ tag: "web", refreshToken: idle.refreshToken })),
        "REFRESH_EXPIRED"
      )
      yield* TestClock.setTime(wednesday + 116 * 86_400_000)
      busy = yield* sessions.refresh({ tag: "web", refreshToken: busy.refreshToken })
      yield* TestClock.setTime(wednesday + 119 * 86_400_000)
      assert.strictEqual(
        yield* outcome(sessions.refresh({ tag: "web", refreshToken: busy.refreshToken })),
        "REFRESH_EXPIRED"
      )
    })
  )
})
