import * as Effect from "effect/Effect"
import type { RegistryStoreShape, StoredRecord } from "../RegistryStore.ts"

/** Each by the rule that it holds a store to. */
export type StoreTests = Readonly<Record<string, (store: RegistryStoreShape) => Effect.Effect<void, unknown>>>

export const keys = (records: ReadonlyArray<StoredRecord>) => records.map((record) => record.key)
export const values = (records: ReadonlyArray<StoredRecord>) => records.map((record) => record.value)

/** Writes records of a kind with their keys as values; sessions and the like, no definitions. */
export const fill = (store: RegistryStoreShape, kind: string, names: ReadonlyArray<string>) =>
  store.write(
    names.map((key) => ({ op: "put", kind, key, value: JSON.stringify(key) })),
    { definitions: false }
  )

/** By the machine's clock: stores do not follow a test's. */
export const realSleep = (milliseconds: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise((resolve) => setTimeout(resolve, milliseconds)))
