import { defineError } from "@ductape/core"

/** A definition, an access key or the workspace's store. */
export class RegistryError extends defineError("RegistryError", {
  VALIDATION_ERROR: { status: 400 },
  CREDENTIALS_MISSING: { status: 401 },
  CREDENTIALS_UNSUPPORTED: { status: 401 },
  ACCESS_KEY_INVALID: { status: 401 },
  WORKSPACE_MISMATCH: { status: 403 },
  WORKSPACE_NOT_FOUND: { status: 404 },
  WORKSPACE_EXISTS: { status: 409 },
  CLIENT_CLOSED: { status: 499 },
  BUILDER_CONTEXT_MISSING: { status: 400 },
  PRODUCT_NOT_FOUND: { status: 404 },
  PRODUCT_EXISTS: { status: 409 },
  ENV_NOT_FOUND: { status: 404 },
  ENV_EXISTS: { status: 409 },
  ENV_INACTIVE: { status: 403 },
  APP_NOT_FOUND: { status: 404 },
  APP_EXISTS: { status: 409 },
  APP_ENV_NOT_MAPPED: { status: 404 },
  APP_AMBIGUOUS: { status: 409 },
  APP_NOT_CONNECTED: { status: 404 },
  CONNECTION_NOT_FOUND: { status: 404 },
  VARIABLE_NOT_FOUND: { status: 404 },
  VARIABLE_EXISTS: { status: 409 },
  CONSTANT_NOT_FOUND: { status: 404 },
  CONSTANT_EXISTS: { status: 409 },
  AUTH_NOT_FOUND: { status: 404 },
  AUTH_EXISTS: { status: 409 },
  ACTION_NOT_FOUND: { status: 404 },
  ACTION_EXISTS: { status: 409 },
  ACTION_AMBIGUOUS: { status: 409 },
  NOT_FOUND: { status: 404 },
  ALREADY_EXISTS: { status: 409 },
  IN_USE: { status: 409 },
  /** Another writer was first; read again and repeat. */
  WRITE_CONFLICT: { status: 409, retryable: true },
  SEAL_BROKEN: { status: 500 },
  STORE_CORRUPT: { status: 500 },
  STORE_BUSY: { status: 503, retryable: true },
  CONNECTION_ERROR: { status: 503, retryable: true },
  STORE_FAILED: { status: 500 },
  TIMEOUT: { status: 504, retryable: true }
}) {}

/** A secret could not be kept or resolved. Names keys only. */
export class SecretError extends defineError("SecretError", {
  VALIDATION_ERROR: { status: 400 },
  SECRET_EXISTS: { status: 409 },
  SECRET_NOT_FOUND: { status: 404 },
  SECRET_REVOKED: { status: 403 },
  SECRET_EXPIRED: { status: 403 },
  SECRET_SCOPE: { status: 403 },
  SECRET_ENV: { status: 403 },
  SECRET_DECRYPT: { status: 500 }
}) {}
