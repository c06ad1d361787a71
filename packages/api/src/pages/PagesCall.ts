import { ActionError } from "../ActionError.ts"
import { isPlainObject } from "../request/plainObject.ts"
import type { RunCall } from "../run/RunCall.ts"

/**
 * How an API pages. Paths into answers are dotted (`meta.next`); `into` and the like are input keys as
 * `run` takes them (`cursor`, `query:page`).
 *
 * - `link`: follows the `next` of the `Link` header (RFC 8288), on the connection's own origin only.
 * - `cursor`: puts the value at `from` into `into` until there is none, or it repeats.
 * - `page`: counts up `into` until a page is empty or shorter than `size`.
 * - `offset`: adds the items of each page to `into`, likewise.
 */
export type Paging =
  | { readonly kind: "link" }
  | {
      readonly kind: "cursor"
      readonly from: string
      readonly into: string
      /** Path to a flag that is false on the last page. */
      readonly more?: string | undefined
    }
  | {
      readonly kind: "page"
      readonly into: string
      /** Default: 1. */
      readonly start?: number | undefined
      /** Path to the items. Default: the body, if it is an array, else the first array in it. */
      readonly items?: string | undefined
      /** Items of a full page; a shorter one is the last. */
      readonly size?: number | undefined
      /** Path to the number of the last page. */
      readonly last?: string | undefined
    }
  | {
      readonly kind: "offset"
      readonly into: string
      /** Default: 0. */
      readonly start?: number | undefined
      readonly items?: string | undefined
      readonly size?: number | undefined
      /** Path to the number of all items. */
      readonly total?: string | undefined
    }

export interface PagesCall extends Omit<RunCall, "returns"> {
  /** Default: `{ kind: 'link' }`. */
  readonly pages?: (Paging & { readonly max?: number | undefined }) | undefined
}

const invalid = (path: string, message: string): never => {
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `api.pages({ ${path} }): ${message}.`,
    details: [{ location: "call", path, rule: "type", message }]
  })
}

const needed: Readonly<Record<string, ReadonlyArray<string>>> = {
  link: [],
  cursor: ["from", "into"],
  page: ["into"],
  offset: ["into"]
}

/** @throws {ActionError} `VALIDATION_ERROR` */
export const checkPaging = (pages: PagesCall["pages"]): Paging & { readonly max: number } => {
  const paging: Paging & { readonly max?: number | undefined } = pages ?? { kind: "link" }
  if (!isPlainObject(paging)) return invalid("pages", "must be an object")
  const fields = needed[paging.kind]
  if (fields === undefined) return invalid("pages.kind", "must be 'link', 'cursor', 'page' or 'offset'")
  for (const field of fields) {
    const value = (paging as Record<string, unknown>)[field]
    if (typeof value !== "string" || value === "") {
      invalid(`pages.${field}`, `must be a non-empty string for kind '${paging.kind}'`)
    }
  }
  const max = paging.max ?? Number.POSITIVE_INFINITY
  if (typeof max !== "number" || !(max >= 1)) invalid("pages.max", "must be at least 1")
  return { ...paging, max }
}
