export type { Binding, CacheFailure } from "./Bindings.ts"
export type { CacheConfig, CacheType, StoredCacheConfig } from "./CacheConfig.ts"
export { CacheError } from "./CacheError.ts"
export type { CacheCall, Lifetime } from "./CacheInput.ts"
export * from "./CacheStore.ts"
export { Caches, type CachesOptions, type CachesShape } from "./Caches.ts"
export type { CacheValue } from "./CacheValue.ts"
export type { CacheCalls } from "./calls.ts"
export type { CacheConfigs, ProductInput } from "./configs.ts"
export type {
  CacheListing,
  Dashboard,
  ExpiryFilter,
  FetchValuesInput,
  KeysInput,
  ValuesInput,
  ValuesPage
} from "./listing.ts"
export { type MemoryEntries, type MemoryProvider, memoryProvider } from "./MemoryStore.ts"
export type { LeaseOptions } from "./ReadThrough.ts"
export type { CacheReads, GetInput, Loader, ReadInput } from "./reads.ts"
export type {
  CacheWrites,
  ClearInput,
  CompareAndSetInput,
  ExpireInput,
  IncrementInput,
  SetInput
} from "./writes.ts"
