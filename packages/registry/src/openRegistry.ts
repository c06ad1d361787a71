import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { makeAccessKeys } from "./accessKeys.ts"
import { keptAction, makeActions } from "./actions.ts"
import { makeApps } from "./apps.ts"
import { makeAuth } from "./authShortcut.ts"
import { makeConnections, makeResolution } from "./connections.ts"
import { Definitions } from "./Definitions.ts"
import { makeKeyring } from "./Keyring.ts"
import { makeProducts } from "./products.ts"
import type { RegistryShape } from "./Registry.ts"
import type { RegistryError } from "./RegistryError.ts"
import type { RegistryStoreShape } from "./RegistryStore.ts"
import { makeResources } from "./resources.ts"
import { keptSecrets, makeSecrets } from "./secrets.ts"
import { unlockWorkspace } from "./workspace.ts"

export interface OpenOptions {
  /** Any access key of the workspace. */
  readonly accessKey: string | Redacted.Redacted
  /** If given, the opened workspace must be this one. */
  readonly workspaceId?: string | undefined
}

/**
 * Opens the workspace in a store with one of its access keys.
 *
 * Fails with `CREDENTIALS_MISSING`, `ACCESS_KEY_INVALID` (malformed, unknown and wrong keys alike),
 * `WORKSPACE_NOT_FOUND`, `WORKSPACE_MISMATCH`, or what the store fails with. Times are taken from
 * the `Clock` that it is opened under.
 */
export const openRegistry = Effect.fn("Registry.open")(function* (
  store: RegistryStoreShape,
  options: OpenOptions
): Effect.fn.Return<RegistryShape, RegistryError, Scope.Scope> {
  const { workspace, workspaceKey } = yield* unlockWorkspace(store, options)
  const clock = yield* Clock.Clock
  const keyring = makeKeyring(workspaceKey, workspace.id)
  const definitions = new Definitions(store, keyring, workspace, () => clock.currentTimeMillisUnsafe())
  yield* Effect.addFinalizer(() => definitions.close)
  const resolution = makeResolution(definitions)
  return {
    workspace: { id: workspace.id, name: workspace.name, tag: workspace.tag },
    store,
    keyring,
    revision: definitions.revision,
    knownRevision: () => definitions.knownRevision(),
    environment: resolution.environment,
    connection: resolution.connection,
    products: { ...makeProducts(definitions), apps: makeConnections(definitions) },
    apps: makeApps(definitions),
    auth: makeAuth(definitions),
    actions: makeActions(definitions),
    secrets: makeSecrets(definitions),
    resources: (kind) => makeResources(definitions, kind),
    kept: {
      environment: resolution.keptEnvironment,
      connection: resolution.keptConnection,
      action: (app, tag) => keptAction(definitions, definitions.ownTag(app), tag),
      secrets: (keys, use) => keptSecrets(definitions, keys, use)
    },
    accessKeys: makeAccessKeys(definitions, workspaceKey)
  }
})
