import * as Effect from "effect/Effect"
import type { SessionError } from "./SessionError.ts"
import type { SessionRuntime } from "./SessionRuntime.ts"
import type { SessionQuery, SessionRecord, SessionUserRecord } from "./SessionStore.ts"

const pageSize = 500

/** Reads everything page by page, and keeps what is wanted. */
const scan = Effect.fnUntraced(function* <A>(
  read: (after: string | undefined) => Effect.Effect<ReadonlyArray<A>, SessionError>,
  keyOf: (record: A) => string,
  keep: (record: A) => boolean
): Effect.fn.Return<ReadonlyArray<A>, SessionError> {
  const kept: Array<A> = []
  let after: string | undefined
  for (;;) {
    const page = yield* read(after)
    kept.push(...page.filter(keep))
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return kept
    after = keyOf(last)
  }
})

export const sessionsOf = (
  runtime: SessionRuntime,
  query: Pick<SessionQuery, "scope" | "user">,
  keep: (record: SessionRecord) => boolean = () => true
): Effect.Effect<ReadonlyArray<SessionRecord>, SessionError> =>
  scan(
    (after) => runtime.store.list({ ...query, after, limit: pageSize }),
    (record) => record.id,
    keep
  )

export const usersOf = (
  runtime: SessionRuntime,
  scope: string
): Effect.Effect<ReadonlyArray<SessionUserRecord>, SessionError> =>
  scan(
    (after) => runtime.store.listUsers({ scope, after, limit: pageSize }),
    (user) => user.key,
    () => true
  )
