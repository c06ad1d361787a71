import { defineError } from "@ductape/core"

/**
 * A cache configuration or a cached value.
 *
 * - `…_FAILED`: the named operation failed in the provider. A value that cannot be stored at all
 *   (`undefined`, a cycle, too large) is `SET_VALUE_FAILED` too, with status 400 and not retryable.
 * - The others are raised before the provider is asked, but for `CONNECTION_ERROR` and `TIMEOUT`.
 */
export class CacheError extends defineError("CacheError", {
  GET_VALUE_FAILED: { status: 502, retryable: true },
  SET_VALUE_FAILED: { status: 502, retryable: true },
  CLEAR_VALUE_FAILED: { status: 502, retryable: true },
  CLEAR_VALUES_FAILED: { status: 502, retryable: true },
  FETCH_VALUES_FAILED: { status: 502, retryable: true },
  FETCH_DASHBOARD_FAILED: { status: 502, retryable: true },
  CACHE_NOT_FOUND: { status: 404 },
  CACHE_EXISTS: { status: 409 },
  CACHE_KEY_AMBIGUOUS: { status: 409 },
  CACHE_UNSUPPORTED: { status: 501 },
  VALIDATION_ERROR: { status: 400 },
  UNSUPPORTED_OPERATION: { status: 501 },
  CONNECTION_ERROR: { status: 503, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
  STORE_FAILED: { status: 502 }
}) {}

/** Bad input: names the field and the rule. */
export const invalid = (path: string, rule: string): CacheError =>
  new CacheError({
    code: "VALIDATION_ERROR",
    message: `'${path}' ${rule}.`,
    details: [{ path, rule: "value", message: rule }]
  })
