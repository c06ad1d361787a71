import * as crypto from "node:crypto"
import { canary } from "@ductape/testkit"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { pglite } from "../../databases-pglite/src/index.ts"
import {
  connectDatabase,
  type DatabaseError,
  type DatabaseHandle,
  decrypt,
  PreSave,
  type PreSaveOp,
  verifyHash,
  verifyHashAsync
} from "../src/index.ts"
import { runPreSave } from "../src/presave/runPreSave.ts"
import type { Row } from "../src/types.ts"

const one = async (
  record: Row,
  ops: ReadonlyArray<PreSaveOp>,
  isUpdate = false,
  config = {}
): Promise<Row> => {
  const [saved = {}] = await runPreSave([record], ops, config, isUpdate)
  return saved
}

const failure = async (run: Promise<unknown>): Promise<DatabaseError> => {
  try {
    await run
  } catch (cause) {
    return cause as DatabaseError
  }
  throw new Error("nothing failed")
}

describe("pre-save", () => {
  it("runs by phase, whatever the order given", async () => {
    const seen: Array<string> = []
    const step = (word: string) => (value: unknown) => {
      seen.push(word)
      return value
    }
    const saved = await one({ name: "  Ada  Lovelace ", n: 1.239 }, [
      PreSave.encrypt("copy", { key: "k" }),
      PreSave.transform("name", step("transform")),
      PreSave.slug("slug", "name"),
      PreSave.trim("name"),
      PreSave.validate("name", [
        {
          type: "custom",
          validator: (value) => {
            seen.push(`validate ${JSON.stringify(value)}`)
            return true
          }
        }
      ]),
      PreSave.compute("copy", (record) => {
        seen.push("compute")
        return record["name"]
      }),
      PreSave.default("role", () => {
        seen.push("default")
        return "user"
      }),
      PreSave.round("n", 2)
    ])
    assert.deepStrictEqual(seen, ["default", "compute", 'validate "  Ada  Lovelace "', "transform"])
    assert.deepStrictEqual(
      [saved["name"], saved["slug"], saved["n"], saved["role"]],
      ["Ada  Lovelace", "ada-lovelace", 1.24, "user"]
    )
    assert.strictEqual(decrypt(String(saved["copy"]), { key: "k" }), "  Ada  Lovelace ")
  })
  it("leaves the caller's record alone", async () => {
    const record = { name: " x " }
    await one(record, [PreSave.trim("name")])
    assert.deepStrictEqual(record, { name: " x " })
  })
  it.each<readonly [PreSaveOp, unknown, unknown]>([
    [PreSave.trim("f"), " a ", "a"],
    [PreSave.lowercase("f"), "ÀB", "àb"],
    [PreSave.uppercase("f"), "ab", "AB"],
    [PreSave.normalizeEmail("f"), " Me@X.com ", "me@x.com"],
    [PreSave.normalizePhone("f"), " +1 (555) 010-99", "+155501099"],
    [PreSave.sanitize("f"), "a<script>alert(1)</script><b>c</b>", "ac"],
    [PreSave.sanitize("f"), "<scr<b>ipt>x</scr<b>ipt>y", "y"],
    [PreSave.sanitize("f"), "1 < 2 and <img src=x onerror=y", "1 < 2 and "],
    [PreSave.truncate("f", 5), "abcdefg", "abcde"],
    [PreSave.truncate("f", 8, { suffix: "…", wordBoundary: true }), "one two three", "one two…"],
    [PreSave.truncate("f", 5), "abc", "abc"],
    [PreSave.round("f", 2), 1.005, 1.01],
    [PreSave.round("f", 0, "floor"), 1.9, 1],
    [PreSave.round("f", 1, "ceil"), 1.11, 1.2],
    [PreSave.round("f", 0), -2.5, -3],
    [PreSave.clamp("f", 0, 10), 12, 10],
    [PreSave.jsonStringify("f"), { a: 1 }, '{"a":1}'],
    [PreSave.mask("f", "credit-card"), "4111-1111-1111-1234", "****-****-****-1234"],
    [PreSave.mask("f", "credit-card"), "4111111111111234", "************1234"],
    [PreSave.mask("f", "ssn"), "123-45-6789", "***-**-6789"],
    [PreSave.mask("f", "phone"), "+1 (555) 123-4567", "+* (***) ***-4567"],
    [PreSave.mask("f", "email"), "john@example.com", "j***@example.com"],
    [PreSave.mask("f", "custom", { showFirst: 2, showLast: 1, maskChar: "#" }), "abcdef", "ab###f"],
    [PreSave.mask("f", "custom", { showLast: 4 }), "1234", "****"],
    [
      PreSave.hash("f", { algorithm: "sha256" }),
      "abc",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    ],
    [PreSave.hash("f", { algorithm: "md5" }), "abc", "900150983cd24fb0d6963f7d28e17f72"]
  ])("%j makes of %j %j", async (op, given, expected) => {
    assert.strictEqual((await one({ f: given }, [op]))["f"], expected)
    assert.isNull((await one({ f: null }, [op]))["f"])
  })
  it("keeps the original where asked, for the phases that follow", async () => {
    const saved = await one({ card: "4111111111111234" }, [
      PreSave.encrypt("full", { key: "k" }),
      PreSave.mask("card", "credit-card", { storeOriginalIn: "full" })
    ])
    assert.strictEqual(decrypt(String(saved["full"]), { key: "k" }), "4111111111111234")
  })
  it("one error names every field that does not pass, and no value", async () => {
    const secret = canary("value")
    const error = await failure(
      runPreSave(
        [{ email: secret, age: -1 }],
        [
          PreSave.validate("email", [{ type: "email" }]),
          PreSave.validate("age", [{ type: "positive" }, { type: "min", value: 18, message: "too young" }]),
          PreSave.validate("name", [{ type: "required" }])
        ]
      )
    )
    assert.strictEqual(error.code, "VALIDATION_ERROR")
    assert.strictEqual(
      error.message,
      "Validation failed: email: must be an email address, age: must be more than 0, age: too young, name: is required"
    )
    assert.notInclude(JSON.stringify(error), secret)
    const lax = await one({ email: "x" }, [PreSave.validate("email", [{ type: "email" }])], false, {
      throwOnValidationError: false
    })
    assert.deepStrictEqual(lax, { email: "x" })
  })
  it.each<readonly [string, unknown, unknown, boolean]>([
    ["url", undefined, "https://a.b/c", true],
    ["url", undefined, "javascript:alert(1)", false],
    ["minLength", 2, "a", false],
    ["maxLength", 2, "ab", true],
    ["max", 2, 3, false],
    ["pattern", /^a+$/g, "aaa", true],
    ["pattern", "^a+$", "b", false],
    ["enum", ["a"], "b", false],
    ["type", "number", "1", false],
    ["integer", undefined, 1.5, false],
    ["negative", undefined, -1, true],
    ["email", undefined, null, true],
    ["required", undefined, "", false]
  ])("rule %s %j on %j: %s", async (type, value, given, passes) => {
    const ops = [PreSave.validate("f", [{ type: type as "url", value }])]
    const outcome = await one({ f: given }, ops).then(
      () => true,
      () => false
    )
    assert.strictEqual(outcome, passes)
  })
  it("of an update: no defaults, required only where the field is there, operators untouched", async () => {
    const ops = [
      PreSave.default("role", "user"),
      PreSave.uuid("id"),
      PreSave.validate("name", [{ type: "required" }]),
      PreSave.jsonStringify("n")
    ]
    assert.deepStrictEqual(await one({ n: { $inc: 1.5 } }, ops, true), { n: { $inc: 1.5 } })
    assert.strictEqual((await failure(one({ name: "" }, ops, true))).code, "VALIDATION_ERROR")
  })
  it("conditions and skips", async () => {
    const ops = [
      PreSave.uppercase("f", { condition: (record) => record["on"] === true }),
      PreSave.default("g", "x", { skipIfNull: true }),
      PreSave.default("h", "y")
    ]
    assert.deepStrictEqual(await one({ f: "a", on: false, g: null, h: null }, ops), {
      f: "a",
      on: false,
      g: null,
      h: "y"
    })
    assert.strictEqual((await one({ f: "a", on: true }, ops))["f"], "A")
  })
  it("hashes: bcrypt of its own salt each time, argon2 where Node.js has it; each is verified both ways", async () => {
    const ops = [PreSave.hash("password", { saltRounds: 4 })]
    const a = String((await one({ password: "s3cret" }, ops))["password"])
    const b = String((await one({ password: "s3cret" }, ops))["password"])
    assert.match(a, /^\$2[aby]\$04\$/)
    assert.notStrictEqual(a, b)
    for (const algorithm of ["sha256", "sha512", "md5", "argon2"] as const) {
      if (algorithm === "argon2" && !("argon2" in crypto)) {
        const error = await failure(one({ f: "s3cret" }, [PreSave.hash("f", { algorithm })]))
        assert.strictEqual(error.code, "UNSUPPORTED_OPERATION")
        continue
      }
      const stored = String((await one({ f: "s3cret" }, [PreSave.hash("f", { algorithm })]))["f"])
      assert.isTrue(verifyHash("s3cret", stored), algorithm)
      assert.isTrue(await verifyHashAsync("s3cret", stored), algorithm)
      assert.isFalse(verifyHash("s3creT", stored), algorithm)
    }
    assert.isTrue(verifyHash("s3cret", a))
    assert.isTrue(await verifyHashAsync("s3cret", a))
    assert.isFalse(await verifyHashAsync("other", a))
    assert.isFalse(verifyHash("x", "not a hash"))
    const long = await failure(one({ password: "x".repeat(73) }, ops))
    assert.strictEqual(long.code, "VALIDATION_ERROR")
  })
  it("encrypts differently each time; another key or a changed text is refused", async () => {
    const ops = [PreSave.encrypt("f")]
    const config = { encryptionKey: "correct horse" }
    const a = String((await one({ f: "π" }, ops, false, config))["f"])
    const b = String((await one({ f: "π" }, ops, false, config))["f"])
    assert.notStrictEqual(a, b)
    assert.match(a, /^dtenc1\./)
    assert.strictEqual(decrypt(a, { key: "correct horse" }), "π")
    const typed = String((await one({ f: { n: 1 } }, ops, false, config))["f"])
    assert.deepStrictEqual(decrypt<object>(typed, { key: "correct horse" }), { n: 1 })
    const flipped = `${a.slice(0, -2)}${a.endsWith("AA") ? "BB" : "AA"}`
    for (const [text, key] of [
      [a, "wrong"],
      [flipped, "correct horse"],
      ["plain", "correct horse"]
    ] as const) {
      assert.throws(() => decrypt(text, { key }), /key is not that of the value/)
    }
    assert.strictEqual((await failure(one({ f: "x" }, ops))).code, "VALIDATION_ERROR")
  })

  describe("in calls", () => {
    let db: DatabaseHandle
    beforeAll(async () => {
      db = await connectDatabase({ adapter: pglite(), url: "pglite://memory" })
      await db.schema.create("people", {
        id: { type: "integer", primaryKey: true },
        email: "string",
        password: "string",
        visits: "integer"
      })
    })
    afterAll(() => db.close())

    it("of insert, upsert and update; nothing is sent when validation fails", async () => {
      const email = [PreSave.normalizeEmail("email"), PreSave.validate("email", [{ type: "email" }])]
      await db.insert({ table: "people", records: { id: 1, email: "A@x.com" }, preSave: email })
      await db.upsert({
        table: "people",
        data: [{ id: 2, email: "B@x.com" }],
        conflictKeys: ["id"],
        preSave: email
      })
      await db.update({
        table: "people",
        data: { visits: { $inc: 2 }, email: "C@x.com" },
        where: { id: 2 },
        preSave: email
      })
      const refused = await failure(
        db.insert({
          table: "people",
          records: [
            { id: 3, email: "D@x.com" },
            { id: 4, email: "no" }
          ],
          preSave: email
        })
      )
      assert.strictEqual(refused.code, "VALIDATION_ERROR")
      assert.deepInclude((refused.details as ReadonlyArray<object>)[0], { path: "records[1].email" })
      const { records } = await db.find({
        table: "people",
        select: ["id", "email", "visits"],
        orderBy: { column: "id" }
      })
      assert.deepStrictEqual(records, [
        { id: 1, email: "a@x.com", visits: null },
        { id: 2, email: "c@x.com", visits: 2 }
      ])
    })
  })
})
