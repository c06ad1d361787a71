import { Api, CredentialBook } from "@ductape/api"
import { type CacheAdapter, Caches } from "@ductape/cache"
import type { AdapterPackage, DuctapeError } from "@ductape/core"
import { type DatabaseAdapter, Databases } from "@ductape/databases"
import { openRegistry, Registry } from "@ductape/registry"
import { Sessions } from "@ductape/sessions"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CheckedOptions } from "./DuctapeOptions.ts"
import { loggerLayer, telemetryLayer } from "./observability.ts"
import { openWorkspaceStore } from "./openWorkspaceStore.ts"

/** Every service of the client. */
export type DuctapeServices = Registry | Api | Sessions | Caches | Databases

const cachePackages: Readonly<Record<string, AdapterPackage>> = {
  redis: {
    package: "@ductape/cache-redis",
    export: "redis",
    load: () => import("@ductape/cache-redis")
  }
}

const pglite: AdapterPackage = {
  package: "@ductape/databases-pglite",
  export: "pglite",
  load: () => import("@ductape/databases-pglite")
}

const postgres: AdapterPackage = {
  package: "@ductape/databases-postgres",
  export: "postgres",
  load: () => import("@ductape/databases-postgres")
}

const databasePackages: Readonly<Record<string, AdapterPackage>> = {
  pglite,
  postgres,
  postgresql: postgres
}

const registryLayer = (options: CheckedOptions): Layer.Layer<Registry, DuctapeError> =>
  Layer.effect(
    Registry,
    Effect.flatMap(openWorkspaceStore(options.store, options.adapters), (store) =>
      openRegistry(store, { accessKey: options.accessKey, workspaceId: options.workspaceId })
    )
  )

/** All services on one opened workspace; sessions and caches also serve the other capabilities' calls. */
export const ductapeLayer = (
  options: CheckedOptions,
  credentials: CredentialBook = new CredentialBook(options.defaults)
): Layer.Layer<DuctapeServices, DuctapeError> => {
  const { adapters, defaults, egress, redisUrl, timeout } = options
  const sessions = Layer.provideMerge(Sessions.verifierLayer, Sessions.layer(defaults))
  const caches = Caches.layer({
    ...defaults,
    redisUrl,
    adapters: adapters.filter((adapter): adapter is CacheAdapter => adapter.capability === "cache"),
    packages: cachePackages
  })
  const api = Api.layer({ defaults, credentials, egress, timeout })
  const databases = Databases.layer({
    ...defaults,
    adapters: adapters.filter((adapter): adapter is DatabaseAdapter => adapter.capability === "databases"),
    packages: databasePackages
  })
  return Layer.mergeAll(sessions, caches, api, databases).pipe(
    Layer.provideMerge(registryLayer(options)),
    Layer.provideMerge(Layer.mergeAll(loggerLayer(options.logger), telemetryLayer(options.telemetry)))
  )
}
