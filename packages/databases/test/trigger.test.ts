import { httpServer } from "@ductape/testkit"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { pglite } from "../../databases-pglite/src/index.ts"
import {
  connectDatabase,
  type DatabaseError,
  type DatabaseHandle,
  PreSave,
  Trigger,
  type TriggerCondition,
  type TriggerContext,
  TriggerEvent,
  type TriggerFailure,
  type TriggerProcessor
} from "../src/index.ts"
import { holds } from "../src/trigger/condition.ts"

const failure = async (run: Promise<unknown>): Promise<DatabaseError> => {
  try {
    await run
  } catch (cause) {
    return cause as DatabaseError
  }
  throw new Error("nothing failed")
}

describe("triggers", () => {
  let db: DatabaseHandle
  let seen: Array<TriggerContext>
  let failures: Array<TriggerFailure>
  const table = "orders"
  const note = Trigger.custom((context) => {
    seen.push(context)
  })
  const processor = (): TriggerProcessor => db.triggers.getProcessor()
  const on = (
    event: keyof typeof TriggerEvent,
    ...actions: ReadonlyArray<ReturnType<typeof Trigger.custom>>
  ) => db.triggers.register(table, { name: event, events: [TriggerEvent[event]], actions })

  beforeAll(async () => {
    db = await connectDatabase({ adapter: pglite(), url: "pglite://memory", tag: "main" })
    await db.schema.create(table, {
      id: { type: "integer", primaryKey: true },
      state: "string",
      total: "integer",
      extra: "json"
    })
    await db.schema.create("audit", { order_id: "integer", what: "string", total: "integer" })
  })
  afterAll(() => db.close())
  beforeEach(async () => {
    seen = []
    failures = []
    processor().config.onError = (failed) => failures.push(failed)
    for (const name of [...Object.keys(TriggerEvent), "first", "second"]) {
      db.triggers.unregister(table, name)
      db.triggers.unregister("*", name)
    }
    await db.delete({ table, all: true })
    await db.delete({ table: "audit", all: true })
  })

  it("every event fires with the row, and the row as it was", async () => {
    for (const event of Object.keys(TriggerEvent) as ReadonlyArray<keyof typeof TriggerEvent>) on(event, note)
    db.triggers.register(table, {
      name: "AFTER_UPDATE",
      events: ["afterUpdate"],
      condition: Trigger.when.field("state").changed(),
      actions: [note]
    })
    const inserted = await db.insert({
      table,
      records: [
        { id: 1, state: "new" },
        { id: 2, state: "new" }
      ]
    })
    assert.deepStrictEqual([inserted.records, inserted.insertedIds], [[], [1, 2]])
    const events = (): ReadonlyArray<unknown> => seen.map(({ event, record }) => [event, record["id"]])
    assert.deepStrictEqual(events(), [
      ["beforeInsert", 1],
      ["beforeInsert", 1],
      ["beforeInsert", 2],
      ["beforeInsert", 2],
      ["afterInsert", 1],
      ["afterInsert", 1],
      ["afterInsert", 2],
      ["afterInsert", 2]
    ])
    seen = []
    const updated = await db.update({
      table,
      data: { state: "paid" },
      where: { id: 2 },
      returning: ["state"]
    })
    assert.deepStrictEqual(updated.records, [{ state: "paid" }])
    const states = seen.map(({ event, previousRecord, record }) => [
      event,
      previousRecord?.["state"],
      record["state"]
    ])
    assert.deepInclude(states, ["beforeUpdate", "new", "paid"])
    assert.deepInclude(states, ["afterUpdate", "new", "paid"])
    seen = []
    const gone = await db.delete({ table, where: { id: 2 } })
    assert.deepStrictEqual([gone.count, gone.records], [1, []])
    assert.deepStrictEqual(
      seen.map(({ event, record }) => [event, record["state"]]),
      [
        ["beforeDelete", "paid"],
        ["beforeDelete", "paid"],
        ["afterDelete", "paid"],
        ["afterDelete", "paid"]
      ]
    )
  })
  it("an upsert is an insert for some rows and an update for others", async () => {
    await db.insert({ table, records: { id: 1, state: "old" } })
    on("AFTER_INSERT", note)
    on("AFTER_UPDATE", note)
    const result = await db.upsert({
      table,
      records: [
        { id: 1, state: "x" },
        { id: 2, state: "y" }
      ],
      conflictKeys: ["id"]
    })
    assert.deepStrictEqual([result.operation, result.records], ["mixed", []])
    assert.deepStrictEqual(
      seen.map(({ event, previousRecord, record }) => [event, record["id"], previousRecord?.["state"]]),
      [
        ["afterUpdate", 1, "old"],
        ["afterInsert", 2, undefined]
      ]
    )
  })
  it("raw statements fire none; lower priority comes first; disabled ones never", async () => {
    on("AFTER_INSERT", note)
    await db.raw({ query: `INSERT INTO ${table} VALUES (9)` })
    assert.lengthOf(seen, 0)
    db.triggers.unregister(table, "AFTER_INSERT")
    const order: Array<string> = []
    for (const [name, priority] of [
      ["second", 2],
      ["first", 1]
    ] as const) {
      db.triggers.register(table, {
        name,
        events: ["afterWrite"],
        priority,
        actions: [Trigger.custom(() => order.push(name))]
      })
    }
    db.triggers.register(table, {
      name: "AFTER_WRITE",
      events: ["afterWrite"],
      enabled: false,
      actions: [note]
    })
    await db.insert({ table, records: { id: 1 } })
    assert.deepStrictEqual(order, ["first", "second"])
    assert.lengthOf(seen, 0)
    assert.deepStrictEqual(
      db.triggers.getTriggersForEvent(table, "afterInsert").map(({ name }) => name),
      ["first", "second"]
    )
  })
  it("database actions: placeholders keep their type and are never read again", async () => {
    on(
      "AFTER_INSERT",
      Trigger.database.insert("audit", {
        order_id: "{{record.id}}",
        what: "{{event}} {{record.state}}",
        total: "{{record.total}}"
      })
    )
    await db.insert({ table, records: { id: 7, state: "{{record.id}}" } })
    assert.deepStrictEqual(
      (await db.find({ table: "audit", select: ["order_id", "what", "total"] })).records,
      [{ order_id: 7, what: "afterInsert {{record.id}}", total: null }]
    )
    db.triggers.unregister(table, "AFTER_INSERT")
    on("AFTER_UPDATE", Trigger.database.delete("audit", { order_id: "{{record.extra}}" }))
    await db.update({ table, data: { extra: { $ne: 0 } as never }, where: { id: 7 } }).catch(() => undefined)
    await db.raw({ query: `UPDATE ${table} SET extra = '{"$ne": 0}'` })
    await db.update({ table, data: { state: "x" }, where: { id: 7 } })
    assert.lengthOf(failures, 1)
    assert.strictEqual(await db.count({ table: "audit" }), 1)
  })
  it("a failed before-action refuses the write; an after-action is reported, in a transaction thrown", async () => {
    const broken = Trigger.custom(() => {
      throw new Error("broken")
    })
    on("BEFORE_INSERT", { ...broken, name: "gate" })
    const refused = await failure(db.insert({ table, records: { id: 1 } }))
    assert.strictEqual(refused.code, "TRIGGER_ERROR")
    assert.deepInclude(refused.details as object, { trigger: "BEFORE_INSERT", action: "gate" })
    assert.strictEqual((refused.cause as Error).message, "broken")
    assert.strictEqual(await db.count({ table }), 0)
    db.triggers.unregister(table, "BEFORE_INSERT")
    on("AFTER_INSERT", broken, note)
    await db.insert({ table, records: { id: 1 } })
    assert.deepStrictEqual([failures.length, failures[0]?.trigger, seen.length], [1, "AFTER_INSERT", 0])
    const thrown = await failure(db.transaction((tx) => tx.insert({ table, records: { id: 2 } })))
    assert.strictEqual(thrown.code, "TRIGGER_ERROR")
    assert.strictEqual(await db.count({ table }), 1)
    db.triggers.unregister(table, "AFTER_INSERT")
    on("BEFORE_INSERT", { ...broken, continueOnError: true }, note)
    await db.insert({ table, records: { id: 3 } })
    assert.deepStrictEqual([failures.length, seen.length], [2, 1])
  })
  it("synchronous actions are part of the transaction, the others wait for its commit", async () => {
    on("AFTER_INSERT", Trigger.database.insert("audit", { what: "sync" }), {
      ...Trigger.database.insert("audit", { what: "async" }),
      timing: "ASYNC"
    })
    await db
      .transaction(async (tx) => {
        await tx.insert({ table, records: { id: 1 } })
        assert.strictEqual(await tx.count({ table: "audit" }), 1)
        throw new Error("no")
      })
      .catch(() => undefined)
    await processor().idle()
    assert.strictEqual(await db.count({ table: "audit" }), 0)
    await db.transaction((tx) => tx.insert({ table, records: { id: 1 } }))
    await processor().idle()
    const { records } = await db.find({ table: "audit", select: ["what"], orderBy: { column: "what" } })
    assert.deepStrictEqual(records, [{ what: "async" }, { what: "sync" }])
  })
  it("queued ones run one after the other; retries stop at success, at the limit, at other errors", async () => {
    const order: Array<number> = []
    let running = 0
    on("AFTER_INSERT", {
      ...Trigger.custom(async ({ record }) => {
        assert.strictEqual(running++, 0)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        order.push(Number(record["id"]))
      }),
      timing: "QUEUED"
    })
    await db.insert({ table, records: [{ id: 3 }, { id: 1 }, { id: 2 }] })
    await processor().idle()
    assert.deepStrictEqual([order, failures.length], [[3, 1, 2], 0])
    db.triggers.unregister(table, "AFTER_INSERT")
    let attempts = 0
    const failing = (times: number, retryOn?: ReadonlyArray<string>) => ({
      ...Trigger.custom(() => {
        if (++attempts <= times) throw Object.assign(new Error("again"), { code: "BUSY" })
      }),
      retry: { maxAttempts: 3, initialDelay: 1, ...(retryOn === undefined ? {} : { retryOn }) }
    })
    for (const [times, retryOn, expected, failed] of [
      [2, undefined, 3, false],
      [9, undefined, 3, true],
      [9, ["OTHER"], 1, true]
    ] as const) {
      attempts = 0
      on("BEFORE_INSERT", failing(times, retryOn))
      const outcome = await db.insert({ table, records: { id: 10 + times + attempts } }).then(
        () => false,
        () => true
      )
      assert.deepStrictEqual([attempts, outcome], [expected, failed])
    }
  })
  it("pre-save comes first, so that triggers see what is saved", async () => {
    on("BEFORE_INSERT", note)
    await db.insert({ table, records: { id: 1, state: " X " }, preSave: [PreSave.trim("state")] })
    assert.strictEqual(seen[0]?.record["state"], "X")
  })
  it("http: posts the body, escapes values in the address, fails by status and by time", async () => {
    const server = await httpServer((request, response) => {
      if (request.url?.startsWith("/slow")) return
      response.writeHead(request.url?.startsWith("/bad") ? 500 : 200).end("{}")
    })
    try {
      on("AFTER_INSERT", Trigger.http.post(`${server.url}/hook/{{record.state}}`, { id: "{{record.id}}" }))
      await db.insert({ table, records: { id: 1, state: "a/../b?c" } })
      const [request] = server.requests
      assert.strictEqual(request?.url, "/hook/a%2F..%2Fb%3Fc")
      assert.strictEqual(String(request?.body), '{"id":1}')
      on("AFTER_INSERT", Trigger.http.get(`${server.url}/bad`))
      await db.insert({ table, records: { id: 2 } })
      on("AFTER_INSERT", Trigger.http.get(`${server.url}/slow`, { timeout: 50 }))
      await db.insert({ table, records: { id: 3 } })
      const codes = failures.map(({ error }) => ((error as DatabaseError).cause as DatabaseError).code)
      assert.deepStrictEqual(codes, ["QUERY_ERROR", "TIMEOUT"])
      assert.throws(() => on("AFTER_INSERT", Trigger.http.get("http://{{record.state}}/x")), /host/)
    } finally {
      await server.close()
    }
  })
  it("other capabilities go through the instance; those that are not there are named", async () => {
    const calls: Array<unknown> = []
    const noted = (name: string) => async (input: object) => {
      calls.push([name, input])
      return name === "keys" ? ["users:1", "users:2", "other"] : true
    }
    db.triggers.setDuctapeInstance({
      caches: { set: noted("set"), clear: noted("clear"), keys: noted("keys") },
      api: { run: noted("run") }
    })
    on(
      "AFTER_INSERT",
      Trigger.cache.set("hot", "order:{{record.id}}", "{{record.total}}", 60),
      Trigger.cache.invalidate("hot", "users:*"),
      Trigger.action.execute("mailer", "send", { to: "{{record.state}}" })
    )
    await db.insert({ table, records: { id: 5, total: 12, state: "me" } })
    assert.deepStrictEqual(calls, [
      ["set", { cache: "hot", key: "order:5", value: 12, ttl: 60 }],
      ["keys", { cache: "hot", prefix: "users:" }],
      ["clear", { cache: "hot", key: "users:1" }],
      ["clear", { cache: "hot", key: "users:2" }],
      ["run", { app: "mailer", action: "send", input: { to: "me" } }]
    ])
    for (const [action, capability] of [
      [Trigger.notification.email("mails:welcome", ["a@b.c"]), "notification"],
      [Trigger.broker.publish("events:orders", {}), "broker"],
      [Trigger.storage.delete("files", "x"), "storage"],
      [Trigger.feature.execute("f"), "feature"],
      [Trigger.agent.run("a", "p"), "agent"]
    ] as const) {
      on("BEFORE_INSERT", action)
      const error = await failure(db.insert({ table, records: { id: 6 } }))
      const cause = error.cause as DatabaseError
      assert.deepStrictEqual([cause.code, cause.details], ["UNSUPPORTED_OPERATION", { capability }])
    }
    processor().setExecutors({ notification: noted("notify") })
    on("BEFORE_INSERT", Trigger.notification.email("mails:welcome", ["a@b.c"]))
    await db.insert({ table, records: { id: 6 } })
    assert.deepInclude(calls, [
      "notify",
      { notification: "mails", message: "welcome", recipients: ["a@b.c"] }
    ])
  })
  it("triggers that set each other off for ever are stopped", async () => {
    on("AFTER_UPDATE", Trigger.database.update(table, { total: { $inc: 1 } }, { id: "{{record.id}}" }))
    await db.insert({ table, records: { id: 1, total: 0 } })
    await db.update({ table, data: { state: "go" }, where: { id: 1 } })
    assert.isAtLeast(failures.length, 1)
    assert.strictEqual((failures[0]?.error as DatabaseError | undefined)?.code, "TRIGGER_ERROR")
  })
  it("bad definitions are refused", () => {
    const good = { name: "x", events: ["afterInsert"], actions: [note] } as const
    for (const bad of [
      { ...good, name: "" },
      { ...good, events: ["afterSelect" as "afterInsert"] },
      { ...good, actions: [{ type: "fax.send" }] },
      { ...good, actions: [Trigger.log.info("{{password}}")] },
      { ...good, condition: { field: "a", operator: "like" as "equals" } },
      { ...good, actions: [{ ...note, retry: { maxAttempts: 0 } }] }
    ]) {
      assert.throws(() => db.triggers.register(table, bad), /expected|missing|must/)
    }
    assert.throws(() => db.triggers.register('x"y', good))
  })

  const context = (record: object, previousRecord?: object): TriggerContext => ({
    event: "afterUpdate",
    table,
    database: "main",
    env: "dev",
    timestamp: "2026-01-01T00:00:00.000Z",
    operation: "update",
    record: { ...record },
    ...(previousRecord === undefined ? {} : { previousRecord: { ...previousRecord } })
  })
  const field = Trigger.when.field
  it.each<readonly [TriggerCondition, boolean]>([
    [field("n").equals(5), true],
    [field("record.n").notEquals(5), false],
    [field("n").greaterThan(5), false],
    [field("n").greaterThanOrEquals(5), true],
    [field("n").lessThan(6), true],
    [field("n").lessThanOrEquals(4), false],
    [field("missing").lessThan(6), false],
    [field("s").in(["a", "abc"]), true],
    [field("s").notIn(["abc"]), false],
    [field("s").contains("bc"), true],
    [field("list").contains(2), true],
    [field("s").startsWith("ab"), true],
    [field("s").endsWith("ab"), false],
    [field("s").matches(/^A/i), true],
    [field("nothing").isNull(), true],
    [field("n").isNotNull(), true],
    [field("empty").isEmpty(), true],
    [field("s").isNotEmpty(), true],
    [field("n").changed(), true],
    [field("s").changed(), false],
    [field("s").notChanged(), true],
    [field("n").changedTo(5), true],
    [field("n").changedFrom(4), true],
    [field("n").changedFrom(3), false],
    [field("at").equals("2026-01-01T00:00:00Z"), true],
    [field("env").equals("dev"), false],
    [{ field: "n", operator: "GREATER_THAN" as "greaterThan", value: 4 }, true],
    [Trigger.when.and(field("n").equals(5), field("s").equals("x")), false],
    [Trigger.when.or(field("n").equals(5), field("s").equals("x")), true],
    [Trigger.when.not(field("n").equals(5)), false]
  ])("condition %j: %s", (condition, expected) => {
    const record = { n: 5, s: "abc", list: [1, 2], nothing: null, empty: "", at: new Date("2026-01-01") }
    assert.strictEqual(holds(condition, context(record, { ...record, n: 4 })), expected)
  })
})
