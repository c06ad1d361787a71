import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, SqliteStore } from "@ductape/registry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll } from "vitest"
import { RegistrySessionStore } from "../src/RegistrySessionStore.ts"
import { SessionStore } from "../src/SessionStore.ts"
import { suite } from "../src/testing/index.ts"

suite(
  "registry, memory",
  Layer.effect(SessionStore, Effect.map(MemoryStore.make(), RegistrySessionStore.make))
)

const folder = mkdtempSync(join(tmpdir(), "sessions-"))
afterAll(() => rmSync(folder, { recursive: true }))

suite(
  "registry, SQLite",
  Layer.effect(
    SessionStore,
    Effect.map(SqliteStore.make(join(folder, "workspace.db")), RegistrySessionStore.make)
  )
)
