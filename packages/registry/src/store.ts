/** What those need who write a store of their own. */
export type { Change, Query, RegistryStoreShape, StoredRecord, SyncReads } from "./RegistryStore.ts"
export {
  closedStore,
  compareCodePoints,
  conflict,
  findsNothing,
  holds,
  refuseChanges,
  stored
} from "./storeRules.ts"
