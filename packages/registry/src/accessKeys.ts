import * as Effect from "effect/Effect"
import { makeAccessKey, type WrappedKey, wrapWorkspaceKey } from "./accessKey.ts"
import type { Definitions } from "./Definitions.ts"
import { Issues } from "./Issues.ts"
import type { RegistryShape } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import { wrappedKeyChange } from "./workspace.ts"

const kind = "access-key"

export const makeAccessKeys = (
  definitions: Definitions,
  workspaceKey: Uint8Array
): RegistryShape["accessKeys"] => ({
  create: Effect.fn("AccessKeys.create")(function* (name?: string) {
    const issues = new Issues()
    issues.text("name", name, { max: 200 })
    const refused = issues.registryError("The access key cannot be made")
    if (refused !== undefined) return yield* refused
    const key = makeAccessKey()
    const meta = { name, createdAt: definitions.time() }
    yield* definitions.commit([
      wrappedKeyChange(wrapWorkspaceKey(key, definitions.workspace.id, workspaceKey, meta))
    ])
    return { id: key.id, accessKey: key.text }
  }),

  fetchAll: definitions.list<WrappedKey>({ kind }).pipe(
    Effect.map((found) => found.map(({ value: { wrapped: _, ...key } }) => key)),
    Effect.withSpan("AccessKeys.fetchAll")
  ),

  revoke: Effect.fn("AccessKeys.revoke")(function* (id: string) {
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const keys = yield* definitions.list<WrappedKey>({ kind })
        const gone = keys.find(({ value }) => value.id === id)
        const other = keys.find(({ value }) => value.id !== id)
        if (gone === undefined) return false
        if (other === undefined) {
          return yield* new RegistryError({
            code: "IN_USE",
            message:
              "This is the last access key of the workspace: without it nothing could be opened any more. Make another one first."
          })
        }
        yield* definitions.commit([
          // So that of two calls that revoke the last two keys, one is refused.
          { op: "check", kind, key: other.value.id, expect: other.version },
          { op: "delete", kind, key: id, expect: gone.version }
        ])
        return true
      })
    )
  })
})
