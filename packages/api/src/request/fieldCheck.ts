import type { DataType, Field, Fields } from "@ductape/registry"
import { isBinary, isFilePart } from "./fileValue.ts"
import type { Section } from "./Placement.ts"
import { isPlainObject } from "./plainObject.ts"

/** One rule that a value broke; `path` is dotted below its location. Never the value. */
export interface Failure {
  readonly location: Section
  readonly path: string
  readonly rule: "required" | "type" | "minLength" | "maxLength" | "unknown"
  readonly message: string
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const decimal = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)$/

const isEmail = (value: string): boolean => {
  const parts = value.split("@")
  const [local, domain] = parts
  return (
    parts.length === 2 &&
    local !== undefined &&
    local !== "" &&
    domain !== undefined &&
    !/\s/.test(value) &&
    domain.includes(".") &&
    domain.split(".").every((label) => label !== "")
  )
}

const isText = (value: unknown): boolean =>
  typeof value === "string" || (value instanceof Date && !Number.isNaN(value.getTime()))

const isFinite = (value: unknown): boolean =>
  (typeof value === "number" && Number.isFinite(value)) || typeof value === "bigint"

const checks: Readonly<Record<string, readonly [test: (value: unknown) => boolean, message: string]>> = {
  string: [isText, "must be a string"],
  nospaces_string: [
    (value) => typeof value === "string" && !/\s/.test(value),
    "must be a string without whitespace"
  ],
  email_string: [(value) => typeof value === "string" && isEmail(value), "must be an email address"],
  numberstring: [
    (value) => typeof value === "string" && decimal.test(value),
    "must be a decimal number as a string"
  ],
  number: [(value) => Number.isInteger(value) || typeof value === "bigint", "must be a whole number"],
  float: [isFinite, "must be a number"],
  double: [isFinite, "must be a number"],
  uuid: [(value) => typeof value === "string" && uuid.test(value), "must be a UUID"],
  boolean: [(value) => typeof value === "boolean", "must be true or false"],
  object: [isPlainObject, "must be an object"],
  array: [Array.isArray, "must be an array"]
}

/** What is wrong with a value of the type, if anything. */
export const typeFailure = (type: DataType | undefined, value: unknown): string | undefined => {
  if (type === undefined) return undefined
  if (type.startsWith("array-")) {
    const item = checks[type.slice("array-".length)]
    if (!Array.isArray(value)) return "must be an array"
    const wrong = item === undefined ? -1 : value.findIndex((element) => !item[0](element))
    return wrong < 0 ? undefined : `item ${wrong} ${item?.[1] ?? ""}`
  }
  const check = checks[type]
  return check === undefined || check[0](value) ? undefined : check[1]
}

const lengthOf = (value: unknown): number | undefined => {
  if (Array.isArray(value)) return value.length
  if (typeof value !== "string") return undefined
  let count = 0
  for (const _ of value) count += 1
  return count
}

const unit = (value: unknown): string => (Array.isArray(value) ? "items" : "characters")

/** Whether anything below `field` can be checked or filled in, so that others cost nothing. */
export const hasRules = (field: Field): boolean =>
  field.defaultValue !== undefined ||
  field.required === true ||
  (field.inferred !== true && field.type !== undefined) ||
  field.minLength !== undefined ||
  field.maxLength !== undefined ||
  (field.fields !== undefined && Object.values(field.fields).some(hasRules)) ||
  (field.items !== undefined && hasRules(field.items))

/**
 * Checks a value that is there; returns it, with defaults filled in below it (in a copy).
 * Types told from a sample (`inferred`) are not enforced.
 */
export const checkValue = (
  field: Field,
  value: unknown,
  location: Section,
  path: string,
  failures: Array<Failure>
): unknown => {
  if (value === null) {
    if (field.nullable !== true && field.inferred !== true && field.type !== undefined) {
      failures.push({ location, path, rule: "type", message: `${typeMessage(field.type)}, not null` })
    }
    return value
  }
  if (isBinary(value) || (field.binary === true && (typeof value === "string" || isFilePart(value)))) {
    if (
      field.binary !== true &&
      field.type !== undefined &&
      field.inferred !== true &&
      field.type !== "string"
    ) {
      failures.push({ location, path, rule: "type", message: typeMessage(field.type) })
    }
    return value
  }
  if (field.inferred !== true) {
    const wrong = typeFailure(field.type, value)
    if (wrong !== undefined) {
      failures.push({ location, path, rule: "type", message: wrong })
      return value
    }
  }
  const length = lengthOf(value)
  if (length !== undefined) {
    if (field.minLength !== undefined && length < field.minLength) {
      const message = `must have at least ${field.minLength} ${unit(value)}`
      failures.push({ location, path, rule: "minLength", message })
    }
    if (field.maxLength !== undefined && length > field.maxLength) {
      const message = `must have at most ${field.maxLength} ${unit(value)}`
      failures.push({ location, path, rule: "maxLength", message })
    }
  }
  if (field.fields !== undefined && isPlainObject(value)) {
    return checkObject(field.fields, value, location, path, failures)
  }
  const inner = field.items
  if (inner !== undefined && Array.isArray(value) && hasRules(inner)) {
    let copy: Array<unknown> | undefined
    value.forEach((item: unknown, index) => {
      const next = checkValue(inner, item, location, `${path}[${index}]`, failures)
      if (next !== item) {
        copy ??= [...value]
        copy[index] = next
      }
    })
    return copy ?? value
  }
  return value
}

const typeMessage = (type: DataType): string =>
  checks[type]?.[1] ?? (type.startsWith("array-") ? "must be an array" : "has the wrong type")

/** Checks the members of an object; returns it, or a copy with defaults filled in. */
const checkObject = (
  fields: Fields,
  value: Record<string, unknown>,
  location: Section,
  path: string,
  failures: Array<Failure>
): Record<string, unknown> => {
  let copy: Record<string, unknown> | undefined
  for (const [name, field] of Object.entries(fields)) {
    const before = Object.hasOwn(value, name) ? value[name] : undefined
    const after = checkMember(field, before, location, path === "" ? name : `${path}.${name}`, failures)
    if (after !== before) {
      copy ??= Object.assign(Object.create(null) as Record<string, unknown>, value)
      copy[name] = after
    }
  }
  return copy ?? value
}

/** A field that may be absent: its default, else an error if it is required. */
export const checkMember = (
  field: Field,
  value: unknown,
  location: Section,
  path: string,
  failures: Array<Failure>
): unknown => {
  if (value !== undefined) return checkValue(field, value, location, path, failures)
  if (field.defaultValue !== undefined && field.defaultValue !== null) return field.defaultValue
  if (field.required === true) failures.push({ location, path, rule: "required", message: "is required" })
  return undefined
}
