import { RegistryError, type RegistryStoreShape } from "@ductape/registry"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { RegistrySessionStore } from "../src/RegistrySessionStore.ts"
import type { SessionFailure } from "../src/SessionRuntime.ts"
import type { SessionStoreShape } from "../src/SessionStore.ts"
import { openAgain, openSessions } from "./openSessions.ts"

const data = { userId: "u1" }

describe("failures of the store", () => {
  it.effect("are told from bad tokens, and say whether the same call may succeed later", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { token, refreshToken, sessionId } = yield* opened.sessions.start({ tag: "web", data })
      const failing = (code: "CONNECTION_ERROR" | "STORE_CORRUPT"): SessionStoreShape => {
        const fail = () => Effect.fail(new RegistryError({ code, message: "postgres://user:secret@host" }))
        const { registry } = opened
        const broken: RegistryStoreShape = {
          ...registry.store,
          get: fail,
          list: fail,
          write: fail,
          purge: fail,
          sync: undefined
        }
        return RegistrySessionStore.make(broken)
      }
      for (const [code, status, retryable] of [
        ["CONNECTION_ERROR", 503, true],
        ["STORE_CORRUPT", 500, false]
      ] as const) {
        const { sessions } = yield* openAgain({ ...opened, store: failing(code) })
        for (const call of [
          sessions.start({ tag: "web", data }),
          sessions.verify({ tag: "web", token }),
          sessions.decrypt({ tag: "web", token }),
          sessions.refresh({ tag: "web", refreshToken }),
          sessions.revoke({ tag: "web", sessionId }),
          sessions.revokeAll({ tag: "web", all: true }),
          sessions.listActive({ tag: "web" }),
          sessions.getInfo({ tag: "web", sessionId }),
          sessions.fetchUsers({ session: "web" }),
          sessions.fetchUserDetails({ session: "web", identifier: "u1" }),
          sessions.fetchDashboard({ session: "web" })
        ]) {
          const error = yield* Effect.flip(call as Effect.Effect<unknown, SessionFailure>)
          const seen = { code: error.code, status: error.status, retryable: error.retryable }
          assert.deepStrictEqual(seen, { code: "SESSION_STORE_FAILED", status, retryable })
          assert.notInclude(JSON.stringify(error), "secret")
        }
      }
      // What was not written is as it was.
      assert.isTrue((yield* opened.sessions.verify({ tag: "web", token })).valid)
      yield* opened.sessions.refresh({ tag: "web", refreshToken })
    })
  )

  it.effect("a record that something else changed is an error, not a session", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { registry } = opened
      const first = yield* opened.sessions.start({ tag: "web", data })
      const other = yield* opened.sessions.start({ tag: "web", data: { userId: "u2" } })
      const change = (edit: (value: string) => string) =>
        Effect.gen(function* () {
          const record = yield* registry.store.get("session", first.sessionId)
          yield* registry.store.write(
            [
              {
                op: "put",
                kind: "session",
                key: first.sessionId,
                group: record?.group ?? "",
                value: edit(record?.value ?? "")
              }
            ],
            { definitions: false }
          )
        })
      const foreign = JSON.parse(
        (yield* registry.store.get("session", other.sessionId))?.value ?? "{}"
      ).sealed
      yield* change((value) => JSON.stringify({ ...JSON.parse(value), sealed: foreign }))
      const { sessions } = yield* openAgain(opened)
      for (const call of [
        sessions.refresh({ tag: "web", refreshToken: first.refreshToken }),
        sessions.getInfo({ tag: "web", sessionId: first.sessionId })
      ]) {
        assert.strictEqual(
          (yield* Effect.flip(call as Effect.Effect<unknown, SessionFailure>)).code,
          "SESSION_STORE_FAILED"
        )
      }
      yield* change(() => "{")
      const error = yield* Effect.flip(sessions.verify({ tag: "web", token: first.token }))
      assert.strictEqual(error.code, "SESSION_STORE_FAILED")
    })
  )

  it.effect("a failing write of last_seen fails no verify", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { token } = yield* opened.sessions.start({ tag: "web", data })
      const { sessions } = yield* openAgain({
        ...opened,
        store: {
          ...opened.store,
          commit: () => Effect.die(new Error("no write")),
          purge: () => Effect.die(new Error("no write"))
        }
      })
      yield* TestClock.adjust("2 minutes")
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
      yield* TestClock.adjust("2 minutes")
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
    })
  )
})

describe("timeout and signal", () => {
  it.effect("end a call whose store hangs, and nothing else", () =>
    Effect.gen(function* () {
      const opened = yield* openSessions()
      const { token } = yield* opened.sessions.start({ tag: "web", data })
      const { sessions } = yield* openAgain({
        ...opened,
        store: { ...opened.store, get: () => Effect.never, sync: undefined }
      })
      const slow = yield* Effect.forkChild(Effect.flip(sessions.verify({ tag: "web", token, timeout: 500 })))
      yield* TestClock.adjust("499 millis")
      assert.isUndefined(slow.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(slow)).code, "TIMEOUT")

      const controller = new AbortController()
      const { signal } = controller
      const aborted = yield* Effect.forkChild(Effect.flip(sessions.verify({ tag: "web", token, signal })))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(aborted.pollUnsafe())
      controller.abort()
      assert.strictEqual((yield* Fiber.join(aborted)).code, "ABORTED")
      const before = opened.sessions.start({ tag: "web", data, signal })
      assert.strictEqual((yield* Effect.flip(before)).code, "ABORTED")
      assert.strictEqual((yield* opened.sessions.listActive({ tag: "web" })).total, 1)
    })
  )
})
