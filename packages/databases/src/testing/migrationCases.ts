import { assert, describe, it } from "vitest"
import { type Migration, MigrationHelpers } from "../migration/Migration.ts"
import { migration } from "../migration/MigrationBuilder.ts"
import { MigrationEngine } from "../migration/MigrationEngine.ts"
import type { MigrationProgress } from "../migration/MigrationResults.ts"
import { rejects, type SuiteContext } from "./SuiteContext.ts"

/** Migrations forth and back. */
export const migrationCases = (context: SuiteContext): void => {
  describe("migrations", () => {
    let serial = 0
    const name = (): string => `mig_${++serial}`
    const engine = (): MigrationEngine => new MigrationEngine(context.db().getAdapter())
    const create = (table: string): Migration =>
      migration(`create ${table}`)
        .tag(`create_${table}`)
        .createCollection(table, { id: { type: "integer", primaryKey: true }, n: "integer" })
        .build()

    it("are applied once, in order, and recorded with their checksum", async () => {
      const [a, b] = [name(), name()]
      const list = [create(a), create(b)]
      const first = await engine().run(list)
      assert.deepStrictEqual([first.applied, first.skipped], [list.map(({ tag }) => tag), []])
      const second = await engine().run(list)
      assert.deepStrictEqual([second.applied, second.skipped], [[], list.map(({ tag }) => tag)])
      const history = (await engine().getHistory()).slice(-2)
      assert.deepStrictEqual(
        history.map(({ checksum, tag }) => [tag, checksum]),
        list.map((one) => [one.tag, MigrationHelpers.checksum(one)])
      )
      assert.instanceOf(history[0]?.appliedAt, Date)
      assert.deepStrictEqual(history[0]?.migration.up, list[0]?.up)
    })
    it("status counts, names the last one and what was changed since", async () => {
      const [a, b] = [name(), name()]
      const [one, two] = [create(a), create(b)]
      await engine().run([one])
      const changed = { ...one, up: create(`${a}x`).up }
      const status = await engine().getStatus({ definedMigrations: [changed, two] })
      assert.deepStrictEqual([status.total, status.completed, status.pending], [2, 1, 1])
      assert.deepStrictEqual(status.mismatched, [one.tag])
      assert.strictEqual(status.lastApplied?.tag, one.tag)
      assert.deepStrictEqual(
        status.pendingMigrations.map(({ tag }) => tag),
        [two.tag]
      )
    })
    it("a changed one stops the run before anything else is applied", async () => {
      const [a, b] = [name(), name()]
      const [one, two] = [create(a), create(b)]
      await engine().run([one])
      await rejects(engine().run([two, { ...one, up: create(`${a}x`).up }]), "CHECKSUM_MISMATCH")
      assert.isFalse(await context.db().schema.exists(b))
      const reordered = {
        ...one,
        up: one.up.map((op) => Object.fromEntries(Object.entries(op).reverse()) as never)
      }
      assert.deepStrictEqual((await engine().run([reordered])).skipped, [one.tag])
    })
    it("a failure undoes its own migration, keeps those before, and says so", async () => {
      const [a, b, c] = [name(), name(), name()]
      const good = create(a)
      const bad = migration("bad")
        .tag(`bad_${b}`)
        .createCollection(b, { n: "integer" })
        .createIndex("no_such_table", ["n"])
        .build()
      const error = await rejects(engine().run([good, bad, create(c)]), "MIGRATION_ERROR")
      assert.deepInclude(error.details as object, {
        tag: bad.tag,
        step: 1,
        applied: [good.tag],
        kept: "none"
      })
      const { exists } = context.db().schema
      assert.deepStrictEqual([await exists(a), await exists(b), await exists(c)], [true, false, false])
      assert.notInclude(
        (await engine().getHistory()).map(({ tag }) => tag),
        bad.tag
      )
    })
    it("a dry run says what it would do and changes nothing", async () => {
      const table = name()
      const plan = await engine().run([create(table)], { dryRun: true })
      assert.deepStrictEqual(plan.applied, [`create_${table}`])
      assert.match(plan.statements[0]?.statements[0] ?? "", /^CREATE TABLE /)
      assert.isFalse(await context.db().schema.exists(table))
      assert.strictEqual((await engine().getStatus({ definedMigrations: [create(table)] })).pending, 1)
    })
    it("down restores the structure of what up dropped", async () => {
      const db = context.db()
      const [parents, table, child] = [name(), name(), name()]
      await db.raw({ query: `CREATE TABLE ${parents} (id integer PRIMARY KEY)` })
      await db.raw({
        query: `CREATE TABLE ${table} (
          id serial PRIMARY KEY, k bigint GENERATED ALWAYS AS IDENTITY, label varchar(9) NOT NULL DEFAULT 'it''s' UNIQUE,
          parent integer REFERENCES ${parents} (id) ON DELETE SET NULL, span interval DEFAULT '1 day',
          twice integer GENERATED ALWAYS AS (parent * 2) STORED, CONSTRAINT long_enough CHECK (length(label) > 1))`
      })
      await db.raw({
        query: `CREATE INDEX ${table}_part ON ${table} (lower(label)) WHERE parent IS NOT NULL`
      })
      await db.raw({ query: `COMMENT ON COLUMN ${table}.label IS 'say it''s'` })
      await db.raw({
        query: `CREATE TABLE ${child} (id integer PRIMARY KEY, up integer REFERENCES ${table} (id))`
      })
      const before = await db.schema.describe(table)
      const children = await db.schema.describe(child)
      const drops = migration("drops")
        .tag(`drops_${table}`)
        .dropIndex(table, `${table}_part`)
        .dropConstraint(table, "long_enough")
        .dropField(table, "span")
        .dropField(table, "label")
        .dropCollection(table, { cascade: true })
        .build()
      await engine().run([drops])
      assert.isFalse(await db.schema.exists(table))
      await engine().rollback([drops])
      const after = await db.schema.describe(table)
      const byName = (list: ReadonlyArray<{ readonly name: string }>) =>
        [...list].sort((a, b) => (a.name < b.name ? -1 : 1))
      assert.deepStrictEqual(byName(after.columns), byName(before.columns))
      assert.deepStrictEqual(after.constraints, before.constraints)
      assert.deepStrictEqual(after.indexes, before.indexes)
      assert.deepStrictEqual((await db.schema.describe(child)).constraints, children.constraints)
      await db.insert({ table: parents, records: { id: 4 } })
      const made = await db.insert({ table, records: { parent: 4 }, returning: true })
      assert.deepInclude(made.records[0], { id: 1, label: "it's", twice: 8 })
    })
    it("down puts a changed field back, values and all that fits", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(table, {
        id: { type: "integer", primaryKey: true },
        n: { type: "string", maxLength: 5, minLength: 1, default: "1", index: true, unique: true }
      })
      await db.insert({ table, records: { id: 1, n: "42" } })
      const before = await db.schema.describe(table)
      await db.schema.modifyField(table, "n", {
        type: "bigint",
        required: true,
        default: 2,
        unique: false,
        index: false
      })
      assert.notDeepEqual(await db.schema.describe(table), before)
      await engine().rollback()
      assert.deepStrictEqual(await db.schema.describe(table), before)
      assert.deepStrictEqual((await db.find({ table })).records, [{ id: 1, n: "42" }])
    })
    it("a column that must not be null comes back nullable where rows are left without it", async () => {
      const db = context.db()
      const table = name()
      await db.schema.create(table, {
        id: { type: "integer", primaryKey: true },
        must: { type: "integer", required: true }
      })
      await db.insert({ table, records: { id: 1, must: 1 } })
      await db.schema.dropField(table, "must")
      await engine().rollback()
      const { columns } = await db.schema.describe(table)
      assert.deepInclude(columns, {
        name: "must",
        type: "integer",
        nullable: true,
        default: null,
        isPrimaryKey: false
      })
    })
    it("rollback takes the last n, newest first", async () => {
      const [a, b, c] = [name(), name(), name()]
      const list = [create(a), create(b), create(c)]
      await engine().run(list)
      const { rolledBack } = await engine().rollback(list, 2)
      assert.deepStrictEqual(
        rolledBack,
        list
          .slice(1)
          .reverse()
          .map(({ tag }) => tag)
      )
      const { exists } = context.db().schema
      assert.deepStrictEqual([await exists(a), await exists(b), await exists(c)], [true, false, false])
      await rejects(engine().rollback(list, 0), "VALIDATION_ERROR")
    })
    it("raw: run here, skipped elsewhere, several statements, no way back unless written", async () => {
      const db = context.db()
      const table = name()
      const raw = migration("raw")
        .tag(`raw_${table}`)
        .raw("mongodb", "this is no SQL")
        .raw("postgresql", `CREATE TABLE ${table} (a text); INSERT INTO ${table} VALUES ('x;y'), ($q$;'$q$)`)
        .build()
      await engine().run([raw])
      assert.strictEqual(await db.count({ table }), 2)
      await rejects(engine().rollback([raw]), "MIGRATION_ERROR")
      assert.strictEqual(await db.count({ table }), 2)
      const more = migration("more")
        .tag(`more_${table}`)
        .raw("postgresql", `INSERT INTO ${table} VALUES ('z')`)
        .down([{ type: "raw", database: "postgresql", statement: `DELETE FROM ${table} WHERE a = 'z'` }])
        .build()
      await engine().run([more])
      assert.isTrue((await engine().down(more)).rolledBack)
      assert.isFalse((await engine().down(more)).rolledBack)
      assert.strictEqual(await db.count({ table }), 2)
      const begin = migration("begin").raw("postgresql", "BEGIN; SELECT 1; COMMIT").build()
      await rejects(engine().run([begin]), "VALIDATION_ERROR")
    })
    it("CREATE INDEX CONCURRENTLY runs outside of a transaction; what failed goes on where it stopped", async () => {
      const db = context.db()
      const table = name()
      const parts = (values: string) =>
        migration("concurrent")
          .tag(`concurrent_${table}`)
          .createCollection(table, { id: { type: "integer", primaryKey: true }, n: "integer" })
          .raw("postgresql", `INSERT INTO ${table} VALUES (1, 1), (2, 1)`)
          .raw("postgresql", values)
          .createIndex(table, ["n"], { unique: true, concurrently: true, name: `${table}_n` })
          .build()
      const failing = parts("SELECT 1")
      const error = await rejects(engine().run([failing]), "MIGRATION_ERROR")
      assert.deepInclude(error.details as object, { step: 3, kept: "before", code: "UNIQUE_VIOLATION" })
      assert.strictEqual(await db.count({ table }), 2)
      assert.deepStrictEqual((await engine().getStatus({ definedMigrations: [failing] })).interrupted, [
        failing.tag
      ])
      await rejects(engine().rollback([failing]), "MIGRATION_ERROR")
      // What is done must stay as it was; what is still to come may be mended.
      const other = {
        ...failing,
        up: failing.up.with(1, { type: "raw", database: "postgresql", statement: "SELECT 2" })
      }
      await rejects(engine().run([other]), "CHECKSUM_MISMATCH")
      await db.update({ table, data: { n: 2 }, where: { id: 2 } })
      assert.deepStrictEqual((await engine().run([failing])).applied, [failing.tag])
      const { indexes } = await db.schema.describe(table)
      assert.deepInclude(indexes, { name: `${table}_n`, columns: ["n"], unique: true, primaryKey: false })
      assert.deepStrictEqual((await engine().getStatus({ definedMigrations: [failing] })).interrupted, [])
    })
    it("runs at the same time wait for each other, and each migration runs once", async () => {
      const tables = [name(), name(), name()]
      const list = tables.map(create)
      const results = await Promise.all([engine().run(list), engine().run(list), engine().run(list)])
      assert.strictEqual(results.flatMap(({ applied }) => applied).length, 3)
    })
    it("tells of progress, step by step", async () => {
      const seen: Array<MigrationProgress> = []
      const table = name()
      await engine().run([create(table)], { onProgress: (progress) => seen.push(progress) })
      assert.deepStrictEqual(
        seen.map(({ done, step, steps }) => [step, steps, done]),
        [
          [0, 1, false],
          [1, 1, true]
        ]
      )
    })
    it("a table that is there and may be is left alone, also on the way back", async () => {
      const db = context.db()
      const table = name()
      await db.raw({ query: `CREATE TABLE ${table} (id integer PRIMARY KEY)` })
      const maybe = migration("maybe")
        .tag(`maybe_${table}`)
        .createCollection(table, { n: { type: "integer", index: true } }, { ifNotExists: true })
        .build()
      await engine().run([maybe])
      await engine().rollback([maybe])
      assert.isTrue(await db.schema.exists(table))
    })
  })
}
