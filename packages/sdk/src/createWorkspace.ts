import type { Adapter } from "@ductape/core"
import * as registry from "@ductape/registry"
import * as Effect from "effect/Effect"
import { type DuctapeOptions, storeUrl } from "./DuctapeOptions.ts"
import { openWorkspaceStore } from "./openWorkspaceStore.ts"

/**
 * Makes a workspace and its first access key, which is shown here once: keep it where you keep
 * passwords. Without it, or another key of the workspace, sealed values are gone.
 *
 * - `name`: for people.
 * - `store`: a file (default `.ductape/workspace.db` under the working directory) or `postgres://…`.
 *
 * Fails with `WORKSPACE_EXISTS` if the store holds one already.
 *
 * @example
 * const { accessKey } = await createWorkspace({ name: "Shop" })
 */
export const createWorkspace = (options: {
  readonly name: string
  readonly store?: DuctapeOptions["store"]
  readonly adapters?: ReadonlyArray<Adapter>
}): Promise<{ readonly workspaceId: string; readonly accessKey: string }> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.suspend(() => openWorkspaceStore(storeUrl(options.store), options.adapters ?? [])).pipe(
        Effect.flatMap((store) => registry.createWorkspace(store, { name: options.name }))
      )
    )
  )
