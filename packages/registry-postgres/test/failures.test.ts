import { openRegistry, RegistryError } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import {
  assertNoCanary,
  canary,
  describeService,
  faultProxy,
  freePort,
  freshDatabase,
  runProcesses
} from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import postgres from "postgres"
import { classify } from "../src/classify.ts"
import { PostgresStore } from "../src/index.ts"

const put = { op: "put", kind: "k", key: "a", value: "1" } as const
const sleep = (ms: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, ms)))

describe("Failures of PostgreSQL", () => {
  const place = { host: "db", port: "5433", database: "app" }

  it.each([
    ["ECONNREFUSED", "CONNECTION_ERROR", true],
    ["ENOTFOUND", "CONNECTION_ERROR", true],
    ["CONNECT_TIMEOUT", "CONNECTION_ERROR", true],
    ["CONNECTION_CLOSED", "CONNECTION_ERROR", true],
    ["08006", "CONNECTION_ERROR", true],
    ["57P01", "CONNECTION_ERROR", true],
    ["57P03", "CONNECTION_ERROR", true],
    ["53300", "CONNECTION_ERROR", true],
    ["28P01", "CONNECTION_ERROR", false],
    ["28000", "CONNECTION_ERROR", false],
    ["3D000", "CONNECTION_ERROR", false],
    ["40001", "STORE_BUSY", true],
    ["40P01", "STORE_BUSY", true],
    ["55P03", "TIMEOUT", true],
    ["57014", "TIMEOUT", true],
    ["42501", "STORE_FAILED", false],
    ["53100", "STORE_FAILED", false],
    ["42P01", "STORE_FAILED", false],
    ["", "STORE_FAILED", false]
  ] as const)("%s is %s, retryable: %s", (code, expected, retryable) => {
    const hidden = canary("cause")
    const error = classify(
      place,
      Object.assign(new Error(hidden), { code, parameters: [hidden], detail: hidden })
    )
    assert.strictEqual(error.code, expected)
    assert.strictEqual(error.retryable, retryable)
    assert.include(error.message, "db:5433")
    assertNoCanary([hidden], error)
  })

  it("passes our own errors on", () => {
    const own = new RegistryError({ code: "WRITE_CONFLICT", message: "x" })
    assert.strictEqual(classify(place, own), own)
  })

  it.effect("a URL that is none is refused without being shown", () =>
    Effect.gen(function* () {
      const hidden = canary("password")
      for (const url of [`http://u:${hidden}@h/db`, `postgres//u:${hidden}@h`, ""]) {
        const error = yield* Effect.flip(PostgresStore.make(url))
        assert.strictEqual(error.code, "VALIDATION_ERROR")
        assertNoCanary([hidden], error)
      }
    })
  )

  it.effect("a refused connection names host and port, and no credentials", () =>
    Effect.gen(function* () {
      const port = yield* Effect.promise(() => freePort())
      const hidden = canary("password")
      const error = yield* Effect.flip(PostgresStore.make(`postgres://ada:${hidden}@127.0.0.1:${port}/app`))
      assert.strictEqual(error.code, "CONNECTION_ERROR")
      assert.isTrue(error.retryable)
      assert.include(error.message, `127.0.0.1:${port}`)
      assertNoCanary([hidden], error)
    })
  )
})

