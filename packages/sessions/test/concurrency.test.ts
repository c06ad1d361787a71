import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describeService, freshDatabase, runProcesses } from "@ductape/testkit"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { web } from "./openSessions.ts"
import { makeShop } from "./processes/openShop.ts"
import type { RefreshedMany, RefreshMany } from "./processes/refreshMany.child.ts"
import type { SeeRevocation } from "./processes/seeRevocation.child.ts"

const processes = 4
const perProcess = 250
/** Time for the processes to start, so that they race. */
const headStart = 4_000
const script = (name: string) => new URL(`./processes/${name}.child.ts`, import.meta.url)

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const between = (name: string, place: Effect.Effect<string, never, import("effect/Scope").Scope>) => {
  const race = (reuse_leeway: number) =>
    Effect.gen(function* () {
      const { sessions, shop } = yield* makeShop(yield* place, { ...web, reuse_leeway })
      const { refreshToken, sessionId } = yield* sessions.start({ tag: "web", data: { userId: "u1" } })
      const args: RefreshMany = { shop, refreshToken, count: perProcess, at: Date.now() + headStart }
      const results = (yield* Effect.promise(() =>
        runProcesses(script("refreshMany"), processes, args)
      )) as ReadonlyArray<RefreshedMany>
      const tokens = results.flatMap((result) => result.tokens)
      const codes = results.flatMap((result) => result.codes)
      assert.strictEqual(tokens.length + codes.length, processes * perProcess)
      return { sessions, sessionId, tokens, codes }
    })
  const working = (refresh: Effect.Effect<unknown, { readonly code: string }>) =>
    Effect.match(refresh, { onFailure: ({ code }) => code, onSuccess: () => "ok" })

  describe(`${processes} processes over ${name}`, () => {
    it.live(
      `of ${perProcess} parallel refreshes each, exactly one succeeds, and the reuse ends the session`,
      () =>
        Effect.gen(function* () {
          const { sessions, tokens, codes } = yield* race(0)
          assert.strictEqual(tokens.length, 1)
          assert.includeMembers(["REFRESH_REUSED", "SESSION_REVOKED"], [...new Set(codes)])
          const [winner] = tokens
          assert.strictEqual(
            (yield* sessions.verify({ tag: "web", token: winner?.token ?? "" })).reason,
            "revoked"
          )
          assert.strictEqual((yield* sessions.listActive({ tag: "web" })).total, 0)
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "with leeway all get a working token of one family, of which the next use leaves one line",
      () =>
        Effect.gen(function* () {
          const { sessions, sessionId, tokens, codes } = yield* race(60)
          assert.deepStrictEqual(codes, [])
          assert.strictEqual(new Set(tokens.map(({ refreshToken }) => refreshToken)).size, tokens.length)
          for (const { token } of tokens.filter((_, i) => i % 50 === 0)) {
            const verified = yield* sessions.verify({ tag: "web", token })
            assert.strictEqual(verified.sessionId, sessionId)
          }
          const [first, second, third] = tokens
          yield* sessions.update("web", { reuse_leeway: 0 })
          const used = sessions.refresh({ tag: "web", refreshToken: first?.refreshToken ?? "" })
          assert.strictEqual(yield* working(used), "ok")
          const late = sessions.refresh({ tag: "web", refreshToken: second?.refreshToken ?? "" })
          assert.strictEqual(yield* working(late), "REFRESH_REUSED")
          const dead = sessions.refresh({ tag: "web", refreshToken: third?.refreshToken ?? "" })
          assert.strictEqual(yield* working(dead), "SESSION_REVOKED")
        }).pipe(Effect.scoped),
      60_000
    )

    it.live(
      "a revocation is seen by the next verify of every process",
      () =>
        Effect.gen(function* () {
          const { sessions, shop } = yield* makeShop(yield* place, web)
          const { token, sessionId } = yield* sessions.start({ tag: "web", data: { userId: "u1" } })
          const flag = join(yield* temporary, "revoked")
          const args: SeeRevocation = { shop, token, flag }
          let ready = 0
          let allReady = () => {}
          const verified = new Promise<void>((resolve) => {
            allReady = resolve
          })
          const running = runProcesses(script("seeRevocation"), processes, args, {
            onReport: () => {
              ready++
              if (ready === processes) allReady()
            }
          })
          yield* Effect.promise(() => Promise.race([verified, running]))
          yield* sessions.revoke({ tag: "web", sessionId })
          writeFileSync(flag, "")
          const results = (yield* Effect.promise(() => running)) as ReadonlyArray<object>
          for (const result of results) {
            assert.deepStrictEqual(result, { before: [true, true], after: "revoked" })
          }
        }).pipe(Effect.scoped),
      60_000
    )
  })
}

between(
  "a SQLite file",
  Effect.map(temporary, (folder) => join(folder, "workspace.db"))
)

describeService("postgres", "PostgreSQL", (url) =>
  between(
    "PostgreSQL",
    Effect.acquireRelease(
      Effect.promise(() => freshDatabase(url)),
      ({ drop }) => Effect.promise(drop)
    ).pipe(Effect.map((database) => database.url))
  )
)
