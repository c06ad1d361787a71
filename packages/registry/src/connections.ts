import type { ResolvedContext } from "@ductape/core"
import * as Effect from "effect/Effect"
import { findApp, needApp } from "./appRecord.ts"
import { checkConnection, mergeEnvs } from "./connectionInput.ts"
import type { Definitions } from "./Definitions.ts"
import type { App, Connection, ConnectionEnv, Dict, Product, ProductEnv } from "./entities.ts"
import { envNotFound } from "./failures.ts"
import { Issues } from "./Issues.ts"
import { needProduct } from "./products.ts"
import type { ConnectionInput, RegistryShape, ResolvedConnection } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"

/** What of a connection is sealed at rest, by slug of the product environment. */
type Hidden = Readonly<Record<string, Pick<ConnectionEnv, "variables" | "auth">>>
type ConnectionRow = Connection & { readonly sealed?: string }
type FoundConnection = { readonly connection: Connection; readonly version: number }

const keyOf = (product: string, accessTag: string): string => `${product}/${accessTag}`

const putConnection = (
  definitions: Definitions,
  connection: Connection,
  expect: "absent" | number
): Change => {
  const key = keyOf(connection.product, connection.access_tag)
  const hidden: Hidden = Object.fromEntries(
    connection.envs
      .filter((env) => env.variables !== undefined || env.auth !== undefined)
      .map(({ auth, product_env_slug, variables }) => [
        product_env_slug,
        { ...(variables === undefined ? {} : { variables }), ...(auth === undefined ? {} : { auth }) }
      ])
  )
  const row: ConnectionRow = {
    ...connection,
    envs: connection.envs.map(({ auth: _, variables: __, ...env }) => env),
    ...(Object.keys(hidden).length === 0
      ? {}
      : { sealed: definitions.seal("connection", hidden, `connection/${key}`) })
  }
  return {
    op: "put",
    kind: "connection",
    key,
    group: connection.product,
    index: connection.app,
    value: JSON.stringify(row),
    expect
  }
}

const readConnection = (
  definitions: Definitions,
  row: ConnectionRow
): Effect.Effect<Connection, RegistryError> => {
  const { sealed, ...connection } = row
  if (sealed === undefined) return Effect.succeed(connection)
  const associated = `connection/${keyOf(connection.product, connection.access_tag)}`
  return Effect.map(definitions.unseal<Hidden>("connection", sealed, associated), (hidden) => ({
    ...connection,
    envs: connection.envs.map((env) => ({ ...env, ...hidden[env.product_env_slug] }))
  }))
}

const findConnection = Effect.fnUntraced(function* (
  definitions: Definitions,
  product: string,
  accessTag: string
): Effect.fn.Return<FoundConnection | undefined, RegistryError> {
  const found = yield* definitions.get<ConnectionRow>(
    "connection",
    keyOf(product, definitions.ownTag(accessTag))
  )
  return found === undefined
    ? undefined
    : { connection: yield* readConnection(definitions, found.value), version: found.version }
})

const needConnection = Effect.fnUntraced(function* (
  definitions: Definitions,
  product: string,
  accessTag: string
): Effect.fn.Return<FoundConnection, RegistryError> {
  const found = yield* findConnection(definitions, product, accessTag)
  return (
    found ??
    (yield* new RegistryError({
      code: "CONNECTION_NOT_FOUND",
      message: `The product '${product}' has no connection '${accessTag}'. Make it with product.apps.connect or product.apps.add.`,
      details: { product, access_tag: accessTag }
    }))
  )
})

const listConnections = Effect.fnUntraced(function* (
  definitions: Definitions,
  product: string,
  app?: string
): Effect.fn.Return<ReadonlyArray<Connection>, RegistryError> {
  const rows = yield* definitions.list<ConnectionRow>({
    kind: "connection",
    group: product,
    ...(app === undefined ? {} : { index: app })
  })
  return yield* Effect.forEach(rows, ({ value }) => readConnection(definitions, value))
})

const slugs = (owner: { readonly envs: ReadonlyArray<{ readonly slug: string }> }) =>
  owner.envs.map((env) => env.slug)

/** Both sides of every mapping must exist. */
const checkMapping = (
  product: Product,
  app: App,
  envs: ReadonlyArray<ConnectionEnv>
): RegistryError | undefined => {
  for (const env of envs) {
    if (env.app_env_slug === undefined) {
      return new RegistryError({
        code: "VALIDATION_ERROR",
        message: `The environment '${env.product_env_slug}' is not mapped yet, so app_env_slug is required.`,
        details: [{ path: "envs.app_env_slug", rule: "required", message: "is required for a new mapping" }]
      })
    }
    if (!slugs(product).includes(env.product_env_slug)) {
      return envNotFound({ kind: "product", tag: product.tag }, env.product_env_slug, slugs(product))
    }
    if (!slugs(app).includes(env.app_env_slug)) {
      return envNotFound({ kind: "app", tag: app.tag }, env.app_env_slug, slugs(app))
    }
  }
  return undefined
}

