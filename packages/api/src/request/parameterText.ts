import { isPlainObject } from "./plainObject.ts"

/** A scalar as it is written into a path, query, header or form; `undefined` if it is none. */
export const scalarText = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
    case "boolean":
    case "bigint":
      return String(value)
    case "object":
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString()
      if (value instanceof URL) return value.href
      return undefined
    default:
      return undefined
  }
}

/** Any value as text; what is no scalar, as JSON. */
export const anyText = (value: unknown): string => scalarText(value) ?? jsonText(value) ?? ""

const rawJson = (JSON as unknown as { readonly rawJSON?: (text: string) => unknown }).rawJSON

const withBigInts = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? (rawJson === undefined ? String(value) : rawJson(String(value))) : value

/**
 * JSON text; big integers are written as the numbers they are.
 *
 * @throws {TypeError} for a cycle
 */
export const jsonText = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    if (cause instanceof TypeError && /BigInt/.test(cause.message)) return JSON.stringify(value, withBigInts)
    throw cause
  }
}

/** Own members that have a value: undefined and null say nothing outside of a body. */
export const members = (value: Record<string, unknown>): Array<readonly [string, unknown]> =>
  Object.entries(value).filter(([, member]) => member !== undefined && member !== null)

export const items = (value: ReadonlyArray<unknown>): Array<unknown> =>
  value.filter((item) => item !== undefined && item !== null)

/**
 * Name and value pairs with brackets: `{ a: { b: [1] } }` under `x` is `x[a][b][0]=1`.
 * `indexed: false` leaves arrays of scalars at the top as a repeated name.
 */
export const bracketPairs = (
  name: string,
  value: unknown,
  onNull: "drop" | "empty",
  write: (name: string, text: string) => void
): void => {
  if (value === undefined) return
  if (value === null) {
    if (onNull === "empty") write(name, "")
    return
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      bracketPairs(`${name}[${index}]`, item, onNull, write)
    })
    return
  }
  if (isPlainObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      bracketPairs(`${name}[${key}]`, member, onNull, write)
    }
    return
  }
  write(name, anyText(value))
}
