import { tagFrom } from "@ductape/core"
import * as Effect from "effect/Effect"
import { auths, constants, makeMembers, variables } from "./appMembers.ts"
import { changeApp, listApps, makeAppEnv, needApp, putApp, upsertEnvs } from "./appRecord.ts"
import type { Definitions } from "./Definitions.ts"
import type { App, AppEnv } from "./entities.ts"
import { envNotFound, tagFixed } from "./failures.ts"
import { Issues } from "./Issues.ts"
import { tagPattern, tagRule } from "./names.ts"
import { freeTag } from "./products.ts"
import type { AppEnvInput, AppInput, RegistryShape } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { checkBaseUrl, checkEnv, checkEnvPatch, checkEnvs, defined } from "./shapes.ts"

/** All that is wrong with an app's definition; `own` takes a workspace prefix off. */
export const checkApp = (issues: Issues, input: unknown, own: (tag: string) => string): void => {
  if (!issues.object("", input)) return
  const name = input["app_name"] ?? input["name"]
  issues.text("app_name", name, { required: true, max: 200 })
  const tag = input["tag"]
  if (tag !== undefined) issues.pattern("tag", typeof tag === "string" ? own(tag) : tag, tagPattern, tagRule)
  else if (typeof name === "string" && name.trim() !== "" && tagFrom(name) === "") {
    issues.add("tag", "required", "cannot be made from this name; give one")
  }
  issues.text("description", input["description"])
  issues.text("version", input["version"], { max: 100 })
  issues.boolean("unique", input["unique"])
  checkBaseUrl(issues, "base_url", input["base_url"])
  checkEnvs(issues, "envs", input["envs"], { app: true })
}

/** The app as it will be kept, under the first free tag. Fails with `APP_EXISTS`. */
export const planApp = Effect.fnUntraced(function* (
  definitions: Definitions,
  input: AppInput
): Effect.fn.Return<App, RegistryError> {
  const name = input.app_name ?? input.name ?? ""
  const wanted = input.tag === undefined ? tagFrom(name) : definitions.ownTag(input.tag)
  const tag = yield* freeTag(definitions, "app", wanted)
  if ((input.tag !== undefined || input.unique === true) && tag !== wanted) {
    return yield* new RegistryError({
      code: "APP_EXISTS",
      message: `The app '${wanted}' already exists. Use it, or choose another tag.`,
      details: { app: wanted }
    })
  }
  const envs = input.envs ?? [{ slug: "dev" }, { slug: "prd" }]
  return defined({
    ...definitions.newMeta(),
    tag,
    app_name: name,
    description: input.description,
    version: input.version,
    envs: envs.map((env) => makeAppEnv(env, input.base_url ?? "")),
    variables: [],
    constants: [],
    auths: []
  }) as App
})

