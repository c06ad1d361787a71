import { readPath } from "@ductape/core"
import { SessionError } from "./SessionError.ts"

const refused = (selector: unknown, why: string) =>
  new SessionError({
    code: "SELECTOR_INVALID",
    message: `The selector ${why}. Write it as '$Session{userId}' or '$Session{details}{email}', leading to a string, number or boolean of the schema.`,
    details: [{ path: "selector", rule: "selector", message: why, value: typeof selector }]
  })

const whole = /^\$Session((?:\{(?:[^{}\\]|\\[{}\\])+\})+)$/
const segment = /\{((?:[^{}\\]|\\[{}\\])+)\}/g

/**
 * The path of `$Session{…}{…}`.
 *
 * @throws {SessionError} `SELECTOR_INVALID`
 */
export const parseSelector = (selector: unknown): ReadonlyArray<string> => {
  if (typeof selector !== "string") throw refused(selector, "must be text")
  const path = whole.exec(selector)?.[1]
  if (path === undefined) throw refused(selector, "is not one $Session{…} reference")
  return [...path.matchAll(segment)].map(([, name = ""]) => name.replace(/\\([{}\\])/g, "$1"))
}

/** What the path leads to; a first segment equal to the session's tag is skipped unless the data has that key. */
export const readSelected = (data: unknown, path: ReadonlyArray<string>, tag: string): unknown => {
  const [first, ...rest] = path
  if (rest.length > 0 && first === tag && readPath(data, [tag]) === undefined) return readPath(data, rest)
  return readPath(data, path)
}

export const isPrimitive = (value: unknown): value is string | number | boolean =>
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value))

/** @throws {SessionError} `SELECTOR_INVALID` when the schema has no primitive where the selector leads */
export const checkSelector = (selector: unknown, schema: unknown, tag: string): void => {
  const found = readSelected(schema, parseSelector(selector), tag)
  if (found === undefined) throw refused(selector, "leads to nothing in the schema")
  if (!isPrimitive(found) || found === "object" || found === "array") {
    throw refused(selector, "does not lead to a string, number or boolean in the schema")
  }
}
