import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { createWorkspace, DatabaseService, Ductape, type DuctapeError, Trigger } from "../src/index.ts"

const store = "memory://sdk-databases"
let ductape: Ductape
let accessKey: string

beforeAll(async () => {
  accessKey = (await createWorkspace({ name: "Shop", store })).accessKey
  ductape = new Ductape({ accessKey, store, product: "shop", env: "dev", logger: false })
  await ductape.product.create({ name: "Shop" })
  await ductape.secrets.create({ key: "DATABASE_URL", value: "pglite://memory" })
  await ductape.databases.create({
    name: "Main",
    tag: "main",
    type: "postgresql",
    envs: [{ slug: "dev", connection_url: "$Secret{DATABASE_URL}" }]
  })
}, 120_000)

afterAll(() => ductape.close())

describe("databases through the client", () => {
  it("says what to do before anything is connected", async () => {
    const error = await ductape.databases.find({ table: "users" }).catch((error: DuctapeError) => error)
    assert.propertyVal(error, "code", "CONTEXT_MISSING")
    assert.strictEqual(ductape.databases.getCurrentContext(), null)
  })

  it("connects, makes tables, and calls them on the active connection", async () => {
    const handle = await ductape.databases.connect({ database: "main" })
    assert.isTrue(handle.connected)
    assert.deepEqual(ductape.databases.getCurrentContext(), { product: "shop", env: "dev", database: "main" })
    await ductape.databases.schema.create("users", {
      email: { type: "string", unique: true },
      visits: { type: "integer", default: 0 }
    })
    await ductape.databases.migration.run([
      ductape.databases.migration("add name").addField("users", "name", { type: "string" }).build()
    ])
    assert.include(
      (await ductape.databases.schema.describe("users")).columns.map(({ name }) => name),
      "name"
    )
    await ductape.databases.insert({
      table: "users",
      records: [{ email: "a@x.org", name: "A" }, { email: "b@x.org" }]
    })
    const { count } = await ductape.databases.update({
      table: "users",
      data: { visits: { $inc: 2 } },
      where: { email: "a@x.org" }
    })
    assert.strictEqual(count, 1)
    const { records } = await ductape.databases.find<{ email: string; visits: number }>({
      table: "users",
      where: { visits: { $gt: 1 } },
      select: ["email", "visits"]
    })
    assert.deepEqual(records, [{ email: "a@x.org", visits: 2 }])
  })

  it("transactions commit on return and roll back on a throw", async () => {
    const reason = new Error("no")
    const failed = await ductape.databases
      .transaction(async (tx) => {
        await tx.insert({ table: "users", records: { email: "c@x.org" } })
        throw reason
      })
      .catch((error: unknown) => error)
    assert.strictEqual(failed, reason)
    assert.strictEqual(await ductape.databases.count({ table: "users" }), 2)
    const rows: Array<unknown> = []
    for await (const row of ductape.databases.stream({ table: "users", orderBy: { column: "email" } }))
      rows.push(row)
    assert.strictEqual(rows.length, 2)
  })

  it("runs stored actions", async () => {
    await ductape.databases.action.create({
      tag: "main:by-email",
      name: "By email",
      tableName: "users",
      operation: "query",
      template: { where: { email: "{{email}}" } }
    })
    const rows = await ductape.databases.action.execute<ReadonlyArray<{ name: string }>>({
      database: "main",
      action: "by-email",
      input: { email: "a@x.org" }
    })
    assert.strictEqual(rows[0]?.name, "A")
  })

  it("triggers call the client that they belong to", async () => {
    await ductape.caches.create({ tag: "users", name: "Users" })
    await ductape.databases.triggers.register("users", {
      name: "remember",
      events: ["afterInsert"],
      actions: [Trigger.cache.set("users", "last", "{{record.email}}", 60)]
    })
    await ductape.databases.insert({ table: "users", records: { email: "d@x.org" } })
    assert.strictEqual((await ductape.caches.get({ cache: "users", key: "last" }))?.value, "d@x.org")
  })

  it("reads are cached where asked, writes never", async () => {
    const read = () => ductape.databases.count({ table: "users", cache: "users" })
    const before = await read()
    await ductape.databases.insert({ table: "users", records: { email: "e@x.org" } })
    assert.strictEqual(await read(), before)
    const refused = await ductape.databases
      .insert({ table: "users", records: { email: "f@x.org" }, cache: "users" } as never)
      .catch((error: DuctapeError) => error)
    assert.propertyVal(refused, "code", "VALIDATION_ERROR")
  })
})

describe("DatabaseService", () => {
  it("is the databases alone: definitions, the active connection, its namespaces", async () => {
    await using databases = new DatabaseService({
      accessKey,
      store,
      product: "shop",
      env: "dev",
      logger: false
    })
    await databases.create({
      name: "Alone",
      tag: "alone",
      type: "postgresql",
      envs: [{ slug: "dev", connection_url: "pglite://memory" }]
    })
    const handle = await databases.connect({ database: "alone" })
    await databases.schema.create("notes", { text: "string" })
    await databases.insert({ table: "notes", records: { text: "one" } })
    assert.strictEqual((await handle.find({ table: "notes" })).count, 1)
    await databases.close()
    assert.isFalse(handle.connected)
  })
})
