import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { CacheLease } from "../CacheStore.ts"
import { eventually, newEntry, openStore, realSleep, type StoreTest, type StoreTests } from "./support.ts"

const now = Date.now()
const options = { ttl: 30_000, now, tags: [] }

const leaseOf = ({ store }: StoreTest): CacheLease => {
  assert.ok(store.lease, "declares 'lease' and has none")
  return store.lease
}

/** With the capability `shared`. */
export const sharing: StoreTests = {
  "another client sees what was written, and what was removed": ({ open, scope, store }) =>
    Effect.gen(function* () {
      const other = openStore(yield* open, scope)
      yield* store.set("a", newEntry({ value: "1" }), { now })
      assert.equal((yield* other.get("a"))?.value, "1")
      yield* other.remove("a", now)
      assert.equal(yield* store.get("a"), undefined)
    })
}

/** With the capability `lease`. */
export const leases: StoreTests = {
  "a lease has one holder, who can renew and release it": (test) =>
    Effect.gen(function* () {
      const lease = leaseOf(test)
      const other = leaseOf({ ...test, store: openStore(yield* test.open, test.scope) })
      assert.equal(yield* lease.acquire("a", "one", options), true)
      assert.equal(yield* other.acquire("a", "two", options), false)
      assert.equal(yield* other.renew("a", "two", 30_000), false)
      yield* other.release("a", "two")
      assert.equal(yield* other.acquire("a", "two", options), false)
      assert.equal(yield* lease.renew("a", "one", 30_000), true)
      assert.equal(yield* lease.acquire("b", "three", options), true)
      yield* lease.release("a", "one")
      assert.equal(yield* other.acquire("a", "two", options), true)
      assert.equal(yield* lease.renew("a", "one", 30_000), false)
    }),

  "of many who want a lease at once one gets it": (test) =>
    Effect.gen(function* () {
      const lease = leaseOf(test)
      const holders = Array.from({ length: 40 }, (_, at) => `holder-${at}`)
      const got = yield* Effect.forEach(holders, (holder) => lease.acquire("a", holder, options), {
        concurrency: "unbounded"
      })
      assert.equal(got.filter(Boolean).length, 1)
    }),

  "a lease ends by itself unless it is renewed": (test) =>
    Effect.gen(function* () {
      const lease = leaseOf(test)
      assert.equal(yield* lease.acquire("a", "one", { ...options, ttl: 400 }), true)
      for (let at = 0; at < 5; at++) {
        yield* realSleep(150)
        assert.equal(yield* lease.renew("a", "one", 400), true)
      }
      assert.equal(yield* eventually(() => lease.acquire("a", "two", options)), true)
      assert.equal(yield* lease.renew("a", "one", 400), false)
      assert.equal(yield* lease.acquire("b", "one", { ...options, ttl: 100 }), true)
      assert.equal(yield* eventually(() => lease.acquire("b", "two", options)), true)
    }),

  "set under a lease writes only while it is held, and ends it": (test) =>
    Effect.gen(function* () {
      const lease = leaseOf(test)
      const { store } = test
      assert.equal(yield* store.set("a", newEntry(), { now, lease: "one" }), false)
      assert.equal(yield* store.get("a"), undefined)
      yield* lease.acquire("a", "one", options)
      assert.equal(yield* store.set("a", newEntry(), { now, lease: "two" }), false)
      assert.equal(yield* store.set("a", newEntry(), { now, lease: "one" }), true)
      assert.equal(yield* store.set("a", newEntry(), { now, lease: "one" }), false)
      assert.equal(yield* lease.acquire("a", "two", options), true)
    }),

  "whatever changes an entry ends its lease, so that what was loaded before is not stored": (test) =>
    Effect.gen(function* () {
      const lease = leaseOf(test)
      const { store } = test
      const entry = newEntry()
      const loaded = () => store.set("a", newEntry({ value: "loaded before" }), { now, lease: "one" })
      const ends = (change: Effect.Effect<unknown, unknown>, what: string) =>
        Effect.gen(function* () {
          assert.equal(yield* lease.acquire("a", "one", { ...options, tags: ["x"] }), true, what)
          yield* change
          assert.equal(yield* loaded(), false, what)
        })
      yield* ends(store.clear({ now, tag: "x" }), "clear by tag")
      yield* ends(store.remove("a", now), "remove")
      yield* ends(store.clear({ now }), "clear")
      yield* ends(store.set("a", entry, { now }), "set")
      yield* ends(store.swap("a", entry.revision, newEntry(), now), "swap")
    })
}

const heardBy = (test: StoreTest) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const other = yield* test.open
    assert.ok(other.watch, "declares 'watch' and has none")
    const feed = yield* other.watch(test.scope, {
      changed: (key, revision) => heard.push(revision === null ? `-${key}` : `${key}=${revision}`),
      flushed: () => heard.push("flushed")
    })
    assert.equal(yield* eventually(() => feed.live()), true, "the watch never became live")
    assert.deepEqual(heard.at(-1), "flushed")
    heard.length = 0
    return { heard, feed }
  })

/** With the capability `watch`. */
export const watching: StoreTests = {
  "a watch tells of every write and removal by another client, with its revision": (test) =>
    Effect.gen(function* () {
      const { heard } = yield* heardBy(test)
      const { store } = test
      const [one, two] = [newEntry({ tags: ["x"] }), newEntry({ tags: ["x"] })]
      const key = "a:*é"
      yield* store.set(key, one, { now })
      yield* store.swap(key, one.revision, two, now)
      yield* store.clear({ now, tag: "x" })
      yield* store.set(key, one, { now })
      yield* store.remove(key, now)
      const expected = [
        `${key}=${one.revision}`,
        `${key}=${two.revision}`,
        `-${key}`,
        `${key}=${one.revision}`,
        `-${key}`
      ]
      yield* eventually(() => heard.length >= expected.length)
      assert.deepEqual(heard, expected)
    }),

  "a watch tells that a cache was cleared": (test) =>
    Effect.gen(function* () {
      const { heard } = yield* heardBy(test)
      yield* test.store.set("a", newEntry(), { now })
      yield* test.store.clear({ now })
      assert.equal(yield* eventually(() => heard.includes("flushed")), true)
    }),

  "what was refused is not announced": (test) =>
    Effect.gen(function* () {
      const { heard } = yield* heardBy(test)
      const entry = newEntry()
      yield* test.store.swap("a", "other", newEntry(), now)
      yield* test.store.set("b", entry, { now })
      yield* eventually(() => heard.length > 0)
      assert.deepEqual(heard, [`b=${entry.revision}`])
    }),

  "a watch hears nothing of other caches": (test) =>
    Effect.gen(function* () {
      const { heard } = yield* heardBy(test)
      const entry = newEntry()
      yield* openStore(test.provider, { ...test.scope, cache: "other" }).set("a", newEntry(), { now })
      yield* openStore(test.provider, { ...test.scope, env: "prd" }).set("a", newEntry(), { now })
      yield* test.store.set("a", entry, { now })
      yield* eventually(() => heard.length > 0)
      assert.deepEqual(heard, [`a=${entry.revision}`])
    })
}
