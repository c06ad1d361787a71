import type { Adapter } from "@ductape/core"
import * as registry from "@ductape/registry"
import * as Effect from "effect/Effect"
import { checkAdapters, type DuctapeOptions, storeUrl } from "./DuctapeOptions.ts"
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
      Effect.suspend(() => {
        if (typeof options?.name !== "string") {
          return new registry.RegistryError({
            code: "VALIDATION_ERROR",
            message: "createWorkspace takes { name, store? }: name is the workspace's name, for people.",
            details: [{ path: "name", rule: "required", message: "is required" }]
          })
        }
        return openWorkspaceStore(storeUrl(options.store), checkAdapters(options.adapters)).pipe(
          Effect.flatMap((store) => registry.createWorkspace(store, { name: options.name }))
        )
      })
    )
  )
