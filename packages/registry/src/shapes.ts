import { SecretReference } from "@ductape/core"
import type { DataFormat, DataType, Dict, HttpMethod } from "./entities.ts"
import { field, type Issues, isPlainObject } from "./Issues.ts"
import { slugPattern, slugRule } from "./names.ts"

const formats: Readonly<Record<string, DataFormat>> = {
  "application/json": "application/json",
  json: "application/json",
  "application/x-www-form-urlencoded": "application/x-www-form-urlencoded",
  urlencoded: "application/x-www-form-urlencoded",
  form: "application/x-www-form-urlencoded",
  "multipart/form-data": "multipart/form-data",
  formdata: "multipart/form-data",
  multipart: "multipart/form-data",
  soap: "SOAP",
  html: "html"
}

/** A format by its media type or its short name (`JSON`, `URLENCODED`, `FORMDATA`, `SOAP`, `HTML`). */
export const dataFormat = (value: unknown): DataFormat | undefined =>
  typeof value === "string" && Object.hasOwn(formats, value.toLowerCase())
    ? formats[value.toLowerCase()]
    : undefined

export const checkFormat = (issues: Issues, path: string, value: unknown): void => {
  if (value !== undefined && value !== null && dataFormat(value) === undefined) {
    issues.add(path, "enum", "must be JSON, URLENCODED, FORMDATA, SOAP or HTML, or the media type itself")
  }
}

export const httpMethods: ReadonlyArray<HttpMethod> = [
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS"
]

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const email = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/
const decimal = /^[+-]?\d+(\.\d+)?$/

const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (v) => typeof v === "string",
  nospaces_string: (v) => typeof v === "string" && !/\s/u.test(v),
  email_string: (v) => typeof v === "string" && email.test(v),
  numberstring: (v) => typeof v === "string" && decimal.test(v),
  number: (v) => Number.isInteger(v),
  float: (v) => Number.isFinite(v),
  double: (v) => Number.isFinite(v),
  uuid: (v) => typeof v === "string" && uuid.test(v),
  boolean: (v) => typeof v === "boolean",
  object: isPlainObject,
  array: (v) => Array.isArray(v)
}

export const dataTypes: ReadonlyArray<DataType> = [
  ...(Object.keys(scalars) as Array<DataType>),
  "array-string",
  "array-number",
  "array-float",
  "array-double",
  "array-uuid",
  "array-boolean"
]

/** Whether a value is what the type accepts (api.md §6); nothing is coerced. */
export const isOfType = (type: DataType, value: unknown): boolean => {
  const check = scalars[type]
  if (check !== undefined) return check(value)
  const item = scalars[type.slice("array-".length)]
  return item !== undefined && Array.isArray(value) && value.every(item)
}

/** The base URL of an environment: `""` or http(s), without a user name or password in it. */
export const checkBaseUrl = (issues: Issues, path: string, value: unknown): void => {
  if (value === undefined || value === null || value === "") return
  if (typeof value !== "string") {
    issues.add(path, "type", "must be a string")
    return
  }
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    issues.add(path, "url", "must be an http:// or https:// URL")
  } else if (url.username !== "" || url.password !== "") {
    issues.add(path, "url", "must hold no user name or password; use an auth definition")
  }
}

/** How deep a stored value may be nested. */
const maxDepth = 64

/** `secret("KEY")` as stored definitions spell it, where every template resolves; other values as they are. */
export const asStored = (value: unknown, depth = 0): unknown => {
  if (value instanceof SecretReference) return String(value)
  if (depth > maxDepth) return value
  if (Array.isArray(value)) return value.map((item) => asStored(item, depth + 1))
  return isPlainObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asStored(member, depth + 1)]))
    : value
}

/** Whether the value survives JSON as it is. */
export const isJson = (value: unknown, depth = 0): boolean => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true
  if (typeof value === "number") return Number.isFinite(value)
  if (depth > maxDepth) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1))
  return (
    isPlainObject(value) &&
    Object.values(value).every((item) => item === undefined || isJson(item, depth + 1))
  )
}

export const checkEnv = (
  issues: Issues,
  path: string,
  env: unknown,
  options: { readonly app: boolean }
): void => {
  if (!issues.object(path, env)) return
  const at = (name: string) => (path === "" ? name : `${path}.${name}`)
  issues.pattern(at("slug"), env["slug"], slugPattern, slugRule)
  checkEnvPatch(issues, path, env, options)
}

export const checkEnvPatch = (
  issues: Issues,
  path: string,
  env: unknown,
  options: { readonly app: boolean }
): void => {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`)
  issues.text(at("env_name"), field(env, "env_name"), { max: 200 })
  issues.text(at("description"), field(env, "description"))
  issues.boolean(at("active"), field(env, "active"))
  if (!options.app) return
  checkBaseUrl(issues, at("base_url"), field(env, "base_url"))
  checkFormat(issues, at("request_type"), field(env, "request_type"))
}

export const checkEnvs = (
  issues: Issues,
  path: string,
  envs: unknown,
  options: { readonly app: boolean }
): void => {
  if (envs === undefined || !issues.array(path, envs)) return
  const slugs = new Set<unknown>()
  for (const [i, env] of envs.entries()) {
    checkEnv(issues, `${path}[${i}]`, env, options)
    const slug = field(env, "slug")
    if (slugs.has(slug)) issues.add(`${path}[${i}].slug`, "unique", `'${String(slug)}' is given twice`)
    slugs.add(slug)
  }
}

/** `{ a: 1, b: undefined }` → `{ a: 1 }`: stored and merged values have no undefined members. */
export const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T

const sections: Readonly<Record<string, string>> = {
  headers: "headers",
  header: "headers",
  query: "query",
  params: "params",
  body: "body",
  cookies: "cookies"
}

/**
 * Credentials in one form: `{ headers: { … } }` and `"headers:X-Key"` both become sections; bare
 * names stay as they are.
 */
export const sectioned = (data: Dict): Dict => {
  // A map, since a name such as "__proto__" must be a name like any other.
  const result = new Map<string, unknown>()
  const into = (section: string, name: string, value: unknown) => {
    const members = result.get(section)
    result.set(section, { ...(isPlainObject(members) ? members : {}), [name]: value })
  }
  for (const [name, value] of Object.entries(data)) {
    const colon = name.indexOf(":")
    const prefix = colon < 1 || colon === name.length - 1 ? "" : name.slice(0, colon)
    const prefixed = Object.hasOwn(sections, prefix) ? sections[prefix] : undefined
    const section = Object.hasOwn(sections, name) ? sections[name] : undefined
    if (section !== undefined && isPlainObject(value)) {
      for (const [member, inner] of Object.entries(value)) into(section, member, inner)
    } else if (prefixed !== undefined) into(prefixed, name.slice(colon + 1), value)
    else result.set(name, value)
  }
  return Object.fromEntries(result)
}
