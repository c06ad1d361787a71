import { defineError } from "./DuctapeError.ts"

/** Product and environment could not be told, or do not exist. */
export class ContextError extends defineError("ContextError", {
  CONTEXT_MISSING: { status: 400 },
  VALIDATION_ERROR: { status: 400 }
}) {}

/** What every call of every capability takes. */
export interface CallOptions {
  readonly product?: string | undefined
  /** Older spelling of `product`. */
  readonly product_tag?: string | undefined
  readonly env?: string | undefined
  /** A session token as `start` returned it (`tag:jwt`), or its parts. */
  readonly session?: SessionInput | undefined
  /** Tag of a cache of the product. */
  readonly cache?: string | undefined
  /** Deadline of the whole call in milliseconds. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type SessionInput = string | { readonly tag: string; readonly token: string }

export interface ContextDefaults {
  readonly product?: string | undefined
  readonly env?: string | undefined
}

/** The product and environment that a call runs in. */
export interface ResolvedContext {
  readonly product: string
  readonly env: string
}

const pick = (
  field: "product" | "env",
  sources: ReadonlyArray<(ContextDefaults & { readonly product_tag?: string | undefined }) | undefined>
): string => {
  for (const source of sources) {
    const value = source?.[field] ?? (field === "product" ? source?.product_tag : undefined)
    if (value === undefined || value === null) continue
    if (typeof value !== "string" || value === "") {
      throw new ContextError({
        code: "VALIDATION_ERROR",
        message: `'${field}' must be a non-empty string.`,
        details: [{ path: field, rule: "type", message: "must be a non-empty string" }]
      })
    }
    return value
  }
  throw new ContextError({
    code: "CONTEXT_MISSING",
    message: `No '${field}' for this call. Set both once on new Ductape({ accessKey, product, env }), or pass '${field}' with the call.`,
    details: { field }
  })
}

/**
 * Takes `product` and `env`, each from the first source that has it: the call, the active
 * connection, the constructor.
 *
 * @throws {ContextError} `CONTEXT_MISSING` naming the field
 */
export const resolveContext = (
  call: Pick<CallOptions, "product" | "product_tag" | "env">,
  ...others: ReadonlyArray<ContextDefaults | undefined>
): ResolvedContext => ({
  product: pick("product", [call, ...others]),
  env: pick("env", [call, ...others])
})
