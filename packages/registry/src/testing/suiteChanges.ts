import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Change, StoredRecord } from "../RegistryStore.ts"
import { compareCodePoints } from "../storeRules.ts"
import { fill, type StoreTests, values } from "./suiteSupport.ts"

const sessions = { definitions: false } as const

/** A repeatable source of numbers from 0 to below `n` (xorshift). */
const numbers = (seed: number) => {
  let state = seed
  return (n: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
}

/** The rules in their shortest form: the oracle that random batches are compared with. */
const apply = (
  records: ReadonlyMap<string, StoredRecord>,
  batch: ReadonlyArray<Change>
): ReadonlyMap<string, StoredRecord> | undefined => {
  const next = new Map(records)
  for (const change of batch) {
    const old = next.get(change.key)
    if (change.expect === "absent" ? old !== undefined : ![undefined, old?.version].includes(change.expect)) {
      return undefined
    }
    if (change.op === "delete") next.delete(change.key)
    if (change.op !== "put") continue
    next.set(change.key, {
      kind: change.kind,
      key: change.key,
      group: change.group ?? "",
      index: change.index ?? "",
      value: change.value,
      version: (old?.version ?? 0) + 1,
      expiresAt: change.expiresAt ?? null
    })
  }
  return next
}

export const changes: StoreTests = {
  "each write of a record makes its version grow by one and replaces all of it": (store) =>
    Effect.gen(function* () {
      yield* store.write(
        [{ op: "put", kind: "version", key: "a", group: "g", index: "i", value: "1", expiresAt: 5 }],
        sessions
      )
      yield* store.write([{ op: "put", kind: "version", key: "a", value: "2" }], sessions)
      assert.deepStrictEqual(yield* store.get("version", "a"), {
        kind: "version",
        key: "a",
        group: "",
        index: "",
        value: "2",
        version: 2,
        expiresAt: null
      })
      assert.deepStrictEqual(yield* store.list({ kind: "version", group: "g" }), [])
      yield* store.write([{ op: "delete", kind: "version", key: "a" }], sessions)
      assert.isUndefined(yield* store.get("version", "a"))
      yield* store.write([{ op: "put", kind: "version", key: "a", value: "3" }], sessions)
      assert.strictEqual((yield* store.get("version", "a"))?.version, 1)
    }),

  "expectations that hold let a write pass": (store) =>
    Effect.gen(function* () {
      yield* store.write([{ op: "put", kind: "hold", key: "a", value: "1", expect: "absent" }], sessions)
      yield* store.write([{ op: "put", kind: "hold", key: "a", value: "2", expect: 1 }], sessions)
      yield* store.write([{ op: "check", kind: "hold", key: "a", expect: 2 }], sessions)
      assert.strictEqual((yield* store.get("hold", "a"))?.version, 2)
      yield* store.write(
        [
          { op: "check", kind: "hold", key: "a", expect: 2 },
          { op: "put", kind: "hold", key: "b", value: "1" }
        ],
        sessions
      )
      yield* store.write([{ op: "delete", kind: "hold", key: "a", expect: 2 }], sessions)
      yield* store.write([{ op: "delete", kind: "hold", key: "a" }], sessions)
      assert.deepStrictEqual(yield* store.keys({ kind: "hold" }), ["b"])
    }),

  "an expectation that does not hold changes nothing at all, alone or in a batch": (store) =>
    Effect.gen(function* () {
      yield* fill(store, "fail", ["a", "a", "keep"])
      const before = yield* store.list({ kind: "fail" })
      const revision = yield* store.revision
      const wrong: ReadonlyArray<Change> = [
        { op: "put", kind: "fail", key: "a", value: "9", expect: "absent" },
        { op: "put", kind: "fail", key: "a", value: "9", expect: 1 },
        { op: "put", kind: "fail", key: "a", value: "9", expect: 3 },
        { op: "put", kind: "fail", key: "none", value: "9", expect: 1 },
        { op: "delete", kind: "fail", key: "a", expect: 1 },
        { op: "delete", kind: "fail", key: "none", expect: 1 },
        { op: "check", kind: "fail", key: "a", expect: 1 },
        { op: "check", kind: "fail", key: "none", expect: 1 }
      ]
      const around = (change: Change): ReadonlyArray<Change> => [
        { op: "put", kind: "fail", key: "new", value: "1" },
        { op: "delete", kind: "fail", key: "keep" },
        change,
        { op: "put", kind: "fail", key: "later", value: "1" }
      ]
      for (const change of wrong) {
        for (const batch of [[change], around(change)]) {
          for (const definitions of [true, false]) {
            const error = yield* Effect.flip(store.write(batch, { definitions }))
            assert.strictEqual(error.code, "WRITE_CONFLICT")
            assert.isTrue(error.retryable)
            assert.include(error.details as object, { kind: "fail", key: change.key })
          }
        }
      }
      assert.deepStrictEqual(yield* store.list({ kind: "fail" }), before)
      assert.strictEqual(yield* store.revision, revision)
    }),

  "several changes of one record in a batch are steps, one after the other": (store) =>
    Effect.gen(function* () {
      yield* store.write(
        [
          { op: "put", kind: "steps", key: "a", value: "1", expect: "absent" },
          { op: "put", kind: "steps", key: "a", value: "2", expect: 1 },
          { op: "put", kind: "steps", key: "b", value: "1" },
          { op: "delete", kind: "steps", key: "b", expect: 1 },
          { op: "put", kind: "steps", key: "c", value: "1" },
          { op: "delete", kind: "steps", key: "c" },
          { op: "put", kind: "steps", key: "c", value: "2", expect: "absent" }
        ],
        sessions
      )
      const records = yield* store.list({ kind: "steps" })
      assert.deepStrictEqual(
        records.map(({ key, value, version }) => [key, value, version]),
        [
          ["a", "2", 2],
          ["c", "2", 1]
        ]
      )
      const error = yield* Effect.flip(
        store.write(
          [
            { op: "put", kind: "steps", key: "d", value: "1" },
            { op: "put", kind: "steps", key: "d", value: "2", expect: "absent" }
          ],
          sessions
        )
      )
      assert.strictEqual(error.code, "WRITE_CONFLICT")
      assert.isUndefined(yield* store.get("steps", "d"))
    }),

  "the revision grows by one with a write of definitions, and with no other": (store) =>
    Effect.gen(function* () {
      const start = yield* store.revision
      const put = (key: string): Change => ({ op: "put", kind: "revision", key, value: "1" })
      yield* store.write([put("a"), put("b"), put("c")], { definitions: true })
      assert.strictEqual(yield* store.revision, start + 1)
      yield* store.write([{ op: "delete", kind: "revision", key: "gone" }], { definitions: true })
      assert.strictEqual(yield* store.revision, start + 2)
      yield* store.write([put("a")], sessions)
      yield* store.write([put("a"), put("b")], sessions)
      yield* store.write([], { definitions: true })
      assert.strictEqual(yield* store.revision, start + 2)
    }),

  "one write takes thousands of changes": (store) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 6_000 }, (_, i) => `k${String(i).padStart(5, "0")}`)
      const start = yield* store.revision
      yield* store.write(
        names.map((key) => ({ op: "put", kind: "many", key, group: "g", value: "1", expect: "absent" })),
        { definitions: true }
      )
      assert.strictEqual(yield* store.count({ kind: "many", group: "g" }), names.length)
      yield* store.write(
        names.map((key, i) =>
          i % 3 === 0
            ? { op: "delete", kind: "many", key }
            : { op: "put", kind: "many", key, value: "2", ...(i % 3 === 1 ? { expect: 1 } : {}) }
        ),
        { definitions: true }
      )
      const left = yield* store.list({ kind: "many" })
      assert.deepStrictEqual(
        left.map(({ key, value, version }) => `${key} ${value} ${version}`),
        names.filter((_, i) => i % 3 !== 0).map((key) => `${key} 2 2`)
      )
      const error = yield* Effect.flip(
        store.write(
          names.map((key, i) => ({
            op: "put",
            kind: "many",
            key,
            value: "3",
            ...(i === names.length - 1 ? { expect: 1 } : {})
          })),
          { definitions: true }
        )
      )
      assert.strictEqual(error.code, "WRITE_CONFLICT")
      assert.deepStrictEqual(new Set(values(yield* store.list({ kind: "many" }))), new Set(["2"]))
      assert.strictEqual(yield* store.revision, start + 2)
    }),

  "random batches do what the rules say": (store) =>
    Effect.gen(function* () {
      const pick = numbers(20_260_704)
      const kind = "random"
      const names = ["a", "b", "é", "\u{1F600}"]
      let model: ReadonlyMap<string, StoredRecord> = new Map()
      for (let round = 0; round < 250; round++) {
        const batch = Array.from({ length: 1 + pick(4) }, (): Change => {
          const key = names[pick(names.length)] ?? "a"
          // Mostly the version that is there, so that enough batches pass.
          const version = pick(4) === 0 ? pick(4) : (model.get(key)?.version ?? 1)
          const op = pick(4)
          if (op === 0) return { op: "delete", kind, key, ...(pick(2) === 0 ? { expect: version } : {}) }
          if (op === 1) return { op: "check", kind, key, expect: version }
          const expect = [{}, {}, { expect: version }, { expect: "absent" as const }][pick(4)]
          return {
            op: "put",
            kind,
            key,
            value: String(round),
            ...(pick(2) === 0 ? { group: `g${pick(2)}`, index: `i${pick(2)}` } : {}),
            ...(pick(3) === 0 ? { expiresAt: pick(100) } : {}),
            ...expect
          }
        })
        const next = apply(model, batch)
        const passed = yield* store.write(batch, { definitions: pick(2) === 0 }).pipe(
          Effect.as(true),
          Effect.catchIf(
            (error) => error.code === "WRITE_CONFLICT",
            () => Effect.succeed(false)
          )
        )
        assert.strictEqual(passed, next !== undefined, JSON.stringify(batch))
        model = next ?? model
        assert.deepStrictEqual(
          yield* store.list({ kind }),
          [...model.values()].sort((a, b) => compareCodePoints(a.key, b.key)),
          JSON.stringify(batch)
        )
      }
    })
}
