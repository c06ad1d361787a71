import type { RecordMeta, ResourceKind } from "@ductape/registry"
import { DatabaseError, invalid } from "./DatabaseError.ts"

export type DatabaseType = "postgresql" | "mysql" | "mariadb" | "mongodb" | "dynamodb" | "cassandra"

export interface DatabaseEnv {
  /** Slug of an environment of the product. */
  readonly slug: string
  readonly description?: string
  /** May be or hold `$Secret{KEY}`; `{{KEY}}` is the same. Kept encrypted; reads mask the password. */
  readonly connection_url?: string
  readonly cloud?: string
  readonly instance?: string
  readonly tier?: string
  readonly region?: string
}

/** A database of a product, with where it is in each environment. */
export interface DatabaseDef {
  readonly tag: string
  readonly name: string
  readonly description?: string
  readonly type: DatabaseType
  readonly envs: ReadonlyArray<DatabaseEnv>
}

export type StoredDatabase = DatabaseDef & RecordMeta

export type DatabaseInput = Omit<DatabaseDef, "type"> & {
  readonly product?: string
  readonly product_tag?: string
  readonly type: DatabaseType | "postgres"
}

export type DatabasePatch = Partial<Pick<DatabaseDef, "name" | "description" | "envs">>

export const databaseKind: ResourceKind = { kind: "database", sealed: true }

const types: Readonly<Record<string, DatabaseType>> = {
  postgresql: "postgresql",
  postgres: "postgresql",
  mysql: "mysql",
  mariadb: "mariadb",
  mongodb: "mongodb",
  dynamodb: "dynamodb",
  cassandra: "cassandra"
}

const schemes: Readonly<Record<DatabaseType, ReadonlyArray<string>>> = {
  postgresql: ["postgresql", "postgres", "pglite"],
  mysql: ["mysql"],
  mariadb: ["mysql", "mariadb"],
  mongodb: ["mongodb", "mongodb+srv"],
  dynamodb: ["dynamodb"],
  cassandra: ["cassandra"]
}

/** `$Secret{KEY}` and `{{KEY}}`. */
export const secretReference = /\$Secret\{([^{}\\]+)\}|\{\{\s*([^{}\s]+)\s*\}\}/g

const text = (value: unknown, path: string, required: boolean): string | undefined => {
  if (value === undefined && !required) return undefined
  if (typeof value !== "string" || value === "") throw invalid(`${path}: expected a non-empty string.`, path)
  return value
}

export const schemeOf = (url: string): string | undefined =>
  /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()

const readEnv = (value: unknown, path: string, type: DatabaseType): DatabaseEnv => {
  if (typeof value !== "object" || value === null)
    throw invalid(`${path}: expected { slug, connection_url }.`, path)
  const env = value as Readonly<Record<string, unknown>>
  const slug = text(env["slug"], `${path}.slug`, true) as string
  const url = text(env["connection_url"], `${path}.connection_url`, false)
  if (url === undefined && (env["cloud"] === undefined || env["instance"] === undefined)) {
    throw invalid(`${path}: needs 'connection_url', or 'cloud' and 'instance'.`, path)
  }
  if (url !== undefined) {
    const scheme = schemeOf(url)
    if (scheme === undefined ? url.search(secretReference) !== 0 : !schemes[type].includes(scheme)) {
      throw invalid(
        `${path}.connection_url: not a URL of type ${type}. Begin it with ${schemes[type].map((one) => `${one}://`).join(" or ")}, or use a $Secret{…} that holds one.`,
        `${path}.connection_url`
      )
    }
  }
  const out: Record<string, string> = { slug }
  for (const key of ["description", "connection_url", "cloud", "instance", "tier", "region"]) {
    const item = text(env[key], `${path}.${key}`, false)
    if (item !== undefined) out[key] = item
  }
  return out as unknown as DatabaseEnv
}

const readEnvs = (value: unknown, type: DatabaseType): ReadonlyArray<DatabaseEnv> => {
  if (!Array.isArray(value)) throw invalid("envs: expected a list of { slug, connection_url }.", "envs")
  const envs = value.map((env, i) => readEnv(env, `envs[${i}]`, type))
  const twice = envs.find((env, i) => envs.findIndex((other) => other.slug === env.slug) !== i)
  if (twice !== undefined) throw invalid(`envs: '${twice.slug}' is there twice.`, "envs")
  return envs
}

