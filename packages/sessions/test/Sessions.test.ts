import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { decode, openAgain, openSessions, web, wednesday } from "./openSessions.ts"

const data = { userId: "u1", role: "admin", details: { email: "x@y.z" }, extra: [1, null, true] }
const codeOf = <E extends { readonly code: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.flip(effect).pipe(Effect.map((error) => error.code))

describe("Sessions", () => {
  it.effect("start gives tokens, verify the data they stand for", () =>
    Effect.gen(function* () {
      const { sessions, registry } = yield* openSessions()
      const started = yield* sessions.start({ tag: "web", data })
      assert.match(started.token, /^web:[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.match(started.refreshToken, /^[\w-]+:[\w-]{43}$/)
      assert.strictEqual(started.expiresAt.getTime(), wednesday + 15 * 60_000)
      const { header, claims } = decode(started.token)
      assert.deepStrictEqual(Object.keys(header).sort(), ["alg", "kid", "typ"])
      assert.deepInclude(header, { alg: "HS256", typ: "ductape-session+jwt" })
      assert.deepInclude(claims, {
        iss: `ductape:${registry.workspace.id}`,
        aud: "shop/prd/web",
        sid: started.sessionId,
        iat: wednesday / 1_000,
        nbf: wednesday / 1_000,
        exp: wednesday / 1_000 + 900
      })
      assert.deepStrictEqual(Object.keys(claims).sort(), [
        "aud",
        "data",
        "exp",
        "iat",
        "iss",
        "jti",
        "nbf",
        "sid",
        "sub"
      ])
      assert.deepStrictEqual(JSON.parse(Buffer.from(claims.data.split(".")[0], "base64url").toString()), {
        alg: "dir",
        enc: "A256GCM"
      })
      assert.notInclude(Buffer.from(claims.data, "base64url").toString(), "admin")
      const verified = yield* sessions.verify({ tag: "web", token: started.token })
      assert.deepStrictEqual(verified, {
        valid: true,
        data,
        sessionId: started.sessionId,
        expiresAt: started.expiresAt
      })
      assert.deepStrictEqual(yield* sessions.decrypt({ session: "web", token: started.token }), data)
    })
  )

  it.effect("any JSON object within the limit comes back as it went in, through token and record", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions({ config: { schema: { userId: "string" } } })
      const samples = fc.sample(fc.dictionary(fc.string(), fc.jsonValue()), { numRuns: 200, seed: 42 })
      for (const sample of samples) {
        const given = { ...sample, userId: "u1" }
        if (Buffer.byteLength(JSON.stringify(given)) > 4_096) continue
        const expected = JSON.parse(JSON.stringify(given))
        const first = yield* sessions.start({ tag: "web", data: given })
        assert.deepStrictEqual(yield* sessions.decrypt({ tag: "web", token: first.token }), expected)
        const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
        assert.deepStrictEqual(yield* sessions.decrypt({ tag: "web", token: second.token }), expected)
      }
    })
  )

  it.effect("every form of the token is read, and a foreign prefix is not", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { token, sessionId } = yield* sessions.start({ session: "web", data })
      const { jwt } = decode(token)
      for (const form of [
        token,
        jwt,
        `Bearer ${token}`,
        `Bearer ${jwt}`,
        `bearer  ${token}`,
        `${sessionId}:${token}`
      ]) {
        // Twice: from cryptography, then from memory.
        for (const _ of [1, 2])
          assert.isTrue((yield* sessions.verify({ tag: "web", token: form })).valid, form)
      }
      const other = "00000000-0000-4000-8000-000000000000"
      for (const [form, reason] of [
        [`app:${jwt}`, "wrong_tag"],
        [`x:web:${jwt}`, "wrong_tag"],
        [`:${jwt}`, "wrong_tag"],
        [`${sessionId}:app:${jwt}`, "wrong_tag"],
        [`${other}:web:${jwt}`, "wrong_context"],
        ["", "malformed"],
        ["web:", "malformed"],
        [`web:${"a".repeat(16_400)}`, "malformed"],
        [null as unknown as string, "malformed"]
      ] as const) {
        assert.deepStrictEqual(yield* sessions.verify({ tag: "web", token: form }), { valid: false, reason })
      }
    })
  )

  it.effect("data given by verify is frozen, so no caller can change it for another", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { token } = yield* sessions.start({ tag: "web", data })
      for (const _ of [1, 2]) {
        const verified = yield* sessions.verify({ tag: "web", token })
        assert.isTrue(Object.isFrozen(verified.data) && Object.isFrozen(verified.data?.["details"]))
        verified.expiresAt?.setTime(0)
        assert.throws(() => Object.assign(verified.data ?? {}, { role: "root" }))
      }
      assert.deepStrictEqual(
        (yield* sessions.verify({ tag: "web", token })).expiresAt?.getTime(),
        wednesday + 900_000
      )
    })
  )

  it.effect("verifyNow answers for a token verified before, and never for another", () =>
    Effect.gen(function* () {
      const { sessions, store } = yield* openSessions()
      assert.isDefined(store.sync)
      const { token } = yield* sessions.start({ tag: "web", data })
      assert.isUndefined(sessions.verifyNow({ tag: "web", token }))
      yield* sessions.verify({ tag: "web", token })
      const answered = sessions.verifyNow({ tag: "web", token })
      assert.isTrue(answered?.valid)
      assert.deepStrictEqual(answered?.data, data)
      assert.isUndefined(sessions.verifyNow({ tag: "web", env: "dev", token }))
      assert.isUndefined(sessions.verifyNow({ tag: "app", token }))
      assert.isUndefined(sessions.verifyNow({ tag: "web", token: `app:${decode(token).jwt}` }))
      assert.isUndefined(sessions.verifyNow({ tag: "web", token: `${token}A` }))
      yield* sessions.revokeAll({ tag: "web", all: true })
      assert.isUndefined(sessions.verifyNow({ tag: "web", token }))
    })
  )

  it.effect("refresh gives new tokens for the same session and keeps older access tokens", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const first = yield* sessions.start({ tag: "web", data })
      yield* TestClock.adjust("10 minutes")
      const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      assert.strictEqual(second.sessionId, first.sessionId)
      assert.notStrictEqual(second.token, first.token)
      assert.notStrictEqual(second.refreshToken, first.refreshToken)
      assert.strictEqual(second.expiresAt.getTime(), wednesday + 25 * 60_000)
      assert.deepStrictEqual(yield* sessions.decrypt({ tag: "web", token: second.token }), data)
      assert.isTrue((yield* sessions.verify({ tag: "web", token: first.token })).valid)
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual((yield* sessions.verify({ tag: "web", token: first.token })).reason, "expired")
      assert.isTrue((yield* sessions.verify({ tag: "web", token: second.token })).valid)
    })
  )

  it.effect("revoke ends both tokens at once, in this process and in others", () =>
    Effect.gen(function* () {
      const here = yield* openSessions()
      const there = yield* openAgain(here)
      const { token, refreshToken, sessionId } = yield* here.sessions.start({ tag: "web", data })
      for (const { sessions } of [here, there]) {
        assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
      }
      assert.deepStrictEqual(yield* there.sessions.revoke({ tag: "web", sessionId }), { revoked: 1 })
      for (const { sessions } of [here, there]) {
        assert.deepStrictEqual(yield* sessions.verify({ tag: "web", token }), {
          valid: false,
          reason: "revoked"
        })
        assert.strictEqual(yield* codeOf(sessions.refresh({ tag: "web", refreshToken })), "SESSION_REVOKED")
        assert.strictEqual(yield* codeOf(sessions.decrypt({ tag: "web", token })), "SESSION_INVALID")
        assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", sessionId }), { revoked: 0 })
      }
    })
  )

  it.effect("revoke takes a session or a user, and knows nothing of other environments", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const mine = yield* Effect.forEach([1, 2, 3], () => sessions.start({ tag: "web", data }))
      const other = yield* sessions.start({ tag: "web", data: { userId: "u2" } })
      const dev = yield* sessions.start({ tag: "web", env: "dev", data })
      const [first] = mine
      assert.deepStrictEqual(
        yield* sessions.revoke({ tag: "web", env: "dev", sessionId: first?.sessionId }),
        { revoked: 0 }
      )
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", sessionId: "nonsense" }), { revoked: 0 })
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", identifier: "nobody" }), { revoked: 0 })
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", sessionId: first?.sessionId }), {
        revoked: 1
      })
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", identifier: "u1" }), { revoked: 2 })
      assert.isTrue((yield* sessions.verify({ tag: "web", token: other.token })).valid)
      assert.isTrue((yield* sessions.verify({ tag: "web", env: "dev", token: dev.token })).valid)
      assert.deepStrictEqual(yield* sessions.revokeAll({ tag: "web", env: "*", all: true }), { revoked: 2 })
      for (const input of [{}, { sessionId: "x", identifier: "y" }, { sessionId: "" }]) {
        assert.strictEqual(yield* codeOf(sessions.revoke({ tag: "web", ...input })), "VALIDATION_ERROR")
      }
      for (const input of [{}, { all: true, identifier: "y" }, { all: false }]) {
        assert.strictEqual(yield* codeOf(sessions.revokeAll({ tag: "web", ...input })), "VALIDATION_ERROR")
      }
    })
  )

  it.effect("revokeAll ends more sessions than fit one page of the store", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      yield* Effect.forEach(Array.from({ length: 505 }), () => sessions.start({ tag: "web", data }), {
        concurrency: 50
      })
      assert.deepStrictEqual(yield* sessions.revokeAll({ tag: "web", identifier: "u1" }), { revoked: 505 })
      assert.strictEqual((yield* sessions.listActive({ tag: "web" })).total, 0)
    })
  )

  it.effect("a session can be revoked while only its refresh token is alive", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { refreshToken, sessionId } = yield* sessions.start({ tag: "web", data })
      yield* TestClock.adjust("2 days")
      assert.isTrue((yield* sessions.getInfo({ tag: "web", sessionId })).active)
      assert.deepStrictEqual(yield* sessions.revoke({ tag: "web", identifier: "u1" }), { revoked: 1 })
      assert.strictEqual(yield* codeOf(sessions.refresh({ tag: "web", refreshToken })), "SESSION_REVOKED")
    })
  )

  it.effect("last_seen is written once a minute, beside the call, for session and user", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { token, sessionId } = yield* sessions.start({ tag: "web", data })
      const lastSeen = sessions
        .getInfo({ tag: "web", sessionId })
        .pipe(Effect.map((info) => info.lastSeenAt.getTime() - wednesday))
      const verifyAfter = (ms: number) =>
        TestClock.adjust(ms).pipe(
          Effect.andThen(sessions.verify({ tag: "web", token })),
          Effect.andThen(TestClock.adjust(0)),
          Effect.andThen(lastSeen)
        )
      assert.strictEqual(yield* verifyAfter(59_999), 0)
      assert.strictEqual(yield* verifyAfter(1), 60_000)
      assert.strictEqual(yield* verifyAfter(30_000), 60_000)
      assert.strictEqual(yield* verifyAfter(30_000), 120_000)
      const user = yield* sessions.fetchUserDetails({ session: "web", identifier: "u1" })
      assert.strictEqual(user.last_seen.getTime() - wednesday, 120_000)
      assert.strictEqual(user.first_seen.getTime(), wednesday)
    })
  )

  it.effect("the deprecated create with data starts a session", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const { token } = yield* sessions.create({ tag: "web", data })
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
    })
  )

  it.effect("context, configuration and input are checked before anything is done", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const start = (input: object) => codeOf(sessions.start({ tag: "web", data, ...input }))
      assert.strictEqual(yield* start({ tag: "nope" }), "SESSION_CONFIG_NOT_FOUND")
      assert.strictEqual(yield* start({ tag: "" }), "VALIDATION_ERROR")
      assert.strictEqual(yield* start({ product: "nope" }), "PRODUCT_NOT_FOUND")
      assert.strictEqual(yield* start({ env: "nope" }), "ENV_NOT_FOUND")
      assert.strictEqual(yield* start({ env: "*" }), "VALIDATION_ERROR")
      assert.strictEqual(yield* start({ timeout: -1 }), "VALIDATION_ERROR")
      for (const expiresIn of [0, -1, 1.5, Number.NaN, "60", 1e12]) {
        assert.strictEqual(yield* start({ expiresIn }), "VALIDATION_ERROR")
      }
      assert.strictEqual(yield* start({ cache: "fx" }), "UNSUPPORTED_OPERATION")
      assert.strictEqual(yield* start({ identifier: "u2" }), "SESSION_DATA_INVALID")
      assert.strictEqual(
        yield* codeOf(sessions.verify({ tag: "nope", token: "x" })),
        "SESSION_CONFIG_NOT_FOUND"
      )
      assert.strictEqual(
        yield* codeOf(sessions.verify({ tag: "web", env: "nope", token: "x" })),
        "ENV_NOT_FOUND"
      )
      yield* sessions.start({ tag: "web", data, identifier: "u1" })
    })
  )

  it.effect("without product or env the error names the field", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { sessions } = yield* openAgain(opened, { product: undefined, env: undefined })
      assert.strictEqual(yield* codeOf(sessions.start({ tag: "web", data })), "CONTEXT_MISSING")
      assert.strictEqual(yield* codeOf(sessions.list()), "CONTEXT_MISSING")
      const { token } = yield* sessions.start({ tag: "web", data, product: "shop", env: "dev" })
      assert.isTrue((yield* sessions.verify({ tag: "web", token, product_tag: "shop", env: "dev" })).valid)
    })
  )
})

