import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { CachesShape } from "../Caches.ts"
import type { CacheValue } from "../CacheValue.ts"
import { type CacheModel, parsed, resultText, sameJson, textOf, type Written } from "./model.ts"
import { eventually, realSleep } from "./support.ts"

export interface Real {
  readonly cache: string
  /** Clients that share the store. */
  readonly clients: ReadonlyArray<CachesShape>
  readonly advance: (milliseconds: number) => void
  readonly run: <A>(effect: Effect.Effect<A, unknown>) => Promise<A>
}

type Step = (model: CacheModel, real: Real, caches: CachesShape) => Effect.Effect<void, unknown>

class Command implements fc.AsyncCommand<CacheModel, Real> {
  readonly #title: string
  readonly #client: number
  readonly #step: Step

  constructor(title: string, client: number, step: Step) {
    this.#title = title
    this.#client = client
    this.#step = step
  }

  check = () => true

  async run(model: CacheModel, real: Real): Promise<void> {
    const caches = real.clients[this.#client % real.clients.length]
    assert.ok(caches)
    await real.run(
      Effect.andThen(
        Effect.suspend(() => this.#step(model, real, caches)),
        settle(model, real, caches)
      )
    )
  }

  toString = () => `${this.#title} by ${this.#client}`
}

let settling = 0

/** Announcements arrive in order: once a later write is seen everywhere, every earlier one was. */
const settle = (model: CacheModel, { cache, clients }: Real, writer: CachesShape) =>
  Effect.gen(function* () {
    if (clients.length === 1) return
    const text = String(++settling)
    yield* writer.set({ cache, key: "~settle", value: text })
    model.write("~settle", text, {})
    for (const client of clients) {
      const seen = eventually(() =>
        Effect.map(client.get({ cache, key: "~settle" }), (record) => record?.value === text)
      )
      assert.equal(yield* seen, true, "a write by one client was never seen by another")
    }
  })

const assertRecord = (found: CacheValue | null, model: CacheModel, key: string): void => {
  const expected = model.alive(key)
  assert.equal(found?.value, expected?.text, `value of ${key}`)
  if (expected === undefined) return
  assert.equal(found?.createdAt.getTime(), expected.createdAt, `createdAt of ${key}`)
  assert.equal(found?.updatedAt.getTime(), expected.updatedAt, `updatedAt of ${key}`)
  assert.equal(found?.expiry?.getTime() ?? null, expected.expiresAt, `expiry of ${key}`)
  assert.deepEqual(found?.tags ?? [], expected.tags, `tags of ${key}`)
}

const look: Step = (model, { cache }, caches) =>
  Effect.gen(function* () {
    for (const key of ["a", "b", "c"]) {
      const record = yield* caches.get({ cache, key })
      assertRecord(record, model, key)
      const sync = caches.getSync({ cache, key })
      if (sync !== undefined) assertRecord(sync as CacheValue | null, model, key)
      const alive = model.alive(key)
      assert.equal(yield* caches.has({ cache, key }), alive !== undefined)
      const left = alive?.expiresAt == null ? null : Math.ceil((alive.expiresAt - model.now()) / 1000)
      assert.equal(yield* caches.ttl({ cache, key }), left)
    }
    assert.deepEqual(yield* caches.keys({ cache }), model.keys())
    const kept = model.kept()
    const alive = kept.filter(([key]) => model.alive(key) !== undefined)
    const totals = {
      all: kept.length,
      permanent: kept.filter(([, { expiresAt }]) => expiresAt === null).length,
      expired: kept.length - alive.length,
      expiring: alive.filter(([, { expiresAt }]) => expiresAt !== null).length
    }
    for (const expiryFilter of ["all", "permanent", "expired", "expiring"] as const) {
      const page = yield* caches.fetchValues({ cache, expiryFilter, limit: 2 })
      assert.equal(page.total, totals[expiryFilter], expiryFilter)
      assert.equal(page.values.length, Math.min(2, page.total))
    }
    const dashboard = yield* caches.fetchDashboard({ cache })
    assert.deepEqual(
      [dashboard.totalValues, dashboard.activeValues, dashboard.expiredValues],
      [totals.all, alive.length, totals.expired]
    )
  })

const loaderFailure = new Error("the loader failed")

/** A read with `fallback` by several callers at once: they share what comes of it. */
const read =
  (key: string, written: Written, fails: boolean, refresh: boolean, callers: number): Step =>
  (model, { advance, cache }, caches) =>
    Effect.gen(function* () {
      const { grace, tags, ttl, value } = written
      let loads = 0
      const fallback = async () => {
        loads++
        await new Promise((resolve) => setImmediate(resolve))
        if (fails) throw loaderFailure
        return value
      }
      const one = caches.get({ cache, key, ttl, grace, tags, refresh, fallback })
      const results = yield* Effect.all(
        Array.from({ length: callers }, () => Effect.result(one)),
        { concurrency: "unbounded" }
      )
      const text = value === undefined ? undefined : resultText(value)
      const outcome = (expected: unknown) => {
        for (const result of results) {
          assert.equal(result._tag, "Success")
          if (result._tag === "Success") assert.deepEqual(result.success, expected)
        }
      }
      const alive = model.alive(key)
      if (alive !== undefined && !refresh) {
        outcome(parsed(alive.text))
        assert.equal(loads, 0, "a hit called the loader")
        return
      }
      const stale = refresh ? undefined : model.stale(key, grace ?? 0)
      if (stale !== undefined) {
        outcome(parsed(stale.text))
        assert.equal(yield* eventually(() => loads > 0), true, "nothing was refreshed behind a stale value")
        if (!fails && text !== undefined) model.write(key, text, written)
        yield* eventually(() =>
          Effect.map(caches.get({ cache, key }), (found) => found?.value === model.alive(key)?.text)
        )
        assert.equal(loads, 1, "one refresh behind stale values")
        // Past the rest that follows a failed refresh.
        if (fails) yield* realSleep(10)
        advance(1_001)
        return
      }
      assert.equal(loads, 1, `${loads} loads for ${callers} callers of one missing entry`)
      if (fails) {
        for (const result of results) {
          assert.equal(result._tag, "Failure")
          if (result._tag === "Failure") assert.equal(result.failure, loaderFailure)
        }
        return
      }
      outcome(text === undefined ? undefined : parsed(text))
      if (text !== undefined) model.write(key, text, written)
    })

const isWhole = (text: string): boolean => /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))

