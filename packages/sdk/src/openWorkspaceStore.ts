import { type Adapter, type AdapterError, type AdapterPackage, loadAdapter } from "@ductape/core"
import { openStore, type RegistryError, type RegistryStoreShape, storeScheme } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What a `registry` adapter's `make` is: it opens the store that a URL names, for the scope. */
export type MakeStore = (url: string) => Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope>

const postgres: AdapterPackage = {
  package: "@ductape/registry-postgres",
  export: "postgresRegistry",
  load: () => import("@ductape/registry-postgres")
}

/** Opens the workspace's store: by an adapter that knows the URL's scheme, else a file or memory. */
export const openWorkspaceStore = (
  url: string,
  adapters: ReadonlyArray<Adapter>
): Effect.Effect<RegistryStoreShape, RegistryError | AdapterError, Scope.Scope> => {
  const scheme = storeScheme(url)
  const given = adapters.find(
    ({ capability, schemes }) =>
      capability === "registry" && scheme !== undefined && schemes?.includes(scheme)
  )
  if (given !== undefined) return (given.make as MakeStore)(url)
  if (scheme !== "postgres" && scheme !== "postgresql") return openStore(url)
  return Effect.flatMap(loadAdapter(postgres), ({ make }) => (make as MakeStore)(url))
}
