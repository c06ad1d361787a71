import { CacheError } from "./CacheError.ts"

const unstorable = (why: string): CacheError =>
  new CacheError({
    code: "SET_VALUE_FAILED",
    status: 400,
    retryable: false,
    message: `The value cannot be cached: ${why}. Cache a string or a JSON value.`
  })

const toJson = (value: unknown): string => {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    throw unstorable(
      typeof value === "bigint"
        ? "a bigint has no JSON form"
        : "it has no JSON form (a cycle, a bigint, or a toJSON that throws)"
    )
  }
  if (text === undefined) throw unstorable(`${typeof value} has no JSON form`)
  return text
}

/** The text of a value given to `set`: a string verbatim, anything else as JSON. */
export const encodeValue = (value: unknown): string => {
  if (typeof value !== "string") return toJson(value)
  if (!value.isWellFormed()) throw unstorable("the string is not well-formed Unicode")
  return value
}

/**
 * The text of what a `fallback` returned. A string that would read as JSON (`"0042"` does not,
 * `"42"` does) is written as JSON, so that a hit returns it as it was.
 */
export const encodeResult = (value: unknown): string =>
  typeof value === "string" && value.isWellFormed() && decodeText(value) === value ? value : toJson(value)

const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

/** The value of a text: parsed as JSON, or the text itself if it is none. */
export const decodeText = (text: string): unknown => {
  const first = text.charCodeAt(0)
  // A failed parse costs far more than a look: only what can start a JSON text is tried.
  const object = first === 123 || first === 91
  const number = first === 45 || (first >= 48 && first <= 57)
  const space = first === 32 || first === 9 || first === 10 || first === 13
  if (object || number || first === 34 || space) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  if (first === 116 || first === 102 || first === 110) {
    const trimmed = text.trimEnd()
    if (trimmed === "true" || trimmed === "false" || trimmed === "null") return literals[trimmed]
  }
  return text
}

/** Bytes of UTF-8; those of the key count where the whole entry is meant. */
export const byteLength = (text: string): number => Buffer.byteLength(text, "utf8")

export const tooLarge = (bytes: number, limit: number): CacheError =>
  unstorable(`it has ${bytes} bytes, and the cache takes at most ${limit} (max_value_bytes)`)