const increment =
  (key: string, by: number, callers: number): Step =>
  (model, { cache }, caches) =>
    Effect.gen(function* () {
      const old = model.alive(key)
      const results = yield* Effect.all(
        Array.from({ length: callers }, () => Effect.result(caches.increment({ cache, key, by, ttl: 60 }))),
        { concurrency: "unbounded" }
      )
      if (old !== undefined && !isWhole(old.text)) {
        for (const result of results) {
          assert.equal(result._tag, "Failure")
          if (result._tag === "Failure") assert.equal(result.failure.code, "SET_VALUE_FAILED")
        }
        return
      }
      const start = old === undefined ? 0 : Number(old.text)
      const sums = results.map((result) => (result._tag === "Success" ? result.success : Number.NaN))
      const expected = Array.from({ length: callers }, (_, at) => start + by * (at + 1))
      const ordered = (numbers: ReadonlyArray<number>) => [...numbers].sort((a, b) => a - b)
      assert.deepEqual(ordered(sums), ordered(expected), "an increment was lost or counted twice")
      const text = String(start + by * callers)
      if (old === undefined) model.write(key, text, { ttl: 60 })
      else model.entries.set(key, { ...old, text, updatedAt: model.now() })
    })

/** Several at once with different values: at most one finds what it expects. */
const compareAndSet =
  (key: string, expected: unknown, callers: number): Step =>
  (model, { cache }, caches) =>
    Effect.gen(function* () {
      const old = model.alive(key)
      const holds =
        expected === undefined ? old === undefined : old !== undefined && sameJson(old.text, textOf(expected))
      const done = yield* Effect.forEach(
        Array.from({ length: callers }, (_, at) => `won by ${at}`),
        (value) => caches.compareAndSet({ cache, key, expected, value, ttl: 60, tags: ["y"] }),
        { concurrency: "unbounded" }
      )
      assert.equal(done.filter(Boolean).length, holds ? 1 : 0)
      if (holds) model.write(key, `won by ${done.indexOf(true)}`, { ttl: 60, tags: ["y"] })
    })

const keys = fc.constantFrom("a", "b", "c")
const clients = fc.nat(1)
const stored = fc.constantFrom<Array<unknown>>(
  "hello",
  "",
  "42",
  "true",
  '{"a":1}',
  "0042",
  "\u20acuro",
  41,
  -3,
  1.5,
  0,
  false,
  null,
  { a: 1, b: [2, { c: null }] },
  []
)
const written: fc.Arbitrary<Written> = fc.record({
  value: stored,
  ttl: fc.constantFrom(undefined, 30, 60, 600),
  grace: fc.constantFrom(undefined, 0, 30, 300),
  tags: fc.constantFrom([], ["x"], ["y"], ["x", "y"])
})

