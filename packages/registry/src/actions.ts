import { looseTag } from "@ductape/core"
import * as Effect from "effect/Effect"
import { auths, memberIssues, variables } from "./appMembers.ts"
import { needApp, putApp, type SharedAuth } from "./appRecord.ts"
import { checkApp, planApp } from "./apps.ts"
import type { Definitions, Found } from "./Definitions.ts"
import type { Action, App, StoredAction } from "./entities.ts"
import { field, Issues, isPlainObject } from "./Issues.ts"
import { actionTagPattern, actionTagRule } from "./names.ts"
import type { Actions } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { checkBaseUrl, checkFormat, dataFormat, dataTypes, defined, httpMethods } from "./shapes.ts"

type Result<A> = Effect.Effect<A, RegistryError>
type ImportPlan = Parameters<Actions["import"]>[0]

const keyOf = (app: string, tag: string): string => `${app}/${tag}`
const indexOf = (app: string, tag: string): string => `${app}/${looseTag(tag)}`

const putAction = (action: StoredAction, expect: "absent" | number): Change => ({
  op: "put",
  kind: "action",
  key: keyOf(action.app, action.tag),
  group: action.app,
  index: indexOf(action.app, action.tag),
  value: JSON.stringify(action),
  expect
})

const normalise = (action: Action): Action =>
  defined({
    ...action,
    method: (typeof action.method === "string"
      ? action.method.toUpperCase()
      : action.method) as Action["method"],
    request_type: dataFormat(action.request_type) ?? action.request_type
  }) as Action

const fieldSections = ["params", "query", "headers", "cookies", "body"] as const

const checkFields = (issues: Issues, path: string, fields: unknown): void => {
  if (!issues.object(path, fields)) return
  for (const name of Object.keys(fields)) {
    const one = fields[name]
    if (!isPlainObject(one)) {
      issues.add(`${path}.${name}`, "type", "must be an object such as { type: 'string', required: true }")
      continue
    }
    if (one["type"] !== undefined) issues.oneOf(`${path}.${name}.type`, one["type"], dataTypes)
    if (one["fields"] !== undefined) checkFields(issues, `${path}.${name}.fields`, one["fields"])
  }
}

const checkAction = (issues: Issues, path: string, action: unknown): void => {
  if (!issues.object(path, action)) return
  const at = (name: string) => (path === "" ? name : `${path}.${name}`)
  issues.pattern(at("tag"), action["tag"], actionTagPattern, actionTagRule)
  issues.text(at("name"), action["name"], { required: true, max: 1_000 })
  issues.oneOf(at("method"), action["method"], httpMethods)
  const resource = action["resource"]
  if (typeof resource !== "string") issues.add(at("resource"), "required", "is required, a path")
  else if (/^[a-z][a-z0-9+.-]*:\/\//i.test(resource)) {
    issues.add(at("resource"), "path", "is a path below the base URL, without scheme and host")
  }
  issues.text(at("description"), action["description"], { max: 1_000_000 })
  checkFormat(issues, at("request_type"), action["request_type"])
  if (action["base_url"] !== undefined) issues.text(at("base_url"), action["base_url"])
  for (const section of fieldSections) {
    if (action[section] !== undefined) checkFields(issues, at(section), action[section])
  }
}

const exists = (app: string, tag: string): RegistryError =>
  new RegistryError({
    code: "ACTION_EXISTS",
    message: `The action '${tag}' of the app '${app}' already exists. Update it, or choose another tag.`,
    details: { app, action: tag }
  })

const missing = (app: string, tag: string): RegistryError =>
  new RegistryError({
    code: "ACTION_NOT_FOUND",
    message: `The app '${app}' has no action '${tag}'. See api.fetchAll('${app}').`,
    details: { app, action: tag }
  })

/** Exact tag first, then with `_`, `-` and letter case alike. */
const find = Effect.fnUntraced(function* (
  definitions: Definitions,
  app: string,
  tag: string
): Effect.fn.Return<Found<StoredAction>, RegistryError> {
  const exact = yield* definitions.get<StoredAction>("action", keyOf(app, tag))
  if (exact !== undefined) return exact
  const alike = yield* definitions.list<StoredAction>({ kind: "action", index: indexOf(app, tag) })
  const [only, ...others] = alike
  if (only !== undefined && others.length === 0) return only
  if (only !== undefined) {
    const tags = alike.map(({ value }) => value.tag)
    return yield* new RegistryError({
      code: "ACTION_AMBIGUOUS",
      message: `The app '${app}' has several actions like '${tag}': ${tags.join(", ")}. Name one exactly.`,
      details: { app, action: tag, actions: tags }
    })
  }
  yield* needApp(definitions, app)
  return yield* missing(app, tag)
})

const byKey = <T>(members: ReadonlyArray<T>, key: (member: T) => string) =>
  new Map(members.map((member) => [key(member), member]))

/** What an app has already stays as it is; only what it lacks is added. */
const complete = (app: App, plan: ImportPlan): App => {
  const known = byKey(app.variables, (v) => v.key)
  const knownAuths = byKey(app.auths, (a) => a.tag)
  return {
    ...app,
    envs: app.envs.map((env) => (env.base_url === "" ? { ...env, base_url: plan.base_url ?? "" } : env)),
    variables: [
      ...app.variables,
      ...plan.variables.map(variables.normalise).filter((v) => !known.has(v.key))
    ],
    auths: [...app.auths, ...plan.auths.map(auths.normalise).filter((a) => !knownAuths.has(a.tag))]
  }
}

