import { assert, describe, it } from "vitest"
import { checkConfig } from "../src/SessionConfig.ts"
import { SessionError } from "../src/SessionError.ts"
import { checkData } from "../src/sessionData.ts"
import { web } from "./openSessions.ts"

const refusal = (run: () => unknown): SessionError => {
  try {
    run()
  } catch (cause) {
    assert.instanceOf(cause, SessionError)
    return cause
  }
  return assert.fail("was accepted")
}

describe("configurations", () => {
  const codeOf = (patch: object) => refusal(() => checkConfig({ ...web, ...patch })).code

  it("are kept as given, without what is none of theirs", () => {
    const full = { ...web, description: "d", refresh_expiry: 1, absolute_expiry: 2, reuse_leeway: 3 }
    assert.deepStrictEqual(checkConfig({ ...full, other: 1, period: "days" }), { ...full, period: "days" })
  })

  it("need a tag without ':', '/' or space", () => {
    for (const tag of ["", "a:b", "a/b", "a b", "a\n", "x".repeat(129), 1, null, undefined, "\ud800"]) {
      assert.strictEqual(codeOf({ tag }), "VALIDATION_ERROR")
    }
    for (const tag of ["web", "user-session", "Übersicht", "a.b_c"])
      assert.strictEqual(checkConfig({ ...web, tag }).tag, tag)
  })

  it("need a whole, positive expiry in a known period", () => {
    for (const expiry of [0, -1, 1.5, "15", Number.NaN, Number.POSITIVE_INFINITY, undefined, null]) {
      assert.strictEqual(codeOf({ expiry }), "VALIDATION_ERROR")
    }
    for (const period of ["ms", "Days", "", null, "toString"])
      assert.strictEqual(codeOf({ period }), "VALIDATION_ERROR")
    assert.strictEqual(codeOf({ expiry: 101, period: "years" }), "VALIDATION_ERROR")
    for (const period of ["second", "minutes", "hour", "day", "week", "month", "year"]) {
      assert.strictEqual(checkConfig({ ...web, period }).period, period)
    }
  })

  it("bound the refresh settings", () => {
    for (const field of ["refresh_expiry", "absolute_expiry"]) {
      for (const value of [0, -1, 1.5, "1", null, 1e12])
        assert.strictEqual(codeOf({ [field]: value }), "VALIDATION_ERROR")
    }
    for (const value of [-1, 301, 0.5, null])
      assert.strictEqual(codeOf({ reuse_leeway: value }), "VALIDATION_ERROR")
    assert.strictEqual(checkConfig({ ...web, reuse_leeway: 300 }).reuse_leeway, 300)
  })

  it("name every wrong field by its path", () => {
    for (const [patch, path] of [
      [{ name: " " }, "name"],
      [{ description: 1 }, "description"],
      [{ schema: [] }, "schema"],
      [{ schema: null }, "schema"]
    ] as const) {
      const { details, code } = refusal(() => checkConfig({ ...web, ...patch }))
      assert.strictEqual(code, "VALIDATION_ERROR")
      assert.deepInclude((details as ReadonlyArray<object>)[0], { path })
    }
    assert.strictEqual(refusal(() => checkConfig(undefined)).code, "VALIDATION_ERROR")
  })

  it("take a selector that leads to text, a number or a boolean of the schema", () => {
    const schema = {
      userId: "u1",
      n: 1,
      b: false,
      details: { email: "a@b.c", ids: ["x"] },
      typed: "string",
      object: "object",
      array: "array",
      none: null,
      "odd{}\\.key": "x",
      "a.b": 1
    }
    for (const selector of [
      "$Session{userId}",
      "$Session{n}",
      "$Session{b}",
      "$Session{details}{email}",
      "$Session{details.email}",
      "$Session{details}{ids}{0}",
      "$Session{typed}",
      "$Session{odd\\{\\}\\\\.key}",
      "$Session{a.b}",
      "$Session{web}{userId}"
    ]) {
      assert.strictEqual(checkConfig({ ...web, schema, selector }).selector, selector)
    }
    for (const selector of [
      "userId",
      "",
      "$Session",
      "$Session{}",
      "$Session{userId",
      "$Session{userId} ",
      "x$Session{userId}",
      "$Session{userId}$Session{n}",
      "$session{userId}",
      "$Input{userId}",
      "$Session{missing}",
      "$Session{details}",
      "$Session{details}{ids}",
      "$Session{object}",
      "$Session{array}",
      "$Session{none}",
      "$Session{__proto__}",
      "$Session{constructor}{name}",
      "$Session{userId}{length}",
      "$Session{web}",
      null,
      undefined,
      7
    ]) {
      assert.strictEqual(codeOf({ schema, selector }), "SELECTOR_INVALID", String(selector))
    }
  })
})

