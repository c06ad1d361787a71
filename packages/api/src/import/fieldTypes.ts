import type { DataType } from "@ductape/registry"
import { isRecord } from "./json.ts"
import type { Shape } from "./Schemas.ts"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const email = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/

/** What the document itself shows as a value: a format that these do not meet is not enforced. */
const shown = (shape: Shape): ReadonlyArray<unknown> =>
  [shape.default, shape.sample, ...(shape.enum ?? [])].filter(
    (value) => value !== undefined && value !== null
  )

const scalar = (shape: Shape): DataType | undefined => {
  switch (shape.type) {
    case "string": {
      const meets = (pattern: RegExp) => shown(shape).every((v) => typeof v === "string" && pattern.test(v))
      if (shape.format === "uuid" && meets(uuid)) return "uuid"
      if (shape.format === "email" && meets(email)) return "email_string"
      return "string"
    }
    case "integer":
      return "number"
    case "number":
      return shape.format === "float" ? "float" : "double"
    case "boolean":
      return "boolean"
    default:
      return undefined
  }
}

const lists: Partial<Record<DataType, DataType>> = {
  string: "array-string",
  number: "array-number",
  float: "array-float",
  double: "array-double",
  uuid: "array-uuid",
  boolean: "array-boolean"
}

/**
 * The type that a value has to have, or `undefined` where the document leaves it open. Never narrower
 * than the document. `items` are the shape of an array's items.
 */
export const dataTypeOf = (shape: Shape, items: Shape | undefined): DataType | undefined => {
  if (shape.type === "object") return "object"
  if (shape.type !== "array") return scalar(shape)
  if (items === undefined || items.nullable || items.alternatives !== undefined) return "array"
  const item = scalar(items)
  return (item === undefined ? undefined : lists[item]) ?? "array"
}

/** Whether a value may be given for a field of that type. */
const fits = (type: DataType | undefined, value: unknown): boolean => {
  switch (type) {
    case undefined:
      return true
    case "number":
      return Number.isInteger(value)
    case "float":
    case "double":
      return typeof value === "number"
    case "boolean":
      return typeof value === "boolean"
    case "object":
      return isRecord(value)
    case "uuid":
      return typeof value === "string" && uuid.test(value)
    case "email_string":
      return typeof value === "string" && email.test(value)
    case "array":
      return Array.isArray(value)
    case "array-string":
      return Array.isArray(value) && value.every((item) => typeof item === "string")
    case "array-number":
      return Array.isArray(value) && value.every(Number.isInteger)
    case "array-float":
    case "array-double":
      return Array.isArray(value) && value.every((item) => typeof item === "number")
    case "array-uuid":
      return Array.isArray(value) && value.every((item) => fits("uuid", item))
    case "array-boolean":
      return Array.isArray(value) && value.every((item) => typeof item === "boolean")
    default:
      return typeof value === "string"
  }
}

const within = (value: unknown, min: number | undefined, max: number | undefined): boolean => {
  const size = typeof value === "string" ? [...value].length : Array.isArray(value) ? value.length : undefined
  return size === undefined || ((min ?? 0) <= size && size <= (max ?? Number.POSITIVE_INFINITY))
}

/** Documents often write `"true"` or `"10"` for a boolean or a number. */
const unquoted = (type: DataType | undefined, value: string): unknown => {
  if (type === "boolean") return value === "true" ? true : value === "false" ? false : value
  if (type === "number" || type === "double" || type === "float") {
    return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value
  }
  return value
}

/** Documents also say in words what happens without a value; that is nothing to send. */
const prose = /^(null|undefined|none|nil)?$|\S\s+\S+\s+\S/i

/** A default that may be sent: one that says something, and is a value rather than words about it. */
export const sendable = (value: unknown, shape: Shape): boolean => {
  if (typeof value === "string") return shape.enum?.includes(value) === true || !prose.test(value)
  if (Array.isArray(value)) return value.length > 0
  return !isRecord(value) || Object.keys(value).length > 0
}

/** A default or sample that the field itself would accept, else `undefined`. */
export const acceptable = (
  value: unknown,
  type: DataType | undefined,
  shape: Shape,
  limits: { readonly min?: number | undefined; readonly max?: number | undefined }
): unknown => {
  if (value === undefined || value === null) return undefined
  const plain = typeof value === "string" ? unquoted(type, value) : value
  if (!fits(type, plain) || !within(plain, limits.min, limits.max)) return undefined
  if (shape.enum !== undefined && !Array.isArray(plain) && !shape.enum.includes(plain)) return undefined
  return plain
}
