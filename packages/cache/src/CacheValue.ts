import { type CacheScope, type Entry, encodeKey, scopeId } from "./CacheStore.ts"

/** A cached value with what is known of it. Frozen; its dates are made anew each time they are read. */
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
  const { createdAt, updatedAt, expiresAt } = entry
  const record = {
    _id: `${scopeId(scope)}:${encodeKey(key)}`,
    key,
    value,
    cache_tag: scope.cache,
    product_tag: scope.product,
    env: scope.env,
    component_tag: entry.componentTag,
    component_type: entry.componentType,
    get createdAt() {
      return new Date(createdAt)
    },
    get updatedAt() {
      return new Date(updatedAt)
    }
  }
  if (expiresAt !== null) {
    Object.defineProperty(record, "expiry", { enumerable: true, get: () => new Date(expiresAt) })
  }
  if (entry.tags.length > 0) Object.assign(record, { tags: entry.tags })
  return Object.freeze(record)
}
