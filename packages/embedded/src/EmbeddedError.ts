import { defineError } from "@ductape/core"

/** The embedded database could not be opened. */
export class EmbeddedError extends defineError("EmbeddedError", {
  VALIDATION_ERROR: { status: 400 },
  /** Another process has the folder open. */
  FOLDER_LOCKED: { status: 423, retryable: true },
  ADAPTER_MISSING: { status: 501 },
  UNSUPPORTED_OPERATION: { status: 501 },
  OPEN_FAILED: { status: 500 }
}) {}
