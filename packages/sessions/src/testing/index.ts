import { randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type SessionRecord, SessionStore, type SessionUserRecord } from "../SessionStore.ts"

type NewSession = Omit<SessionRecord, "version">

/** Its own scope for each test, since a store may be shared. */
const newScope = () => `shop/prd/web-${randomUUID()}`

const sessionIn = (scope: string, fields: Partial<NewSession> = {}): NewSession => ({
  id: randomUUID(),
  scope,
  env: "prd",
  user: "user-1",
  userId: randomUUID(),
  startAt: 1_000,
  endAt: 5_000,
  lastSeenAt: 1_000,
  revokedAt: null,
  access: { "kid-1": 3 },
  lifetime: { expiry: 2, period: "months" },
  refreshExpiry: 4,
  absoluteEnd: 9_000,
  refresh: { generation: 0, digest: "digest-0", rotatedAt: 1_000, until: 5_000 },
  sealed: "sealed-0",
  keepUntil: 90_000,
  ...fields
})

const userIn = (scope: string, fields: Partial<SessionUserRecord> = {}): SessionUserRecord => ({
  key: randomUUID(),
  scope,
  env: "prd",
  id: randomUUID(),
  userId: randomUUID(),
  firstSeen: 1_000,
  lastSeen: 1_000,
  sealed: "sealed-user",
  ...fields
})

const withoutVersion = (record: SessionRecord | undefined) => {
  if (record === undefined) return undefined
  const { version: _, ...rest } = record
  return rest
}

