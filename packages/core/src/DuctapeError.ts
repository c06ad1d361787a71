import { inspect } from "node:util"
import * as Data from "effect/Data"

/** `UNIQUE_VIOLATION` → `UniqueViolation`. */
export type ReasonTag<Code extends string> = Code extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Lowercase<Head>>}${ReasonTag<Tail>}`
  : Capitalize<Lowercase<Code>>

/** Why a call failed: match on `_tag` (or `code`), retry on `isRetryable`. */
export interface Reason<Code extends string = string> {
  readonly _tag: ReasonTag<Code>
  readonly code: Code
  readonly isRetryable: boolean
}

/** What a code stands for: its HTTP-like status, and whether the same call may succeed later. */
export interface CodeInfo {
  readonly status: number
  readonly retryable?: boolean
}

/** Older spellings of codes; they compare equal in `DuctapeError.is`. */
const aliases: Readonly<Record<string, string>> = {
  TIMEOUT_ERROR: "TIMEOUT",
  NOT_SUPPORTED: "UNSUPPORTED_OPERATION",
  CACHE_UNSUPPORTED: "UNSUPPORTED_OPERATION"
}

const canonical = (code: string): string => aliases[code] ?? code

export interface ErrorFields<Code extends string> {
  readonly code: Code
  /** What was wrong, where (path, tag, env), and what to do next. Never a secret or a bound value. */
  readonly message: string
  /** Default: that of the code. */
  readonly status?: number | undefined
  /** Default: that of the code. */
  readonly retryable?: boolean | undefined
  readonly details?: unknown
  readonly cause?: unknown
}

const tagOf = (code: string): string =>
  code
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("")

/**
 * The base of every error that Ductape raises. Packages derive one class each with
 * {@link defineError}; `code` is stable, `message` is for people.
 *
 * - `status`: an HTTP status in meaning; for failures of a third-party API, its own.
 * - `retryable`: whether the same call may succeed later without a change.
 * - `details`: structured facts (a list of validation failures, say), free of secrets.
 * - `reason`: the same as a tagged value, for `Effect.catchReason`.
 */
export abstract class DuctapeError<Code extends string = string> extends Data.Error<{
  readonly message: string
  readonly cause?: unknown
}> {
  abstract readonly _tag: string
  readonly code: Code
  readonly status: number
  readonly retryable: boolean
  readonly details: unknown
  readonly reason: Reason<Code>

  constructor(fields: ErrorFields<Code>, info: CodeInfo) {
    super(
      fields.cause === undefined
        ? { message: fields.message }
        : { message: fields.message, cause: fields.cause }
    )
    this.code = fields.code
    this.status = fields.status ?? info.status
    this.retryable = fields.retryable ?? info.retryable ?? false
    this.details = fields.details
    this.reason = {
      _tag: tagOf(fields.code) as ReasonTag<Code>,
      code: fields.code,
      isRetryable: this.retryable
    }
  }

  get isRetryable(): boolean {
    return this.retryable
  }

  /** The error in the shape of an HTTP client's: `error.response?.status === 409` works. */
  get response(): { readonly status: number; readonly data: unknown } {
    return {
      status: this.status,
      data: {
        code: this.code,
        message: this.message,
        ...(this.details === undefined ? {} : { details: this.details })
      }
    }
  }

  /** Whether this error has the code, or the code is an older spelling of it. */
  is(code: string): boolean {
    return canonical(this.code) === canonical(code)
  }

  /** Code, status and message, without `cause`: a cause may hold what the driver was given. */
  override toJSON(): unknown {
    return {
      _tag: this._tag,
      code: this.code,
      status: this.status,
      retryable: this.retryable,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details })
    }
  }

  [inspect.custom](): string {
    const details = this.details === undefined ? "" : ` ${inspect(this.details, { depth: 6 })}`
    return `${this.stack ?? `${this._tag}: ${this.message}`}\n  [${this.code} ${this.status}]${details}`
  }
}

/**
 * The error class of one package.
 *
 * @example
 * export class CacheError extends defineError("CacheError", {
 *   CACHE_NOT_FOUND: { status: 404 },
 *   GET_VALUE_FAILED: { status: 502, retryable: true }
 * }) {}
 *
 * new CacheError({ code: "CACHE_NOT_FOUND", message: "No cache 'fx' in product 'shop'." })
 */
export const defineError = <const Tag extends string, const Codes extends Readonly<Record<string, CodeInfo>>>(
  tag: Tag,
  codes: Codes
) => {
  type Code = keyof Codes & string
  abstract class Defined extends DuctapeError<Code> {
    static readonly codes: ReadonlyArray<Code> = Object.keys(codes) as Array<Code>
    readonly _tag: Tag = tag
    override readonly name: Tag = tag
    constructor(fields: ErrorFields<Code>) {
      super(fields, codes[fields.code] ?? { status: 500 })
    }
  }
  return Defined as unknown as (new (
    fields: ErrorFields<Code>
  ) => DuctapeError<Code> & { readonly _tag: Tag }) & {
    readonly codes: ReadonlyArray<Code>
  }
}

export const isDuctapeError = (u: unknown): u is DuctapeError => u instanceof DuctapeError