const checkPlan = (definitions: Definitions, plan: ImportPlan): RegistryError | undefined => {
  const issues = new Issues()
  if ("create" in plan.app) checkApp(issues, plan.app.create, (tag) => definitions.ownTag(tag))
  checkBaseUrl(issues, "base_url", plan.base_url)
  const seen = new Set<string>()
  for (const [i, action] of plan.actions.entries()) {
    checkAction(issues, `actions[${i}]`, action)
    const tag = field(action, "tag")
    if (typeof tag !== "string") continue
    if (seen.has(tag)) issues.add(`actions[${i}].tag`, "unique", `'${tag}' is given twice`)
    seen.add(tag)
  }
  for (const [i, value] of plan.variables.entries()) {
    for (const issue of memberIssues(variables, variables.normalise(value)).list) {
      issues.add(`variables[${i}].${issue.path}`, issue.rule, issue.message)
    }
  }
  for (const [i, value] of plan.auths.entries()) {
    for (const issue of memberIssues(auths, auths.normalise(value)).list) {
      issues.add(`auths[${i}].${issue.path}`, issue.rule, issue.message)
    }
  }
  return issues.registryError("The import cannot be written")
}

export const makeActions = (definitions: Definitions): Actions => {
  const own = (tag: string) => definitions.ownTag(tag)
  const cacheKey = (app: string, tag: string) => `${app}\0${tag}`

  const importPlan = Effect.fn("Actions.import")(function* (
    given: ImportPlan
  ): Effect.fn.Return<{ readonly app: App }, RegistryError> {
    const plan = { ...given, actions: given.actions.map(normalise) }
    const refused = checkPlan(definitions, plan)
    if (refused !== undefined) return yield* refused
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const target = plan.app
        let old: { readonly app: App; readonly shared: SharedAuth; readonly version?: number }
        if ("existing" in target) old = yield* needApp(definitions, target.existing)
        else {
          const base = plan.base_url === undefined ? {} : { base_url: plan.base_url }
          old = { app: yield* planApp(definitions, { ...base, ...target.create }), shared: {} }
        }
        const { shared, version } = old
        const app = { ...complete(old.app, plan), updatedAt: definitions.time() }
        const present =
          version === undefined
            ? new Map<string, Found<StoredAction>>()
            : byKey(
                yield* definitions.list<StoredAction>({ kind: "action", group: app.tag }),
                ({ value }) => value.tag
              )
        const changes = plan.actions.map((action) => {
          const before = present.get(action.tag)
          const meta = definitions.newMeta()
          const kept =
            before === undefined
              ? meta
              : { ...meta, _id: before.value._id, createdAt: before.value.createdAt }
          return putAction({ ...action, ...kept, app: app.tag }, before?.version ?? "absent")
        })
        yield* definitions.commit([putApp(definitions, app, shared, version ?? "absent"), ...changes])
        return { app }
      })
    )
  })

  return {
    create: Effect.fn("Actions.create")(function* (appTag: string, action: Action) {
      const issues = new Issues()
      const normal = issues.object("", action) ? normalise(action) : action
      if (issues.list.length === 0) checkAction(issues, "", normal)
      const refused = issues.registryError("The action cannot be made")
      if (refused !== undefined) return yield* refused
      return yield* definitions.repeat(
        Effect.gen(function* () {
          const { app, version } = yield* needApp(definitions, appTag)
          const made: StoredAction = { ...normal, ...definitions.newMeta(), app: app.tag }
          if ((yield* definitions.store.get("action", keyOf(app.tag, made.tag))) !== undefined) {
            return yield* exists(app.tag, made.tag)
          }
          yield* definitions.commit([
            { op: "check", kind: "app", key: app.tag, expect: version },
            putAction(made, "absent")
          ])
          return made
        })
      )
    }),

    fetch: (app: string, tag: string): Result<StoredAction> =>
      definitions.cached(
        "action",
        cacheKey(own(app), tag),
        Effect.map(find(definitions, own(app), tag), ({ value }) => value)
      ),

    fetchAll: Effect.fn("Actions.fetchAll")(function* (app: string) {
      yield* needApp(definitions, app)
      const found = yield* definitions.list<StoredAction>({ kind: "action", group: own(app) })
      return found.map(({ value }) => value)
    }),

    update: Effect.fn("Actions.update")(function* (
      app: string,
      tag: string,
      change: (old: Action) => Action
    ) {
      return yield* definitions.repeat(
        Effect.gen(function* () {
          const { value: old, version } = yield* find(definitions, own(app), tag)
          const changed = normalise(change(old))
          const issues = new Issues()
          checkAction(issues, "", changed)
          if (changed.tag !== old.tag) issues.add("tag", "readonly", "never changes")
          const refused = issues.registryError(`The action '${tag}' cannot be updated`)
          if (refused !== undefined) return yield* refused
          const { _id, createdAt, workspace_id } = old
          const next: StoredAction = {
            ...changed,
            _id,
            workspace_id,
            createdAt,
            updatedAt: definitions.time(),
            app: old.app
          }
          yield* definitions.commit([putAction(next, version)])
          return next
        })
      )
    }),

    delete: Effect.fn("Actions.delete")(function* (app: string, tag: string) {
      const { value } = yield* find(definitions, own(app), tag)
      yield* definitions.commit([{ op: "delete", kind: "action", key: keyOf(value.app, value.tag) }])
      return true
    }),

    tags: Effect.fn("Actions.tags")(function* (app: string) {
      yield* needApp(definitions, app)
      const keys = yield* definitions.store.keys({ kind: "action", group: own(app) })
      return keys.map((key) => key.slice(own(app).length + 1))
    }),

    import: importPlan
  }
}

/** The kept action, if it is there and still true. */
export const keptAction = (definitions: Definitions, app: string, tag: string): StoredAction | undefined =>
  definitions.kept<StoredAction>("action", `${app}\0${tag}`)
