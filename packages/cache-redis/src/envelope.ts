import { Entry, type EntryEncoding } from "@ductape/cache"

/**
 * An entry as one JSON text. It starts with revision, creation and expiry in this order, which the
 * scripts read without parsing the rest:
 *
 *     {"r":"…","c":1767225600000,"e":1767225660000,"k":…,"u":…,"n":"…","g":"…","y":"…","t":[…],"v":"…"}
 */
export interface Envelope {
  /** Up to the creation time, which the script may put in place of this one. */
  readonly head: string
  readonly createdAt: string
  readonly tail: string
}

export const encode = (entry: Entry): Envelope => ({
  head: `{"r":${JSON.stringify(entry.revision)},"c":`,
  createdAt: String(entry.createdAt),
  tail: `,"e":${entry.expiresAt},${JSON.stringify({
    k: entry.keptUntil,
    u: entry.updatedAt,
    n: entry.encoding,
    g: entry.componentTag,
    y: entry.componentType,
    t: entry.tags,
    v: entry.value
  }).slice(1)}`
})

interface Stored {
  readonly r: string
  readonly c: number
  readonly e: number | null
  readonly k: number | null
  readonly u: number
  readonly n?: EntryEncoding
  readonly g: string
  readonly y: string
  readonly t: ReadonlyArray<string>
  readonly v: string
}

/** `undefined` for what this package did not write. */
export const decode = (text: string): Entry | undefined => {
  let stored: Stored
  try {
    stored = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof stored?.v !== "string" || typeof stored.r !== "string") return undefined
  return new Entry({
    revision: stored.r,
    value: stored.v,
    encoding: stored.n,
    createdAt: stored.c,
    updatedAt: stored.u,
    expiresAt: stored.e,
    keptUntil: stored.k,
    componentTag: stored.g,
    componentType: stored.y,
    tags: stored.t
  })
}
