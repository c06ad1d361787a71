import { FindOneResult, FindResult } from "./results.ts"
import type { Row } from "./types.ts"

const pack = (value: unknown): unknown => {
  if (value instanceof Date) return { $date: value.getTime() }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") }
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) }
  if (Array.isArray(value)) return value.map(pack)
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => [key, pack(item)] as const)
    const out = Object.fromEntries(entries)
    // JSON data that looks like one of our marks is wrapped, so that it comes back as it was.
    const [only] = entries
    return entries.length === 1 && only?.[0].startsWith("$") === true ? { $object: out } : out
  }
  return value
}

const unpack = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unpack)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only !== undefined) {
    const [key, item] = only
    if (key === "$date") return new Date(item as number)
    if (key === "$bytes") return Buffer.from(item as string, "base64")
    if (key === "$number") return Number(item)
    if (key === "$object") {
      return Object.fromEntries(Object.entries(item as object).map(([name, inner]) => [name, unpack(inner)]))
    }
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, unpack(item)]))
}

/** Results as JSON and back, dates and bytes included: what a cache keeps. */
export const plainCodec = { pack, unpack }

export const findCodec = {
  pack: (result: FindResult): unknown => ({
    records: pack(result.records),
    count: result.count,
    fields: result.fields ?? null,
    next: result.nextCursor === undefined ? [] : [result.nextCursor]
  }),
  unpack: (packed: unknown): FindResult => {
    const kept = packed as {
      readonly records: unknown
      readonly count: number
      readonly fields: Array<string> | null
      readonly next: ReadonlyArray<string | null>
    }
    return new FindResult(
      unpack(kept.records) as Array<Row>,
      kept.count,
      kept.fields ?? undefined,
      kept.next[0]
    )
  }
}

export const findOneCodec = {
  pack: (result: FindOneResult): unknown => pack(result.record),
  unpack: (packed: unknown): FindOneResult => new FindOneResult(unpack(packed) as Row | null)
}
