import type { Adapter } from "@ductape/core"
import type { RegistryError, RegistryStoreShape } from "@ductape/registry"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { PostgresStore } from "./PostgresStore.ts"

export { PostgresStore, type PostgresStoreOptions } from "./PostgresStore.ts"

/** The adapter that opens `postgres://` and `postgresql://` stores. */
export const postgresRegistry = (): Adapter<
  "registry",
  (url: string) => Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope>
> => ({
  capability: "registry",
  type: "postgresql",
  schemes: ["postgres", "postgresql"],
  make: PostgresStore.make
})
