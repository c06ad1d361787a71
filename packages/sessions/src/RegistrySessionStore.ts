import { Registry, type RegistryError, type RegistryStoreShape, type StoredRecord } from "@ductape/registry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SessionError, storeFailed } from "./SessionError.ts"
import {
  type SessionRecord,
  SessionStore,
  type SessionStoreShape,
  type SessionUserRecord
} from "./SessionStore.ts"

const sessions = "session"
const users = "session-user"

const corrupt = (what: string) =>
  new SessionError({
    code: "SESSION_STORE_FAILED",
    message: `The stored ${what} cannot be read: it was changed by something other than this library.`
  })

const parse = <T>(what: string, record: StoredRecord): Effect.Effect<T, SessionError> => {
  try {
    return Effect.succeed({ ...JSON.parse(record.value), version: record.version })
  } catch {
    return Effect.fail(corrupt(what))
  }
}

const failed = (operation: string) => (cause: RegistryError) => storeFailed(operation, cause)

const make = (store: RegistryStoreShape): SessionStoreShape => ({
  name: `registry (${store.name})`,
  get: (id) =>
    store.get(sessions, id).pipe(
      Effect.mapError(failed("read a session")),
      Effect.flatMap((record) =>
        record === undefined ? Effect.succeed(undefined) : parse<SessionRecord>("session", record)
      )
    ),
  getUser: (key) =>
    store.get(users, key).pipe(
      Effect.mapError(failed("read a session user")),
      Effect.flatMap((record) =>
        record === undefined ? Effect.succeed(undefined) : parse<SessionUserRecord>("session user", record)
      )
    ),
  commit: ({ session, expect, user }) =>
    store
      .write(
        [
          {
            op: "put",
            kind: sessions,
            key: session.id,
            group: session.scope,
            index: session.user,
            value: JSON.stringify(session),
            expiresAt: session.keepUntil,
            expect
          },
          ...(user === undefined
            ? []
            : [
                {
                  op: "put" as const,
                  kind: users,
                  key: user.record.key,
                  group: user.record.scope,
                  value: JSON.stringify(user.record),
                  ...(user.expect === "absent" ? { expect: "absent" as const } : {})
                }
              ])
        ],
        { definitions: false }
      )
      .pipe(
        Effect.as(true),
        Effect.catch((cause) =>
          cause.code === "WRITE_CONFLICT"
            ? Effect.succeed(false)
            : Effect.fail(storeFailed("write a session", cause))
        )
      ),
  list: ({ scope, user, after, limit }) =>
    store
      .list({
        kind: sessions,
        group: scope,
        limit,
        ...(user === undefined ? {} : { index: user }),
        ...(after === undefined ? {} : { after })
      })
      .pipe(
        Effect.mapError(failed("list sessions")),
        Effect.flatMap((records) =>
          Effect.forEach(records, (record) => parse<SessionRecord>("session", record))
        )
      ),
  listUsers: ({ scope, after, limit }) =>
    store.list({ kind: users, group: scope, limit, ...(after === undefined ? {} : { after }) }).pipe(
      Effect.mapError(failed("list session users")),
      Effect.flatMap((records) =>
        Effect.forEach(records, (record) => parse<SessionUserRecord>("session user", record))
      )
    ),
  purge: (now) => store.purge(sessions, now).pipe(Effect.mapError(failed("purge sessions")), Effect.asVoid),
  sync:
    store.sync === undefined
      ? undefined
      : {
          changes: store.sync.changes,
          version: (id) => store.sync?.get(sessions, id)?.version
        }
})

/** Sessions in the workspace's own store: SQLite file, PostgreSQL or memory. */
export const RegistrySessionStore: {
  readonly make: (store: RegistryStoreShape) => SessionStoreShape
  readonly layer: Layer.Layer<SessionStore, never, Registry>
} = {
  make,
  layer: Layer.effect(
    SessionStore,
    Registry.use((registry) => Effect.succeed(make(registry.store)))
  )
}
