import { readPath } from "@ductape/core"
import { DatabaseError } from "./DatabaseError.ts"

const whole = /^\$Session((?:\{(?:[^{}\\]|\\[{}\\])+\})+)$/
const segment = /\{((?:[^{}\\]|\\[{}\\])+)\}/g

const resolve = (value: unknown, data: Readonly<Record<string, unknown>>, path: string): unknown => {
  if (typeof value === "string") {
    const match = whole.exec(value)
    if (match === null) return value
    const segments = [...(match[1] ?? "").matchAll(segment)].map((m) =>
      (m[1] ?? "").replace(/\\([{}\\])/g, "$1")
    )
    const found = readPath(data, segments)
    if (found === undefined) {
      throw new DatabaseError({
        code: "VALIDATION_ERROR",
        message: `${path}: the session holds nothing at ${segments.join(".")}.`,
        details: [{ path, rule: "session", message: "not in the session" }]
      })
    }
    return found
  }
  if (Array.isArray(value)) return value.map((item, i) => resolve(item, data, `${path}[${i}]`))
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolve(item, data, `${path}.${key}`)])
    )
  }
  return value
}

/** Replaces every filter or row value that is one `$Session{…}` and nothing else. */
export const resolveSessionValues = <I extends object>(
  input: I,
  data: Readonly<Record<string, unknown>>
): I => {
  const out = { ...input } as Record<string, unknown>
  for (const key of ["where", "records", "data", "having", "params"]) {
    if (out[key] !== undefined) out[key] = resolve(out[key], data, key)
  }
  return out as I
}
