import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { fieldsOf, newEntry, newScope, openStore, type StoreTests } from "./support.ts"

const now = Date.now()
const minute = 60_000

/** One entry at a time. */
export const values: StoreTests = {
  "what was never written is not there": ({ store }) =>
    Effect.gen(function* () {
      assert.equal(yield* store.get("a"), undefined)
      assert.equal(yield* store.remove("a", now), false)
    }),

  "an entry comes back whole": ({ store }) =>
    Effect.gen(function* () {
      const entry = newEntry({
        value: '{"a":[1,"ä 😀 \\u0000"]}',
        encoding: "sealed-base64",
        createdAt: now - 5,
        updatedAt: now - 3,
        expiresAt: now + minute,
        keptUntil: now + 2 * minute,
        componentTag: "orders: é",
        componentType: "database",
        tags: ["t:1", "t*2"]
      })
      assert.equal(yield* store.set("a", entry, { now }), true)
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(entry))
    }),

  "a write replaces value, lifetime, labels and tags, and keeps createdAt": ({ store }) =>
    Effect.gen(function* () {
      yield* store.set("a", newEntry({ createdAt: now - 1_000, expiresAt: now + minute, tags: ["x"] }), {
        now
      })
      const next = newEntry({ value: "next", createdAt: now, componentTag: "other" })
      yield* store.set("a", next, { now })
      assert.deepEqual(fieldsOf(yield* store.get("a")), { ...fieldsOf(next), createdAt: now - 1_000 })
    }),

  "createdAt of a dead entry is not kept": ({ store }) =>
    Effect.gen(function* () {
      const dead = newEntry({ createdAt: now - 1_000, expiresAt: now + 500, keptUntil: now + minute })
      yield* store.set("a", dead, { now })
      yield* store.set("a", newEntry({ createdAt: now + 500 }), { now: now + 500 })
      assert.equal((yield* store.get("a"))?.createdAt, now + 500)
    }),

  "an entry is kept past its expiry, and dropped after that": ({ store }) =>
    Effect.gen(function* () {
      const entry = newEntry({ expiresAt: now + 1, keptUntil: Date.now() + 30 * minute })
      yield* store.set("a", entry, { now })
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(entry))
    }),

  "an entry that is dead counts as nothing removed": ({ store }) =>
    Effect.gen(function* () {
      yield* store.set("a", newEntry({ expiresAt: now + 500, keptUntil: now + minute }), { now })
      assert.equal(yield* store.remove("a", now + 500), false)
      assert.equal(yield* store.get("a"), undefined)
      yield* store.set("a", newEntry({ expiresAt: now + 500, keptUntil: now + minute }), { now })
      assert.equal(yield* store.remove("a", now + 499), true)
      assert.equal(yield* store.remove("a", now + 499), false)
      assert.equal(yield* store.get("a"), undefined)
    }),

  "values of a megabyte and keys of 512 characters": ({ store }) =>
    Effect.gen(function* () {
      const key = "😀".repeat(256)
      const value = "é".repeat(512 * 1024)
      yield* store.set(key, newEntry({ value }), { now })
      assert.equal((yield* store.get(key))?.value, value)
      assert.deepEqual(
        (yield* store.list).map((listed) => listed.key),
        [key]
      )
    }),

  "no part of an address can be forged by another": ({ provider }) =>
    Effect.gen(function* () {
      const workspace = newScope().workspace
      const scopes = [
        newScope({ workspace, product: "a:b", env: "c", cache: "d" }),
        newScope({ workspace, product: "a", env: "b:c", cache: "d" }),
        newScope({ workspace, product: "a", env: "b", cache: "c:d" }),
        newScope({ workspace, product: "a%3Ab", env: "c", cache: "d" }),
        newScope({ workspace, product: "*", env: "c", cache: "d" }),
        newScope({ workspace, product: "?", env: "[a-z]", cache: "d*" })
      ]
      const keys = ["k", "d:k", "%3A", "*", "a\\b", "é"]
      const stores = scopes.map((scope) => openStore(provider, scope))
      for (const [at, store] of stores.entries()) {
        for (const key of keys)
          yield* store.set(key, newEntry({ value: `${at} ${key}`, tags: ["t"] }), { now })
      }
      for (const [at, store] of stores.entries()) {
        for (const key of keys) assert.equal((yield* store.get(key))?.value, `${at} ${key}`)
        const listed = yield* store.list
        assert.deepEqual(new Set(listed.map(({ key }) => key)), new Set(keys))
        assert.equal(listed.length, keys.length)
      }
      const [first, second, third, , star] = stores
      assert.equal(yield* first?.clear({ now }) ?? Effect.succeed(0), keys.length)
      assert.equal((yield* second?.list ?? Effect.succeed([])).length, keys.length)
      assert.equal(yield* star?.clear({ now, tag: "t" }) ?? Effect.succeed(0), keys.length)
      assert.equal((yield* third?.list ?? Effect.succeed([])).length, keys.length)
    })
}