/** @throws `VALIDATION_ERROR` */
export const readDef = (input: DatabaseInput): DatabaseDef => {
  if (typeof input !== "object" || input === null) throw invalid("expected { tag, name, type, envs }.")
  const tag = text(input.tag, "tag", true) as string
  const type =
    typeof input.type === "string" && Object.hasOwn(types, input.type) ? types[input.type] : undefined
  if (type === undefined) throw invalid(`type: expected one of ${Object.keys(types).join(", ")}.`, "type")
  const description = text(input.description, "description", false)
  return {
    tag,
    name: text(input.name, "name", false) ?? tag,
    ...(description === undefined ? {} : { description }),
    type,
    envs: readEnvs(input.envs, type)
  }
}

/** Environments merge by slug; `tag` and `type` stay. @throws `VALIDATION_ERROR` */
export const patched = (old: DatabaseDef, patch: DatabasePatch): DatabaseDef => {
  for (const key of ["tag", "type"] as const) {
    const given = (patch as Partial<DatabaseDef>)[key]
    if (given !== undefined && (key === "tag" ? given : types[given]) !== old[key]) {
      throw invalid(`${key}: cannot change. Register another database instead.`, key)
    }
  }
  const given = (patch.envs ?? []) as ReadonlyArray<Partial<DatabaseEnv> & { readonly slug: string }>
  const merged = given.map((env) => ({ ...old.envs.find((one) => one.slug === env?.slug), ...env }))
  const changed = readEnvs(merged, old.type)
  return {
    ...old,
    name: patch.name === undefined ? old.name : (text(patch.name, "name", true) as string),
    ...(patch.description === undefined ? {} : { description: patch.description }),
    envs: [
      ...old.envs.map((env) => changed.find((one) => one.slug === env.slug) ?? env),
      ...changed.filter((env) => !old.envs.some((one) => one.slug === env.slug))
    ]
  }
}

/** A URL as reads show it: passwords and the like are stars, `$Secret{…}` stays. */
export const maskUrl = (url: string): string => {
  const userinfo = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i.exec(url)
  let masked = url
  if (userinfo !== null) {
    const [whole, scheme = "", credentials = ""] = userinfo
    const at = credentials.indexOf(":")
    if (at >= 0) {
      const password = credentials.slice(at + 1)
      const shown = /^\$Secret\{[^{}]+\}$|^\{\{[^{}]+\}\}$/.test(password) ? password : "***"
      masked = `${scheme}${credentials.slice(0, at)}:${shown}@${url.slice(whole.length)}`
    }
  }
  if (/^dynamodb:\/\//i.test(masked)) masked = masked.replace(/^(dynamodb:\/\/[^/]+\/[^/]+\/).+$/i, "$1***")
  return masked.replace(/([?&](?:password|sslpassword|pass|secret|token)=)[^&#]*/gi, "$1***")
}

export const masked = <T extends DatabaseDef>(def: T): T => ({
  ...def,
  envs: def.envs.map((env) =>
    env.connection_url === undefined ? env : { ...env, connection_url: maskUrl(env.connection_url) }
  )
})

/**
 * The URL with its secrets. A secret in the place of user or password may hold any characters: it is
 * escaped there, and put in as it is elsewhere.
 */
export const fillSecrets = (url: string, secrets: ReadonlyMap<string, string>): string => {
  const end = url.lastIndexOf("@")
  return url.replace(secretReference, (_, a: string | undefined, b: string | undefined, at: number) => {
    const value = secrets.get(a ?? b ?? "") ?? ""
    return at < end && url.includes("://") ? encodeURIComponent(value) : value
  })
}

export const secretKeys = (url: string): ReadonlyArray<string> => [
  ...new Set([...url.matchAll(secretReference)].map((match) => match[1] ?? match[2] ?? ""))
]

export const notFound = (product: string, tag: string): DatabaseError =>
  new DatabaseError({
    code: "NOT_FOUND",
    message: `Product '${product}' has no database '${tag}'. Register it with databases.create.`,
    database: tag,
    details: { product, database: tag }
  })
