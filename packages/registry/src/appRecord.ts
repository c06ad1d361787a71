import * as Effect from "effect/Effect"
import type { Definitions } from "./Definitions.ts"
import type { App, AppEnv, AuthDefinition, Dict } from "./entities.ts"
import { appNotFound } from "./failures.ts"
import type { AppEnvInput } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { dataFormat, defined } from "./shapes.ts"

/** Credentials that every connection of the app has in an app environment: slug → data. */
export type SharedAuth = Readonly<Record<string, Readonly<Record<string, Dict>>>>

export interface FoundApp {
  readonly app: App
  /** By auth tag, then by slug of the app environment. */
  readonly shared: SharedAuth
  readonly version: number
}

/** What of an app is sealed at rest. */
interface Hidden {
  readonly tokens: Readonly<Record<string, AuthDefinition["tokens"]>>
  readonly shared: SharedAuth
}

type AppRow = App & { readonly sealed?: string }

const associated = (tag: string): string => `app/${tag}`

export const putApp = (
  definitions: Definitions,
  app: App,
  shared: SharedAuth,
  expect: "absent" | number
): Change => {
  const tokens = Object.fromEntries(
    app.auths.filter((auth) => auth.tokens !== undefined).map((auth) => [auth.tag, auth.tokens])
  )
  const hidden: Hidden = { tokens, shared }
  const empty = Object.keys(tokens).length === 0 && Object.keys(shared).length === 0
  const row: AppRow = {
    ...app,
    auths: app.auths.map(({ tokens: _, ...auth }) => auth),
    ...(empty ? {} : { sealed: definitions.seal("app", hidden, associated(app.tag)) })
  }
  return { op: "put", kind: "app", key: app.tag, value: JSON.stringify(row), expect }
}

const readApp = (
  definitions: Definitions,
  row: AppRow
): Effect.Effect<Omit<FoundApp, "version">, RegistryError> => {
  const { sealed, ...app } = row
  if (sealed === undefined) return Effect.succeed({ app, shared: {} })
  return Effect.map(definitions.unseal<Hidden>("app", sealed, associated(app.tag)), (hidden) => ({
    app: {
      ...app,
      auths: app.auths.map((auth) => {
        const tokens = Object.hasOwn(hidden.tokens, auth.tag) ? hidden.tokens[auth.tag] : undefined
        return tokens === undefined ? auth : { ...auth, tokens }
      })
    },
    shared: hidden.shared
  }))
}

export const findApp = Effect.fnUntraced(function* (
  definitions: Definitions,
  tag: string
): Effect.fn.Return<FoundApp | undefined, RegistryError> {
  if (typeof tag !== "string") return undefined
  const found = yield* definitions.get<AppRow>("app", definitions.ownTag(tag))
  if (found === undefined) return undefined
  return { ...(yield* readApp(definitions, found.value)), version: found.version }
})

export const needApp = Effect.fnUntraced(function* (
  definitions: Definitions,
  tag: string
): Effect.fn.Return<FoundApp, RegistryError> {
  return (yield* findApp(definitions, tag)) ?? (yield* appNotFound(String(tag)))
})

export const listApps = Effect.fnUntraced(function* (
  definitions: Definitions
): Effect.fn.Return<ReadonlyArray<App>, RegistryError> {
  const rows = yield* definitions.list<AppRow>({ kind: "app" })
  return yield* Effect.forEach(rows, ({ value }) => Effect.map(readApp(definitions, value), ({ app }) => app))
})

/** Reads, changes and writes an app as one step; repeated if another writer was first. */
export const changeApp = (
  definitions: Definitions,
  tag: string,
  update: (
    old: App,
    shared: SharedAuth
  ) => App | { readonly app: App; readonly shared: SharedAuth } | RegistryError,
  others: (app: App) => Effect.Effect<ReadonlyArray<Change>, RegistryError> = () => Effect.succeed([])
): Effect.Effect<App, RegistryError> =>
  definitions.repeat(
    Effect.gen(function* () {
      const old = yield* needApp(definitions, tag)
      const updated = update(old.app, old.shared)
      if (updated instanceof RegistryError) return yield* updated
      const { app, shared } = "shared" in updated ? updated : { app: updated, shared: old.shared }
      const next = { ...app, updatedAt: definitions.time() }
      yield* definitions.commit([putApp(definitions, next, shared, old.version), ...(yield* others(next))])
      return next
    })
  )

export const makeAppEnv = (env: AppEnvInput, baseUrl: string): AppEnv =>
  defined({
    env_name: env.env_name ?? env.slug,
    slug: env.slug,
    description: env.description,
    active: env.active ?? true,
    base_url: env.base_url ?? baseUrl,
    request_type: dataFormat(env.request_type)
  }) as AppEnv

/** Creates or updates each environment by slug. */
export const upsertEnvs = (
  old: ReadonlyArray<AppEnv>,
  inputs: ReadonlyArray<AppEnvInput>
): ReadonlyArray<AppEnv> => {
  const envs = new Map(old.map((env) => [env.slug, env]))
  for (const input of inputs) {
    envs.set(input.slug, makeAppEnv({ ...envs.get(input.slug), ...defined(input) }, ""))
  }
  return [...envs.values()]
}