/** Holds a session store to the words of its contract. Run it for every store, on the real server. */
export const suite = <E>(name: string, layer: Layer.Layer<SessionStore, E>): void => {
  describe(`SessionStore conformance: ${name}`, () => {
    it.layer(layer, { timeout: "60 seconds" })((it) => {
      it.effect("what is not there is undefined, and listing an empty scope is empty", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          assert.isUndefined(yield* store.get(randomUUID()))
          assert.isUndefined(yield* store.getUser(randomUUID()))
          const scope = newScope()
          assert.deepStrictEqual(yield* store.list({ scope, limit: 10 }), [])
          assert.deepStrictEqual(yield* store.listUsers({ scope, limit: 10 }), [])
        })
      )

      it.effect("gives back every field of session and user, and a version that grows with each write", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const user = userIn(scope, { sealed: `"ü" \\ {} ' \u{1f511}` })
          const session = sessionIn(scope, { user: user.key, revokedAt: 7, sealed: 'ÿ {"a": \' \\n' })
          assert.isTrue(
            yield* store.commit({ session, expect: "absent", user: { record: user, expect: "absent" } })
          )
          const first = yield* store.get(session.id)
          assert.deepStrictEqual(withoutVersion(first), session)
          assert.deepInclude(yield* store.getUser(user.key), user)
          const changed = { ...session, lastSeenAt: 2_000, access: {} }
          assert.isTrue(yield* store.commit({ session: changed, expect: first?.version ?? -1 }))
          const second = yield* store.get(session.id)
          assert.deepStrictEqual(withoutVersion(second), changed)
          assert.isAbove(second?.version ?? -1, first?.version ?? Number.POSITIVE_INFINITY)
        })
      )

      it.effect("absent: an existing session is left as it is, and so is the user", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const session = sessionIn(scope)
          const user = userIn(scope)
          yield* store.commit({ session, expect: "absent" })
          assert.isFalse(
            yield* store.commit({
              session: { ...session, sealed: "other" },
              expect: "absent",
              user: { record: user, expect: "any" }
            })
          )
          assert.deepStrictEqual(withoutVersion(yield* store.get(session.id)), session)
          assert.isUndefined(yield* store.getUser(user.key))
        })
      )

      it.effect("a version that is not the session's any more, or of no session, writes nothing", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const session = sessionIn(scope)
          const user = userIn(scope)
          yield* store.commit({ session, expect: "absent" })
          const stale = (yield* store.get(session.id))?.version ?? -1
          assert.isTrue(yield* store.commit({ session: { ...session, endAt: 6_000 }, expect: stale }))
          assert.isFalse(
            yield* store.commit({
              session: { ...session, endAt: 7_000 },
              expect: stale,
              user: { record: user, expect: "any" }
            })
          )
          assert.strictEqual((yield* store.get(session.id))?.endAt, 6_000)
          assert.isUndefined(yield* store.getUser(user.key))
          const missing = sessionIn(scope)
          assert.isFalse(yield* store.commit({ session: missing, expect: 1 }))
          assert.isUndefined(yield* store.get(missing.id))
        })
      )

      it.effect("a user that must be new and is not: the session is not written either", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const user = userIn(scope)
          yield* store.commit({
            session: sessionIn(scope),
            expect: "absent",
            user: { record: user, expect: "absent" }
          })
          const session = sessionIn(scope)
          assert.isFalse(
            yield* store.commit({
              session,
              expect: "absent",
              user: { record: { ...user, userId: "another" }, expect: "absent" }
            })
          )
          assert.isUndefined(yield* store.get(session.id))
          assert.strictEqual((yield* store.getUser(user.key))?.userId, user.userId)
        })
      )

      it.effect("any: replaces the user", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const user = userIn(scope)
          for (const lastSeen of [1_000, 2_000]) {
            const record = { ...user, lastSeen }
            assert.isTrue(
              yield* store.commit({
                session: sessionIn(scope),
                expect: "absent",
                user: { record, expect: "any" }
              })
            )
            assert.strictEqual((yield* store.getUser(user.key))?.lastSeen, lastSeen)
          }
        })
      )

      it.effect("of many commits that expect the same version, exactly one is written", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const session = sessionIn(newScope())
          yield* store.commit({ session, expect: "absent" })
          const version = (yield* store.get(session.id))?.version ?? -1
          const written = yield* Effect.forEach(
            Array.from({ length: 40 }, (_, i) => i),
            (i) => store.commit({ session: { ...session, sealed: `by ${i}` }, expect: version }),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(written.filter(Boolean).length, 1)
          assert.strictEqual((yield* store.get(session.id))?.sealed, `by ${written.indexOf(true)}`)
        })
      )

      it.effect("of many that must be new with one id or one user, exactly one is written", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const session = sessionIn(scope)
          const user = userIn(scope)
          const all = { concurrency: "unbounded" } as const
          const same = yield* Effect.forEach(
            Array.from({ length: 20 }),
            () => store.commit({ session, expect: "absent" }),
            all
          )
          assert.strictEqual(same.filter(Boolean).length, 1)
          const users = yield* Effect.forEach(
            Array.from({ length: 20 }),
            () =>
              store.commit({
                session: sessionIn(scope, { user: user.key }),
                expect: "absent",
                user: { record: user, expect: "absent" }
              }),
            all
          )
          assert.strictEqual(users.filter(Boolean).length, 1)
          assert.strictEqual((yield* store.list({ scope, user: user.key, limit: 99 })).length, 1)
        })
      )

      it.effect("lists one scope, one user, page by page, in order of id", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const mine = Array.from({ length: 7 }, (_, i) => sessionIn(scope, { user: i < 3 ? "a" : "b" }))
          const foreign = sessionIn(newScope(), { user: "a" })
          for (const session of [...mine, foreign]) yield* store.commit({ session, expect: "absent" })
          const ids = mine.map(({ id }) => id).sort()
          const idsOf = (records: ReadonlyArray<SessionRecord>) => records.map(({ id }) => id)
          assert.deepStrictEqual(idsOf(yield* store.list({ scope, limit: 100 })), ids)
          assert.deepStrictEqual(idsOf(yield* store.list({ scope, limit: 3 })), ids.slice(0, 3))
          assert.deepStrictEqual(
            idsOf(yield* store.list({ scope, after: ids[2], limit: 3 })),
            ids.slice(3, 6)
          )
          assert.deepStrictEqual(
            idsOf(yield* store.list({ scope, user: "a", limit: 100 })),
            mine
              .slice(0, 3)
              .map(({ id }) => id)
              .sort()
          )
        })
      )

      it.effect("lists the users of one scope, page by page, in order of key", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const users = Array.from({ length: 5 }, () => userIn(scope))
          for (const record of [...users, userIn(newScope())]) {
            const session = sessionIn(record.scope, { user: record.key })
            yield* store.commit({ session, expect: "absent", user: { record, expect: "absent" } })
          }
          const keys = users.map(({ key }) => key).sort()
          const first = yield* store.listUsers({ scope, limit: 2 })
          const rest = yield* store.listUsers({ scope, after: first.at(-1)?.key, limit: 99 })
          assert.deepStrictEqual(
            [...first, ...rest].map(({ key }) => key),
            keys
          )
          assert.strictEqual(first.length, 2)
        })
      )

      it.effect("purge drops what need not be kept any more, and nothing else", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const scope = newScope()
          const user = userIn(scope)
          const [past, due, later] = [
            sessionIn(scope, { keepUntil: 499 }),
            sessionIn(scope, { keepUntil: 500 }),
            sessionIn(scope, { keepUntil: 501 })
          ]
          for (const session of [past, due, later]) {
            yield* store.commit({ session, expect: "absent", user: { record: user, expect: "any" } })
          }
          yield* store.purge(500)
          assert.deepStrictEqual(
            (yield* store.list({ scope, limit: 10 })).map(({ id }) => id),
            [later.id]
          )
          assert.isDefined(yield* store.getUser(user.key))
        })
      )

      it.effect("what is read is the reader's own: changing it changes nothing stored", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          const session = sessionIn(newScope())
          yield* store.commit({ session, expect: "absent" })
          const read = yield* store.get(session.id)
          Object.assign(read?.refresh ?? {}, { digest: "changed" })
          assert.strictEqual((yield* store.get(session.id))?.refresh.digest, "digest-0")
        })
      )

      it.effect("sync, where there is one, notices every change and knows the version", () =>
        Effect.gen(function* () {
          const store = yield* SessionStore
          if (store.sync === undefined) return
          const session = sessionIn(newScope())
          assert.isUndefined(store.sync.version(session.id))
          const before = store.sync.changes()
          yield* store.commit({ session, expect: "absent" })
          const created = store.sync.changes()
          assert.notStrictEqual(created, before)
          const version = (yield* store.get(session.id))?.version
          assert.strictEqual(store.sync.version(session.id), version)
          yield* store.commit({ session: { ...session, revokedAt: 5 }, expect: version ?? -1 })
          assert.notStrictEqual(store.sync.changes(), created)
          assert.notStrictEqual(store.sync.version(session.id), version)
        })
      )
    })
  })
}
