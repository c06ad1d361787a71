import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { afterAll } from "vitest"
import {
  createWorkspace,
  MemoryStore,
  openRegistry,
  openStore,
  type RegistryStoreShape,
  SqliteStore
} from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const folder = mkdtempSync(join(tmpdir(), "ductape-workspace-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const opening = (store: RegistryStoreShape, accessKey: string, workspaceId?: string) =>
  Effect.flip(openRegistry(store, { accessKey, workspaceId }))

describe("A workspace", () => {
  it.effect("is made once in a store, and opened with its key", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const { accessKey, workspaceId } = yield* createWorkspace(store, { name: "Acme, Inc." })
      assert.match(accessKey, /^dk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)
      const registry = yield* openRegistry(store, { accessKey: Redacted.make(accessKey), workspaceId })
      assert.deepStrictEqual(registry.workspace, { id: workspaceId, name: "Acme, Inc.", tag: "acme-inc" })
      const again = yield* Effect.flip(createWorkspace(store, { name: "Other" }))
      assert.strictEqual(again.code, "WORKSPACE_EXISTS")
      for (const name of ["", "!!!", undefined]) {
        const empty = yield* MemoryStore.make()
        const error = yield* Effect.flip(createWorkspace(empty, { name: name as string }))
        assert.strictEqual(error.code, "VALIDATION_ERROR")
      }
    })
  )

  it.effect("gives one error for malformed, unknown and wrong keys", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const { accessKey } = yield* createWorkspace(store, { name: "Acme" })
      const foreign = yield* createWorkspace(yield* MemoryStore.make(), { name: "Other" })
      const id = accessKey.slice(3, 19)
      const last = accessKey.at(-1) === "A" ? "E" : "A"
      const wrong = [
        "nonsense",
        "dk_",
        `${accessKey}x`,
        accessKey.slice(0, -1),
        accessKey.toUpperCase(),
        foreign.accessKey,
        accessKey.slice(0, -1) + last,
        `dk_${id}${foreign.accessKey.slice(19)}`,
        `dk_0000000000000000${accessKey.slice(19)}`
      ]
      const errors = yield* Effect.forEach(wrong, (key) => opening(store, key))
      assert.deepStrictEqual(new Set(errors.map(({ code }) => code)), new Set(["ACCESS_KEY_INVALID"]))
      assert.strictEqual(new Set(errors.map(({ message }) => message)).size, 1)
      for (const error of errors) assert.notInclude(JSON.stringify(error), accessKey.slice(20, 40))
      assert.strictEqual((yield* opening(store, "")).code, "CREDENTIALS_MISSING")
    })
  )

  it.effect("is missed with advice, and told from another one", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const other = yield* createWorkspace(yield* MemoryStore.make(), { name: "Other" })
      const missing = yield* opening(store, other.accessKey)
      assert.strictEqual(missing.code, "WORKSPACE_NOT_FOUND")
      assert.include(missing.message, "createWorkspace(")
      const { accessKey } = yield* createWorkspace(store, { name: "Acme" })
      assert.strictEqual((yield* opening(store, accessKey, other.workspaceId)).code, "WORKSPACE_MISMATCH")
      // Who has no key learns nothing of the workspace's id.
      assert.strictEqual((yield* opening(store, other.accessKey, "x")).code, "ACCESS_KEY_INVALID")
    })
  )

  it.effect("can have several keys, and keeps the last one", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const first = yield* testWorkspace({ store })
      yield* first.secrets.create({ key: "A", value: "kept" })
      const second = yield* first.accessKeys.create("deploy")
      const reopened = yield* openRegistry(store, { accessKey: second.accessKey })
      assert.strictEqual((yield* reopened.secrets.fetch("A")).value, "kept")
      const listed = yield* first.accessKeys.fetchAll
      assert.strictEqual(listed.length, 2)
      assert.sameMembers(
        listed.flatMap((key) => (key.name === undefined ? [] : [key.name])),
        ["deploy"]
      )
      assert.notInclude(JSON.stringify(listed), "wrapped")
      const firstId = first.accessKey.slice(3, 19)
      assert.isFalse(yield* reopened.accessKeys.revoke("0000000000000000"))
      const results = yield* Effect.forEach(
        [firstId, second.id],
        (id) => Effect.exit(first.accessKeys.revoke(id)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        results.map((exit) => exit._tag),
        ["Success", "Failure"]
      )
      assert.strictEqual((yield* opening(store, first.accessKey)).code, "ACCESS_KEY_INVALID")
      yield* openRegistry(store, { accessKey: second.accessKey })
      assert.strictEqual((yield* Effect.flip(reopened.accessKeys.revoke(second.id))).code, "IN_USE")
    })
  )

  it.effect("whose id was exchanged does not open", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const { accessKey, workspaceId } = yield* createWorkspace(store, { name: "Acme" })
      const record = yield* store.get("workspace", "workspace")
      const value = (record?.value ?? "").replace(workspaceId, "00000000-0000-4000-8000-000000000000")
      yield* store.write([{ op: "put", kind: "workspace", key: "workspace", value }], { definitions: true })
      assert.strictEqual((yield* opening(store, accessKey)).code, "ACCESS_KEY_INVALID")
    })
  )
})

