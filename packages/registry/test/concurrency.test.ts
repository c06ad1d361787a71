import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { runProcesses } from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll } from "vitest"
import { SqliteStore } from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const folder = mkdtempSync(join(tmpdir(), "ductape-concurrency-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("Several processes on one file", () => {
  it.effect(
    "that does not exist yet make one workspace",
    () =>
      Effect.gen(function* () {
        const file = join(folder, "fresh", "workspace.db")
        const results = yield* Effect.promise(() =>
          runProcesses(new URL("./processes/createAtOnce.ts", import.meta.url), 4, {
            file,
            at: Date.now() + 2_500
          })
        )
        assert.deepStrictEqual([...results].sort(), [
          "WORKSPACE_EXISTS",
          "WORKSPACE_EXISTS",
          "WORKSPACE_EXISTS",
          "made"
        ])
      }),
    60_000
  )

  it.effect(
    "lose no update, and see each other's",
    () =>
      Effect.gen(function* () {
        const file = join(folder, "workspace.db")
        const store = yield* SqliteStore.make(file)
        const registry = yield* testWorkspace({ store })
        yield* registry.products.create({ name: "Shop" })
        yield* registry.apps.create({ app_name: "CRM" })
        const counters = registry.resources<{ readonly tag: string; readonly value: number }>({
          kind: "counter",
          sealed: true
        })
        yield* counters.create("shop", { tag: "shared", value: 0 })
        yield* counters.fetch("shop", "shared")
        const [processes, times] = [4, 25]
        yield* Effect.promise(() =>
          runProcesses(new URL("./processes/buildTogether.ts", import.meta.url), processes, {
            store: file,
            accessKey: registry.accessKey,
            times
          })
        )
        assert.strictEqual((yield* counters.fetch("shop", "shared")).value, processes * times)
        assert.strictEqual((yield* registry.products.fetch("shop")).envs.length, 2 + processes * times)
        assert.strictEqual((yield* registry.apps.fetch("crm")).variables.length, processes * times)
      }),
    120_000
  )

  it.effect(
    "wait for each other without blocking, and give up with STORE_BUSY",
    () =>
      Effect.gen(function* () {
        const file = join(folder, "busy.db")
        const store = yield* SqliteStore.make(file)
        const put = { op: "put", kind: "k", key: "a", value: "1" } as const
        yield* store.write([put], { definitions: false })
        const other = new DatabaseSync(file)
        yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))

        other.exec("begin immediate")
        let ticks = 0
        const timer = setInterval(() => {
          if (++ticks === 10) other.exec("rollback")
        }, 5)
        yield* store.write([put], { definitions: false })
        clearInterval(timer)
        assert.isAtLeast(ticks, 10)
        assert.strictEqual((yield* store.get("k", "a"))?.version, 2)

        other.exec("begin immediate")
        const error = yield* Effect.flip(store.write([put], { definitions: false }))
        assert.strictEqual(error.code, "STORE_BUSY")
        assert.isTrue(error.retryable)
        assert.strictEqual((yield* store.get("k", "a"))?.version, 2)
        other.exec("rollback")
        yield* store.write([put], { definitions: false })
      }),
    60_000
  )
})
