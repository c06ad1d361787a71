import * as Effect from "effect/Effect"
import { changeApp, needApp } from "./appRecord.ts"
import type { Definitions } from "./Definitions.ts"
import type { App, AuthDefinition, Constant, Variable } from "./entities.ts"
import { tagFixed } from "./failures.ts"
import { field, Issues, isPlainObject } from "./Issues.ts"
import { memberKeyPattern, memberKeyRule } from "./names.ts"
import type { Members } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import { dataTypes, defined, isJson, isOfType } from "./shapes.ts"

/** How one kind of members is named, kept and checked. */
export interface MemberKind<T> {
  /** For messages and spans: `variable`. */
  readonly name: "variable" | "constant" | "auth"
  readonly list: "variables" | "constants" | "auths"
  readonly key: "key" | "tag"
  /** Fills in defaults; older spellings become the present ones. */
  readonly normalise: (value: T) => T
  readonly check: (issues: Issues, value: T) => void
}

const periods = ["secs", "mins", "hours", "days", "weeks", "months", "years"]

const checkType = (issues: Issues, type: unknown): void => issues.oneOf("type", type, dataTypes)

export const variables: MemberKind<Variable> = {
  name: "variable",
  list: "variables",
  key: "key",
  normalise: (value) =>
    defined({ key: value.key, type: value.type ?? "string", description: value.description }) as Variable,
  check: (issues, value) => {
    checkType(issues, value.type)
    issues.text("description", value.description)
  }
}

export const constants: MemberKind<Constant> = {
  name: "constant",
  list: "constants",
  key: "key",
  normalise: (value) =>
    defined({
      key: value.key,
      type: value.type,
      value: value.value,
      description: value.description
    }) as Constant,
  check: (issues, value) => {
    checkType(issues, value.type)
    issues.text("description", value.description)
    if (value.value === undefined) issues.add("value", "required", "is required")
    else if (!isJson(value.value)) issues.add("value", "json", "must survive JSON")
    else if (dataTypes.includes(value.type) && !isOfType(value.type, value.value)) {
      issues.add("value", "type", `is not of the type ${value.type}`)
    }
  }
}

const tokenSections = ["params", "query", "body", "headers", "cookies"]

const withHeaders = (tokens: unknown): unknown => {
  if (!isPlainObject(tokens) || !("header" in tokens)) return tokens
  const { header, headers, ...others } = tokens
  return isPlainObject(header)
    ? { ...others, headers: { ...header, ...(isPlainObject(headers) ? headers : {}) } }
    : tokens
}

export const auths: MemberKind<AuthDefinition> = {
  name: "auth",
  list: "auths",
  key: "tag",
  normalise: (value) =>
    defined({
      tag: value.tag,
      name: value.name ?? value.tag,
      description: value.description,
      setup_type: value.setup_type,
      expiry: value.expiry,
      period: value.period,
      action_tag: value.action_tag,
      tokens: withHeaders(value.tokens)
    }) as AuthDefinition,
  check: (issues, value) => {
    issues.text("name", value.name, { required: true, max: 256 })
    issues.text("description", value.description)
    issues.oneOf("setup_type", value.setup_type, ["credential_access", "token_access"])
    if (value.setup_type === "credential_access")
      issues.text("action_tag", value.action_tag, { required: true })
    if (value.expiry !== undefined && !(Number.isInteger(value.expiry) && value.expiry > 0)) {
      issues.add("expiry", "positive", "must be a whole number above 0")
    }
    if (value.period !== undefined) issues.oneOf("period", value.period, periods)
    if (value.tokens === undefined || !issues.object("tokens", value.tokens)) return
    for (const [section, members] of Object.entries(value.tokens)) {
      if (!tokenSections.includes(section)) {
        issues.add(`tokens.${section}`, "enum", `must be one of ${tokenSections.join(", ")}`)
      } else if (members !== undefined && issues.object(`tokens.${section}`, members) && !isJson(members)) {
        issues.add(`tokens.${section}`, "json", "must survive JSON")
      }
    }
  }
}

/** All that is wrong with a member, after {@link MemberKind.normalise}. */
export const memberIssues = <T extends object>(kind: MemberKind<T>, value: T): Issues => {
  const issues = new Issues()
  issues.pattern(kind.key, field(value, kind.key), memberKeyPattern, memberKeyRule)
  kind.check(issues, value)
  return issues
}

const codes = {
  variable: ["VARIABLE_EXISTS", "VARIABLE_NOT_FOUND"],
  constant: ["CONSTANT_EXISTS", "CONSTANT_NOT_FOUND"],
  auth: ["AUTH_EXISTS", "AUTH_NOT_FOUND"]
} as const

export const makeMembers = <T extends object>(definitions: Definitions, kind: MemberKind<T>): Members<T> => {
  const span = `Apps.${kind.list}`
  const [exists, missing] = codes[kind.name]
  const members = (app: App) => app[kind.list] as unknown as ReadonlyArray<T>
  const keyOf = (value: T) => field(value, kind.key)
  const notFound = (app: string, key: string) =>
    new RegistryError({
      code: missing,
      message: `The app '${app}' has no ${kind.name} '${key}'.`,
      details: { app, [kind.key]: key }
    })
  const parse = (value: unknown, what: string): T | RegistryError => {
    const shape = new Issues()
    if (!shape.object("", value)) return shape.registryError(what) ?? notFound("", "")
    const normal = kind.normalise(value as T)
    return memberIssues(kind, normal).registryError(what) ?? normal
  }
  const find = (app: App, key: string): T | RegistryError =>
    members(app).find((member) => keyOf(member) === key) ?? notFound(app.tag, key)

  return {
    create: Effect.fn(`${span}.create`)(function* (app: string, value: T) {
      const made = parse(value, `The ${kind.name} cannot be made`)
      if (made instanceof RegistryError) return yield* made
      yield* changeApp(definitions, app, (old) =>
        members(old).some((member) => keyOf(member) === keyOf(made))
          ? new RegistryError({
              code: exists,
              message: `The ${kind.name} '${String(keyOf(made))}' of the app '${app}' already exists.`,
              details: { app, [kind.key]: keyOf(made) }
            })
          : { ...old, [kind.list]: [...members(old), made] }
      )
      return made
    }),
    update: Effect.fn(`${span}.update`)(function* (app: string, key: string, patch: Partial<T>) {
      const renamed = field(patch, kind.key)
      if (renamed !== undefined && renamed !== key) return yield* tagFixed(kind.key)
      const what = `The ${kind.name} '${key}' cannot be updated`
      const updated = yield* changeApp(definitions, app, (old) => {
        const found = find(old, key)
        if (found instanceof RegistryError) return found
        const made = parse(isPlainObject(patch) ? { ...found, ...defined(patch) } : patch, what)
        if (made instanceof RegistryError) return made
        return { ...old, [kind.list]: members(old).map((member) => (keyOf(member) === key ? made : member)) }
      })
      const made = find(updated, key)
      return made instanceof RegistryError ? yield* made : made
    }),
    fetch: Effect.fn(`${span}.fetch`)(function* (app: string, key: string) {
      const found = find((yield* needApp(definitions, app)).app, key)
      return found instanceof RegistryError ? yield* found : found
    }),
    fetchAll: Effect.fn(`${span}.fetchAll`)(function* (app: string) {
      return members((yield* needApp(definitions, app)).app)
    })
  }
}