const show = (value: unknown): string => JSON.stringify(value) ?? "undefined"

const set = fc.tuple(clients, keys, written).map(
  ([client, key, input]) =>
    new Command(`set ${key} ${show(input)}`, client, (model, { cache }, caches) =>
      Effect.gen(function* () {
        assert.equal(yield* caches.set({ cache, key, ...input }), true)
        model.write(key, textOf(input.value), input)
      })
    )
)

const looking = clients.map((client) => new Command("look", client, look))

const reading = fc
  .tuple(clients, keys, written, fc.boolean(), fc.constantFrom(1, 1, 10))
  .map(
    ([client, key, input, fails, callers]) =>
      new Command(
        `read ${key} ${show(input)}${fails ? " failing" : ""} x${callers}`,
        client,
        read(key, input, fails, false, callers)
      )
  )

const refreshing = fc
  .tuple(clients, keys, written, fc.boolean())
  .map(
    ([client, key, input, fails]) =>
      new Command(`refresh ${key} ${show(input)}`, client, read(key, input, fails, true, 1))
  )

const readingNothing = fc
  .tuple(clients, keys)
  .map(
    ([client, key]) =>
      new Command(`read nothing ${key}`, client, read(key, { value: undefined }, false, false, 1))
  )

const clearing = fc.tuple(clients, keys).map(
  ([client, key]) =>
    new Command(`clear ${key}`, client, (model, { cache }, caches) =>
      Effect.gen(function* () {
        assert.equal(yield* caches.clear({ cache, key }), model.remove(key))
      })
    )
)

const clearingTag = fc.tuple(clients, fc.constantFrom("x", "y", "z")).map(
  ([client, tag]) =>
    new Command(`clear tag ${tag}`, client, (model, { cache }, caches) =>
      Effect.gen(function* () {
        const count = model.removeWhere((entry) => entry.tags.includes(tag))
        assert.equal(yield* caches.clear({ cache, tag }), count > 0)
      })
    )
)

const clearingAll = clients.map(
  (client) =>
    new Command("clearAll", client, (model, { cache }, caches) =>
      Effect.gen(function* () {
        assert.deepEqual(yield* caches.clearAll({ cache }), { cleared: model.removeWhere(() => true) })
      })
    )
)

const incrementing = fc
  .tuple(clients, keys, fc.constantFrom(1, 5, -2), fc.constantFrom(1, 1, 10))
  .map(
    ([client, key, by, callers]) =>
      new Command(`increment ${key} by ${by} x${callers}`, client, increment(key, by, callers))
  )

const comparing = fc
  .tuple(clients, keys, fc.oneof(stored, fc.constant(undefined)), fc.constantFrom(1, 10))
  .map(
    ([client, key, expected, callers]) =>
      new Command(
        `compareAndSet ${key} ${show(expected)} x${callers}`,
        client,
        compareAndSet(key, expected, callers)
      )
  )

const expiring = fc.tuple(clients, keys, fc.constantFrom(30, 90)).map(
  ([client, key, ttl]) =>
    new Command(`expire ${key} ${ttl}`, client, (model, { cache }, caches) =>
      Effect.gen(function* () {
        const old = model.alive(key)
        assert.equal(yield* caches.expire({ cache, key, ttl }), old !== undefined)
        if (old === undefined) return
        const expiresAt = model.now() + ttl * 1000
        model.entries.set(key, { ...old, expiresAt, keptUntil: expiresAt })
      })
    )
)

const advancing = fc
  .constantFrom(1, 999, 29_998, 29_999, 30_000, 60_000, 300_000)
  .map(
    (milliseconds) =>
      new Command(`advance ${milliseconds}`, 0, (_, { advance }) => Effect.sync(() => advance(milliseconds)))
  )

/** The commands of the state machine; what happens more often stands more often. */
export const commands = (): Array<fc.Arbitrary<fc.AsyncCommand<CacheModel, Real>>> => [
  set,
  set,
  set,
  advancing,
  advancing,
  advancing,
  reading,
  reading,
  reading,
  looking,
  looking,
  refreshing,
  readingNothing,
  clearing,
  clearingTag,
  clearingTag,
  clearingAll,
  incrementing,
  comparing,
  comparing,
  expiring
]
