import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { compareCodePoints } from "../storeRules.ts"
import { fill, keys, type StoreTests, values } from "./suiteSupport.ts"

const names = [
  "Z",
  "a",
  "é",
  "z",
  "\uE000",
  "\uFFFD",
  "\u{1F600}",
  "-",
  "_",
  "a/b",
  "a b",
  "A",
  "10",
  "9",
  " a",
  "ab"
]

export const reading: StoreTests = {
  "a record that is not there is undefined": (store) =>
    Effect.gen(function* () {
      assert.isUndefined(yield* store.get("missing", "a"))
    }),

  "a record comes back as it was written": (store) =>
    Effect.gen(function* () {
      const value = JSON.stringify({
        text: "'\"\\ \u{1F600} ; drop table record --",
        long: "x".repeat(300_000)
      })
      const expiresAt = 4_102_444_800_123
      yield* store.write(
        [
          { op: "put", kind: "round", key: "k'\"; --", group: "g", index: "i", value, expiresAt },
          { op: "put", kind: "round", key: "plain", value: "1" }
        ],
        { definitions: false }
      )
      assert.deepStrictEqual(yield* store.get("round", "k'\"; --"), {
        kind: "round",
        key: "k'\"; --",
        group: "g",
        index: "i",
        value,
        version: 1,
        expiresAt
      })
      assert.deepStrictEqual(yield* store.get("round", "plain"), {
        kind: "round",
        key: "plain",
        group: "",
        index: "",
        value: "1",
        version: 1,
        expiresAt: null
      })
    }),

  "keys are told apart by kind, letter case and spaces": (store) =>
    Effect.gen(function* () {
      yield* fill(store, "apart", ["a", "A", "a ", " a"])
      yield* fill(store, "Apart", ["a"])
      assert.strictEqual(yield* store.count({ kind: "apart" }), 4)
      assert.strictEqual(yield* store.count({ kind: "Apart" }), 1)
      assert.strictEqual((yield* store.get("apart", "a "))?.value, '"a "')
      assert.isUndefined(yield* store.get("APART", "a"))
    }),

  "lists come in code point order": (store) =>
    Effect.gen(function* () {
      yield* fill(store, "order", names)
      const expected = [...names].sort(compareCodePoints)
      assert.deepStrictEqual(keys(yield* store.list({ kind: "order" })), expected)
      assert.deepStrictEqual(yield* store.keys({ kind: "order" }), expected)
    }),

  "paging by `after` and `limit` visits every record once": (store) =>
    Effect.gen(function* () {
      yield* fill(store, "page", names)
      const seen: Array<string> = []
      while (seen.length <= names.length) {
        const after = seen.at(-1)
        const page = yield* store.list({ kind: "page", limit: 3, ...(after === undefined ? {} : { after }) })
        assert.isAtMost(page.length, 3)
        if (page.length === 0) break
        seen.push(...keys(page))
      }
      assert.deepStrictEqual(seen, [...names].sort(compareCodePoints))
    }),

  "`group` and `index` narrow lists, keys and counts, alone and together": (store) =>
    Effect.gen(function* () {
      yield* store.write(
        [
          { op: "put", kind: "narrow", key: "1", group: "g1", index: "i1", value: "1" },
          { op: "put", kind: "narrow", key: "2", group: "g1", index: "i2", value: "2" },
          { op: "put", kind: "narrow", key: "3", group: "g2", index: "i1", value: "3" },
          { op: "put", kind: "narrow", key: "4", value: "4" },
          { op: "put", kind: "other", key: "5", group: "g1", index: "i1", value: "5" }
        ],
        { definitions: false }
      )
      const check = (
        query: { group?: string; index?: string; after?: string; limit?: number },
        found: string
      ) =>
        Effect.gen(function* () {
          const expected = found.split("").filter((key) => key !== "")
          const whole = { kind: "narrow", ...query }
          assert.deepStrictEqual(keys(yield* store.list(whole)), expected)
          assert.deepStrictEqual(yield* store.keys(whole), expected)
          assert.strictEqual(yield* store.count(whole), expected.length)
        })
      yield* check({}, "1234")
      yield* check({ group: "g1" }, "12")
      yield* check({ index: "i1" }, "13")
      yield* check({ group: "g1", index: "i1" }, "1")
      yield* check({ group: "" }, "4")
      yield* check({ index: "" }, "4")
      yield* check({ group: "g3" }, "")
      yield* check({ group: "g1", after: "1" }, "2")
      yield* check({ index: "i1", limit: 1 }, "1")
      yield* check({ limit: 0 }, "")
    }),

  "an expired record is still there, until it is purged": (store) =>
    Effect.gen(function* () {
      const put = (key: string, expiresAt: number | null) =>
        ({ op: "put", kind: "purge", key, value: "1", expiresAt }) as const
      yield* store.write([put("before", 999), put("at", 1_000), put("after", 1_001), put("never", null)], {
        definitions: false
      })
      yield* store.write([{ ...put("before", 1), kind: "purge-other" }], { definitions: false })
      assert.isDefined(yield* store.get("purge", "before"))
      const revision = yield* store.revision
      assert.strictEqual(yield* store.purge("purge", 1_000), 2)
      assert.deepStrictEqual(yield* store.keys({ kind: "purge" }), ["after", "never"])
      assert.strictEqual(yield* store.count({ kind: "purge-other" }), 1)
      assert.strictEqual(yield* store.purge("purge", 1_000), 0)
      assert.strictEqual(yield* store.revision, revision)
    }),

  "text that not every store can keep is refused, and finds nothing": (store) =>
    Effect.gen(function* () {
      for (const bad of ["a\0b", "a\uD800"]) {
        for (const change of [
          { op: "put", kind: "text", key: bad, value: "1" },
          { op: "put", kind: "text", key: "k", group: bad, value: "1" },
          { op: "put", kind: "text", key: "k", index: bad, value: "1" },
          { op: "put", kind: "text", key: "k", value: `"${bad}"` }
        ] as const) {
          const batch = [{ op: "put", kind: "text", key: "good", value: "1" } as const, change]
          assert.strictEqual(
            (yield* Effect.flip(store.write(batch, { definitions: false }))).code,
            "VALIDATION_ERROR"
          )
        }
        assert.isUndefined(yield* store.get("text", bad))
        assert.deepStrictEqual(yield* store.list({ kind: "text", group: bad }), [])
      }
      assert.strictEqual(yield* store.count({ kind: "text" }), 0)
    }),

  "synchronous reads give the same, and notice every write": (store) =>
    Effect.gen(function* () {
      const { sync } = store
      if (sync === undefined) return
      yield* fill(store, "sync", ["a"])
      assert.deepStrictEqual(sync.get("sync", "a"), yield* store.get("sync", "a"))
      assert.isUndefined(sync.get("sync", "b"))
      const seen = [sync.changes()]
      assert.strictEqual(sync.changes(), seen[0])
      const notice = () => {
        const now = sync.changes()
        assert.notInclude(seen, now)
        seen.push(now)
      }
      yield* fill(store, "sync", ["a"])
      notice()
      yield* store.write([{ op: "delete", kind: "sync", key: "a" }], { definitions: true })
      notice()
      assert.strictEqual(sync.revision(), yield* store.revision)
      yield* store.write([{ op: "put", kind: "sync", key: "old", value: "1", expiresAt: 1 }], {
        definitions: false
      })
      notice()
      yield* store.purge("sync", 2)
      notice()
      assert.deepStrictEqual(values(yield* store.list({ kind: "sync" })), [])
    })
}
