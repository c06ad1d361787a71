import { defineError } from "./DuctapeError.ts"

/**
 * A template that cannot be read or evaluated. Messages name operators, references and kinds of
 * values, never a value.
 *
 * - `TEMPLATE_SYNTAX`: a known name is not followed by what its grammar asks for.
 * - `TEMPLATE_LIMIT`: source over 64 KiB, nesting over 32 levels, a result over 1 MiB, or too much work.
 * - `REFERENCE_UNKNOWN`, `OPERATOR_UNKNOWN`: no such name (stored definitions only).
 * - `REFERENCE_NOT_FOUND`: the path leads nowhere. `REFERENCE_UNAVAILABLE`: nothing of that name here.
 * - `REFERENCE_AMBIGUOUS`: several things fit. `REFERENCE_CYCLE`: a definition needs itself.
 * - `REFERENCE_FORBIDDEN`: `__proto__`, `prototype` or `constructor` in a path.
 * - `OPERATOR_ARITY`, `OPERATOR_TYPE`, `OPERATOR_RANGE`: number, kind and bounds of arguments.
 */
export class TemplateError extends defineError("TemplateError", {
  TEMPLATE_SYNTAX: { status: 400 },
  TEMPLATE_LIMIT: { status: 400 },
  REFERENCE_UNKNOWN: { status: 400 },
  REFERENCE_NOT_FOUND: { status: 400 },
  REFERENCE_UNAVAILABLE: { status: 400 },
  REFERENCE_AMBIGUOUS: { status: 400 },
  REFERENCE_CYCLE: { status: 400 },
  REFERENCE_FORBIDDEN: { status: 400 },
  OPERATOR_UNKNOWN: { status: 400 },
  OPERATOR_ARITY: { status: 400 },
  OPERATOR_TYPE: { status: 400 },
  OPERATOR_RANGE: { status: 400 }
}) {}

export type TemplateErrorCode = TemplateError["code"]

/** Where in a template an error arose. */
export interface TemplateErrorDetails {
  /** UTF-16 index into the template, as `String.prototype.slice` takes it. */
  readonly offset: number
  /** With its `$`. */
  readonly operator?: string
  /** As written: `$Session{user}{id}`. */
  readonly reference?: string
  /**
   * Where the template stands in the value that was walked (`body.items[2].name`), or the reference that
   * leads to the stored definition which it is (`$Variable{crm}{token}`).
   */
  readonly path?: string
}

export const templateError = (
  code: TemplateErrorCode,
  message: string,
  details: TemplateErrorDetails
): TemplateError => new TemplateError({ code, message: `${message} (at offset ${details.offset}).`, details })

/** The same error, saying where in a walked value the template stands. */
export const templateErrorAt = (path: string, error: TemplateError): TemplateError => {
  const details = (error.details ?? { offset: 0 }) as TemplateErrorDetails
  return details.path === undefined
    ? new TemplateError({
        code: error.code,
        message: `${path}: ${error.message}`,
        details: { ...details, path },
        cause: error.cause
      })
    : error
}
