import type { CallOptions } from "@ductape/core"
import { CacheError, invalid } from "./CacheError.ts"

/** What every call takes. `cache_tag` is another name of `cache`. */
export interface CacheCall
  extends Pick<CallOptions, "product" | "product_tag" | "env" | "session" | "timeout"> {
  readonly cache?: string | undefined
  readonly cache_tag?: string | undefined
}

/** How long a written entry lives: `expiry` or `ttl`, else the `expiry` of the cache, else forever. */
export interface Lifetime {
  /** A point in time, as a `Date` or in ISO 8601. */
  readonly expiry?: Date | string | undefined
  /** **Seconds** from now; fractions count. */
  readonly ttl?: number | undefined
  /** **Seconds** past its expiry during which it may be served stale. Default: that of the cache, else 0. */
  readonly grace?: number | undefined
  /** Shortens the lifetime at random by up to this share (0 to 1), so that entries do not die together. */
  readonly jitter?: number | undefined
}

const hasControl = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 32 || (code >= 127 && code < 160)) return true
  }
  return false
}

/** 1 to 512 characters, none of them a control character, well-formed. */
export const isKey = (key: unknown): key is string =>
  typeof key === "string" && key.length > 0 && key.length <= 512 && !hasControl(key) && key.isWellFormed()

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readKey = (key: unknown): string => {
  if (isKey(key)) return key
  throw invalid("key", "must be 1 to 512 characters without control characters")
}

/** @throws {CacheError} `VALIDATION_ERROR` if there is none */
export const readCacheTag = (input: CacheCall): string => {
  const tag = optionalCacheTag(input)
  if (tag === undefined) throw invalid("cache", "is required: the tag of a cache of the product")
  return tag
}

export const optionalCacheTag = (input: CacheCall): string | undefined => {
  const tag = input.cache ?? input.cache_tag
  if (tag === undefined || tag === null) return undefined
  if (typeof tag !== "string" || tag === "") throw invalid("cache", "must be a non-empty string")
  return tag
}

const none: ReadonlyArray<string> = Object.freeze([])

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readTags = (tags: unknown): ReadonlyArray<string> => {
  if (tags === undefined) return none
  if (!Array.isArray(tags) || tags.length > 32) throw invalid("tags", "must be a list of at most 32 tags")
  return Object.freeze([...new Set(tags.map((tag: unknown) => readTag(tag, "tags")))])
}

export const readTag = (tag: unknown, path = "tag"): string => {
  if (
    typeof tag === "string" &&
    tag.length > 0 &&
    tag.length <= 128 &&
    !hasControl(tag) &&
    tag.isWellFormed()
  ) {
    return tag
  }
  throw invalid(path, "must be 1 to 128 characters without control characters")
}

export const readLabel = (value: unknown, path: string, fallback: string): string => {
  if (value === undefined) return fallback
  if (typeof value === "string" && value.length > 0 && value.length <= 512 && value.isWellFormed())
    return value
  throw invalid(path, "must be a string of 1 to 512 characters")
}

/** The last point in time that a `Date` can hold. */
const endOfTime = 8.64e15

const readSeconds = (value: unknown, path: string): number => {
  if (typeof value === "number" && value >= 0 && value * 1000 <= endOfTime) return value
  throw invalid(path, "must be a number of seconds, 0 or more")
}

export interface Times {
  readonly expiresAt: number | null
  readonly keptUntil: number | null
}

/**
 * When an entry written `now` dies. An `expiry` is kept to the millisecond, a `ttl` rounded up, so
 * that nothing dies early but by `jitter`.
 *
 * @throws {CacheError} `VALIDATION_ERROR`
 */
export const readLifetime = (
  input: Lifetime,
  defaults: { readonly expiry?: number; readonly grace?: number; readonly jitter?: number },
  now: number
): Times => {
  const grace = input.grace === undefined ? (defaults.grace ?? 0) : readSeconds(input.grace, "grace")
  const jitter = input.jitter ?? defaults.jitter ?? 0
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw invalid("jitter", "must be from 0 to 1")
  const expiresAt = expiryOf(input, defaults.expiry, jitter, now)
  if (expiresAt === null) return { expiresAt, keptUntil: null }
  return { expiresAt, keptUntil: Math.min(endOfTime, expiresAt + Math.ceil(grace * 1000)) }
}

const expiryOf = (
  input: Lifetime,
  standard: number | undefined,
  jitter: number,
  now: number
): number | null => {
  const { expiry, ttl } = input
  if (expiry !== undefined && expiry !== null) {
    if (ttl !== undefined) throw invalid("ttl", "cannot be given together with 'expiry'")
    const time = readDate(expiry, "expiry")
    if (time <= now) throw invalid("expiry", "must be in the future")
    return time
  }
  let lifetime: number
  if (ttl !== undefined) {
    if (typeof ttl !== "number" || !(ttl > 0) || now + ttl * 1000 > endOfTime) {
      throw invalid("ttl", "must be a number of seconds above 0")
    }
    lifetime = ttl * 1000
  } else if (standard !== undefined && standard > 0) lifetime = standard
  else return null
  return now + Math.max(1, Math.ceil(lifetime - (jitter === 0 ? 0 : Math.random() * jitter * lifetime)))
}

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readDate = (value: unknown, path: string): number => {
  const time =
    value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw invalid(path, "must be a Date or an ISO 8601 string")
  return time
}

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readTimeout = (timeout: unknown): number => {
  if (typeof timeout === "number" && timeout > 0 && Number.isFinite(timeout)) return timeout
  throw invalid("timeout", "must be a number of milliseconds above 0")
}

export const noAnswer = (timeout: number): CacheError =>
  new CacheError({ code: "TIMEOUT", message: `The call did not finish within its timeout of ${timeout} ms.` })
