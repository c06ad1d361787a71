import type { Action, AuthDefinition, Variable } from "@ductape/registry"
import type { ImportDocType } from "./ImportDocTypes.ts"

/** An operation as it is about to get its tag. */
export interface ImportedOperation {
  /** The tag that it gets unless another is chosen. */
  readonly tag: string
  /** `operationId`, or the name of a Postman request. */
  readonly id: string | undefined
  readonly method: string
  /** As the document has it, such as `/users/{id}`. */
  readonly path: string
  readonly folder: ReadonlyArray<string>
}

export interface PlanOptions {
  /** The document: text or bytes (JSON or YAML), or already parsed. Never changed. */
  readonly file: string | Uint8Array | object
  readonly type: ImportDocType | (string & {})
  /**
   * The base URL of the API, instead of the document's own. Needed where the document names none or
   * a relative one.
   */
  readonly base_url?: string | undefined
  /**
   * Other tags than the generated ones: new tags by generated tag or `operationId`
   * (`{ "post-charges": "create-charge" }`), or a function that returns one, or `undefined` to keep
   * the generated one. Letters, digits, `-`, `_` and `.`; two operations cannot share one.
   */
  readonly tags?:
    | Readonly<Record<string, string>>
    | ((operation: ImportedOperation) => string | undefined)
    | undefined
  /** The largest document in bytes. Default: 20 MiB. Documents given parsed are not measured. */
  readonly maxBytes?: number | undefined
}

/** Everything that an import would write. */
export interface ImportPlan {
  readonly title: string
  readonly version?: string
  readonly description?: string
  /** Absent where neither the document nor the caller names one. */
  readonly base_url?: string
  readonly actions: ReadonlyArray<Action>
  readonly variables: ReadonlyArray<Variable>
  readonly auths: ReadonlyArray<AuthDefinition>
  readonly warnings: ReadonlyArray<string>
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>
}
