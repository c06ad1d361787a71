import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Binding, CacheFailure } from "./Bindings.ts"
import { type CacheError, invalid } from "./CacheError.ts"
import { type CacheCall, readCacheTag, readDate } from "./CacheInput.ts"
import { type Entry, isKept, isLive } from "./CacheStore.ts"
import type { CacheValue } from "./CacheValue.ts"
import { ask, attempt, call, type Desk, enterAll, recordOf, requireEnumeration } from "./Desk.ts"
import { byteLength } from "./payload.ts"

export type ExpiryFilter = "all" | "permanent" | "expired" | "expiring"

export interface FetchValuesInput extends CacheCall {
  /** From 1. Default: 1. */
  readonly page?: number | undefined
  /** Default: 20; at most 200. */
  readonly limit?: number | undefined
  /** `expired`: dead, but kept for its grace. `expiring`: alive, with an expiry. Default: `all`. */
  readonly expiryFilter?: ExpiryFilter | undefined
}

export interface ValuesPage {
  readonly values: ReadonlyArray<CacheValue>
  readonly total: number
  readonly page: number
  readonly limit: number
  readonly totalPages: number
}

export interface ValuesInput extends CacheCall {
  readonly component_tag?: string | undefined
  readonly component_type?: string | undefined
  /** Entries without expiry or expiring after this; left out: those alive. */
  readonly expiry?: Date | string | undefined
}

export interface Dashboard {
  readonly totalValues: number
  readonly activeValues: number
  readonly expiredValues: number
  /** UTF-8 bytes of keys and values, as they are stored. */
  readonly totalSize: number
}

export interface KeysInput extends CacheCall {
  /** Only keys that start so. */
  readonly prefix?: string | undefined
}

/** `env: "*"` spans the product's environments. Newest update first, then by key. */
export interface CacheListing {
  readonly fetchValues: (input: FetchValuesInput) => Effect.Effect<ValuesPage, CacheFailure>
  readonly values: (input: ValuesInput) => Effect.Effect<ReadonlyArray<CacheValue>, CacheFailure>
  readonly fetchDashboard: (input: CacheCall) => Effect.Effect<Dashboard, CacheFailure>
  /** Keys alive, in order of code points. */
  readonly keys: (input: KeysInput) => Effect.Effect<ReadonlyArray<string>, CacheFailure>
}

interface Listed {
  readonly binding: Binding
  readonly key: string
  readonly entry: Entry
}

const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const newestFirst = (a: Listed, b: Listed): number =>
  b.entry.updatedAt - a.entry.updatedAt ||
  byCodePoint(a.key, b.key) ||
  byCodePoint(a.binding.scope.env, b.binding.scope.env)

const filters: Readonly<Record<ExpiryFilter, (entry: Entry, now: number) => boolean>> = {
  all: () => true,
  permanent: (entry) => entry.expiresAt === null,
  expired: (entry, now) => !isLive(entry, now),
  expiring: (entry, now) => entry.expiresAt !== null && isLive(entry, now)
}

const maxLimit = 200

const readCount = (value: unknown, path: string, standard: number): number => {
  if (value === undefined) return standard
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value
  throw invalid(path, "must be a whole number above 0")
}

export const makeListing = (desk: Desk): CacheListing => {
  const list = (
    input: CacheCall,
    code: "FETCH_VALUES_FAILED" | "FETCH_DASHBOARD_FAILED"
  ): Effect.Effect<{ readonly now: number; readonly found: Array<Listed> }, CacheFailure> =>
    Effect.gen(function* () {
      const tag = yield* attempt(() => readCacheTag(input))
      const found: Array<Listed> = []
      const bindings = yield* enterAll(desk, input, tag)
      for (const binding of bindings) {
        yield* requireEnumeration(binding)
        for (const { key, entry } of yield* ask(binding, code, binding.store.list)) {
          found.push({ binding, key, entry })
        }
      }
      const now = yield* Clock.currentTimeMillis
      return { now, found: found.filter(({ entry }) => isKept(entry, now)) }
    })

  const records = (listed: ReadonlyArray<Listed>): ReadonlyArray<CacheValue> =>
    listed.flatMap(({ binding, key, entry }) => recordOf(binding, key, entry) ?? [])

  const fetchValues = (input: FetchValuesInput) =>
    Effect.gen(function* () {
      const { page, limit, filter } = yield* attempt(() => {
        const wanted = input.expiryFilter ?? "all"
        if (!Object.hasOwn(filters, wanted)) {
          throw invalid("expiryFilter", `must be one of ${Object.keys(filters).join(", ")}`)
        }
        return {
          page: readCount(input.page, "page", 1),
          limit: Math.min(maxLimit, readCount(input.limit, "limit", 20)),
          filter: filters[wanted]
        }
      })
      const { found, now } = yield* list(input, "FETCH_VALUES_FAILED")
      const matching = found.filter(({ entry }) => filter(entry, now)).sort(newestFirst)
      const total = matching.length
      return {
        values: records(matching.slice((page - 1) * limit, page * limit)),
        total,
        page,
        limit,
        totalPages: Math.ceil(total / limit)
      }
    })

  const values = (input: ValuesInput) =>
    Effect.gen(function* () {
      const after = yield* attempt(() =>
        input.expiry === undefined ? undefined : readDate(input.expiry, "expiry")
      )
      const { found, now } = yield* list(input, "FETCH_VALUES_FAILED")
      return records(
        found
          .filter(
            ({ entry }) =>
              (input.component_tag === undefined || entry.componentTag === input.component_tag) &&
              (input.component_type === undefined || entry.componentType === input.component_type) &&
              isLive(entry, after ?? now)
          )
          .sort(newestFirst)
      )
    })

  const fetchDashboard = (input: CacheCall) =>
    Effect.map(list(input, "FETCH_DASHBOARD_FAILED"), ({ found, now }) => {
      const activeValues = found.filter(({ entry }) => isLive(entry, now)).length
      return {
        totalValues: found.length,
        activeValues,
        expiredValues: found.length - activeValues,
        totalSize: found.reduce((sum, { key, entry }) => sum + byteLength(key) + byteLength(entry.value), 0)
      }
    })

  const keys = (input: KeysInput): Effect.Effect<ReadonlyArray<string>, CacheFailure> =>
    Effect.gen(function* () {
      const { prefix } = input
      if (prefix !== undefined && typeof prefix !== "string") return yield* wrongPrefix
      const { found, now } = yield* list(input, "FETCH_VALUES_FAILED")
      const alive = found.filter(({ key, entry }) => isLive(entry, now) && key.startsWith(prefix ?? ""))
      return [...new Set(alive.map(({ key }) => key))].sort(byCodePoint)
    })

  return {
    fetchValues: (input) => call("fetchValues", input, fetchValues(input)),
    values: (input) => call("values", input, values(input)),
    fetchDashboard: (input) => call("fetchDashboard", input, fetchDashboard(input)),
    keys: (input) => call("keys", input, keys(input))
  }
}

const wrongPrefix: Effect.Effect<never, CacheError> = Effect.suspend(() =>
  Effect.fail(invalid("prefix", "must be a string"))
)
