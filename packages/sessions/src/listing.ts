import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identifierText } from "./revoke.ts"
import { invalid, SessionError } from "./SessionError.ts"
import {
  checked,
  isActive,
  openContent,
  openIdentifier,
  placesOf,
  type Result,
  type SessionCall,
  type SessionRuntime,
  text,
  userKey
} from "./SessionRuntime.ts"
import type { SessionRecord, SessionUserRecord } from "./SessionStore.ts"
import { sessionsOf, usersOf } from "./scan.ts"
import { sessionInvalid, verification } from "./verify.ts"

export interface PageInput {
  /** From 1; default 1. */
  readonly page?: number | undefined
  /** 1 to 100; default 20. */
  readonly limit?: number | undefined
}

export interface Page {
  readonly total: number
  readonly page: number
  readonly limit: number
  readonly totalPages: number
}

export interface SessionInfo {
  readonly sessionId: string
  readonly identifier: string
  readonly env: string
  readonly startAt: Date
  /** After it, neither token of the session is accepted; moves on with each refresh. */
  readonly endAt: Date
  readonly lastSeenAt: Date
  readonly active: boolean
  readonly revokedAt?: Date
}

export interface SessionUser {
  readonly _id: string
  /** Random; the `sub` of the user's tokens. */
  readonly ductape_user_id: string
  readonly product_tag: string
  readonly session_tag: string
  readonly identifier: string
  readonly env: string
  readonly first_seen: Date
  readonly last_seen: Date
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface SessionUserDetails extends SessionUser {
  /** Latest start first. */
  readonly sessions: ReadonlyArray<{
    readonly session_id: string
    readonly start_at: Date
    readonly end_at: Date
    readonly active: boolean
  }>
  readonly totalSessions: number
  readonly activeSessionsCount: number
}

export interface ListActiveInput extends SessionCall, PageInput {
  readonly identifier?: string | number | boolean | undefined
}

export interface GetInfoInput extends SessionCall {
  readonly sessionId?: string | undefined
  readonly token?: string | undefined
}

export interface FetchUsersInput extends SessionCall, PageInput {}

export interface FetchUserDetailsInput extends SessionCall {
  readonly identifier: string | number | boolean
}

type Failure = Effect.Error<Result<never>>

const pageOf = ({ page = 1, limit = 20 }: PageInput) => {
  if (!(Number.isSafeInteger(page) && page >= 1))
    throw invalid("page", "range", "must be a whole number from 1")
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 100)) {
    throw invalid("limit", "range", "must be a whole number from 1 to 100")
  }
  return { page, limit }
}

const cut = <A>(
  all: ReadonlyArray<A>,
  { page, limit }: { readonly page: number; readonly limit: number }
) => ({
  items: all.slice((page - 1) * limit, page * limit),
  counts: { total: all.length, page, limit, totalPages: Math.ceil(all.length / limit) }
})

const latestFirst = (a: SessionRecord, b: SessionRecord) => b.startAt - a.startAt || (a.id < b.id ? -1 : 1)

const infoOf = (runtime: SessionRuntime, record: SessionRecord, now: number) =>
  openContent(runtime, record).pipe(
    Effect.map(
      ({ identifier }): SessionInfo => ({
        sessionId: record.id,
        identifier,
        env: record.env,
        startAt: new Date(record.startAt),
        endAt: new Date(record.endAt),
        lastSeenAt: new Date(record.lastSeenAt),
        active: isActive(record, now),
        ...(record.revokedAt === null ? {} : { revokedAt: new Date(record.revokedAt) })
      })
    )
  )

export const listActive = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: ListActiveInput
): Effect.fn.Return<Page & { readonly sessions: ReadonlyArray<SessionInfo> }, Failure> {
  const { page, identifier } = yield* checked(() => ({
    page: pageOf(input),
    identifier: input.identifier === undefined ? undefined : identifierText(input.identifier)
  }))
  const places = yield* placesOf(runtime, input)
  const now = yield* Clock.currentTimeMillis
  const found = yield* Effect.forEach(places, (place) =>
    sessionsOf(
      runtime,
      {
        scope: place.name,
        user: identifier === undefined ? undefined : userKey(runtime, place, identifier)
      },
      (record) => isActive(record, now)
    )
  )
  const { items, counts } = cut(found.flat().sort(latestFirst), page)
  return { sessions: yield* Effect.forEach(items, (record) => infoOf(runtime, record, now)), ...counts }
})

