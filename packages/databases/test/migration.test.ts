import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { canonicalJson, type DatabaseError, MigrationHelpers, migration } from "../src/index.ts"
import { movesTransaction, runsAlone, splitStatements } from "../src/migration/splitStatements.ts"

describe("SQL of raw steps", () => {
  it.each<readonly [string, ReadonlyArray<string>]>([
    ["SELECT 1", ["SELECT 1"]],
    ["SELECT 1;", ["SELECT 1"]],
    ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
    [";; -- nothing\n /* ; */ ;", []],
    ["SELECT ';''; ' || E'\\';' ; SELECT 2", ["SELECT ';''; ' || E'\\';'", "SELECT 2"]],
    ['SELECT "a;""b" ; x', ['SELECT "a;""b"', "x"]],
    ["DO $$ BEGIN; END $$; SELECT $a$;$$;$a$", ["DO $$ BEGIN; END $$", "SELECT $a$;$$;$a$"]],
    ["SELECT 1 -- ; no\n; SELECT /* ; /* ; */ ; */ 2", ["SELECT 1 -- ; no", "SELECT /* ; /* ; */ ; */ 2"]],
    ["SELECT a$b$c ; SELECT 2", ["SELECT a$b$c", "SELECT 2"]],
    [
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
      [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
        "SELECT 3"
      ]
    ],
    ["SELECT CASE WHEN a THEN 1 END; SELECT 2", ["SELECT CASE WHEN a THEN 1 END", "SELECT 2"]],
    ["SELECT 'open ; ", ["SELECT 'open ;"]]
  ])("%j is split into %j", (text, expected) => {
    assert.deepStrictEqual(splitStatements(text), expected)
  })
  it("quoted text never splits, whatever is in it", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (texts) => {
        const statements = texts.map((text) => `SELECT '${text.replaceAll("'", "''")}' AS a`)
        assert.deepStrictEqual(splitStatements(statements.join(";")), statements)
      }),
      { numRuns: 500 }
    )
  })
  it("statements that stand alone, and those that move transactions", () => {
    for (const sql of [
      "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
      "-- why\n/* so */ drop index concurrently i",
      "VACUUM t",
      "REINDEX (VERBOSE) TABLE CONCURRENTLY t"
    ]) {
      assert.isTrue(runsAlone(sql), sql)
    }
    for (const sql of [
      "CREATE INDEX i ON t (a)",
      "SELECT 'vacuum'",
      "CREATE TABLE concurrently_made (a int)"
    ]) {
      assert.isFalse(runsAlone(sql), sql)
    }
    for (const sql of ["BEGIN", "  commit;", "/* x */ ROLLBACK TO a", "SAVEPOINT a"]) {
      assert.isTrue(movesTransaction(sql), sql)
    }
    assert.isFalse(movesTransaction("SELECT beginning FROM t"))
  })
})

describe("migrations as data", () => {
  it("tags are sorted by time and made of the name", () => {
    const at = new Date("2026-03-04T05:06:07.890Z")
    assert.strictEqual(
      MigrationHelpers.generateTag("Add Usérs & more!", at),
      "20260304_050607_add_use_rs_more"
    )
    assert.strictEqual(MigrationHelpers.generateTag("  ", at), "20260304_050607_migration")
  })
  it("the checksum is of the meaning of up and down, not of their spelling", () => {
    const one = migration("a").createCollection("t", { a: "text", b: "integer" }).build()
    const same = JSON.parse(JSON.stringify({ ...one, name: "other", description: "x" })) as typeof one
    assert.strictEqual(MigrationHelpers.checksum(one), MigrationHelpers.checksum(same))
    assert.match(MigrationHelpers.checksum(one), /^[0-9a-f]{64}$/)
    assert.notStrictEqual(MigrationHelpers.checksum(one), MigrationHelpers.checksum({ ...one, down: [] }))
    assert.strictEqual(
      canonicalJson({ b: [1, { d: 1, c: undefined }], a: null }),
      '{"a":null,"b":[1,{"d":1}]}'
    )
  })
  it("down is the inverse, newest step first; left to the catalogue where something is dropped", () => {
    const both = migration("both")
      .createCollection("t", { a: "text" })
      .addField("t", { name: "b", type: "integer" })
      .renameField("t", "b", "c")
      .createIndex("t", ["c"])
      .addConstraint("t", { type: "unique", columns: ["c"] })
      .renameCollection("t", "u")
      .build()
    assert.deepStrictEqual(both.down, [
      { type: "renameCollection", from: "u", to: "t" },
      { type: "dropConstraint", collection: "t", name: "uq_t_c" },
      { type: "dropIndex", collection: "t", name: "idx_t_c" },
      { type: "renameField", collection: "t", from: "c", to: "b" },
      { type: "dropField", collection: "t", field: "b" },
      { type: "dropCollection", name: "t" }
    ])
    assert.deepStrictEqual(migration("drop").dropField("t", "a").build().down, [])
  })
  it("validate lists what is wrong without a database", () => {
    const good = migration("good").createCollection("t", { a: "text" }).build()
    assert.deepStrictEqual(MigrationHelpers.validate(good), { valid: true, errors: [] })
    const bad = {
      ...good,
      up: [
        { type: "createCollection", name: "t", fields: { a: "money", "b c": "text" } },
        { type: "createIndex", collection: "t", fields: ["a;"] }
      ]
    }
    const { errors, valid } = MigrationHelpers.validate(bad)
    assert.isFalse(valid)
    assert.lengthOf(errors, 2)
    assert.isFalse(MigrationHelpers.validate({ ...good, up: [{ type: "explode" }] }).valid)
    assert.isFalse(MigrationHelpers.validate(null).valid)
  })
  it.each([
    () => migration("x").build(),
    () =>
      migration("x")
        .addField("t", { name: "a" } as never)
        .steps([{ type: "raw" } as never])
        .build(),
    () => migration("x").tag("no spaces").createCollection("t", {}).build(),
    () =>
      migration("x")
        .steps([{ type: "dropField", collection: "t", field: "a", oops: 1 } as never])
        .build()
  ])("bad steps are refused when they are built (%#)", (build) => {
    try {
      build()
    } catch (cause) {
      assert.strictEqual((cause as DatabaseError).code, "VALIDATION_ERROR")
      return
    }
    assert.fail("it was accepted")
  })
})
