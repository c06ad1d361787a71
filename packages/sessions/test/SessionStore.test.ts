import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, SqliteStore } from "@ductape/registry"
import { PostgresStore } from "@ductape/registry-postgres"
import { describeService, freshDatabase } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RegistrySessionStore } from "../src/RegistrySessionStore.ts"
import { SessionStore } from "../src/SessionStore.ts"
import { suite } from "../src/testing/index.ts"

suite(
  "registry, memory",
  Layer.effect(SessionStore, Effect.map(MemoryStore.make(), RegistrySessionStore.make))
)

suite(
  "registry, SQLite",
  Layer.effect(
    SessionStore,
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      return RegistrySessionStore.make(yield* SqliteStore.make(join(folder, "workspace.db")))
    })
  )
)

describeService("postgres", "SessionStore on PostgreSQL", (url) => {
  suite(
    "registry, PostgreSQL",
    Layer.effect(
      SessionStore,
      Effect.gen(function* () {
        const database = yield* Effect.acquireRelease(
          Effect.promise(() => freshDatabase(url)),
          ({ drop }) => Effect.promise(drop)
        )
        return RegistrySessionStore.make(yield* PostgresStore.make(database.url))
      })
    )
  )
})
