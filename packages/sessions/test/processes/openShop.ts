import { createWorkspace, openRegistry, type RegistryStoreShape, SqliteStore } from "@ductape/registry"
import { PostgresStore } from "@ductape/registry-postgres"
import * as Effect from "effect/Effect"
import { RegistrySessionStore } from "../../src/RegistrySessionStore.ts"
import type { SessionConfig } from "../../src/SessionConfig.ts"
import { makeSessions } from "../../src/Sessions.ts"

/** Where the processes of one test meet. */
export interface Shop {
  /** A file, or a postgres:// URL. */
  readonly store: string
  readonly accessKey: string
}

const storeAt = (store: string) =>
  store.startsWith("postgres") ? PostgresStore.make(store) : SqliteStore.make(store)

const sessionsOver = Effect.fnUntraced(function* (store: RegistryStoreShape, accessKey: string) {
  const registry = yield* openRegistry(store, { accessKey })
  const sessions = yield* makeSessions(registry, RegistrySessionStore.make(store), {
    product: "shop",
    env: "prd"
  })
  return { registry, sessions }
})

/** Opens the workspace as each process does. */
export const openShop = Effect.fnUntraced(function* ({ store, accessKey }: Shop) {
  return yield* sessionsOver(yield* storeAt(store), accessKey)
})

/** Makes the workspace, its product and a session configuration. */
export const makeShop = Effect.fnUntraced(function* (place: string, config: SessionConfig) {
  const store = yield* storeAt(place)
  const { accessKey } = yield* createWorkspace(store, { name: "Test" })
  const opened = yield* sessionsOver(store, accessKey)
  yield* opened.registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "prd" }] })
  yield* opened.sessions.create(config)
  const shop: Shop = { store: place, accessKey }
  return { ...opened, shop }
})