export const makeApps = (definitions: Definitions): RegistryShape["apps"] => {
  const envOf = (app: App, slug: string): Effect.Effect<AppEnv, RegistryError> => {
    const env = app.envs.find((candidate) => candidate.slug === slug)
    return env === undefined
      ? Effect.fail(
          envNotFound(
            { kind: "app", tag: app.tag },
            slug,
            app.envs.map((e) => e.slug)
          )
        )
      : Effect.succeed(env)
  }

  const create = Effect.fn("Apps.create")(function* (input: AppInput): Effect.fn.Return<App, RegistryError> {
    const issues = new Issues()
    checkApp(issues, input, (tag) => definitions.ownTag(tag))
    const refused = issues.registryError("The app cannot be made")
    if (refused !== undefined) return yield* refused
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const app = yield* planApp(definitions, input)
        yield* definitions.commit([putApp(definitions, app, {}, "absent")])
        return app
      })
    )
  })

  const update = Effect.fn("Apps.update")(function* (
    tag: string,
    patch: Partial<AppInput>
  ): Effect.fn.Return<App, RegistryError> {
    const issues = new Issues()
    if (issues.object("", patch)) {
      const name = patch["app_name"] ?? patch["name"]
      if (name !== undefined) issues.text("app_name", name, { required: true, max: 200 })
      issues.text("description", patch["description"])
      issues.text("version", patch["version"], { max: 100 })
      checkBaseUrl(issues, "base_url", patch["base_url"])
      checkEnvs(issues, "envs", patch["envs"], { app: true })
    }
    const refused = issues.registryError(`The app '${tag}' cannot be updated`)
    if (refused !== undefined) return yield* refused
    const own = definitions.ownTag(tag)
    if (patch.tag !== undefined && definitions.ownTag(patch.tag) !== own) return yield* tagFixed("tag")
    return yield* changeApp(definitions, tag, (old) => {
      const { base_url } = patch
      const based = base_url === undefined ? old.envs : old.envs.map((env) => ({ ...env, base_url }))
      return defined({
        ...old,
        app_name: patch.app_name ?? patch.name ?? old.app_name,
        description: patch.description ?? old.description,
        version: patch.version ?? old.version,
        envs: upsertEnvs(based, patch.envs ?? [])
      }) as App
    })
  })

  const remove = Effect.fn("Apps.delete")(function* (tag: string): Effect.fn.Return<boolean, RegistryError> {
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const { app, version } = yield* needApp(definitions, tag)
        const connections = yield* definitions.store.keys({ kind: "connection", index: app.tag })
        if (connections.length > 0) {
          const names = connections.map((key) => key.replace("/", ": "))
          return yield* new RegistryError({
            code: "IN_USE",
            message: `The app '${app.tag}' is connected to ${names.slice(0, 5).join(", ")}${names.length > 5 ? " and more" : ""}. Delete the connections first: product.apps.delete(product, access_tag).`,
            details: { app: app.tag, usedBy: names }
          })
        }
        const actions = yield* definitions.store.keys({ kind: "action", group: app.tag })
        yield* definitions.commit([
          { op: "delete", kind: "app", key: app.tag, expect: version },
          ...actions.map((key): Change => ({ op: "delete", kind: "action", key }))
        ])
        return true
      })
    )
  })

  const createEnv = Effect.fn("Apps.environments.create")(function* (
    app: string,
    env: AppEnvInput
  ): Effect.fn.Return<AppEnv, RegistryError> {
    const issues = new Issues()
    checkEnv(issues, "", env, { app: true })
    const refused = issues.registryError("The environment cannot be made")
    if (refused !== undefined) return yield* refused
    const made = makeAppEnv(env, "")
    yield* changeApp(definitions, app, (old) =>
      old.envs.some((other) => other.slug === made.slug)
        ? new RegistryError({
            code: "ENV_EXISTS",
            message: `The environment '${made.slug}' of the app '${app}' already exists.`,
            details: { app, env: made.slug }
          })
        : { ...old, envs: [...old.envs, made] }
    )
    return made
  })

  const upsert = Effect.fn("Apps.environments.upsert")(function* (
    app: string,
    envs: ReadonlyArray<AppEnvInput>
  ): Effect.fn.Return<ReadonlyArray<AppEnv>, RegistryError> {
    const issues = new Issues()
    if (envs === undefined) issues.add("envs", "required", "is required")
    checkEnvs(issues, "envs", envs, { app: true })
    const refused = issues.registryError("The environments cannot be kept")
    if (refused !== undefined) return yield* refused
    return (yield* changeApp(definitions, app, (old) => ({ ...old, envs: upsertEnvs(old.envs, envs) }))).envs
  })

  const updateEnv = Effect.fn("Apps.environments.update")(function* (
    app: string,
    slug: string,
    patch: Partial<AppEnvInput>
  ): Effect.fn.Return<AppEnv, RegistryError> {
    const issues = new Issues()
    if (issues.object("", patch)) checkEnvPatch(issues, "", patch, { app: true })
    const refused = issues.registryError(`The environment '${slug}' cannot be updated`)
    if (refused !== undefined) return yield* refused
    if (patch.slug !== undefined && patch.slug !== slug) return yield* tagFixed("slug")
    const updated = yield* changeApp(definitions, app, (old) =>
      old.envs.some((env) => env.slug === slug)
        ? { ...old, envs: upsertEnvs(old.envs, [{ ...patch, slug }]) }
        : envNotFound(
            { kind: "app", tag: old.tag },
            slug,
            old.envs.map((env) => env.slug)
          )
    )
    return yield* envOf(updated, slug)
  })

  return {
    create,
    update,
    fetch: Effect.fn("Apps.fetch")(function* (tag: string) {
      return (yield* needApp(definitions, tag)).app
    }),
    fetchAll: listApps(definitions).pipe(Effect.withSpan("Apps.fetchAll")),
    delete: remove,
    environments: {
      create: createEnv,
      upsert,
      update: updateEnv,
      fetch: Effect.fn("Apps.environments.fetch")(function* (app: string, slug: string) {
        return yield* envOf((yield* needApp(definitions, app)).app, slug)
      }),
      fetchAll: Effect.fn("Apps.environments.fetchAll")(function* (app: string) {
        return (yield* needApp(definitions, app)).app.envs
      })
    },
    variables: makeMembers(definitions, variables),
    constants: makeMembers(definitions, constants),
    auths: makeMembers(definitions, auths)
  }
}
