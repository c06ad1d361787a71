import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { RegistryError } from "../RegistryError.ts"
import type { RegistryStoreShape } from "../RegistryStore.ts"
import { realSleep, type StoreTests } from "./suiteSupport.ts"

const all = { concurrency: "unbounded" } as const

const increment = (store: RegistryStoreShape, key: string): Effect.Effect<void, RegistryError> =>
  Effect.gen(function* () {
    const old = yield* store.get("counter", key)
    // Lets others come between the read and the write.
    yield* realSleep(0)
    yield* store.write(
      [
        {
          op: "put",
          kind: "counter",
          key,
          value: String(Number(old?.value ?? 0) + 1),
          expect: old?.version ?? "absent"
        }
      ],
      { definitions: false }
    )
  }).pipe(
    Effect.catchIf(
      (error) => error.code === "WRITE_CONFLICT",
      () => Effect.suspend(() => increment(store, key))
    )
  )

export const concurrency: StoreTests = {
  "of several that make one record, one succeeds": (store) =>
    Effect.gen(function* () {
      const results = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, i) => i),
        (i) =>
          store
            .write(
              [
                { op: "put", kind: "race", key: "a", value: String(i), expect: "absent" },
                { op: "put", kind: "race", key: `mine-${i}`, value: "1" }
              ],
              { definitions: i % 2 === 0 }
            )
            .pipe(
              Effect.as(i),
              Effect.catchIf(
                (error) => error.code === "WRITE_CONFLICT",
                () => Effect.succeed(undefined)
              )
            ),
        all
      )
      const winners = results.filter((result) => result !== undefined)
      assert.strictEqual(winners.length, 1)
      assert.deepStrictEqual(yield* store.keys({ kind: "race" }), ["a", `mine-${winners[0]}`])
    }),

  "no update is lost among writers that expect the version they read": (store) =>
    Effect.gen(function* () {
      yield* Effect.forEach(
        Array.from({ length: 30 }, (_, i) => `key-${i % 3}`),
        (key) => increment(store, key),
        all
      )
      for (const key of ["key-0", "key-1", "key-2"]) {
        const record = yield* store.get("counter", key)
        assert.deepStrictEqual([record?.value, record?.version], ["10", 10])
      }
    }),

  "batches that touch the same records in different order all get through": (store) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 20 }, (_, i) => `k${i}`)
      yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => i),
        (i) =>
          store.write(
            (i % 2 === 0 ? names : [...names].reverse()).map((key) => ({
              op: "put",
              kind: "crossing",
              key,
              value: String(i)
            })),
            { definitions: false }
          ),
        all
      )
      const records = yield* store.list({ kind: "crossing" })
      assert.deepStrictEqual(new Set(records.map((record) => record.version)), new Set([10]))
      assert.strictEqual(new Set(records.map((record) => record.value)).size, 1)
    }),

  "a lease has one holder, who may renew it and give it up": (store) =>
    Effect.gen(function* () {
      assert.isTrue(yield* store.acquireLease("lease", "one", 60_000))
      assert.isFalse(yield* store.acquireLease("lease", "two", 60_000))
      assert.isTrue(yield* store.acquireLease("lease", "one", 60_000))
      assert.isTrue(yield* store.acquireLease("other lease", "two", 60_000))
      yield* store.releaseLease("lease", "two")
      assert.isFalse(yield* store.acquireLease("lease", "two", 60_000))
      yield* store.releaseLease("lease", "one")
      assert.isTrue(yield* store.acquireLease("lease", "two", 60_000))
      yield* store.releaseLease("never taken", "one")
    }),

  "a lease ends by itself, and renewing puts its end off": (store) =>
    Effect.gen(function* () {
      assert.isTrue(yield* store.acquireLease("short", "one", 30))
      assert.isTrue(yield* store.acquireLease("renewed", "one", 30))
      assert.isTrue(yield* store.acquireLease("renewed", "one", 60_000))
      while (!(yield* store.acquireLease("short", "two", 60_000))) yield* realSleep(5)
      assert.isFalse(yield* store.acquireLease("short", "one", 60_000))
      assert.isFalse(yield* store.acquireLease("renewed", "two", 60_000))
    }),

  "of several that want a lease at once, one gets it": (store) =>
    Effect.gen(function* () {
      const got = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, i) => `holder-${i}`),
        (holder) => store.acquireLease("wanted", holder, 60_000),
        all
      )
      assert.strictEqual(got.filter(Boolean).length, 1)
    })
}
