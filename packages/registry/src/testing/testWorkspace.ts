import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { MemoryStore } from "../MemoryStore.ts"
import { openRegistry } from "../openRegistry.ts"
import type { RegistryShape } from "../Registry.ts"
import type { RegistryError } from "../RegistryError.ts"
import type { RegistryStoreShape } from "../RegistryStore.ts"
import { createWorkspace } from "../workspace.ts"

/** A new workspace, opened: in memory unless a store is given, which must be empty. */
export const testWorkspace = Effect.fnUntraced(function* (
  options: { readonly store?: RegistryStoreShape; readonly name?: string } = {}
): Effect.fn.Return<RegistryShape & { readonly accessKey: string }, RegistryError, Scope.Scope> {
  const store = options.store ?? (yield* MemoryStore.make())
  const { accessKey } = yield* createWorkspace(store, { name: options.name ?? "Test workspace" })
  return { ...(yield* openRegistry(store, { accessKey })), accessKey }
})
