import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { pglite } from "../../databases-pglite/src/index.ts"
import {
  type DatabaseActionInput,
  DatabaseActionTypes,
  type DatabaseError,
  Databases,
  migration,
  Trigger
} from "../src/index.ts"

const workspace = Layer.effect(
  Registry,
  Effect.gen(function* () {
    const registry = yield* testWorkspace()
    yield* registry.products.create({ name: "Shop", tag: "shop" })
    return registry
  })
)

const layer = Databases.layer({ product: "shop", env: "dev", adapters: [pglite()] }).pipe(
  Layer.provideMerge(workspace)
)

/** Every test opens an engine of its own. */
const patience = 120_000

const rows = [
  { id: 1, name: "Ada", age: 36, state: "on" },
  { id: 2, name: "Bob", age: 20, state: "on" },
  { id: 3, name: "Cy", age: 50, state: "off" }
]

const opened = Effect.fnUntraced(function* (tag: string) {
  const databases = yield* Databases
  yield* databases.create({
    tag,
    name: tag,
    type: "postgresql",
    envs: [{ slug: "dev", connection_url: "pglite://memory" }]
  })
  yield* databases.connect({ database: tag })
  yield* databases.schema.create("users", {
    id: { type: "integer", primaryKey: true },
    name: "string",
    age: "integer",
    state: "string"
  })
  yield* databases.insert({ table: "users", records: rows })
  return databases
})

const action = (tag: string, more: Partial<DatabaseActionInput>): DatabaseActionInput => ({
  tag,
  name: tag,
  tableName: "users",
  operation: DatabaseActionTypes.QUERY,
  ...more
})

const failed = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<DatabaseError, unknown> =>
  Effect.flip(effect) as Effect.Effect<DatabaseError, unknown>

