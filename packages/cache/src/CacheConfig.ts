import type { RecordMeta, ResourceKind } from "@ductape/registry"
import { invalid } from "./CacheError.ts"
import { memoryLimit } from "./MemoryStore.ts"

export type CacheType = "in-memory" | "redis" | "memcached"

/** One cache of a product. */
export interface CacheConfig {
  /** 1 to 128 of `A-Z a-z 0-9 _ . -`, starting with a letter or digit. Never changes. */
  readonly tag: string
  readonly name: string
  readonly description?: string
  /** Default lifetime in **milliseconds**; absent or 0: none. A change applies to later writes. */
  readonly expiry?: number
  /**
   * Default: `redis` if the client has a `redis_url` or the config an own server, else `in-memory`.
   * Another name is that of an adapter. `memcached` is not there yet.
   */
  readonly type?: CacheType | (string & {})
  /** Own server per environment; the URL may be a `$Secret{…}` template. Sealed at rest. */
  readonly envs?: ReadonlyArray<{ readonly slug: string; readonly connection_url: string }>
  /** In memory: entries per environment before the least recently used one leaves. Default: 10000. */
  readonly max_entries?: number
  /** UTF-8 bytes of one value. Default: 1 MiB; at most 64 MiB. */
  readonly max_value_bytes?: number
  /** Default `grace` of read-through in **seconds**: how long past its expiry a value may be served stale. */
  readonly grace?: number
  /** Default `jitter` of writes: 0 (default) to 1. */
  readonly jitter?: number
  /** Seals values with AES-256-GCM under a key of the workspace. Default: `false`. */
  readonly encrypt?: boolean
  /** A memory tier in front of a shared server, kept right by invalidation. Default: `false`. */
  readonly memory_tier?: boolean
}

export type StoredCacheConfig = CacheConfig & RecordMeta

/** Whole configurations are sealed: they may hold connection strings. */
export const cacheKind: ResourceKind = { kind: "cache", sealed: true }

export const defaultMaxEntries = 10_000
export const defaultMaxValueBytes = 1024 * 1024

const tagPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

type Rule = (value: unknown) => string | undefined

const text: Rule = (value) =>
  typeof value === "string" && value !== "" ? undefined : "must be a non-empty string"

const flag: Rule = (value) => (typeof value === "boolean" ? undefined : "must be true or false")

const numberIn =
  (from: number, to: number, whole: boolean, unit: string): Rule =>
  (value) =>
    typeof value === "number" && value >= from && value <= to && (!whole || Number.isInteger(value))
      ? undefined
      : `must be a ${whole ? "whole " : ""}number ${unit} from ${from} to ${to}`

const envsRule: Rule = (value) => {
  if (!Array.isArray(value)) return "must be a list of { slug, connection_url }"
  const seen = new Set<unknown>()
  for (const env of value as ReadonlyArray<unknown>) {
    if (!isRecord(env) || text(env["slug"]) !== undefined || text(env["connection_url"]) !== undefined) {
      return "must be a list of { slug, connection_url }, both non-empty strings"
    }
    if (seen.has(env["slug"])) return "names an environment twice"
    seen.add(env["slug"])
  }
  return undefined
}

/** One hundred years: a longer lifetime is a unit mistaken. */
const century = 100 * 366 * 24 * 3600

const rules: Readonly<Record<string, Rule>> = {
  tag: (value) =>
    typeof value === "string" && tagPattern.test(value)
      ? undefined
      : "must be 1 to 128 letters, digits, '_', '.' or '-', starting with a letter or digit",
  name: text,
  description: (value) => (typeof value === "string" ? undefined : "must be a string"),
  expiry: numberIn(0, century * 1000, false, "of milliseconds"),
  type: (value) =>
    value === "memcached" ? "'memcached' is not supported yet; use 'in-memory' or 'redis'" : text(value),
  envs: envsRule,
  max_entries: numberIn(1, 100_000_000, true, "of entries"),
  max_value_bytes: numberIn(1, memoryLimit, true, "of bytes"),
  grace: numberIn(0, century, false, "of seconds"),
  jitter: numberIn(0, 1, false, "(a share of the lifetime)"),
  encrypt: flag,
  memory_tier: flag
}

/** Reads the known fields of an input, checking each. `undefined` counts as absent. */
const readFields = (input: unknown, fields: ReadonlyArray<string>): Record<string, unknown> => {
  if (!isRecord(input)) throw invalid("config", "must be an object")
  const result: Record<string, unknown> = {}
  for (const field of fields) {
    const value = Object.hasOwn(input, field) ? input[field] : undefined
    if (value === undefined) continue
    const broken = rules[field]?.(value)
    if (broken !== undefined) throw invalid(field, broken)
    result[field] =
      field === "envs"
        ? (value as NonNullable<CacheConfig["envs"]>).map(({ slug, connection_url }) => ({
            slug,
            connection_url
          }))
        : value
  }
  return result
}

const refuseUnknown = (input: unknown, allowed: ReadonlyArray<string>): void => {
  if (!isRecord(input)) throw invalid("config", "must be an object")
  for (const field of Object.keys(input)) {
    if (allowed.includes(field)) continue
    throw invalid(
      field,
      field === "tag" ? "never changes" : `is no field of a cache; it has ${Object.keys(rules).join(", ")}`
    )
  }
}

const everyField = Object.keys(rules)
const patchFields = everyField.filter((field) => field !== "tag")

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readConfig = (input: unknown): CacheConfig => {
  refuseUnknown(input, [...everyField, "product", "product_tag"])
  const fields = readFields(input, everyField)
  if (fields["tag"] === undefined) throw invalid("tag", "is required")
  return { name: fields["tag"], ...fields } as unknown as CacheConfig
}

/** @throws {CacheError} `VALIDATION_ERROR` */
export const readPatch = (input: unknown): Partial<CacheConfig> => {
  refuseUnknown(input, patchFields)
  return readFields(input, patchFields) as Partial<CacheConfig>
}
