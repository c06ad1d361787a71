import type { DataType, Field } from "@ductape/registry"
import { withoutCredentials } from "./FieldReader.ts"
import { isCredentialName, isForbiddenName, isRecord, shorten, textIn } from "./json.ts"
import { type Entry, entriesOf, type PostmanUrl } from "./postmanUrl.ts"

type Draft = { -readonly [K in keyof Field]: Field[K] }

const sampleBytes = 300
const maxDepth = 6

/** A description is text, or an object with `content`. */
export const describe = (written: unknown): string | undefined =>
  typeof written === "string" ? written : isRecord(written) ? textIn(written, "content") : undefined

/** A field whose type is told from a sample: a hint, never enforced. */
export const inferredField = (name: string, sample: unknown, depth = 0): Draft => {
  const type = typeOf(sample)
  const field: Draft = type === undefined ? { inferred: true } : { type, inferred: true }
  if (isRecord(sample) && depth < maxDepth) {
    const fields = inferredFields(sample, depth + 1)
    if (Object.keys(fields).length > 0) field.fields = fields
    return field
  }
  if (type === "array" && Array.isArray(sample) && depth < maxDepth) {
    const [first] = sample
    if (isRecord(first) || Array.isArray(first)) field.items = inferredField("", first, depth + 1)
  }
  if (!isCredentialName(name) && sample !== null && sample !== undefined && sample !== "") {
    const kept = withoutCredentials(sample)
    if (JSON.stringify(kept).length <= sampleBytes) field.sampleValue = kept
  }
  return field
}

export const inferredFields = (
  sample: Readonly<Record<string, unknown>>,
  depth = 0
): Record<string, Draft> => {
  const fields: Record<string, Draft> = {}
  for (const [name, value] of Object.entries(sample)) {
    if (!isForbiddenName(name)) fields[name] = inferredField(name, value, depth)
  }
  return fields
}

const typeOf = (sample: unknown): DataType | undefined => {
  if (Array.isArray(sample)) {
    if (sample.length === 0) return "array"
    const kinds = new Set(sample.map(typeOf))
    const [only] = kinds
    if (kinds.size > 1) return "array"
    if (only === "string" || only === "number" || only === "double" || only === "boolean")
      return `array-${only}`
    return "array"
  }
  switch (typeof sample) {
    case "string":
      return "string"
    case "boolean":
      return "boolean"
    case "number":
      return Number.isInteger(sample) ? "number" : "double"
    case "object":
      return sample === null ? undefined : "object"
    default:
      return undefined
  }
}

const entryField = (entry: Entry): Draft => {
  const field = inferredField(entry.name, entry.value ?? "")
  const description = shorten(describe(entry.description), 160)
  if (description !== undefined) field.description = description
  return field
}

/** Optional text fields from a list of entries. */
export const sampleFields = (entries: ReadonlyArray<Entry>): Record<string, Draft> => {
  const fields: Record<string, Draft> = {}
  for (const entry of entries) if (!isForbiddenName(entry.name)) fields[entry.name] ??= entryField(entry)
  return fields
}

/** The parameters of the path, all of them required. */
export const parametersIn = (url: PostmanUrl): Record<string, Draft> => {
  const fields: Record<string, Draft> = {}
  for (const name of url.names) {
    if (isForbiddenName(name)) continue
    const entry = url.variables.get(name)
    fields[name] = { ...(entry === undefined ? { inferred: true } : entryField(entry)), required: true }
  }
  return fields
}

/** Headers of a request: a list of entries, or text with a header per line. */
export const headersOf = (written: unknown): ReadonlyArray<Entry> => {
  if (Array.isArray(written)) return entriesOf(written)
  if (typeof written !== "string") return []
  return written.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(":")
    if (colon <= 0) return []
    const value = line.slice(colon + 1).trim()
    return [
      {
        name: line.slice(0, colon).trim(),
        value: value === "" || value.includes("{{") ? undefined : value,
        description: undefined
      }
    ]
  })
}

const ownHeaders: ReadonlySet<string> = new Set([
  "content-type",
  "accept",
  "content-length",
  "host",
  "authorization",
  "cookie",
  "connection",
  "transfer-encoding",
  "keep-alive",
  "upgrade",
  "expect",
  "te",
  "trailer"
])

/** Header fields, less those that are written elsewhere. */
export const headerFields = (
  headers: ReadonlyArray<Entry>,
  credentials: ReadonlyArray<string>
): Record<string, Draft> => {
  const left = new Set([...ownHeaders, ...credentials.map((name) => name.toLowerCase())])
  return sampleFields(
    headers.filter(({ name }) => !left.has(name.toLowerCase()) && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
  )
}
