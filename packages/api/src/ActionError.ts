import { type CodeInfo, DuctapeError, type ErrorFields } from "@ductape/core"

const codes = {
  VALIDATION_ERROR: { status: 400 },
  UNSUPPORTED_OPERATION: { status: 501 },
  INPUT_KEY_INVALID: { status: 400 },
  INPUT_CONFLICT: { status: 400 },
  INPUT_DUPLICATE: { status: 400 },
  INPUT_PARAM_INVALID: { status: 400 },
  INPUT_HEADER_INVALID: { status: 400 },
  SELECTOR_INVALID: { status: 400 },
  IMPORT_INVALID: { status: 400 },
  IMPORT_TYPE_UNSUPPORTED: { status: 400 },
  IMPORT_CONFLICT: { status: 409 },
  APP_EXISTS: { status: 409 },
  SESSION_INVALID: { status: 401 },
  OAUTH_REFRESH_FAILED: { status: 401, retryable: true },
  EGRESS_DENIED: { status: 403 },
  TIMEOUT: { status: 504, retryable: true },
  CONNECTION_ERROR: { status: 502, retryable: true },
  RATE_LIMITED: { status: 429, retryable: true },
  SERVICE_UNAVAILABLE: { status: 503, retryable: true },
  UPSTREAM_ERROR: { status: 502, retryable: true },
  UNAUTHORIZED: { status: 401 },
  FORBIDDEN: { status: 403 },
  NOT_FOUND: { status: 404 },
  REQUEST_REJECTED: { status: 400 },
  REDIRECT_REFUSED: { status: 502 },
  RESPONSE_INVALID: { status: 502 },
  RESPONSE_TOO_LARGE: { status: 502 },
  ABORTED: { status: 499 }
} as const satisfies Record<string, CodeInfo>

export type ActionErrorCode = keyof typeof codes

/** What the API answered. Never what was sent. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly data: unknown
}

export interface ActionErrorFields extends ErrorFields<ActionErrorCode> {
  /** Access tag of the connection. */
  readonly app?: string | undefined
  readonly action?: string | undefined
  /** How often the request was sent. */
  readonly attempts?: number | undefined
  readonly upstream?: UpstreamResponse | undefined
}

/**
 * A run that failed, or an import. `status` is the API's own for HTTP failures, and `response` is
 * then what it answered.
 */
export class ActionError extends DuctapeError<ActionErrorCode> {
  readonly _tag = "ActionError"
  override readonly name = "ActionError"
  readonly app: string | undefined
  readonly action: string | undefined
  readonly attempts: number
  readonly #upstream: UpstreamResponse | undefined

  constructor(fields: ActionErrorFields) {
    super(fields, codes[fields.code])
    this.app = fields.app
    this.action = fields.action
    this.attempts = fields.attempts ?? 0
    this.#upstream = fields.upstream
  }

  override get response(): {
    readonly status: number
    readonly data: unknown
    readonly headers?: UpstreamResponse["headers"]
  } {
    return this.#upstream ?? super.response
  }
}