export const makeConnections = (definitions: Definitions): RegistryShape["products"]["apps"] => {
  /** Reads product, app and connection, and writes the connection only if none of them changed. */
  const change = (
    productTag: string,
    accessTag: string,
    appTag: string | undefined,
    update: (old: Connection, product: Product, app: App) => Connection
  ) =>
    definitions.repeat(
      Effect.gen(function* () {
        const product = yield* needProduct(definitions, productTag)
        const own = definitions.ownTag(accessTag)
        const found = yield* findConnection(definitions, productTag, own)
        const wanted = appTag === undefined ? undefined : definitions.ownTag(appTag)
        const owner = found?.connection.app ?? wanted
        if (owner === undefined) return yield* needConnection(definitions, productTag, own)
        if (wanted !== undefined && wanted !== owner) {
          return yield* new RegistryError({
            code: "ALREADY_EXISTS",
            message: `The access tag '${own}' of the product '${productTag}' belongs to the app '${owner}'. Choose another access tag for '${wanted}'.`,
            details: { product: productTag, access_tag: own, app: owner }
          })
        }
        const app = yield* needApp(definitions, owner)
        const blank: Connection = {
          ...definitions.newMeta(),
          access_tag: own,
          product: productTag,
          app: app.app.tag,
          envs: []
        }
        const updated = update(found?.connection ?? blank, product.value, app.app)
        const connection = { ...updated, updatedAt: definitions.time() }
        const unmapped = checkMapping(product.value, app.app, connection.envs)
        if (unmapped !== undefined) return yield* unmapped
        yield* definitions.commit([
          { op: "check", kind: "product", key: productTag, expect: product.version },
          { op: "check", kind: "app", key: app.app.tag, expect: app.version },
          putConnection(definitions, connection, found?.version ?? "absent")
        ])
        return { connection, version: (found?.version ?? 0) + 1 }
      })
    )

  return {
    connect: Effect.fn("Connections.connect")(function* (product: string, appTag: string) {
      const { connection } = yield* change(product, appTag, appTag, (old, { envs }, app) => {
        const mapped = new Set(old.envs.map((env) => env.product_env_slug))
        const both = envs.filter(({ slug }) => !mapped.has(slug) && slugs(app).includes(slug))
        return {
          ...old,
          envs: [...old.envs, ...both.map(({ slug }) => ({ product_env_slug: slug, app_env_slug: slug }))]
        }
      })
      return { access_tag: connection.access_tag, app: connection.app }
    }),

    add: Effect.fn("Connections.add")(function* (product: string, input: ConnectionInput) {
      const issues = new Issues()
      checkConnection(issues, input, { accessTag: true })
      const refused = issues.registryError("The connection cannot be made")
      if (refused !== undefined) return yield* refused
      if (
        input.app === undefined &&
        (yield* findConnection(definitions, product, input.access_tag)) === undefined
      ) {
        yield* needProduct(definitions, product)
        return yield* new RegistryError({
          code: "VALIDATION_ERROR",
          message: `The product '${product}' has no connection '${input.access_tag}' yet, so app is required: the tag of the app to connect.`,
          details: [{ path: "app", rule: "required", message: "is required while the access tag is new" }]
        })
      }
      const { connection } = yield* change(product, input.access_tag, input.app, (old) =>
        mergeEnvs(old, input)
      )
      return connection
    }),

    update: Effect.fn("Connections.update")(function* (
      product: string,
      accessTag: string,
      patch: Omit<ConnectionInput, "access_tag">
    ) {
      const issues = new Issues()
      checkConnection(issues, patch, { accessTag: false })
      const refused = issues.registryError(`The connection '${accessTag}' cannot be updated`)
      if (refused !== undefined) return yield* refused
      yield* needProduct(definitions, product)
      yield* needConnection(definitions, product, accessTag)
      const { connection } = yield* change(product, accessTag, patch.app, (old) => mergeEnvs(old, patch))
      return connection
    }),

    fetch: Effect.fn("Connections.fetch")(function* (product: string, accessTag: string) {
      yield* needProduct(definitions, product)
      return (yield* needConnection(definitions, product, accessTag)).connection
    }),

    fetchAll: Effect.fn("Connections.fetchAll")(function* (product: string) {
      yield* needProduct(definitions, product)
      return yield* listConnections(definitions, product)
    }),

    delete: Effect.fn("Connections.delete")(function* (product: string, accessTag: string) {
      yield* needProduct(definitions, product)
      const { connection } = yield* needConnection(definitions, product, accessTag)
      yield* definitions.commit([
        { op: "delete", kind: "connection", key: keyOf(product, connection.access_tag) }
      ])
      return true
    })
  }
}

const inactive = (what: string, details: Dict): RegistryError =>
  new RegistryError({
    code: "ENV_INACTIVE",
    message: `${what} is switched off (active: false). Switch it on, or use another environment.`,
    details
  })