describeService("postgres", "PostgresStore on a server", (url) => {
  const database = Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => freshDatabase(url)),
      ({ drop }) => Effect.promise(drop)
    ),
    (made) => made.url
  )
  const through = Effect.gen(function* () {
    const own = new URL(yield* database)
    const proxy = yield* Effect.acquireRelease(
      Effect.promise(() => faultProxy({ host: own.hostname, port: Number(own.port) })),
      // Not waited for: it ends with the process, whatever a black hole has left of its connections.
      (open) => Effect.sync(() => void open.close())
    )
    own.host = `127.0.0.1:${proxy.port}`
    return { proxy, url: own.href }
  })

  it.effect("a wrong password or database is told, and is not worth a retry", () =>
    Effect.gen(function* () {
      const hidden = canary("password")
      const wrong = new URL(url)
      wrong.password = hidden
      const denied = yield* Effect.flip(PostgresStore.make(wrong.href))
      assert.strictEqual(denied.code, "CONNECTION_ERROR")
      assert.isFalse(denied.retryable)
      assert.include(denied.message, "password")
      assertNoCanary([hidden], denied)
      const missing = new URL(url)
      missing.pathname = "/no_such_database"
      const nowhere = yield* Effect.flip(PostgresStore.make(missing.href))
      assert.isFalse(nowhere.retryable)
      assert.include(nowhere.message, "no_such_database")
    })
  )

  it.effect("the schema is laid out once, by whoever comes first, and a newer one is refused", () =>
    Effect.gen(function* () {
      const own = yield* database
      const stores = yield* Effect.forEach(Array.from({ length: 6 }), () => PostgresStore.make(own), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(stores, (store) => store.write([put], { definitions: true }), {
        concurrency: "unbounded"
      })
      const [first] = stores
      assert.strictEqual(yield* first?.revision ?? Effect.succeed(0), 6)
      const sql = postgres(own, { max: 1 })
      yield* Effect.promise(() => sql`update ductape.layout set version = 99`)
      yield* Effect.promise(() => sql.end())
      const error = yield* Effect.flip(PostgresStore.make(own))
      assert.strictEqual(error.code, "STORE_FAILED")
      assert.include(error.message, "newer version")
    })
  )

  it.effect(
    "batches that block each other are repeated until both are through",
    () =>
      Effect.gen(function* () {
        const own = yield* database
        const store = yield* PostgresStore.make(own)
        const change = (key: string) => ({ op: "put", kind: "cross", key, value: "1" }) as const
        yield* store.write([change("a"), change("z")], { definitions: false })
        const [sql, watcher] = [postgres(own, { max: 1 }), postgres(own, { max: 1 })]
        const blocked = async () => {
          const waiting = () => watcher`select 1 from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`
          while ((await waiting()).length === 0) {
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        }
        const touch = (tx: postgres.TransactionSql, key: string) =>
          tx`update ductape.record set idx = 'other' where kind = 'cross' and key = ${key}`

        // The other transaction has a; the batch locks z to compare its version, and waits for a; then the
        // other one wants z. The batch waited first, so it is the one that the server gives up.
        const other = sql.begin(async (tx) => {
          await touch(tx, "a")
          const batch = Effect.runPromise(
            store.write([{ ...change("z"), expect: 1 }, change("a")], { definitions: false })
          )
          await blocked()
          await touch(tx, "z")
          return { batch }
        })
        yield* Effect.promise(async () => (await other).batch)
        assert.deepStrictEqual(
          (yield* store.list({ kind: "cross" })).map(({ version }) => version),
          [2, 2]
        )
        yield* Effect.promise(() => Promise.all([sql.end(), watcher.end()]))
      }),
    120_000
  )

  it.effect("cut connections are replaced; a read is asked again", () =>
    Effect.gen(function* () {
      const { proxy, url: own } = yield* through
      const store = yield* PostgresStore.make(own)
      yield* store.write([put], { definitions: false })
      for (let i = 0; i < 3; i++) {
        proxy.cutAll()
        assert.strictEqual((yield* store.get("k", "a"))?.value, "1")
      }
      proxy.set({ kind: "refuse" })
      proxy.cutAll()
      assert.strictEqual((yield* Effect.flip(store.get("k", "a"))).code, "CONNECTION_ERROR")
      proxy.set({ kind: "pass" })
      let found = yield* Effect.exit(store.get("k", "a"))
      while (found._tag === "Failure") {
        yield* sleep(20)
        found = yield* Effect.exit(store.get("k", "a"))
      }
      assert.strictEqual(found.value?.value, "1")
    })
  )

  it.effect("a server that stops answering costs the deadline, not the store", () =>
    Effect.gen(function* () {
      const { proxy, url: own } = yield* through
      const store = yield* PostgresStore.make({ url: own, timeout: 400, maxConnections: 2 })
      yield* store.write([put], { definitions: false })
      const warm = Array.from({ length: 8 }, () => store.get("k", "a"))
      yield* Effect.all(warm, { concurrency: "unbounded" })
      assert.strictEqual(proxy.connections(), 2)
      // Its side of every connection is gone, and nobody says so, now or later.
      proxy.set({ kind: "halfOpen" })
      const calls = Array.from({ length: 5 }, (_, i) =>
        Effect.flip(i % 2 === 0 ? store.get("k", "a") : store.write([put], { definitions: true }))
      )
      const errors = yield* Effect.all(calls, { concurrency: "unbounded" })
      for (const error of errors) {
        assert.include(["TIMEOUT", "CONNECTION_ERROR"], error.code)
        assert.isTrue(error.retryable)
      }
      proxy.set({ kind: "pass" })
      let found = yield* Effect.exit(store.get("k", "a"))
      while (found._tag === "Failure") {
        yield* sleep(20)
        found = yield* Effect.exit(store.get("k", "a"))
      }
      assert.strictEqual(found.value?.value, "1")
    })
  )

  it.effect(
    "several processes lose no update, and each sees the others'",
    () =>
      Effect.gen(function* () {
        const own = yield* database
        const registry = yield* testWorkspace({ store: yield* PostgresStore.make(own) })
        yield* registry.products.create({ name: "Shop" })
        yield* registry.apps.create({ app_name: "CRM", base_url: "https://one.test" })
        yield* registry.products.apps.connect("shop", "crm")
        const context = { product: "shop", env: "dev" }
        yield* registry.connection(context, "crm")
        assert.isDefined(registry.kept.connection(context, "crm"))
        const { accessKey } = registry
        const [processes, times] = [3, 15]
        yield* Effect.promise(() =>
          runProcesses(new URL("./processes/buildTogether.ts", import.meta.url), processes, {
            url: own,
            accessKey,
            times
          })
        )
        assert.strictEqual((yield* registry.products.fetch("shop")).envs.length, 2 + processes * times)
        assert.strictEqual((yield* registry.apps.fetch("crm")).variables.length, processes * times)

        const other = yield* openRegistry(yield* PostgresStore.make(own), { accessKey })
        yield* registry.connection(context, "crm")
        yield* other.apps.update("crm", { base_url: "https://two.test" })
        while ((yield* registry.connection(context, "crm")).baseUrl !== "https://two.test") yield* sleep(5)
      }),
    120_000
  )

  it.effect(
    "an import of thousands of actions is one write",
    () =>
      Effect.gen(function* () {
        const registry = yield* testWorkspace({ store: yield* PostgresStore.make(yield* database) })
        const before = yield* registry.revision
        yield* registry.actions.import({
          app: { create: { app_name: "Big" } },
          actions: Array.from({ length: 10_000 }, (_, i) => ({
            tag: `a-${i}`,
            name: `a-${i}`,
            method: "GET" as const,
            resource: "/"
          })),
          variables: [],
          auths: []
        })
        assert.strictEqual(yield* registry.revision, before + 1)
        assert.strictEqual((yield* registry.actions.tags("big")).length, 10_000)
        assert.strictEqual((yield* registry.actions.fetch("big", "A_9999")).tag, "a-9999")
        assert.isTrue(yield* registry.apps.delete("big"))
        assert.strictEqual(yield* registry.store.count({ kind: "action" }), 0)
      }),
    120_000
  )
})
