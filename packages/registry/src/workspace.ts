import { randomBytes, randomUUID } from "node:crypto"
import { tagFrom } from "@ductape/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  accessKeyInvalid,
  makeAccessKey,
  parseAccessKey,
  unwrapWorkspaceKey,
  type WrappedKey,
  wrapWorkspaceKey
} from "./accessKey.ts"
import { field, Issues } from "./Issues.ts"
import { tagPattern, tagRule } from "./names.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change, RegistryStoreShape } from "./RegistryStore.ts"
import { attempt, parseRecord } from "./records.ts"

export interface Workspace {
  readonly id: string
  readonly name: string
  readonly tag: string
  readonly createdAt: string
}

export const wrappedKeyChange = (key: WrappedKey): Change => ({
  op: "put",
  kind: "access-key",
  key: key.id,
  value: JSON.stringify(key),
  expect: "absent"
})

/**
 * Makes a workspace in an empty store. The access key is shown this once: it is kept nowhere, and
 * without any key the sealed values of the workspace are gone.
 *
 * `tag` defaults to one made from the name. Fails with `VALIDATION_ERROR`, `WORKSPACE_EXISTS`.
 */
export const createWorkspace = Effect.fn("Registry.createWorkspace")(function* (
  store: RegistryStoreShape,
  input: { readonly name: string; readonly tag?: string }
): Effect.fn.Return<{ readonly workspaceId: string; readonly accessKey: string }, RegistryError> {
  const issues = new Issues()
  const name = field(input, "name")
  const tag = field(input, "tag") ?? (typeof name === "string" ? tagFrom(name) : undefined)
  issues.text("name", name, { required: true, max: 200 })
  if (typeof name === "string" && tag === "") {
    issues.add("tag", "required", "cannot be made from this name; give one")
  } else if (tag !== undefined) issues.pattern("tag", tag, tagPattern, tagRule)
  const refused = issues.registryError("The workspace cannot be made")
  if (refused !== undefined) return yield* refused

  const createdAt = new Date(yield* Clock.currentTimeMillis).toISOString()
  const workspace: Workspace = { id: randomUUID(), name: String(name), tag: String(tag), createdAt }
  const accessKey = makeAccessKey()
  yield* store
    .write(
      [
        {
          op: "put",
          kind: "workspace",
          key: "workspace",
          value: JSON.stringify(workspace),
          expect: "absent"
        },
        wrappedKeyChange(wrapWorkspaceKey(accessKey, workspace.id, randomBytes(32), { createdAt }))
      ],
      { definitions: true }
    )
    .pipe(
      Effect.catchIf(
        (error) => error.code === "WRITE_CONFLICT",
        () =>
          Effect.fail(
            new RegistryError({
              code: "WORKSPACE_EXISTS",
              message: `There is a workspace in this ${store.name} store already. Open it with its access key, or name another store.`
            })
          )
      )
    )
  return { workspaceId: workspace.id, accessKey: accessKey.text }
})

/** Finds the workspace and unwraps its key: opening is authenticating. */
export const unlockWorkspace = Effect.fnUntraced(function* (
  store: RegistryStoreShape,
  options: { readonly accessKey: string | Redacted.Redacted; readonly workspaceId?: string | undefined }
): Effect.fn.Return<{ readonly workspace: Workspace; readonly workspaceKey: Uint8Array }, RegistryError> {
  const text = Redacted.isRedacted(options.accessKey) ? Redacted.value(options.accessKey) : options.accessKey
  if (text === undefined || text === "") {
    return yield* new RegistryError({
      code: "CREDENTIALS_MISSING",
      message: "No access key. Pass the one that createWorkspace({ name }) returned, as accessKey."
    })
  }
  const key = parseAccessKey(text)
  if (key === undefined) return yield* accessKeyInvalid()
  const record = yield* store.get("workspace", "workspace")
  if (record === undefined) {
    return yield* new RegistryError({
      code: "WORKSPACE_NOT_FOUND",
      message: `There is no workspace in this ${store.name} store. Make one with createWorkspace({ name, store }), which returns its access key; or name the store that holds yours.`
    })
  }
  const workspace = yield* attempt(() => parseRecord<Workspace>(record))
  const kept = yield* store.get("access-key", key.id)
  const wrapped = yield* attempt(() => (kept === undefined ? undefined : parseRecord<WrappedKey>(kept)))
  const workspaceKey = unwrapWorkspaceKey(key, workspace.id, wrapped)
  if (workspaceKey === undefined) return yield* accessKeyInvalid()
  if (options.workspaceId !== undefined && options.workspaceId !== workspace.id) {
    return yield* new RegistryError({
      code: "WORKSPACE_MISMATCH",
      message: `The store holds the workspace ${workspace.id}, not the one given as workspace_id. Leave workspace_id out, or name the store of the other one.`
    })
  }
  return { workspace, workspaceKey }
})