const environment = (
  definitions: Definitions,
  context: ResolvedContext
): Effect.Effect<{ readonly product: Product; readonly env: ProductEnv }, RegistryError> =>
  Effect.flatMap(needProduct(definitions, context.product), ({ value: product }) => {
    const env = product.envs.find((candidate) => candidate.slug === context.env)
    if (env === undefined) {
      return Effect.fail(envNotFound({ kind: "product", tag: product.tag }, context.env, slugs(product)))
    }
    return env.active
      ? Effect.succeed({ product, env })
      : Effect.fail(inactive(`The environment '${env.slug}' of the product '${product.tag}'`, { ...context }))
  })

/** By access tag, else by the tag of an app that is connected once. */
const locate = Effect.fnUntraced(function* (
  definitions: Definitions,
  product: string,
  app: string
): Effect.fn.Return<Connection, RegistryError> {
  const direct = yield* findConnection(definitions, product, app)
  if (direct !== undefined) return direct.connection
  const own = definitions.ownTag(app)
  const [only, ...others] = yield* listConnections(definitions, product, own)
  if (only !== undefined && others.length === 0) return only
  if (only !== undefined) {
    const tags = [only, ...others].map((connection) => connection.access_tag)
    return yield* new RegistryError({
      code: "APP_AMBIGUOUS",
      message: `The app '${own}' is connected to the product '${product}' ${tags.length} times. Name one of the access tags: ${tags.join(", ")}.`,
      details: { product, app: own, access_tags: tags }
    })
  }
  const known = yield* findApp(definitions, own)
  return yield* new RegistryError({
    code: "APP_NOT_CONNECTED",
    message:
      known === undefined
        ? `The product '${product}' has no connection '${own}', and there is no app of that tag. See product.apps.fetchAll() and app.fetchAll().`
        : `The app '${own}' is not connected to the product '${product}'. Connect it: product.apps.connect('${own}').`,
    details: { product, app: own }
  })
})

const resolve = Effect.fnUntraced(function* (
  definitions: Definitions,
  context: ResolvedContext,
  tag: string
): Effect.fn.Return<ResolvedConnection, RegistryError> {
  const { product } = yield* environment(definitions, context)
  const connection = yield* locate(definitions, product.tag, tag)
  const { app, shared } = yield* needApp(definitions, connection.app)
  const env = connection.envs.find((candidate) => candidate.product_env_slug === context.env)
  const appEnv = app.envs.find((candidate) => candidate.slug === env?.app_env_slug)
  if (env === undefined || appEnv === undefined) {
    return yield* new RegistryError({
      code: "APP_ENV_NOT_MAPPED",
      message: `The connection '${connection.access_tag}' maps the environment '${context.env}' of the product '${product.tag}' to no environment of the app '${app.tag}'. Map it with product.apps.update('${connection.access_tag}', { envs: [{ product_env_slug: '${context.env}', app_env_slug: … }] }).`,
      details: { ...context, access_tag: connection.access_tag, app: app.tag }
    })
  }
  const details = { ...context, access_tag: connection.access_tag, app: app.tag }
  if (env.active === false) {
    return yield* inactive(
      `The environment '${context.env}' of the connection '${connection.access_tag}'`,
      details
    )
  }
  if (!appEnv.active)
    return yield* inactive(`The environment '${appEnv.slug}' of the app '${app.tag}'`, details)

  const definition = (authTag: string) => app.auths.find((auth) => auth.tag === authTag)
  const own = env.auth ?? []
  const inherited = Object.entries(shared)
    .filter(([authTag]) => !own.some((entry) => entry.auth_tag === authTag))
    .flatMap(([authTag, byEnv]) => {
      const data = Object.hasOwn(byEnv, appEnv.slug) ? byEnv[appEnv.slug] : undefined
      return data === undefined ? [] : [{ auth_tag: authTag, data }]
    })
  return {
    context: { product: context.product, env: context.env },
    accessTag: connection.access_tag,
    app,
    appEnv,
    env,
    baseUrl: env.base_url ?? appEnv.base_url,
    requestType: env.request_type ?? appEnv.request_type,
    variables: Object.fromEntries((env.variables ?? []).map(({ key, value }) => [key, value])),
    constants: Object.fromEntries(app.constants.map(({ key, value }) => [key, value])),
    auth: [...own, ...inherited].map(({ auth_tag, data }) => ({
      tag: auth_tag,
      definition: definition(auth_tag),
      data
    })),
    limits: env.limits
  }
})

const environmentKey = (context: ResolvedContext): string => `${context.product}\0${context.env}`
const connectionKey = (context: ResolvedContext, app: string): string =>
  `${context.product}\0${context.env}\0${app}`

/** What runs ask for: kept in memory until the revision changes. */
export const makeResolution = (definitions: Definitions) => ({
  environment: (context: ResolvedContext) =>
    definitions.cached("environment", environmentKey(context), environment(definitions, context)),
  connection: (context: ResolvedContext, app: string) =>
    definitions.cached("resolved", connectionKey(context, app), resolve(definitions, context, app)),
  keptEnvironment: (context: ResolvedContext) =>
    definitions.kept<{ readonly product: Product; readonly env: ProductEnv }>(
      "environment",
      environmentKey(context)
    ),
  keptConnection: (context: ResolvedContext, app: string) =>
    definitions.kept<ResolvedConnection>("resolved", connectionKey(context, app))
})
