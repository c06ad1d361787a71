export type JsonRecord = Readonly<Record<string, unknown>>

/** A JSON object; own properties only are ever read from it. */
export const isRecord = (u: unknown): u is JsonRecord =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** An own property, never one of the prototype's. */
export const own = (record: JsonRecord, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined

export const recordIn = (record: JsonRecord, key: string): JsonRecord => {
  const value = own(record, key)
  return isRecord(value) ? value : {}
}

export const listIn = (record: JsonRecord, key: string): ReadonlyArray<unknown> => {
  const value = own(record, key)
  return Array.isArray(value) ? value : []
}

export const textIn = (record: JsonRecord, key: string): string | undefined => {
  const value = own(record, key)
  return typeof value === "string" ? value : undefined
}

/** Names that would reach the prototype of a plain object; fields cannot be called so. */
export const isForbiddenName = (name: string): boolean => name === "__proto__"

/** One line of at most `limit` characters. */
export const shorten = (text: unknown, limit: number): string | undefined => {
  if (typeof text !== "string") return undefined
  // Cut first: a description may be a whole manual.
  const line = text
    .slice(0, limit * 2)
    .replace(/\s+/g, " ")
    .trim()
  if (line === "") return undefined
  return line.length <= limit ? line : `${line.slice(0, limit - 1).trimEnd()}…`
}

const credential = /authorization|token|secret|password|key/i

/** Fields named like credentials: what a document shows for them may be somebody's real one. */
export const isCredentialName = (name: string): boolean => credential.test(name)
