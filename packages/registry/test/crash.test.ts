import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { runProcesses } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { afterAll, assert, describe, it } from "vitest"
import { createWorkspace, openRegistry, SqliteStore } from "../src/index.ts"

const folder = mkdtempSync(join(tmpdir(), "ductape-crash-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = new URL("./processes/writeUntilKilled.ts", import.meta.url)
const file = join(folder, "workspace.db")
const enough = 1_000

const integrity = () => {
  const db = new DatabaseSync(file)
  try {
    return db.prepare("pragma integrity_check").all()
  } finally {
    db.close()
  }
}

const withStore = <A, E>(
  work: (store: Effect.Success<ReturnType<typeof SqliteStore.make>>) => Effect.Effect<A, E>
) => Effect.runPromise(Effect.scoped(Effect.flatMap(SqliteStore.make(file), work)))

/** Two writers, killed at a random moment after some writes. */
const untilKilled = async (accessKey: string, round: number): Promise<ReadonlyArray<string>> => {
  const acknowledged: Array<string> = []
  const wanted = 50 + Math.floor(Math.random() * 150)
  const { promise, resolve } = Promise.withResolvers<void>()
  const running = runProcesses(
    script,
    2,
    { file, accessKey, round },
    {
      onReport: (key) => {
        acknowledged.push(String(key))
        if (acknowledged.length === wanted) setTimeout(resolve, Math.random() * 4)
      }
    }
  )
  await Promise.race([promise, running])
  running.kill()
  await running
  return acknowledged
}

describe("A SQLite store whose processes are killed", () => {
  it("loses no acknowledged write, and always opens", { timeout: 300_000 }, async () => {
    const { accessKey } = await withStore((store) => createWorkspace(store, { name: "Crash" }))
    const acknowledged = new Set<string>()
    for (let round = 0; acknowledged.size < enough; round++) {
      for (const key of await untilKilled(accessKey, round)) acknowledged.add(key)
      assert.deepEqual(
        integrity().map((row) => ({ ...row })),
        [{ integrity_check: "ok" }]
      )
      await withStore((store) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { secrets } = yield* openRegistry(store, { accessKey })
            const there = new Set((yield* secrets.fetchAll).map(({ key }) => key))
            for (const key of acknowledged) {
              assert.isTrue(
                there.has(`${key}_A`) && there.has(`${key}_B`),
                `${key} was acknowledged and is lost`
              )
            }
            // Of a write that was cut off, both records are there or neither is.
            for (const key of there) {
              const [, name, half] = /^(.*)_([AB])$/.exec(key) ?? []
              assert.isTrue(there.has(`${name}_${half === "A" ? "B" : "A"}`), `half of ${name} was written`)
            }
            const sample = [...acknowledged].slice(-3)
            const values = yield* secrets.resolve(
              sample.map((key) => `${key}_A`),
              {}
            )
            for (const key of sample) assert.isTrue(values.get(`${key}_A`)?.startsWith(`${key} `))
          })
        )
      )
    }
  })
})
