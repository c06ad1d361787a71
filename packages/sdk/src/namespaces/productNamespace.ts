import {
  type Connection,
  type ConnectionInput,
  type EnvInput,
  type Product,
  type ProductEnv,
  type ProductInput,
  Registry
} from "@ductape/registry"
import type { Logger } from "../DuctapeOptions.ts"
import type { Runner } from "../Runner.ts"
import { Owner, owned } from "./Owner.ts"

/** `ductape.product`: products, their environments, and the apps connected to them. */
export const productNamespace = (
  runner: Runner<Registry>,
  product: string | undefined,
  logger: Logger | false
) => {
  const owner = new Owner("product", product)
  const fetchAll = (): Promise<ReadonlyArray<Product>> => runner.use(Registry, (_) => _.products.fetchAll)
  const fetchEnvs = owned<[], ReadonlyArray<ProductEnv>>(owner, 0, (tag) =>
    runner.use(Registry, (_) => _.products.environments.fetchAll(tag))
  )
  const environments = {
    create: owned<[env: EnvInput], ProductEnv>(owner, 1, (tag, env) =>
      runner.use(Registry, (_) => _.products.environments.create(tag, env))
    ),
    update: owned<[slug: string, patch: Partial<EnvInput>], ProductEnv>(owner, 2, (tag, slug, patch) =>
      runner.use(Registry, (_) => _.products.environments.update(tag, slug, patch))
    ),
    fetch: owned<[slug: string], ProductEnv>(owner, 1, (tag, slug) =>
      runner.use(Registry, (_) => _.products.environments.fetch(tag, slug))
    ),
    fetchAll: fetchEnvs,
    list: fetchEnvs
  }
  const fetchConnections = owned<[], ReadonlyArray<Connection>>(owner, 0, (tag) =>
    runner.use(Registry, (_) => _.products.apps.fetchAll(tag))
  )
  const apps = {
    /** Connects an app under its own tag; environments of equal slug are mapped. */
    connect: owned<[app: string], { readonly access_tag: string; readonly app: string }>(
      owner,
      1,
      (tag, app) => runner.use(Registry, (_) => _.products.apps.connect(tag, app))
    ),
    /** Makes or completes a connection. */
    add: owned<[input: ConnectionInput], Connection>(owner, 1, (tag, input) =>
      runner.use(Registry, (_) => _.products.apps.add(tag, input))
    ),
    update: owned<[accessTag: string, patch: Omit<ConnectionInput, "access_tag">], Connection>(
      owner,
      2,
      (tag, accessTag, patch) => runner.use(Registry, (_) => _.products.apps.update(tag, accessTag, patch))
    ),
    fetch: owned<[accessTag: string], Connection>(owner, 1, (tag, accessTag) =>
      runner.use(Registry, (_) => _.products.apps.fetch(tag, accessTag))
    ),
    fetchAll: fetchConnections,
    list: fetchConnections,
    /** Disconnects the app: its credentials and variables of this connection are gone. */
    delete: owned<[accessTag: string], boolean>(owner, 1, (tag, accessTag) =>
      runner.use(Registry, (_) => _.products.apps.delete(tag, accessTag))
    )
  }
  return {
    /** Chooses the product that the builder methods work on; no default of calls. */
    init: async (tag: string, ignored?: unknown): Promise<void> => {
      if (ignored !== undefined && logger !== false) {
        logger.warn("product.init takes the product's tag only; its second argument is ignored.")
      }
      owner.set(tag)
    },
    create: (input: ProductInput): Promise<Product> => runner.use(Registry, (_) => _.products.create(input)),
    update: (tag: string, patch: Partial<ProductInput>): Promise<Product> =>
      runner.use(Registry, (_) => _.products.update(tag, patch)),
    fetch: (tag: string): Promise<Product> => runner.use(Registry, (_) => _.products.fetch(tag)),
    fetchAll,
    list: fetchAll,
    delete: (tag: string): Promise<boolean> => runner.use(Registry, (_) => _.products.delete(tag)),
    environments,
    environment: environments,
    apps,
    app: apps
  }
}