describe("session configurations", () => {
  it.effect("are made, listed, read, changed and deleted, with the product in front or by default", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      assert.strictEqual(yield* codeOf(sessions.create(web)), "SESSION_CONFIG_EXISTS")
      const made = yield* sessions.create("shop", { ...web, tag: "app" })
      assert.deepInclude(made, { ...web, tag: "app" })
      assert.deepStrictEqual((yield* sessions.list()).map(({ tag }) => tag).sort(), ["app", "web"])
      assert.deepStrictEqual(yield* sessions.fetchAll("shop"), yield* sessions.list())
      assert.strictEqual((yield* sessions.fetch("app")).name, "Web")
      assert.strictEqual((yield* sessions.fetch("shop", "app")).name, "Web")
      assert.strictEqual((yield* sessions.update("app", { name: "App" })).name, "App")
      assert.strictEqual((yield* sessions.update("shop", "app", { expiry: 5 })).expiry, 5)
      assert.strictEqual(yield* codeOf(sessions.update("app", { expiry: 0 })), "VALIDATION_ERROR")
      assert.strictEqual(
        yield* codeOf(sessions.update("app", { selector: "$Session{no}" })),
        "SELECTOR_INVALID"
      )
      assert.strictEqual((yield* sessions.update("app", { tag: "other" })).tag, "app")
      for (const call of [sessions.fetch("none"), sessions.update("none", {})]) {
        assert.strictEqual(yield* codeOf(call), "SESSION_CONFIG_NOT_FOUND")
      }
      assert.strictEqual(yield* codeOf(sessions.create("none", web)), "PRODUCT_NOT_FOUND")
      assert.isTrue(yield* sessions.delete("shop", "app"))
      assert.isFalse(yield* sessions.delete("app"))
    })
  )

  it.effect("delete ends all sessions of all environments, also for a configuration made anew", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const tokens = [
        { env: "prd", ...(yield* sessions.start({ tag: "web", data })) },
        { env: "dev", ...(yield* sessions.start({ tag: "web", env: "dev", data })) }
      ]
      assert.isTrue(yield* sessions.delete("web"))
      assert.strictEqual(
        yield* codeOf(sessions.verify({ tag: "web", token: tokens[0]?.token ?? "" })),
        "SESSION_CONFIG_NOT_FOUND"
      )
      yield* sessions.create(web)
      for (const { env, token, refreshToken } of tokens) {
        assert.strictEqual((yield* sessions.verify({ tag: "web", env, token })).reason, "revoked")
        assert.strictEqual(
          yield* codeOf(sessions.refresh({ tag: "web", env, refreshToken })),
          "SESSION_REVOKED"
        )
      }
    })
  )

  it.effect("an update leaves sessions under way their lifetime and identifier", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const first = yield* sessions.start({ tag: "web", data })
      yield* sessions.update("web", { expiry: 1, period: "hours", selector: "$Session{details}{email}" })
      const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      assert.strictEqual(second.expiresAt.getTime(), wednesday + 15 * 60_000)
      assert.strictEqual((yield* sessions.getInfo({ tag: "web", token: second.token })).identifier, "u1")
      const fresh = yield* sessions.start({ tag: "web", data })
      assert.strictEqual(fresh.expiresAt.getTime(), wednesday + 3_600_000)
      assert.strictEqual((yield* sessions.getInfo({ tag: "web", token: fresh.token })).identifier, "x@y.z")
    })
  )
})
