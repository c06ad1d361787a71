/** Names through which a path could leave the data for the language's own machinery. */
const forbidden: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"])

export const isForbiddenName = (name: string): boolean => forbidden.has(name)

const index = /^(?:0|[1-9]\d*)$/

/** An own property, or an element of an array; never a method, a length or anything inherited. */
const step = (value: unknown, name: string): unknown => {
  if (typeof value !== "object" || value === null || forbidden.has(name)) return undefined
  if (Array.isArray(value)) return index.test(name) ? value[Number(name)] : undefined
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

const segmentOf = (value: unknown, segment: string): unknown => {
  const whole = step(value, segment)
  if (whole !== undefined || !segment.includes(".")) return whole
  let current = value
  for (const name of segment.split(".")) {
    current = step(current, name)
    if (current === undefined) return undefined
  }
  return current
}

/**
 * Follows a path through plain data. A segment is an own key, or an index of an array; one that is
 * absent as written and has dots (`"user.id"`) is split at them. `__proto__`, `prototype` and
 * `constructor` lead nowhere.
 *
 * @returns what is there (`null` is a value), or `undefined` when nothing is
 */
export const readPath = (value: unknown, segments: ReadonlyArray<string>): unknown => {
  let current = value
  for (const segment of segments) {
    current = segmentOf(current, segment)
    if (current === undefined) return undefined
  }
  return current
}
