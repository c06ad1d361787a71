import type { CallOptions, ContextDefaults, ResolvedContext, SessionInput } from "@ductape/core"
import { resolveContext } from "@ductape/core"
import { ActionError } from "../ActionError.ts"
import type { RetryConfig } from "../http/retryPolicy.ts"
import { isPlainObject } from "../request/plainObject.ts"

/** Input by section; `body` may also be an array, bytes, a Blob or a stream. */
export interface StructuredInput {
  readonly body?: unknown
  readonly query?: Readonly<Record<string, unknown>>
  readonly params?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, unknown>>
  readonly cookies?: Readonly<Record<string, unknown>>
}

/** Fields by name; `query:x`, `body:x`, `params:x`, `headers:x`, `cookies:x` say where one goes. */
export type FlatInput = Readonly<Record<string, unknown>>

/** How `api.run` is called. */
export interface RunCall extends CallOptions {
  /** Access tag of the connection. */
  readonly app: string
  /** Tag of the action. */
  readonly action?: string | undefined
  /** Older spelling of `action`. */
  readonly event?: string | undefined
  readonly input?: FlatInput | StructuredInput | undefined
  /** Attempts after the first. Default: 0. */
  readonly retries?: number | undefined
  readonly retryConfig?: RetryConfig | undefined
  /**
   * `body` (default): the parsed body. `response`: a {@link RunResponse}. `stream`: a Node `Readable`
   * of the decompressed body, as soon as the headers are there; `Readable.toWeb` makes it a Web stream.
   */
  readonly returns?: "body" | "response" | "stream" | undefined
  /**
   * Sent as `Idempotency-Key`. Default: a random one for POST and PATCH with `retries`, unless the
   * header is set; `false`: none.
   */
  readonly idempotencyKey?: string | false | undefined
}

/** What `returns: 'response'` gives. */
export interface RunResponse<T = unknown> {
  readonly status: number
  /** Lower-case names. Empty for an answer from a cache, of which only the body is kept. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly data: T
  /** How often the request was sent; 0 for an answer from a cache. */
  readonly attempts: number
  /** Milliseconds, waits included. */
  readonly duration: number
  readonly cached: boolean
}

/** A call with its aliases resolved and its options checked. */
export interface CheckedCall {
  readonly context: ResolvedContext
  readonly app: string
  readonly action: string
  readonly input: unknown
  readonly retries: number
  readonly retryConfig: RetryConfig | undefined
  readonly returns: "body" | "response" | "stream"
  readonly idempotencyKey: string | false | undefined
  readonly cache: string | undefined
  readonly session: SessionInput | undefined
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
}

const invalid = (path: string, message: string): never => {
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `api.run({ ${path} }): ${message}.`,
    details: [{ location: "call", path, rule: "type", message }]
  })
}

const name = (value: unknown, path: string): string =>
  typeof value === "string" && value !== "" ? value : invalid(path, "must be a non-empty string")

const delay = (value: unknown, path: string, least: number): void => {
  if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value) || value < least)) {
    invalid(path, `must be a number of at least ${least}`)
  }
}

const checkRetryConfig = (config: RetryConfig | undefined): RetryConfig | undefined => {
  if (config === undefined) return undefined
  if (!isPlainObject(config)) return invalid("retryConfig", "must be an object")
  delay(config.initialDelay, "retryConfig.initialDelay", 0)
  delay(config.maxDelay, "retryConfig.maxDelay", 0)
  delay(config.backoffMultiplier, "retryConfig.backoffMultiplier", 1)
  for (const path of ["retryableErrors", "nonRetryableErrors"] as const) {
    if (config[path] !== undefined && !Array.isArray(config[path])) {
      invalid(`retryConfig.${path}`, "must be a list of error codes")
    }
  }
  return config
}

const isOption = <const Options extends ReadonlyArray<string>>(
  value: unknown,
  options: Options
): value is Options[number] => typeof value === "string" && options.includes(value)

/** @throws {ActionError} `VALIDATION_ERROR`; `ContextError` `CONTEXT_MISSING` */
export const checkCall = (call: RunCall, defaults: ContextDefaults | undefined): CheckedCall => {
  if (typeof call !== "object" || call === null) return invalid("…", "takes an object")
  const returns = call.returns ?? "body"
  if (!isOption(returns, ["body", "response", "stream"])) {
    return invalid("returns", "must be 'body', 'response' or 'stream'")
  }
  const retries = call.retries ?? 0
  if (!Number.isInteger(retries) || retries < 0) invalid("retries", "must be a whole number of at least 0")
  if (call.timeout !== undefined && !(typeof call.timeout === "number" && call.timeout > 0)) {
    invalid("timeout", "must be a number of milliseconds above 0")
  }
  const key = call.idempotencyKey
  if (key !== undefined && key !== false) name(key, "idempotencyKey")
  if (call.cache !== undefined) {
    name(call.cache, "cache")
    if (returns === "stream") invalid("cache", "cannot be used with returns: 'stream'")
  }
  return {
    context: resolveContext(call, defaults),
    app: name(call.app, "app"),
    action: name(call.action ?? call.event, "action"),
    input: call.input,
    retries,
    retryConfig: checkRetryConfig(call.retryConfig),
    returns,
    idempotencyKey: key,
    cache: call.cache,
    session: call.session,
    timeout: call.timeout,
    signal: call.signal
  }
}
