import type { CheckCounts } from "./checkDocument.ts"

export interface ToWorker {
  readonly file: string
}

export type FromWorker =
  | { readonly kind: "ready" }
  | {
      readonly kind: "refused"
      readonly code: string
      readonly message: string
      readonly milliseconds: number
    }
  | {
      readonly kind: "imported"
      readonly milliseconds: number
      readonly actions: number
      /** Reasons, one for each operation that became no action. */
      readonly skipped: ReadonlyArray<string>
      /** The actions as JSON. */
      readonly bytes: number
    }
  | { readonly kind: "checked"; readonly counts: CheckCounts }
