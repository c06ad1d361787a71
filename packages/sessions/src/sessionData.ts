import type { SessionConfig } from "./SessionConfig.ts"
import { SessionError } from "./SessionError.ts"
import { isPrimitive, parseSelector, readSelected } from "./selector.ts"

/** Bytes of JSON that a session may hold. */
export const dataLimit = 4_096

export type SessionData = Readonly<Record<string, unknown>>

const refused = (path: string, rule: string, message: string) =>
  new SessionError({
    code: "SESSION_DATA_INVALID",
    message: `Session data: '${path}' ${message}.`,
    details: [{ path, rule, message }]
  })

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value

const words: ReadonlySet<unknown> = new Set(["string", "number", "boolean", "object", "array"])

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** What JSON would drop or change is refused, so that `verify` gives back what `start` was given. */
const checkJson = (value: unknown, path: string, depth: number): void => {
  if (depth > 32) throw refused(path, "depth", "is nested deeper than 32 levels")
  if (value === null || typeof value === "string" || typeof value === "boolean") return
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refused(path, "json", "is a number that JSON cannot hold")
    return
  }
  if (typeof value !== "object") throw refused(path, "json", `is a ${typeof value}, which JSON cannot hold`)
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkJson(item, `${path}[${i}]`, depth + 1)
    return
  }
  if (!isPlain(value)) throw refused(path, "json", "is not a plain object; write it as text or numbers")
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) checkJson(member, `${path}.${key}`, depth + 1)
  }
}

const checkSchema = (schema: unknown, value: unknown, path: string): void => {
  if (value === undefined || schema === null) return
  if (words.has(schema)) {
    if (typeOf(value) !== schema)
      throw refused(path, "type", `must be of type ${schema}, not ${typeOf(value)}`)
    return
  }
  if (typeOf(value) !== typeOf(schema)) {
    throw refused(path, "type", `must be of type ${typeOf(schema)}, not ${typeOf(value)}`)
  }
  if (typeOf(schema) !== "object") return
  for (const [key, member] of Object.entries(schema as object)) {
    if (Object.hasOwn(value as object, key)) {
      checkSchema(member, (value as Record<string, unknown>)[key], `${path}.${key}`)
    }
  }
}

/** The user that the data names, as text. */
export const identifierOf = (config: Pick<SessionConfig, "tag" | "selector">, data: unknown): string => {
  const found = readSelected(data, parseSelector(config.selector), config.tag)
  if (!isPrimitive(found) || found === "") {
    throw refused("data", "selector", `has no text, number or boolean where ${config.selector} leads`)
  }
  return String(found)
}

/**
 * Checks data against its configuration.
 *
 * @returns its JSON text, and the user it names
 * @throws {SessionError} `SESSION_DATA_INVALID` naming the path, never the value
 */
export const checkData = (
  config: Pick<SessionConfig, "tag" | "selector" | "schema">,
  data: unknown
): { readonly text: string; readonly identifier: string } => {
  if (typeOf(data) !== "object") throw refused("data", "type", "must be an object")
  checkJson(data, "data", 0)
  const text = JSON.stringify(data)
  const bytes = Buffer.byteLength(text)
  if (bytes > dataLimit) {
    throw refused(
      "data",
      "size",
      `is ${bytes} bytes of JSON, more than ${dataLimit}; keep an id and load the rest`
    )
  }
  for (const [key, member] of Object.entries(config.schema)) {
    if (Object.hasOwn(data as object, key)) {
      checkSchema(member, (data as Record<string, unknown>)[key], `data.${key}`)
    }
  }
  return { text, identifier: identifierOf(config, data) }
}

/** Verified data is shared by all who verify the same token, so nobody may change it. */
export const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
