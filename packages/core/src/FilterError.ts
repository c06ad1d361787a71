import { defineError } from "./DuctapeError.ts"

/**
 * A filter that cannot be read. `details` is a list with one entry `{ path, rule, message }`; the
 * message names the path and the kind of value found there, never the value.
 */
export class FilterError extends defineError("FilterError", {
  VALIDATION_ERROR: { status: 400 }
}) {}

export const filterError = (path: string, rule: string, message: string): FilterError =>
  new FilterError({
    code: "VALIDATION_ERROR",
    message: `${path}: ${message}`,
    details: [{ path, rule, message }]
  })