describe("actions", () => {
  it.layer(layer, { timeout: "60 seconds" })("of a database", (test) => {
    test.effect(
      "each operation returns what its call does; rows come with a hidden count",
      () =>
        Effect.gen(function* () {
          const db = yield* opened("ops")
          yield* db.action.create(
            action("ops:list", {
              template: {
                select: ["name"],
                orderBy: [{ column: "{{sort}}", order: "{{order}}" }],
                limit: "{{limit}}"
              },
              filterTemplate: { state: "{{state}}", age: { $gte: "{{min}}" } }
            })
          )
          const found = yield* db.action.execute<Array<object> & { count: number }>({
            action: "ops:list",
            input: { sort: "age", order: "desc", limit: 1, state: "on", min: 18 }
          })
          assert.deepStrictEqual([...found], [{ name: "Ada" }])
          assert.strictEqual(found.count, 2)
          assert.deepStrictEqual(Object.keys(found), ["0"])
          yield* db.action.create(
            action("add", {
              database: "ops",
              operation: "insert",
              template: { records: "{{users}}", returning: ["id"] }
            })
          )
          const added = yield* db.action.execute({
            database: "ops",
            action: "add",
            input: { users: [{ id: 4, name: "Di" }, { id: 5 }] }
          })
          assert.deepInclude(added as object, { count: 2, insertedIds: [4, 5] })
          yield* db.action.create(
            action("ops:rename", {
              operation: "update",
              template: { name: "{{name}}!", age: "{{age}}" },
              filterTemplate: { id: { $in: "{{ids}}" } }
            })
          )
          const renamed = yield* db.action.execute({
            action: "rename",
            input: { name: "E", age: 1, ids: [4, 5] }
          })
          assert.deepInclude(renamed as object, { count: 2 })
          yield* db.action.create(
            action("ops:put", {
              type: "upsert",
              operation: undefined,
              template: { records: { id: "{{id}}", name: "{{name}}" }, conflictColumns: ["id"] }
            })
          )
          const put = yield* db.action.execute({ action: "ops:put", input: { id: 5, name: "Ed" } })
          assert.deepInclude(put as object, { operation: "updated" })
          yield* db.action.create(
            action("ops:stats", {
              operation: "aggregate",
              template: { operations: { n: { $count: "*" }, oldest: { $max: "{{of}}" } } },
              filterTemplate: { id: { $lte: 3 } }
            })
          )
          assert.deepStrictEqual(yield* db.action.execute({ action: "ops:stats", input: { of: "age" } }), {
            n: 3,
            oldest: 50
          })
          yield* db.action.create(
            action("ops:sql", {
              operation: "raw_sql",
              tableName: undefined,
              template: { query: "SELECT name FROM users WHERE id = $1", params: ["{{id}}"] }
            })
          )
          assert.deepStrictEqual(
            [...(yield* db.action.execute<Array<object>>({ action: "ops:sql", input: { id: 5 } }))],
            [{ name: "Ed" }]
          )
          yield* db.action.create(
            action("ops:drop", { operation: "delete", filterTemplate: { id: { $gt: "{{above}}" } } })
          )
          assert.deepInclude(
            (yield* db.action.execute({ action: "ops:drop", input: { above: 3 } })) as object,
            {
              count: 2
            }
          )
        }),
      patience
    )
    test.effect(
      "bad input: all that is missing at once, positions, operators",
      () =>
        Effect.gen(function* () {
          const db = yield* opened("bad")
          yield* db.action.create(
            action("bad:list", {
              template: {
                select: ["{{column}}"],
                orderBy: { column: "id", order: "{{order}}" },
                limit: "{{limit}}"
              },
              filterTemplate: { name: "{{name}}" }
            })
          )
          const run = (input: Record<string, unknown>) =>
            failed(db.action.execute({ action: "bad:list", input }))
          const none = yield* run({})
          assert.strictEqual(none.code, "VALIDATION_ERROR")
          for (const name of ["column", "order", "limit", "name"])
            assert.include(none.message, `${name} is missing`)
          const good = { column: "id", order: "ASC", limit: 1, name: "Ada" }
          for (const wrong of [
            { column: 'id"; drop table users; --' },
            { order: "ASC; SELECT 1" },
            { limit: "1" },
            { limit: -1 },
            { name: { $ne: null } }
          ]) {
            assert.strictEqual(
              (yield* run({ ...good, ...wrong })).code,
              "VALIDATION_ERROR",
              JSON.stringify(wrong)
            )
          }
          assert.lengthOf(yield* db.action.execute<Array<object>>({ action: "bad:list", input: good }), 1)
          for (const refused of [
            action("bad:a", { operation: "raw_sql", template: { query: "SELECT {{x}}" } }),
            action("bad:b", { filterTemplate: { name: "{{open" } }),
            action("bad:c", { template: { where: "{{filter}}" } }),
            action("bad:d", { tableName: "users; drop" }),
            action("bare", {}),
            action("bad:e", { operation: "truncate" as "query" })
          ]) {
            assert.strictEqual(
              (yield* failed(db.action.create(refused))).code,
              "VALIDATION_ERROR",
              refused.tag
            )
          }
        }),
      patience
    )
    test.effect(
      "stored: found, listed by database, changed, deleted",
      () =>
        Effect.gen(function* () {
          const db = yield* opened("kept")
          yield* db.action.create(action("kept:one", {}))
          yield* db.action.create(action("other:two", {}))
          assert.strictEqual((yield* failed(db.action.create(action("kept:one", {})))).code, "ALREADY_EXISTS")
          assert.deepStrictEqual(
            (yield* db.action.fetchAll("kept")).map(({ tag }) => tag),
            ["kept:one"]
          )
          yield* db.action.update({ tag: "kept:one", description: "all of them", filterTemplate: { id: 1 } })
          const changed = yield* db.action.fetch("one", { database: "kept" })
          assert.deepInclude(changed, { description: "all of them", operation: "query" })
          assert.lengthOf(yield* db.action.execute<Array<object>>({ action: "kept:one" }), 1)
          assert.deepStrictEqual(yield* db.action.delete("kept:one"), { deleted: true })
          assert.strictEqual((yield* failed(db.action.execute({ action: "kept:one" }))).code, "NOT_FOUND")
          assert.strictEqual((yield* failed(db.action.delete("kept:one"))).code, "NOT_FOUND")
        }),
      patience
    )
    test.effect(
      "flat table calls, stored migrations and stored triggers",
      () =>
        Effect.gen(function* () {
          const db = yield* opened("flat")
          const at = { database: "flat" }
          yield* db.createTable(at, {
            name: "boxes",
            columns: [{ name: "id", type: "integer", primaryKey: true }]
          })
          yield* db.alterTable(at, "boxes", {
            addColumns: { size: "integer" },
            addIndexes: [{ columns: ["size"] }]
          })
          yield* db.createIndex({ ...at, table: "boxes", index: { columns: ["id", "size"], name: "both" } })
          assert.sameMembers(
            (yield* db.listIndexes({ ...at, table: "boxes" })).map(({ name }) => name),
            ["boxes_pkey", "idx_boxes_size", "both"]
          )
          yield* db.dropIndex({ ...at, table: "boxes", name: "both" })
          assert.include(yield* db.listTables(at), "boxes")
          assert.lengthOf((yield* db.getTableSchema(at, "boxes")).columns, 2)
          yield* db.dropTable(at, "boxes")
          assert.isFalse(yield* db.tableExists(at, "boxes"))

          const made = migration("notes")
            .tag("001_notes")
            .createCollection("notes", { text: "string" })
            .build()
          yield* db.migration.create({ ...made, database: "flat" })
          assert.deepStrictEqual(
            (yield* db.migration.status()).pendingMigrations.map(({ tag }) => tag),
            ["001_notes"]
          )
          assert.deepStrictEqual((yield* db.migration.run()).applied, ["001_notes"])
          assert.strictEqual((yield* db.migration.history()).at(-1)?.tag, "001_notes")
          assert.strictEqual((yield* db.migration.fetch("001_notes")).database, "flat")
          assert.deepStrictEqual((yield* db.migration.rollback()).rolledBack, ["001_notes"])
          assert.deepStrictEqual(yield* db.migration.delete("001_notes"), { deleted: true })
          assert.lengthOf(yield* db.migration.list(), 0)

          yield* db.triggers.create({
            tag: "copy-users",
            events: ["afterInsert"],
            tables: ["users"],
            actions: [Trigger.database.update("users", { state: "seen" }, { id: "{{record.id}}" })]
          })
          yield* db.insert({ table: "users", records: { id: 10 } })
          assert.deepStrictEqual(yield* db.triggers.load(), { loaded: 1 })
          yield* db.insert({ table: "users", records: { id: 11 } })
          const { records } = yield* db.find({
            table: "users",
            select: ["state"],
            where: { id: { $gte: 10 } },
            orderBy: { column: "id" }
          })
          assert.deepStrictEqual(records, [{ state: null }, { state: "seen" }])
          yield* db.triggers.update("copy-users", { enabled: false })
          yield* db.triggers.load()
          assert.lengthOf(db.triggers.getTriggersForEvent("users", "afterInsert"), 0)
          yield* db.triggers.delete("copy-users")
          const custom = Trigger.custom(() => undefined)
          const refused = db.triggers.create({
            tag: "c",
            events: ["afterInsert"],
            tables: ["users"],
            actions: [custom]
          })
          assert.strictEqual((yield* failed(refused)).code, "VALIDATION_ERROR")
        }),
      patience
    )
  })
})
