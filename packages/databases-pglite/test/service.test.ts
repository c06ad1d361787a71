import { inspect } from "node:util"
import { type CachedCall, CallCache, SessionVerifier } from "@ductape/core"
import { DatabaseError, Databases } from "@ductape/databases"
import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import { assertNoCanary, canary } from "@ductape/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { pglite } from "../src/index.ts"

const workspace = Layer.effect(
  Registry,
  Effect.gen(function* () {
    const registry = yield* testWorkspace()
    yield* registry.products.create({ name: "My product", tag: "my-product" })
    return registry
  })
)

const layer = Databases.layer({ product: "my-product", env: "dev", adapters: [pglite()] }).pipe(
  Layer.provideMerge(workspace)
)

// One engine for all of them: starting one takes seconds on a busy machine.
const def = (tag: string, url = "pglite://memory/service") =>
  ({ tag, name: tag, type: "postgresql", envs: [{ slug: "dev", connection_url: url }] }) as const

const users =
  "CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, email text, status text, created_at timestamptz)"

describe("Databases", () => {
  it.layer(layer, { timeout: "60 seconds" })("on a workspace", (test) => {
    test.effect(
      "the calls of the guide run as printed",
      () =>
        Effect.gen(function* () {
          const databases = yield* Databases
          yield* databases.create(def("users-db"))
          yield* databases.connect({ database: "users-db" })
          yield* databases.raw({ query: users })
          const name = "Ada"
          const email = "ada@example.com"
          const created = yield* databases.insert({
            table: "users",
            records: [{ name, email, status: "active", created_at: new Date() }],
            returning: true
          })
          assert.strictEqual(created.records[0]?.["email"], email)
          const active = yield* databases.find({ table: "users", where: { status: "active" }, limit: 100 })
          assert.strictEqual(active.count, 1)
          assert.deepStrictEqual(databases.getCurrentContext(), {
            product: "my-product",
            env: "dev",
            database: "users-db"
          })
          const updated = yield* databases.update({
            table: "users",
            data: { status: "idle" },
            where: { name }
          })
          assert.strictEqual(updated.count, 1)
          const tx = yield* databases.beginTransaction()
          yield* databases.insert({ table: "users", records: { name: "Bob" }, transaction: tx })
          yield* Effect.promise(() => tx.rollback())
          assert.strictEqual(yield* databases.count({ table: "users" }), 1)
          const inside = yield* databases.transaction(
            {},
            async (joined) => (await joined.find({ table: "users" })).count
          )
          assert.strictEqual(inside, 1)
          assert.strictEqual((yield* databases.delete({ table: "users", where: { name } })).count, 1)
        }),
      // Starting the engine takes long on a busy machine.
      120_000
    )

    test.effect("definitions: made, read with masked passwords, changed by environment, deleted", () =>
      Effect.gen(function* () {
        const databases = yield* Databases
        const password = canary("password")
        const made = yield* databases.create({
          tag: "orders-db",
          name: "Orders",
          type: "postgres",
          envs: [{ slug: "dev", connection_url: `postgresql://me:${password}@db:5432/orders` }]
        })
        assert.strictEqual(made.type, "postgresql")
        const read = yield* databases.fetch("orders-db")
        assert.strictEqual(read.envs[0]?.connection_url, "postgresql://me:***@db:5432/orders")
        assertNoCanary([password], made, read, yield* databases.fetchAll())
        const store = (yield* Registry).store
        assertNoCanary([password], yield* store.list({ kind: "resource" }))
        const changed = yield* databases.update("my-product", "orders-db", {
          envs: [{ slug: "prd", connection_url: "postgresql://me:$Secret{PW}@db/orders" }]
        })
        assert.deepStrictEqual(
          changed.envs.map((env) => env.connection_url),
          ["postgresql://me:***@db:5432/orders", "postgresql://me:$Secret{PW}@db/orders"]
        )
        const twice = yield* Effect.flip(databases.create(def("orders-db")))
        assert.strictEqual(twice.code, "ALREADY_EXISTS")
        assert.deepStrictEqual(yield* databases.delete("orders-db"), { deleted: true })
        assert.strictEqual((yield* Effect.flip(databases.fetch("orders-db"))).code, "NOT_FOUND")
        assert.strictEqual((yield* Effect.flip(databases.delete("orders-db"))).code, "NOT_FOUND")
      })
    )

    test.effect.each([
      ["no environment's URL", { tag: "x", name: "x", type: "postgresql", envs: [{ slug: "dev" }] }],
      [
        "a URL of another type",
        { tag: "x", name: "x", type: "postgresql", envs: [{ slug: "dev", connection_url: "mysql://h/d" }] }
      ],
      ["an unknown type", { tag: "x", name: "x", type: "oracle", envs: [] }],
      [
        "an unknown environment",
        def("x", "pglite://memory") && {
          ...def("x"),
          envs: [{ slug: "nope", connection_url: "pglite://memory" }]
        }
      ]
    ] as const)("create refuses %s", ([, input]) =>
      Effect.gen(function* () {
        const databases = yield* Databases
        assert.strictEqual((yield* Effect.flip(databases.create(input as never))).code, "VALIDATION_ERROR")
      })
    )

    test.effect("a type that cannot be connected to yet says so", () =>
      Effect.gen(function* () {
        const databases = yield* Databases
        yield* databases.create({
          tag: "docs",
          name: "Docs",
          type: "mongodb",
          envs: [{ slug: "dev", connection_url: "mongodb://h/d" }]
        })
        const error = yield* Effect.flip(databases.connect({ database: "docs" }))
        assert.isTrue(error.is("NOT_SUPPORTED"))
      })
    )

    test.effect("an adapter that is not there is named with its install command", () =>
      Effect.gen(function* () {
        const databases = yield* Databases
        yield* databases.create(def("server", "postgresql://h/d"))
        const error = yield* Effect.flip(databases.connect({ database: "server" }))
        assert.strictEqual(error.code, "ADAPTER_MISSING")
        assert.include(error.message, "npm install @ductape/databases-postgres")
        const tested = yield* databases.testConnection({ database: "server" })
        assert.isFalse(tested.connected)
        assert.strictEqual(
          (yield* Effect.flip(databases.testConnection({ database: "unregistered" }))).code,
          "NOT_FOUND"
        )
      })
    )

    test.effect(
      "a named database connects by itself, once for concurrent callers, and leaves the active one",
      () =>
        Effect.gen(function* () {
          const databases = yield* Databases
          yield* databases.create(def("other-db"))
          const before = databases.getCurrentContext()
          const results = yield* Effect.all(
            Array.from({ length: 5 }, () =>
              databases.raw({
                database: "other-db",
                query: "SELECT pg_backend_pid() AS pid, current_database() AS db"
              })
            ),
            { concurrency: "unbounded" }
          )
          yield* databases.raw({ database: "other-db", query: "CREATE TABLE only_here (id int)" })
          assert.strictEqual(results.length, 5)
          assert.strictEqual(yield* databases.count({ database: "other-db", table: "only_here" }), 0)
          assert.deepStrictEqual(databases.getCurrentContext(), before)
          const tx = yield* databases.beginTransaction({ database: "other-db" })
          assert.strictEqual(yield* databases.count({ table: "only_here", transaction: tx }), 0)
          const clash = yield* Effect.flip(
            databases.count({ table: "only_here", transaction: tx, database: "users-db" })
          )
          assert.strictEqual(clash.code, "VALIDATION_ERROR")
          yield* Effect.promise(() => tx.rollback())
        })
    )

    test.effect("what is missing is named", () =>
      Effect.gen(function* () {
        const databases = yield* Databases
        yield* databases.connect({ database: "other-db" })
        yield* databases.disconnect()
        assert.strictEqual(databases.getCurrentContext(), null)
        const error = yield* Effect.flip(databases.find({ table: "users" }))
        assert.strictEqual(error.code, "CONTEXT_MISSING")
        assert.include(error.message, "database")
        const nowhere = yield* Effect.flip(
          databases.find({ table: "users", database: "users-db", env: "nope" })
        )
        assert.strictEqual(nowhere.code, "ENV_NOT_FOUND")
      })
    )

    test.effect("the URL may hold secrets, whatever characters they have", () =>
      Effect.gen(function* () {
        const registry = yield* Registry
        const databases = yield* Databases
        yield* registry.secrets.create({ key: "DATABASE_URL", value: "pglite://memory/service" })
        yield* databases.create(def("secret-db", "$Secret{DATABASE_URL}"))
        yield* databases.create(def("braces-db", "{{DATABASE_URL}}"))
        for (const database of ["secret-db", "braces-db"]) {
          assert.isTrue((yield* databases.testConnection({ database })).connected)
        }
        const missing = yield* Effect.flip(
          Effect.andThen(
            databases.create(def("lost-db", "$Secret{NOPE}")),
            databases.find({ table: "t", database: "lost-db" })
          )
        )
        assert.strictEqual(missing.code, "SECRET_NOT_FOUND")
      })
    )

    test.effect("a session is verified first, and read where a value is one reference", () =>
      Effect.gen(function* () {
        const databases = yield* Databases
        yield* databases.create(def("session-db"))
        yield* databases.connect({ database: "session-db" })
        yield* databases.raw({ query: users })
        yield* databases.insert({
          table: "users",
          records: { name: "$Session{user}{name}" },
          session: "web:token"
        })
        const found = yield* databases.find({
          table: "users",
          where: { name: "$Session{user}{name}" },
          session: "web:token"
        })
        assert.strictEqual(found.records[0]?.["name"], "Grace")
        const plain = yield* databases.find({ table: "users", where: { name: "$Session{user}{name}" } })
        assert.strictEqual(plain.count, 0)
        const nothing = yield* Effect.flip(
          databases.find({ table: "users", where: { name: "$Session{nope}" }, session: "web:token" })
        )
        assert.strictEqual(nothing.code, "VALIDATION_ERROR")
      }).pipe(
        Effect.provideService(SessionVerifier, {
          verify: () =>
            Effect.succeed({ tag: "web", sessionId: "1", identifier: "g", data: { user: { name: "Grace" } } })
        })
      )
    )

    test.effect("reads go through the cache, dates and bytes unharmed; writes do not", () => {
      const kept = new Map<string, string>()
      const calls: Array<CachedCall> = []
      return Effect.gen(function* () {
        const databases = yield* Databases
        yield* databases.create(def("cached-db"))
        yield* databases.connect({ database: "cached-db" })
        yield* databases.raw({ query: users })
        yield* databases.insert({ table: "users", records: { name: "Grace" } })
        const input = { table: "users", where: { name: "Grace" }, cache: "fast" } as const
        yield* databases.update({
          table: "users",
          data: { created_at: new Date(5) },
          where: { name: "Grace" }
        })
        const first = yield* databases.find(input)
        yield* databases.update({
          table: "users",
          data: { created_at: new Date(9) },
          where: { name: "Grace" }
        })
        const second = yield* databases.find(input)
        assert.deepStrictEqual(second, first)
        assert.deepStrictEqual(second.records[0]?.["created_at"], new Date(5))
        assert.strictEqual(kept.size, 1)
        assert.deepInclude(calls[0], { cache: "fast", componentType: "database", componentTag: "cached-db" })
        yield* databases.find({ ...input, where: { name: "Other" } })
        assert.strictEqual(kept.size, 2)
        const refused = yield* Effect.flip(
          databases.insert({ table: "users", records: { name: "x" }, cache: "fast" })
        )
        assert.strictEqual(refused.code, "VALIDATION_ERROR")
      }).pipe(
        Effect.provideService(CallCache, {
          check: () => Effect.void,
          through: (call, load) =>
            Effect.gen(function* () {
              calls.push(call)
              const key = JSON.stringify(call.identity)
              const known = kept.get(key)
              if (known !== undefined) return { value: JSON.parse(known), cached: true }
              const value = yield* load
              kept.set(key, JSON.stringify(value))
              return { value, cached: false }
            })
        })
      )
    })

    test.effect("errors hold no URL, secret or bound value", () =>
      Effect.gen(function* () {
        const registry = yield* Registry
        const databases = yield* Databases
        const password = canary("password")
        const value = canary("value")
        yield* registry.secrets.create({ key: "PG_PASSWORD", value: password })
        yield* databases.create(def("down", "pglite:///dev/null/$Secret{PG_PASSWORD}"))
        const error = yield* Effect.flip(databases.connect({ database: "down" }))
        assertNoCanary([password], error.message, error.toJSON())
        yield* databases.connect({ database: "cached-db" })
        yield* databases.raw({ query: "CREATE TABLE uniq (v text UNIQUE, n int)" })
        yield* databases.insert({ table: "uniq", records: { v: value } })
        const twice = yield* Effect.flip(databases.insert({ table: "uniq", records: { v: value } }))
        const wrong = yield* Effect.flip(databases.insert({ table: "uniq", records: { n: value } }))
        const syntax = yield* Effect.flip(databases.raw({ query: "SELECT $1::int", params: [value] }))
        for (const one of [twice, wrong, syntax]) {
          assert.instanceOf(one, DatabaseError)
          assertNoCanary(
            [value],
            one,
            one.message,
            one.stack,
            inspect(one, { depth: 9, showHidden: true }),
            one.cause
          )
        }
      })
    )
  })
})
