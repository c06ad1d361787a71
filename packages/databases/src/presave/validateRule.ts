import { invalid } from "../DatabaseError.ts"
import type { Row } from "../types.ts"
import type { ValidationRule } from "./PreSaveOp.ts"

const email = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/

const sizeOf = (value: unknown): number | undefined =>
  typeof value === "string" ? [...value].length : Array.isArray(value) ? value.length : undefined

const isUrl = (value: unknown): boolean =>
  typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value)

const typeName = (value: unknown): string =>
  Array.isArray(value) ? "array" : value instanceof Date ? "date" : typeof value

const matches = (pattern: unknown, value: unknown): boolean => {
  const expression =
    pattern instanceof RegExp
      ? new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""))
      : new RegExp(String(pattern))
  return typeof value === "string" && expression.test(value)
}

/** The usual words of each rule; they hold no value of the record. */
const words: Readonly<Record<Exclude<ValidationRule["type"], "custom">, (value: unknown) => string>> = {
  required: () => "is required",
  email: () => "must be an email address",
  url: () => "must be a URL",
  minLength: (value) => `must have at least ${String(value)} characters`,
  maxLength: (value) => `must have at most ${String(value)} characters`,
  min: (value) => `must be at least ${String(value)}`,
  max: (value) => `must be at most ${String(value)}`,
  pattern: () => "has the wrong form",
  enum: (value) => `must be one of ${Array.isArray(value) ? value.join(", ") : ""}`,
  type: (value) => `must be of type ${String(value)}`,
  integer: () => "must be a whole number",
  positive: () => "must be more than 0",
  negative: () => "must be less than 0"
}

const passes = (rule: ValidationRule, value: unknown): boolean => {
  const number = typeof value === "bigint" ? Number(value) : value
  switch (rule.type) {
    case "required":
      return value !== undefined && value !== null && value !== ""
    case "email":
      return typeof value === "string" && email.test(value)
    case "url":
      return isUrl(value)
    case "minLength":
      return (sizeOf(value) ?? -1) >= Number(rule.value)
    case "maxLength":
      return (sizeOf(value) ?? Number.POSITIVE_INFINITY) <= Number(rule.value)
    case "min":
      return typeof number === "number" && number >= Number(rule.value)
    case "max":
      return typeof number === "number" && number <= Number(rule.value)
    case "pattern":
      return matches(rule.value, value)
    case "enum":
      return Array.isArray(rule.value) && rule.value.includes(value)
    case "type":
      return typeName(value) === rule.value
    case "integer":
      return typeof value === "bigint" || Number.isInteger(value)
    case "positive":
      return typeof number === "number" && number > 0
    case "negative":
      return typeof number === "number" && number < 0
    default:
      return true
  }
}

/** What is wrong with a value by one rule, or nothing. */
export const validateRule = async (
  rule: ValidationRule,
  value: unknown,
  record: Row,
  path: string
): Promise<string | undefined> => {
  if (rule.type === "custom") {
    if (rule.validator === undefined) throw invalid(`${path}: custom needs a validator.`, path)
    const outcome = await rule.validator(value, record)
    if (outcome === true) return undefined
    return rule.message ?? (typeof outcome === "string" ? outcome : "is not valid")
  }
  if (!Object.hasOwn(words, rule.type)) {
    throw invalid(
      `${path}: there is no such rule. Use ${[...Object.keys(words), "custom"].join(", ")}.`,
      path
    )
  }
  if (rule.type !== "required" && (value === undefined || value === null)) return undefined
  return passes(rule, value) ? undefined : (rule.message ?? words[rule.type](rule.value))
}
