import { type DuctapeError, defineError } from "@ductape/core"

/** A session configuration, token or record. Never holds a token or session data. */
export class SessionError extends defineError("SessionError", {
  SESSION_CONFIG_NOT_FOUND: { status: 404 },
  SESSION_CONFIG_EXISTS: { status: 409 },
  SELECTOR_INVALID: { status: 400 },
  SESSION_DATA_INVALID: { status: 400 },
  /** The token was refused; why is in `cause`, for logs, since `response` may reach an end user. */
  SESSION_INVALID: { status: 401 },
  SESSION_REVOKED: { status: 401 },
  REFRESH_INVALID: { status: 401 },
  REFRESH_EXPIRED: { status: 401 },
  /** A retired refresh token was shown again; the whole session has been ended. */
  REFRESH_REUSED: { status: 401 },
  SESSION_NOT_FOUND: { status: 404 },
  SESSION_USER_NOT_FOUND: { status: 404 },
  VALIDATION_ERROR: { status: 400 },
  SESSION_STORE_FAILED: { status: 500 },
  UNSUPPORTED_OPERATION: { status: 501 },
  TIMEOUT: { status: 504, retryable: true },
  /** The call's `signal` was aborted. */
  ABORTED: { status: 499 }
}) {}

/** A wrong input: what, where, and what it must be. */
export const invalid = (path: string, rule: string, message: string): SessionError =>
  new SessionError({
    code: "VALIDATION_ERROR",
    message: `'${path}' ${message}.`,
    details: [{ path, rule, message }]
  })

/** The store's own failure, retryable where the store says so. */
export const storeFailed = (operation: string, cause: DuctapeError): SessionError =>
  new SessionError({
    code: "SESSION_STORE_FAILED",
    message: `The session store failed to ${operation} (${cause.code}).`,
    status: cause.retryable ? 503 : 500,
    retryable: cause.retryable,
    cause
  })
