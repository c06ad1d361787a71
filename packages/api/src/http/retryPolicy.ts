import type { ActionErrorCode } from "../ActionError.ts"
import { headerText, type ResponseHeaders } from "./decodeBody.ts"

/** How retries are spaced, and which errors they narrow to. */
export interface RetryConfig {
  /** Milliseconds before the first retry. Default: 1000. */
  readonly initialDelay?: number | undefined
  /** Default: 2. */
  readonly backoffMultiplier?: number | undefined
  /** Milliseconds; also the most that a `Retry-After` is waited for. Default: 30000. */
  readonly maxDelay?: number | undefined
  /** Takes a random part of at least half of each delay. Default: true. */
  readonly jitter?: boolean | undefined
  /** Of the errors that are retried at all, only these. */
  readonly retryableErrors?: ReadonlyArray<ActionErrorCode | (string & {})> | undefined
  /** Never these. */
  readonly nonRetryableErrors?: ReadonlyArray<ActionErrorCode | (string & {})> | undefined
}

/** Milliseconds that an answer asks to wait: seconds or an HTTP date (RFC 9110, 10.2.3). */
export const retryAfter = (headers: ResponseHeaders, now: number): number | undefined => {
  const text = headerText(headers, "retry-after")?.trim()
  if (text === undefined || text === "") return undefined
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Whether a kind of error is one that this configuration retries. */
export const allowsRetry = (config: RetryConfig | undefined, code: ActionErrorCode): boolean =>
  (config?.retryableErrors === undefined || config.retryableErrors.includes(code)) &&
  config?.nonRetryableErrors?.includes(code) !== true

/** Milliseconds to wait before retry number `retry` (from 0); `random` is from 0 to 1. */
export const retryDelay = (
  config: RetryConfig | undefined,
  retry: number,
  asked: number | undefined,
  random: number
): number => {
  const maxDelay = config?.maxDelay ?? 30_000
  if (asked !== undefined) return Math.min(asked, maxDelay)
  const backoff = (config?.initialDelay ?? 1000) * (config?.backoffMultiplier ?? 2) ** retry
  const delay = Math.min(backoff, maxDelay)
  return config?.jitter === false ? delay : delay / 2 + (delay / 2) * random
}
