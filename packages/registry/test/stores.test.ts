import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Layer from "effect/Layer"
import { afterAll } from "vitest"
import { MemoryStore, RegistryStore, SqliteStore } from "../src/index.ts"
import { suite } from "../src/testing/index.ts"

suite("MemoryStore", MemoryStore.layer)

suite("memory://name", Layer.effect(RegistryStore, MemoryStore.named("suite")), {
  reopen: () => MemoryStore.named("suite")
})

const folder = mkdtempSync(join(tmpdir(), "ductape-store-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, "inner", "workspace.db")

suite("SqliteStore", SqliteStore.layer(file), { reopen: () => SqliteStore.make(file) })
