import { type CacheScope, type Entry, encodeKey, scopeId } from "./CacheStore.ts"

/** A cached value with what is known of it. Frozen, and shared by those who read it in one process. */
export interface CacheValue {
  readonly _id: string
  readonly key: string
  /** Always text: JSON unless a string was stored. */
  readonly value: string
  readonly cache_tag: string
  readonly product_tag: string
  readonly env: string
  readonly component_tag: string
  readonly component_type: string
  /** Dead from then on; absent: never. */
  readonly expiry?: Date
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Tags that it can be cleared by; absent if it has none. */
  readonly tags?: ReadonlyArray<string>
}

/** `value`: the entry's text, opened. */
export const makeRecord = (scope: CacheScope, key: string, entry: Entry, value: string): CacheValue => {
  const { createdAt, updatedAt, expiresAt, tags } = entry
  // One shape for most records: an object of a shape of its own is slow to hand over in a promise.
  const record = {
    _id: `${scopeId(scope)}:${encodeKey(key)}`,
    key,
    value,
    cache_tag: scope.cache,
    product_tag: scope.product,
    env: scope.env,
    component_tag: entry.componentTag,
    component_type: entry.componentType,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt)
  }
  if (expiresAt !== null) Object.assign(record, { expiry: new Date(expiresAt) })
  if (tags.length > 0) Object.assign(record, { tags })
  return Object.freeze(record)
}
