import * as Effect from "effect/Effect"
import { RegistryError } from "./RegistryError.ts"
import type { StoredRecord } from "./RegistryStore.ts"

/** @throws {RegistryError} `STORE_CORRUPT` */
export const parseRecord = <T>(record: Pick<StoredRecord, "kind" | "key" | "value">): T => {
  try {
    return JSON.parse(record.value) as T
  } catch {
    throw new RegistryError({
      code: "STORE_CORRUPT",
      message: `The ${record.kind} '${record.key}' in the store cannot be read. Restore the store from a backup.`
    })
  }
}

/** `JSON.parse` and unsealing throw our own error; everything else is a defect. */
export const attempt = <A>(work: () => A): Effect.Effect<A, RegistryError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (cause) {
      return cause instanceof RegistryError ? Effect.fail(cause) : Effect.die(cause)
    }
  })
