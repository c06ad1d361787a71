import type { Connection, ConnectionEnv, Dict } from "./entities.ts"
import { field, type Issues, isPlainObject } from "./Issues.ts"
import { memberKeyPattern, memberKeyRule, slugPattern, slugRule, tagPattern, tagRule } from "./names.ts"
import type { ConnectionEnvInput, ConnectionInput } from "./Registry.ts"
import { asStored, checkBaseUrl, checkFormat, dataFormat, defined, isJson, sectioned } from "./shapes.ts"

type AuthInput = { readonly auth_tag: string; readonly data: Dict }

const authList = (auth: ConnectionEnvInput["auth"]): ReadonlyArray<AuthInput> | undefined =>
  auth === undefined || auth === null ? undefined : Array.isArray(auth) ? auth : [auth as AuthInput]

const checkLimits = (issues: Issues, path: string, limits: unknown): void => {
  if (limits === undefined || limits === null || !issues.object(path, limits)) return
  const { concurrency, perSecond } = limits
  if (perSecond !== undefined && !(Number.isFinite(perSecond) && Number(perSecond) > 0)) {
    issues.add(`${path}.perSecond`, "positive", "must be a number above 0")
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && Number(concurrency) > 0)) {
    issues.add(`${path}.concurrency`, "positive", "must be a whole number above 0")
  }
}

const checkEnv = (issues: Issues, path: string, env: unknown): void => {
  if (!issues.object(path, env)) return
  const slug = env["slug"]
  issues.pattern(`${path}.product_env_slug`, env["product_env_slug"] ?? slug, slugPattern, slugRule)
  // A mapping that exists already need not be repeated.
  const appSlug = env["app_env_slug"] ?? slug
  if (appSlug !== undefined) issues.pattern(`${path}.app_env_slug`, appSlug, slugPattern, slugRule)
  issues.boolean(`${path}.active`, env["active"])
  checkBaseUrl(issues, `${path}.base_url`, env["base_url"])
  checkFormat(issues, `${path}.request_type`, env["request_type"])
  checkLimits(issues, `${path}.limits`, env["limits"])
  const variables = env["variables"]
  if (variables !== undefined && issues.array(`${path}.variables`, variables)) {
    for (const [i, variable] of variables.entries()) {
      issues.pattern(`${path}.variables[${i}].key`, field(variable, "key"), memberKeyPattern, memberKeyRule)
      const value = field(variable, "value")
      if (value !== undefined && !isJson(asStored(value))) {
        issues.add(`${path}.variables[${i}].value`, "json", "must survive JSON")
      }
    }
  }
  for (const [i, auth] of (authList(env["auth"] as ConnectionEnvInput["auth"]) ?? []).entries()) {
    const at = `${path}.auth[${i}]`
    issues.pattern(`${at}.auth_tag`, field(auth, "auth_tag"), memberKeyPattern, memberKeyRule)
    const data = field(auth, "data")
    if (data !== null && issues.object(`${at}.data`, data) && !isJson(asStored(data))) {
      issues.add(`${at}.data`, "json", "must survive JSON")
    }
  }
}

export const checkConnection = (
  issues: Issues,
  input: unknown,
  options: { readonly accessTag: boolean }
): void => {
  if (!issues.object("", input)) return
  if (options.accessTag) issues.pattern("access_tag", input["access_tag"], tagPattern, tagRule)
  if (input["app"] !== undefined) issues.text("app", input["app"], { required: true, max: 256 })
  issues.text("version", input["version"], { max: 100 })
  const envs = input["envs"]
  if (envs === undefined || !issues.array("envs", envs)) return
  const seen = new Set<unknown>()
  for (const [i, env] of envs.entries()) {
    checkEnv(issues, `envs[${i}]`, env)
    const slug = field(env, "product_env_slug") ?? field(env, "slug")
    if (seen.has(slug)) issues.add(`envs[${i}]`, "unique", `maps '${String(slug)}' twice`)
    seen.add(slug)
  }
}

/** By name: a later entry replaces an earlier one, and one whose value is null removes it. */
const merge = <T>(
  old: ReadonlyArray<T> | undefined,
  added: ReadonlyArray<T> | undefined,
  name: (entry: T) => string,
  removes: (entry: T) => boolean
): ReadonlyArray<T> | undefined => {
  if (added === undefined) return old
  const entries = new Map((old ?? []).map((entry) => [name(entry), entry]))
  for (const entry of added) {
    if (removes(entry)) entries.delete(name(entry))
    else entries.set(name(entry), entry)
  }
  return [...entries.values()]
}

const mergeEnv = (old: ConnectionEnv | undefined, input: ConnectionEnvInput): ConnectionEnv => {
  const auth = authList(input.auth)?.map(({ auth_tag, data }) => ({
    auth_tag,
    data: isPlainObject(data) ? sectioned(asStored(data) as Dict) : data
  }))
  const variables = input.variables?.map(({ key, value }) => ({ key, value: asStored(value) }))
  return defined({
    product_env_slug: input.product_env_slug ?? input.slug,
    app_env_slug: input.app_env_slug ?? input.slug ?? old?.app_env_slug,
    active: input.active ?? old?.active,
    base_url: input.base_url ?? old?.base_url,
    request_type: dataFormat(input.request_type) ?? old?.request_type,
    variables: merge(
      old?.variables,
      variables,
      (entry) => entry.key,
      (entry) => entry.value === null || entry.value === undefined
    ),
    auth: merge(
      old?.auth,
      auth,
      (entry) => entry.auth_tag,
      (entry) => entry.data === null
    ),
    limits: input.limits === null ? undefined : (input.limits ?? old?.limits)
  }) as ConnectionEnv
}

/** The connection with the given environments merged in, by product environment. */
export const mergeEnvs = (old: Connection, input: Omit<ConnectionInput, "access_tag">): Connection => {
  const envs = new Map(old.envs.map((env) => [env.product_env_slug, env]))
  for (const env of input.envs ?? []) {
    const slug = env.product_env_slug ?? env.slug ?? ""
    envs.set(slug, mergeEnv(envs.get(slug), env))
  }
  return defined({ ...old, version: input.version ?? old.version, envs: [...envs.values()] }) as Connection
}
