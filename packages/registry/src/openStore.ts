import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { MemoryStore } from "./MemoryStore.ts"
import { RegistryError } from "./RegistryError.ts"
import type { RegistryStoreShape } from "./RegistryStore.ts"
import { SqliteStore } from "./SqliteStore.ts"

/** Where a workspace is kept if nobody says otherwise, from the working directory. */
export const defaultStore = ".ductape/workspace.db"

/** The URL scheme, lower case; `undefined` for a path. A single letter is a Windows drive. */
export const storeScheme = (url: string): string | undefined =>
  /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(url)?.[1]?.toLowerCase()

/**
 * Opens the store that a path or URL names: a SQLite file (`.ductape/workspace.db`,
 * `file:///srv/shop/workspace.db`) or memory (`memory:` anew each time, `memory://name` shared
 * within the process). PostgreSQL is opened by `@ductape/registry-postgres`.
 */
export const openStore = (
  url: string = defaultStore
): Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope> => {
  const scheme = storeScheme(url)
  if (scheme === undefined && url !== "") return SqliteStore.make(url)
  if (scheme === "memory") {
    const name = url.slice("memory:".length).replace(/^\/\//, "")
    return name === "" ? MemoryStore.make() : MemoryStore.named(name)
  }
  if (scheme === "file") {
    return Effect.suspend(() => {
      try {
        return SqliteStore.make(url.startsWith("file:/") ? fileURLToPath(url) : url.slice("file:".length))
      } catch (cause) {
        return Effect.fail(
          new RegistryError({
            code: "VALIDATION_ERROR",
            message: "The store's file: URL names no local file.",
            cause
          })
        )
      }
    })
  }
  return Effect.fail(
    new RegistryError({
      code: "VALIDATION_ERROR",
      message:
        scheme === undefined
          ? "The store is an empty string; name a file, or a postgres:// URL."
          : `No store opens '${scheme}:' URLs here; use a file path, file:, memory: or postgres:.`,
      details: [
        { path: "store", rule: "scheme", message: "must be a file path, file:, memory: or postgres:" }
      ]
    })
  )
}
