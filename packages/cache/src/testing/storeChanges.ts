import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { fieldsOf, newEntry, type StoreTests } from "./support.ts"

const now = Date.now()
const minute = 60_000

/** Comparing, counting, clearing. */
export const changes: StoreTests = {
  "swap writes where nothing is alive, and only there": ({ store }) =>
    Effect.gen(function* () {
      const first = newEntry({ createdAt: 7 })
      assert.equal(yield* store.swap("a", "some-revision", first, now), false)
      assert.equal(yield* store.get("a"), undefined)
      assert.equal(yield* store.swap("a", null, first, now), true)
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(first))
      assert.equal(yield* store.swap("a", null, newEntry(), now), false)
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(first))
    }),

  "swap writes over the expected revision exactly what it is given": ({ store }) =>
    Effect.gen(function* () {
      const first = newEntry({ createdAt: now - 9 })
      const second = newEntry({ createdAt: now - 1, value: "second" })
      yield* store.set("a", first, { now })
      assert.equal(yield* store.swap("a", first.revision, second, now), true)
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(second))
      assert.equal(yield* store.swap("a", first.revision, newEntry(), now), false)
      assert.deepEqual(fieldsOf(yield* store.get("a")), fieldsOf(second))
    }),

  "for swap a dead entry is none": ({ store }) =>
    Effect.gen(function* () {
      const dead = newEntry({ expiresAt: now + 500, keptUntil: now + minute })
      yield* store.set("a", dead, { now })
      assert.equal(yield* store.swap("a", dead.revision, newEntry(), now + 500), false)
      assert.equal(yield* store.swap("a", null, newEntry({ value: "new" }), now + 499), false)
      assert.equal(yield* store.swap("a", null, newEntry({ value: "new" }), now + 500), true)
      assert.equal((yield* store.get("a"))?.value, "new")
    }),

  "of many swaps at once one succeeds": ({ store }) =>
    Effect.gen(function* () {
      const first = newEntry()
      yield* store.set("a", first, { now })
      const entries = Array.from({ length: 50 }, (_, at) => newEntry({ value: String(at) }))
      const done = yield* Effect.forEach(entries, (entry) => store.swap("a", first.revision, entry, now), {
        concurrency: "unbounded"
      })
      assert.equal(done.filter(Boolean).length, 1)
      assert.equal((yield* store.get("a"))?.value, String(done.indexOf(true)))
    }),

  "list and clear see every entry, and clear counts those alive": ({ store }) =>
    Effect.gen(function* () {
      for (let at = 0; at < 450; at++) yield* store.set(`k${at}`, newEntry({ value: String(at) }), { now })
      yield* store.set("dead", newEntry({ expiresAt: now + 500, keptUntil: now + minute }), { now })
      const listed = yield* store.list
      assert.equal(listed.length, 451)
      assert.equal(listed.find(({ key }) => key === "k449")?.entry.value, "449")
      assert.equal(yield* store.clear({ now: now + 500 }), 450)
      assert.deepEqual(yield* store.list, [])
      assert.equal(yield* store.clear({ now }), 0)
    }),

  "a tag clears its entries and no others": ({ store }) =>
    Effect.gen(function* () {
      yield* store.set("a", newEntry({ tags: ["x", "y"] }), { now })
      yield* store.set("b", newEntry({ tags: ["y"] }), { now })
      yield* store.set("c", newEntry(), { now })
      yield* store.set("dead", newEntry({ tags: ["x"], expiresAt: now + 500, keptUntil: now + minute }), {
        now
      })
      assert.equal(yield* store.clear({ now, tag: "z" }), 0)
      assert.equal(yield* store.clear({ now: now + 500, tag: "x" }), 1)
      assert.deepEqual(new Set((yield* store.list).map(({ key }) => key)), new Set(["b", "c"]))
      assert.equal(yield* store.clear({ now, tag: "y" }), 1)
      assert.equal(yield* store.clear({ now, tag: "y" }), 0)
      assert.notEqual(yield* store.get("c"), undefined)
    }),

  "a tag that an entry lost, by set or by swap, does not clear it": ({ store }) =>
    Effect.gen(function* () {
      const b = newEntry({ tags: ["x"] })
      yield* store.set("a", newEntry({ tags: ["x"] }), { now })
      yield* store.set("b", b, { now })
      yield* store.set("a", newEntry(), { now })
      yield* store.swap("b", b.revision, newEntry({ tags: ["y"] }), now)
      assert.equal(yield* store.clear({ now, tag: "x" }), 0)
      assert.equal(yield* store.clear({ now, tag: "y" }), 1)
      assert.notEqual(yield* store.get("a"), undefined)
    }),

  "a tag reaches entries without expiry beside such with one, and more than one batch of them": ({ store }) =>
    Effect.gen(function* () {
      yield* store.set("short", newEntry({ tags: ["x"], expiresAt: Date.now() + 20 }), { now: Date.now() })
      yield* store.set("long", newEntry({ tags: ["x"] }), { now })
      yield* store.set("later", newEntry({ tags: ["x"], expiresAt: now + minute }), { now })
      for (let at = 0; at < 450; at++) yield* store.set(`k${at}`, newEntry({ tags: ["x"] }), { now })
      assert.equal(yield* store.clear({ now: Date.now() + 30, tag: "x" }), 452)
      assert.deepEqual(yield* store.list, [])
    }),

  "what does not wait gives the same answers": ({ store }) =>
    Effect.gen(function* () {
      const { sync } = store
      if (sync === undefined) return
      assert.equal(sync.get("a"), undefined)
      const entry = newEntry()
      yield* store.set("a", entry, { now })
      yield* store.get("a")
      assert.equal(sync.get("a")?.revision, entry.revision)
      yield* store.remove("a", now)
      assert.equal(sync.get("a"), undefined)
    })
}