describe("Keyring", () => {
  it.effect("seals for one purpose and one place, and notices every changed character", () =>
    Effect.gen(function* () {
      const { keyring } = yield* testWorkspace()
      const other = yield* testWorkspace()
      const sealed = keyring.seal("session", "text ✓", "id-1")
      assert.match(sealed, /^v1\.[A-Za-z0-9_-]+$/)
      const open = (purpose: string, text: string, associated: string, ring = keyring) =>
        Buffer.from(ring.open(purpose, text, associated)).toString("utf8")
      assert.strictEqual(open("session", sealed, "id-1"), "text ✓")
      assert.notStrictEqual(keyring.seal("session", "text ✓", "id-1"), sealed)
      const broken = (work: () => unknown) => {
        try {
          work()
        } catch (cause) {
          return (cause as { code?: string }).code
        }
        return undefined
      }
      const bytes = Buffer.from(sealed.slice(3), "base64url")
      for (let i = 0; i < bytes.length; i++) {
        const changed = Buffer.from(bytes)
        changed.writeUInt8(changed.readUInt8(i) ^ 1, i)
        assert.strictEqual(
          broken(() => open("session", `v1.${changed.toString("base64url")}`, "id-1")),
          "SEAL_BROKEN"
        )
      }
      for (const work of [
        () => open("session", sealed, "id-2"),
        () => open("sessions", sealed, "id-1"),
        () => open("session", sealed, "id-1", other.keyring),
        () => open("session", sealed.slice(0, 30), "id-1"),
        () => open("session", "v1.", "id-1"),
        () => open("session", `v2${sealed.slice(2)}`, "id-1")
      ]) {
        assert.strictEqual(broken(work), "SEAL_BROKEN")
      }
    })
  )

  it.effect("derives a stable key for each purpose, none shared between uses", () =>
    Effect.gen(function* () {
      const store = yield* MemoryStore.make()
      const { accessKey, keyring } = yield* testWorkspace({ store })
      const again = (yield* openRegistry(store, { accessKey })).keyring
      assert.strictEqual(keyring.subkey("a").length, 32)
      assert.deepStrictEqual(again.subkey("a"), keyring.subkey("a"))
      assert.notDeepEqual(keyring.subkey("b"), keyring.subkey("a"))
      keyring.subkey("a").fill(0)
      assert.deepStrictEqual(keyring.subkey("a"), again.subkey("a"))
      assert.match(keyring.mac("a", "data"), /^[0-9a-f]{64}$/)
      assert.strictEqual(keyring.mac("a", "data"), again.mac("a", Buffer.from("data")))
      assert.notStrictEqual(keyring.mac("b", "data"), keyring.mac("a", "data"))
    })
  )
})

describe("openStore", () => {
  it.effect("makes file and folder for their owner only, at the first write", () =>
    Effect.gen(function* () {
      const file = join(folder, "made", "workspace.db")
      const store = yield* openStore(file)
      assert.isUndefined(yield* store.get("a", "b"))
      assert.strictEqual(store.sync?.changes(), 0)
      assert.isFalse(existsSync(join(folder, "made")))
      yield* createWorkspace(store, { name: "Acme" })
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(statSync(`${file}-wal`).mode & 0o777, 0o600)
      assert.strictEqual(statSync(join(folder, "made")).mode & 0o777, 0o700)
      const again = yield* openStore(`file://${file}`)
      assert.strictEqual(yield* again.revision, 1)
    })
  )

  it.effect("keeps a process-wide memory store per name, and a new one without", () =>
    Effect.gen(function* () {
      const one = yield* openStore("memory://shared-name")
      assert.strictEqual(yield* openStore("memory://shared-name"), one)
      assert.notStrictEqual(yield* openStore("memory:"), yield* openStore("memory:"))
    })
  )

  it.effect.each([
    { url: "", words: "empty" },
    { url: "postgres://u:pass-word@db/x", words: "postgres" },
    { url: "redis://u:pass-word@db/x", words: "redis" },
    { url: "file://host.example/a.db", words: "file:" }
  ])("refuses $url", ({ url, words }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openStore(url))
      assert.strictEqual(error.code, "VALIDATION_ERROR")
      assert.include(error.message, words)
      assert.notInclude(`${error.message}${JSON.stringify(error)}`, "pass-word")
    })
  )

  it.effect("says what is wrong with a file", () =>
    Effect.gen(function* () {
      const failing = (path: string) =>
        Effect.flip(
          Effect.flatMap(SqliteStore.make(path), (store) => createWorkspace(store, { name: "Acme" }))
        )
      const text = join(folder, "text.db")
      writeFileSync(text, "this is no database, though it is long enough to be looked at as one\n".repeat(20))
      const noDatabase = yield* failing(text)
      assert.strictEqual(noDatabase.code, "STORE_CORRUPT")
      assert.include(noDatabase.message, text)
      assert.include(readFileSync(text, "utf8"), "this is no database")

      const foreign = join(folder, "foreign.db")
      const db = new DatabaseSync(foreign)
      db.exec("create table mine (a)")
      db.close()
      assert.include((yield* failing(foreign)).message, "not a workspace")

      const newer = join(folder, "newer.db")
      yield* Effect.scoped(
        Effect.flatMap(SqliteStore.make(newer), (store) => createWorkspace(store, { name: "Acme" }))
      )
      const layout = new DatabaseSync(newer)
      layout.exec("pragma user_version = 99")
      layout.close()
      const tooNew = yield* failing(newer)
      assert.strictEqual(tooNew.code, "STORE_FAILED")
      assert.include(tooNew.message, "newer version")

      const noFolder = yield* failing(join(folder, "no", "such", "place.db"))
      assert.strictEqual(noFolder.code, "STORE_FAILED")
      assert.include(noFolder.message, join(folder, "no"))
      mkdirSync(join(folder, "directory"))
      assert.include((yield* failing(join(folder, "directory"))).message, "is a folder")
    })
  )

  it.effect("is closed with its scope", () =>
    Effect.gen(function* () {
      const store = yield* Effect.scoped(SqliteStore.make(join(folder, "closed.db")))
      assert.strictEqual((yield* Effect.flip(store.get("a", "b"))).code, "CLIENT_CLOSED")
    })
  )
})
