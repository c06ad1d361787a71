import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { makeSessionKeys } from "../src/SessionKeys.ts"
import { decode, openAgain, openSessions } from "./openSessions.ts"

const data = { userId: "u1" }
const kidOf = (token: string) => decode(token).header.kid

describe("keys", () => {
  it.effect("differ by purpose, product, environment, tag and kid, and are made once per scope", () =>
    Effect.gen(function* () {
      const { registry, sessions } = yield* openSessions()
      const purposes: Array<string> = []
      const keys = makeSessionKeys({
        ...registry,
        keyring: {
          ...registry.keyring,
          subkey: (purpose) => {
            purposes.push(purpose)
            const key = registry.keyring.subkey(purpose)
            assert.strictEqual(key.length, 32)
            return key
          }
        }
      })
      const scope = { product: "shop", env: "prd", tag: "web" }
      for (const changed of [{}, { product: "p" }, { env: "dev" }, { tag: "app" }]) {
        const key = yield* keys.newest({ ...scope, ...changed })
        yield* Effect.promise(() => Promise.all([key.signing(), key.encryption()]))
        assert.isFalse((yield* Effect.promise(key.signing)).extractable)
        assert.strictEqual((yield* keys.newest({ ...scope, ...changed })).kid, key.kid)
      }
      assert.strictEqual(purposes.length, 8)
      assert.strictEqual(new Set(purposes).size, 8)
      const first = yield* sessions.start({ tag: "web", data })
      const second = yield* sessions.start({ tag: "web", data })
      assert.strictEqual(kidOf(first.token), kidOf(second.token))
      assert.strictEqual(kidOf(first.token), (yield* keys.newest(scope)).kid)
    })
  )

  it.effect("the newest signs in every process, older ones verify until their last token has expired", () =>
    Effect.gen(function* () {
      const here = yield* openSessions()
      const there = yield* openAgain(here)
      const first = yield* here.sessions.start({ tag: "web", data })
      yield* there.sessions.verify({ tag: "web", token: first.token })
      const rotated = yield* here.sessions.rotateKeys({ tag: "web" })
      assert.deepStrictEqual(
        rotated.keys.map(({ signs }) => signs),
        [true, false]
      )
      assert.strictEqual(rotated.keys[1]?.kid, kidOf(first.token))
      for (const { sessions } of [here, there]) {
        const { token } = yield* sessions.start({ tag: "web", data })
        assert.strictEqual(kidOf(token), rotated.keys[0]?.kid)
        assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
        assert.isTrue((yield* sessions.verify({ tag: "web", token: first.token })).valid)
      }
      const refreshed = yield* there.sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
      assert.strictEqual(kidOf(refreshed.token), rotated.keys[0]?.kid)

      // Its last token is good for 15 minutes and the leeway.
      yield* TestClock.adjust("15 minutes")
      yield* TestClock.adjust("4 seconds")
      const second = yield* here.sessions.rotateKeys({ tag: "web" })
      assert.strictEqual(second.keys.length, 3)
      assert.isTrue((yield* there.sessions.verify({ tag: "web", token: first.token })).valid)
      yield* TestClock.adjust("2 seconds")
      const third = yield* here.sessions.rotateKeys({ tag: "web" })
      assert.notInclude(
        third.keys.map(({ kid }) => kid),
        kidOf(first.token)
      )
      assert.strictEqual(
        (yield* there.sessions.verify({ tag: "web", token: first.token })).reason,
        "signature"
      )
    })
  )

  it.effect("a key is not dropped while a process may not have noticed its successor", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const unused = (yield* sessions.rotateKeys({ tag: "web" })).keys[0]?.kid
      yield* sessions.rotateKeys({ tag: "web" })
      yield* TestClock.adjust("59 seconds")
      assert.include(
        (yield* sessions.rotateKeys({ tag: "web" })).keys.map(({ kid }) => kid),
        unused
      )
      yield* TestClock.adjust("2 seconds")
      assert.notInclude(
        (yield* sessions.rotateKeys({ tag: "web" })).keys.map(({ kid }) => kid),
        unused
      )
    })
  )

  it.effect("dropOlder ends every access token at once, and refresh tokens go on", () =>
    Effect.gen(function* () {
      const here = yield* openSessions()
      const there = yield* openAgain(here)
      const { token, refreshToken } = yield* here.sessions.start({ tag: "web", data })
      for (const { sessions } of [here, there]) {
        assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
      }
      assert.strictEqual((yield* here.sessions.rotateKeys({ tag: "web", dropOlder: true })).keys.length, 1)
      for (const { sessions } of [here, there]) {
        assert.isUndefined(sessions.verifyNow({ tag: "web", token }))
        assert.strictEqual((yield* sessions.verify({ tag: "web", token })).reason, "signature")
      }
      const refreshed = yield* there.sessions.refresh({ tag: "web", refreshToken })
      assert.isTrue((yield* here.sessions.verify({ tag: "web", token: refreshed.token })).valid)
    })
  )

  it.effect("of one environment only, or of all", () =>
    Effect.gen(function* () {
      const { sessions } = yield* openSessions()
      const dev = yield* sessions.start({ tag: "web", env: "dev", data })
      yield* sessions.rotateKeys({ tag: "web" })
      assert.strictEqual(
        kidOf((yield* sessions.start({ tag: "web", env: "dev", data })).token),
        kidOf(dev.token)
      )
      const { keys } = yield* sessions.rotateKeys({ tag: "web", env: "*" })
      assert.deepStrictEqual(
        keys
          .filter(({ signs }) => signs)
          .map(({ env }) => env)
          .sort(),
        ["dev", "prd"]
      )
      assert.notStrictEqual(
        kidOf((yield* sessions.start({ tag: "web", env: "dev", data })).token),
        kidOf(dev.token)
      )
    })
  )
})
