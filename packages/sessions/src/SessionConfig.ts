import type { RecordMeta } from "@ductape/registry"
import { isPeriod, type Period, periods } from "./period.ts"
import { invalid, type SessionError } from "./SessionError.ts"
import { checkSelector } from "./selector.ts"

/** What the sessions of one kind hold, and how long they live. */
export interface SessionConfig {
  /** 1 to 128 characters without `:`, `/`, white space or control characters. */
  readonly tag: string
  readonly name: string
  readonly description?: string
  /** The value that names the user: `$Session{userId}`, `$Session{details}{email}`. */
  readonly selector: string
  /** How long an access token lives, in `period`s. */
  readonly expiry: number
  /** Default: seconds. */
  readonly period?: Period
  /** Sample data; the words `string`, `number`, `boolean`, `object`, `array` stand for their type. */
  readonly schema: Readonly<Record<string, unknown>>
  /** Seconds that a refresh token may lie unused; default 2592000 (30 days). */
  readonly refresh_expiry?: number
  /** Seconds from its start after which a session cannot be refreshed; default 7776000 (90 days). */
  readonly absolute_expiry?: number
  /** Seconds, at most 300, that the last retired refresh token still works (lost responses, parallel tabs); default 0. */
  readonly reuse_leeway?: number
}

export type StoredSessionConfig = SessionConfig & RecordMeta

export const defaults = { refresh_expiry: 2_592_000, absolute_expiry: 7_776_000, reuse_leeway: 0 } as const

/** A hundred years: above it a number of seconds is surely milliseconds. */
export const longestSeconds = 3_155_760_000

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const seconds = (
  path: string,
  value: unknown,
  least: number,
  most = longestSeconds
): SessionError | undefined =>
  value === undefined || (Number.isInteger(value) && Number(value) >= least && Number(value) <= most)
    ? undefined
    : invalid(path, "range", `must be a whole number of seconds from ${least} to ${most}`)

const text = (path: string, value: unknown): SessionError | undefined =>
  typeof value === "string" && value.trim() !== ""
    ? undefined
    : invalid(path, "type", "must be non-empty text")

const tagPattern = /^[^\s:/\p{Cc}]{1,128}$/u

const known: ReadonlySet<string> = new Set([
  "tag",
  "name",
  "description",
  "selector",
  "expiry",
  "period",
  "schema",
  "refresh_expiry",
  "absolute_expiry",
  "reuse_leeway"
])

/** `expiry` in seconds at its longestSeconds, for bounds. */
const roughSeconds = { s: 1, mi: 60, h: 3_600, d: 86_400, w: 604_800, mo: 2_678_400, y: 31_622_400 } as const
const rough = (period: Period): number =>
  roughSeconds[
    (period.startsWith("m") ? period.slice(0, 2) : period.slice(0, 1)) as keyof typeof roughSeconds
  ]

/**
 * The configuration without anything that is none of it.
 *
 * @throws {SessionError} `VALIDATION_ERROR`, `SELECTOR_INVALID`
 */
export const checkConfig = (input: unknown): SessionConfig => {
  if (!isObject(input)) throw invalid("config", "type", "must be an object")
  const given = Object.fromEntries(Object.entries(input).filter(([k, v]) => known.has(k) && v !== undefined))
  const { tag, name, description, expiry, period = "secs", schema } = given
  if (typeof tag !== "string" || !tagPattern.test(tag) || !tag.isWellFormed()) {
    throw invalid("tag", "tag", "must be 1 to 128 characters without ':', '/' or white space")
  }
  if (!isPeriod(period)) throw invalid("period", "enum", `must be one of ${periods.join(", ")}`)
  const wrong =
    text("name", name) ??
    (description === undefined || typeof description === "string"
      ? undefined
      : invalid("description", "type", "must be text")) ??
    (Number.isInteger(expiry) && Number(expiry) > 0 && Number(expiry) * rough(period) <= longestSeconds
      ? undefined
      : invalid("expiry", "range", "must be a positive whole number, of at most a hundred years")) ??
    (isObject(schema) ? undefined : invalid("schema", "type", "must be an object of sample data")) ??
    seconds("refresh_expiry", given["refresh_expiry"], 1) ??
    seconds("absolute_expiry", given["absolute_expiry"], 1) ??
    seconds("reuse_leeway", given["reuse_leeway"], 0, 300)
  if (wrong !== undefined) throw wrong
  checkSelector(given["selector"], schema, tag)
  return given as unknown as SessionConfig
}
