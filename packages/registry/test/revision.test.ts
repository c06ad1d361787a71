import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll } from "vitest"
import {
  MemoryStore,
  openRegistry,
  RegistryError,
  type RegistryStoreShape,
  SqliteStore
} from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const folder = mkdtempSync(join(tmpdir(), "ductape-revision-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sleep = (ms: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, ms)))
const dev = { product: "shop", env: "dev" }

const connected = Effect.fnUntraced(function* (store: RegistryStoreShape) {
  const registry = yield* testWorkspace({ store })
  yield* registry.products.create({ name: "Shop" })
  yield* registry.apps.create({ app_name: "CRM", base_url: "https://one.test" })
  yield* registry.products.apps.connect("shop", "crm")
  return registry
})

/** A store as a server would be: every answer takes a moment, nothing can be read at once. */
const remote = (inner: RegistryStoreShape) => {
  const state = { looks: 0, failing: false, delay: 5 }
  const store: RegistryStoreShape = {
    ...inner,
    sync: undefined,
    revision: Effect.suspend(() => {
      state.looks++
      const answer = state.failing
        ? Effect.fail(new RegistryError({ code: "CONNECTION_ERROR", message: "down" }))
        : inner.revision
      // What is true when it is asked arrives later.
      return Effect.tap(answer, () => sleep(state.delay))
    })
  }
  return { store, state }
}

describe("Changes of the workspace", () => {
  it.effect("by another process on the file are seen, though everything is kept in memory", () =>
    Effect.gen(function* () {
      const file = join(folder, "workspace.db")
      const registry = yield* connected(yield* SqliteStore.make(file))
      const found = yield* registry.connection(dev, "crm")
      assert.strictEqual(registry.kept.connection(dev, "crm"), found)
      // A session's record is no definition: what is kept stays.
      const other = new DatabaseSync(file)
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      other.exec("insert into record values ('session', 's', '', '', '{}', 1, null)")
      yield* sleep(20)
      assert.strictEqual(registry.kept.connection(dev, "crm"), found)
      const known = registry.knownRevision() ?? 0
      other.exec(`begin immediate;
        update record set value = replace(value, 'one.test', 'two.test'), version = version + 1 where kind = 'app';
        update counter set value = value + 1 where name = 'revision';
        commit`)
      while (registry.knownRevision() === known) yield* sleep(1)
      assert.strictEqual(registry.knownRevision(), known + 1)
      assert.isUndefined(registry.kept.connection(dev, "crm"))
      assert.strictEqual((yield* registry.connection(dev, "crm")).baseUrl, "https://two.test")
    })
  )

  it.effect("by another one on a server are seen, and no run waits while the last look is fresh", () =>
    Effect.gen(function* () {
      const inner = yield* MemoryStore.make()
      const { state, store } = remote(inner)
      const registry = yield* connected(store)
      const other = yield* openRegistry(inner, { accessKey: registry.accessKey })

      state.looks = 0
      const runs = Array.from({ length: 10 })
      yield* Effect.forEach(runs, () => registry.connection(dev, "crm"), { concurrency: "unbounded" })
      assert.strictEqual(state.looks, 1)
      assert.isDefined(registry.kept.connection(dev, "crm"))
      assert.strictEqual(state.looks, 1)

      // Old enough to be renewed, not too old to be used: nobody waits, one look is under way.
      yield* sleep(300)
      for (const _ of runs) assert.isDefined(registry.kept.connection(dev, "crm"))
      assert.strictEqual(state.looks, 2)
      yield* other.apps.update("crm", { base_url: "https://two.test" })
      while (registry.kept.connection(dev, "crm") !== undefined) yield* sleep(5)
      assert.strictEqual((yield* registry.connection(dev, "crm")).baseUrl, "https://two.test")

      // Its own changes are seen at once, and a look from before them that comes late is not believed.
      yield* sleep(300)
      state.delay = 100
      assert.isDefined(registry.kept.connection(dev, "crm"))
      state.delay = 1
      yield* registry.apps.update("crm", { base_url: "https://three.test" })
      assert.isUndefined(registry.kept.connection(dev, "crm"))
      assert.strictEqual((yield* registry.connection(dev, "crm")).baseUrl, "https://three.test")
      const now = yield* inner.revision
      yield* sleep(150)
      assert.strictEqual(registry.knownRevision(), now)
    })
  )

  it.effect("cannot be missed while the store does not answer: what is kept counts for a second", () =>
    Effect.gen(function* () {
      const { state, store } = remote(yield* MemoryStore.make())
      const registry = yield* connected(store)
      yield* registry.connection(dev, "crm")
      state.failing = true
      yield* registry.connection(dev, "crm")
      yield* sleep(1_100)
      assert.isUndefined(registry.knownRevision())
      assert.isUndefined(registry.kept.connection(dev, "crm"))
      assert.strictEqual((yield* Effect.flip(registry.connection(dev, "crm"))).code, "CONNECTION_ERROR")
      assert.strictEqual((yield* Effect.flip(registry.revision)).code, "CONNECTION_ERROR")
      state.failing = false
      assert.strictEqual((yield* registry.connection(dev, "crm")).baseUrl, "https://one.test")
    })
  )

  it.effect("leave a hit as fast with 20,000 actions as with ten", () =>
    Effect.gen(function* () {
      const { actions, apps, kept } = yield* testWorkspace()
      yield* apps.create({ app_name: "CRM" })
      yield* actions.import({
        app: { existing: "crm" },
        actions: Array.from({ length: 20_000 }, (_, i) => ({
          tag: `a-${i}`,
          name: `a-${i}`,
          method: "GET" as const,
          resource: "/"
        })),
        variables: [],
        auths: []
      })
      assert.strictEqual((yield* actions.tags("crm")).length, 20_000)
      const found = yield* actions.fetch("crm", "A_19999")
      assert.strictEqual(found.tag, "a-19999")
      assert.strictEqual(kept.action("crm", "A_19999"), found)
      // Only what was asked for is in memory.
      assert.isUndefined(kept.action("crm", "a-1"))
    })
  )
})