const notFound = () =>
  new SessionError({
    code: "SESSION_NOT_FOUND",
    message: "There is no such session of this configuration and environment."
  })

export const getInfo = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: GetInfoInput
): Effect.fn.Return<SessionInfo, Failure> {
  yield* checked(() => {
    if ((input.sessionId === undefined) === (input.token === undefined)) {
      throw invalid("sessionId", "one-of", "or 'token' must be given, and not both")
    }
    if (input.token === undefined) text("sessionId", input.sessionId)
  })
  let id = input.sessionId
  if (input.token !== undefined) {
    const verified = yield* verification(runtime, { ...input, token: input.token })
    if (verified.token === undefined) return yield* Effect.fail(sessionInvalid(verified.reason))
    id = verified.token.sessionId
  }
  const record = id === undefined ? undefined : yield* runtime.store.get(id)
  const scopes = (yield* placesOf(runtime, input)).map((place) => place.name)
  if (record === undefined || !scopes.includes(record.scope)) return yield* Effect.fail(notFound())
  return yield* infoOf(runtime, record, yield* Clock.currentTimeMillis)
})

const userFrom = (
  runtime: SessionRuntime,
  place: { readonly product: string; readonly tag: string },
  user: SessionUserRecord
) =>
  openIdentifier(runtime, user).pipe(
    Effect.map(
      (identifier): SessionUser => ({
        _id: user.id,
        ductape_user_id: user.userId,
        product_tag: place.product,
        session_tag: place.tag,
        identifier,
        env: user.env,
        first_seen: new Date(user.firstSeen),
        last_seen: new Date(user.lastSeen),
        createdAt: new Date(user.firstSeen),
        updatedAt: new Date(user.lastSeen)
      })
    )
  )

export const fetchUsers = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: FetchUsersInput
): Effect.fn.Return<Page & { readonly users: ReadonlyArray<SessionUser> }, Failure> {
  const page = yield* checked(() => pageOf(input))
  const places = yield* placesOf(runtime, input)
  const found = yield* Effect.forEach(places, (place) =>
    usersOf(runtime, place.name).pipe(Effect.map((users) => users.map((user) => ({ place, user }))))
  )
  const { items, counts } = cut(
    found.flat().sort((a, b) => b.user.lastSeen - a.user.lastSeen || (a.user.key < b.user.key ? -1 : 1)),
    page
  )
  return {
    users: yield* Effect.forEach(items, ({ place, user }) => userFrom(runtime, place, user)),
    ...counts
  }
})

/** With `env: "*"`, the user as seen last, with the sessions of all environments. */
export const fetchUserDetails = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: FetchUserDetailsInput
): Effect.fn.Return<SessionUserDetails, Failure> {
  const identifier = yield* checked(() => identifierText(input.identifier))
  const places = yield* placesOf(runtime, input)
  const now = yield* Clock.currentTimeMillis
  const found: Array<SessionUser> = []
  const records: Array<SessionRecord> = []
  for (const place of places) {
    const key = userKey(runtime, place, identifier)
    const user = yield* runtime.store.getUser(key)
    if (user === undefined) continue
    found.push(yield* userFrom(runtime, place, user))
    records.push(...(yield* sessionsOf(runtime, { scope: place.name, user: key })))
  }
  const [latest] = found.sort((a, b) => b.last_seen.getTime() - a.last_seen.getTime())
  if (latest === undefined) {
    return yield* Effect.fail(
      new SessionError({
        code: "SESSION_USER_NOT_FOUND",
        message: "No such user ever started a session of this configuration and environment."
      })
    )
  }
  const sessions = records.sort(latestFirst).map((record) => ({
    session_id: record.id,
    start_at: new Date(record.startAt),
    end_at: new Date(record.endAt),
    active: isActive(record, now)
  }))
  return {
    ...latest,
    sessions,
    totalSessions: sessions.length,
    activeSessionsCount: sessions.filter(({ active }) => active).length
  }
})
