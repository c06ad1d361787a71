/**
 * One text per value: keys sorted by code unit, `undefined` members left out as JSON does. What JSON has
 * no form for is told apart too: bytes, big integers, dates, NaN.
 */
export const canonicalJson = (value: unknown): string => {
  if (value === null || value === undefined) return "null"
  switch (typeof value) {
    case "string":
      return JSON.stringify(value)
    case "boolean":
      return String(value)
    case "number":
      return Number.isFinite(value) ? JSON.stringify(value) : `{"$number":"${value}"}`
    case "bigint":
      return `{"$bigint":"${value}"}`
    case "object":
      return object(value)
    default:
      throw new TypeError(`${typeof value} is not data`)
  }
}

const object = (value: object): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  if (value instanceof Uint8Array) return `{"$bytes":"${Buffer.from(value).toString("base64")}"}`
  if (value instanceof Date) return `{"$date":${value.getTime()}}`
  if ("toJSON" in value && typeof value.toJSON === "function") return canonicalJson(value.toJSON())
  const members: Array<string> = []
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`)
  }
  return `{${members.join(",")}}`
}