describe("session data", () => {
  const config = { tag: "web", selector: "$Session{userId}", schema: web.schema }
  const codeOf = (data: unknown, more: object = {}) =>
    refusal(() => checkData({ ...config, ...more }, data)).code

  it("must be a JSON object, and comes back as it was", () => {
    for (const data of [null, undefined, [], "text", 1, true])
      assert.strictEqual(codeOf(data), "SESSION_DATA_INVALID")
    for (const value of [
      () => 1,
      Symbol("x"),
      1n,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      new Date(),
      new Map(),
      [undefined],
      { deep: [() => 1] }
    ]) {
      assert.strictEqual(codeOf({ userId: "u1", value }), "SESSION_DATA_INVALID")
    }
    const data = { userId: "u1", a: [1, null, "ü\u{1f511}"], b: { c: true }, d: undefined }
    const { text } = checkData(config, data)
    assert.deepStrictEqual(JSON.parse(text), { userId: "u1", a: [1, null, "ü\u{1f511}"], b: { c: true } })
  })

  it("may be 4096 bytes of JSON, and no more", () => {
    const frame = JSON.stringify({ userId: "u1", x: "" }).length
    checkData(config, { userId: "u1", x: "a".repeat(4_096 - frame) })
    assert.strictEqual(codeOf({ userId: "u1", x: "a".repeat(4_097 - frame) }), "SESSION_DATA_INVALID")
    assert.strictEqual(codeOf({ userId: "u1", x: "ü".repeat((4_098 - frame) / 2) }), "SESSION_DATA_INVALID")
  })

  it("may not be nested without end, nor in a circle", () => {
    const circle: Record<string, unknown> = { userId: "u1" }
    circle["self"] = circle
    assert.strictEqual(codeOf(circle), "SESSION_DATA_INVALID")
  })

  it("has its schema's types where it has its fields; others are kept", () => {
    checkData(config, { userId: "u1" })
    checkData(config, {
      userId: "u1",
      role: "a",
      details: { email: "x", more: 1 },
      flags: [],
      age: 1,
      other: {}
    })
    for (const wrong of [
      { role: 1 },
      { role: null },
      { details: "x" },
      { details: [] },
      { details: { email: 1 } },
      { flags: {} },
      { flags: "x" },
      { age: "3" }
    ]) {
      assert.strictEqual(codeOf({ userId: "u1", ...wrong }), "SESSION_DATA_INVALID", JSON.stringify(wrong))
    }
  })

  it("a type word declares its type", () => {
    const schema = { userId: "string", n: "number", b: "boolean", o: "object", a: "array", any: null }
    checkData({ ...config, schema }, { userId: "u", n: 1, b: true, o: {}, a: [1], any: [] })
    for (const wrong of [{ n: "1" }, { b: 0 }, { o: [] }, { o: null }, { a: {} }, { userId: 5 }]) {
      assert.strictEqual(codeOf({ userId: "u", ...wrong }, { schema }), "SESSION_DATA_INVALID")
    }
  })

  it("names its user by the selector, as text", () => {
    const named = (selector: string, data: object) =>
      checkData({ tag: "web", selector, schema: {} }, data).identifier
    assert.strictEqual(named("$Session{id}", { id: 42 }), "42")
    assert.strictEqual(named("$Session{id}", { id: false }), "false")
    assert.strictEqual(named("$Session{a}{b}", { a: { b: "x" } }), "x")
    assert.strictEqual(named("$Session{web}{id}", { id: "y" }), "y")
    assert.strictEqual(named("$Session{web}{id}", { web: { id: "z" }, id: "y" }), "z")
    for (const data of [{}, { id: null }, { id: {} }, { id: "" }, { id: [] }]) {
      assert.strictEqual(codeOf(data, { selector: "$Session{id}", schema: {} }), "SESSION_DATA_INVALID")
    }
  })

  it("is never shown in an error", () => {
    const secret = "canary-data-value"
    for (const data of [{ userId: secret, age: secret }, { userId: { secret } }, { [secret]: 1 }]) {
      const error = refusal(() => checkData(config, data))
      assert.notInclude(JSON.stringify([error, error.message, error.details, String(error.cause)]), secret)
    }
  })
})
