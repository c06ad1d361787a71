import { tagFrom } from "@ductape/core"
import type { App, RegistryError, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { ActionError } from "../ActionError.ts"
import type { ImportPlan, PlanOptions } from "./ImportPlan.ts"
import { shorten } from "./json.ts"
import { planImport } from "./planImport.ts"
import { reconcile } from "./reconcile.ts"

export interface ImportOptions extends PlanOptions {
  /** Tag of the app that gets the actions; made if there is none. Default: a new app, named after the document's title. */
  readonly app?: string | undefined
  /** Overwrites what was imported before; rules set by hand stay, and nothing is deleted. Default: false. */
  readonly updateIfExists?: boolean | undefined
  /** Version of a new app. Default: `0.0.1`. */
  readonly version?: string | undefined
}

export interface ImportResult {
  /** Tag of the app. */
  readonly app: string
  /** Tags of new actions. */
  readonly created: ReadonlyArray<string>
  /** Tags of actions that were there before. */
  readonly updated: ReadonlyArray<string>
  /** Operations that became no action. */
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  readonly warnings: ReadonlyArray<string>
  /** Tags of auth definitions. */
  readonly auths: ReadonlyArray<string>
  /** Keys of variables. */
  readonly variables: ReadonlyArray<string>
}

/**
 * Imports a document's operations as actions of an app, all of them or none.
 *
 * Fails with `ActionError`:
 * - `IMPORT_TYPE_UNSUPPORTED`, `IMPORT_INVALID`, `VALIDATION_ERROR`: see {@link planImport}
 * - `APP_EXISTS`: no `app` was given, and the title's tag is taken
 * - `IMPORT_CONFLICT`: the app has actions of these tags already; `details.tags` lists them
 *
 * and with `RegistryError` if the store failed.
 */
export const importApp: (
  registry: RegistryShape,
  options: ImportOptions
) => Effect.Effect<ImportResult, ActionError | RegistryError> = Effect.fn("Api.import")(function* (
  registry: RegistryShape,
  options: ImportOptions
): Effect.fn.Return<ImportResult, ActionError | RegistryError> {
  if (typeof options !== "object" || options === null) {
    return yield* new ActionError({
      code: "VALIDATION_ERROR",
      message: "api.import takes { file, type, app? }: the document, and what it is (openapi, postman).",
      details: [{ location: "import", path: "", rule: "type", message: "must be an object" }]
    })
  }
  const plan = yield* planImport(options)
  yield* Effect.annotateCurrentSpan({ "ductape.import.actions": plan.actions.length })
  const tag = options.app ?? (tagFrom(plan.title) || "api")
  const app = yield* findApp(registry, tag)
  if (options.app === undefined && app !== undefined && options.updateIfExists !== true) {
    return yield* new ActionError({
      code: "APP_EXISTS",
      message: `The app '${tag}' already exists. Import with app: '${tag}' to add to it, or with updateIfExists: true to update it.`,
      details: { app: tag }
    })
  }
  const baseUrl = yield* baseFor(plan, options, app)
  const before = app === undefined ? [] : yield* registry.actions.tags(app.tag)
  const merged = yield* reconcile(plan.actions, before, {
    app: tag,
    update: options.updateIfExists === true,
    fetchAll: registry.actions.fetchAll(app?.tag ?? tag)
  })
  const imported = yield* registry.actions.import({
    app:
      app === undefined ? { create: newApp(plan, tag, options.version ?? "0.0.1") } : { existing: app.tag },
    actions: merged.actions,
    variables: plan.variables,
    auths: plan.auths,
    ...(baseUrl === undefined ? {} : { base_url: baseUrl })
  })
  return {
    app: imported.app.tag,
    created: merged.created,
    updated: merged.updated,
    skipped: plan.skipped,
    warnings: plan.warnings,
    auths: plan.auths.map((auth) => auth.tag),
    variables: plan.variables.map(({ key }) => key)
  }
})

const findApp = (registry: RegistryShape, tag: string): Effect.Effect<App | undefined, RegistryError> =>
  registry.apps
    .fetch(tag)
    .pipe(
      Effect.catch((error: RegistryError) =>
        error.code === "APP_NOT_FOUND" ? Effect.succeed(undefined) : Effect.fail(error)
      )
    )

const newApp = (plan: ImportPlan, tag: string, version: string) => ({
  tag,
  app_name: shorten(plan.title, 200) ?? tag,
  version,
  ...(plan.description === undefined ? {} : { description: plan.description }),
  ...(plan.base_url === undefined ? {} : { base_url: plan.base_url })
})

/** What the app's environments without a base URL get. */
const baseFor = (
  plan: ImportPlan,
  options: ImportOptions,
  app: App | undefined
): Effect.Effect<string | undefined, ActionError> => {
  if (plan.base_url !== undefined) return Effect.succeed(plan.base_url)
  const served = app?.envs.some(({ base_url }) => base_url !== "") === true
  if (served || plan.actions.every(({ base_url }) => base_url !== undefined)) return Effect.succeed(undefined)
  return Effect.fail(
    new ActionError({
      code: "IMPORT_INVALID",
      message: `The document '${plan.title.slice(0, 80)}' names no server, or only one relative to where it is published. Give its base URL: import({ base_url: 'https://…'${options.app === undefined ? "" : `, app: '${options.app}'`} }).`,
      details: { missing: "base_url" }
    })
  )
}
