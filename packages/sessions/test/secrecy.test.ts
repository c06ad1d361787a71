import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqliteStore } from "@ductape/registry"
import { assertNoCanary, canary } from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { TestClock } from "effect/testing"
import { openSessions } from "./openSessions.ts"

describe("secrecy", () => {
  it.effect("no token, and nothing of the data, is in the store, in errors, logs or spans", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const spans: Array<Tracer.NativeSpan> = []
      const lines: Array<unknown> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const logger = Logger.make((options) => {
        lines.push(Logger.formatStructured.log(options))
      })
      const email = canary("email")
      const secret = canary("data")
      const secrets: Array<string> = [secret]
      yield* Effect.gen(function* () {
        const registryStore = yield* SqliteStore.make(join(folder, "workspace.db"))
        const { sessions } = yield* openSessions({ registryStore, config: { reuse_leeway: 1 } })
        const data = { userId: email, details: { email: secret } }
        const errors: Array<unknown> = []
        const keep = <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.matchEffect(effect, {
            onFailure: (error) => Effect.sync(() => void errors.push(error)),
            onSuccess: () => Effect.void
          })
        const parts = (...tokens: ReadonlyArray<string>) => {
          for (const token of tokens) secrets.push(...token.split(/[.:]/).filter((part) => part.length > 40))
        }
        const first = yield* sessions.start({ tag: "web", data })
        const second = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
        const sibling = yield* sessions.refresh({ tag: "web", refreshToken: first.refreshToken })
        for (const tokens of [first, second, sibling]) parts(tokens.token, tokens.refreshToken)
        for (const token of [first.token, second.token, `${second.token}x`, `app:${second.token}`]) {
          yield* keep(sessions.decrypt({ tag: "web", token }))
          yield* keep(sessions.decrypt({ tag: "web", env: "dev", token }))
          yield* keep(sessions.verifySession(token, { product: "shop", env: "dev" }))
          yield* keep(sessions.getInfo({ tag: "web", token: `x${token}` }))
        }
        yield* keep(sessions.start({ tag: "web", data: { userId: email, role: { secret } } }))
        yield* keep(sessions.start({ tag: "web", data: { details: { email: secret } } }))
        yield* keep(sessions.start({ tag: "web", data, identifier: secret }))
        yield* keep(sessions.fetchUserDetails({ tag: "web", identifier: secret }))
        yield* keep(sessions.refresh({ tag: "web", refreshToken: `${first.refreshToken}x` }))
        yield* TestClock.adjust("2 seconds")
        yield* keep(sessions.refresh({ tag: "web", refreshToken: first.refreshToken }))
        yield* keep(sessions.refresh({ tag: "web", refreshToken: second.refreshToken }))
        yield* keep(sessions.decrypt({ tag: "web", token: second.token }))
        yield* TestClock.adjust("1 hour")
        assert.isAbove(errors.length, 12)
        assertNoCanary([...secrets, email], errors)
        // Read while the store is open, so that its journal is there too.
        for (const file of readdirSync(folder))
          assertNoCanary([...secrets, email], readFileSync(join(folder, file)))
      }).pipe(
        Effect.scoped,
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Trace")
      )
      assert.isAbove(spans.length, 20)
      assert.isAbove(lines.length, 0)
      // The identifier may be logged: it is what an operator looks for.
      assertNoCanary(
        secrets,
        // What exporters send: of a span's end, only its failure.
        spans.map(({ name, attributes, events, status }) => ({
          name,
          attributes,
          events,
          failure:
            status._tag === "Ended" && Exit.isFailure(status.exit) ? Cause.pretty(status.exit.cause) : ""
        }))
      )
      assertNoCanary(secrets, lines)
      const named = new Set(spans.map(({ name }) => name))
      for (const method of ["start", "refresh", "decrypt", "getInfo", "fetchUserDetails", "verifySession"]) {
        assert.isTrue(named.has(`Sessions.${method}`), method)
      }
    })
  )
})
