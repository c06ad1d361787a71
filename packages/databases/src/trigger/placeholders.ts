import { readPath } from "@ductape/core"
import { invalid } from "../DatabaseError.ts"
import type { TriggerContext } from "./Trigger.ts"

const marks = /\{\{\s*([^{}]*?)\s*\}\}/g
const roots = new Set([
  "record",
  "previousRecord",
  "event",
  "table",
  "database",
  "env",
  "timestamp",
  "operation",
  "user"
])
const form = /^[A-Za-z]+(?:\.[\p{L}\p{N}_$-]+)*$/u

/** Where a value goes: an address needs escaping, a filter must not lose its conditions. */
export type Place = "value" | "strict" | "address"

/** Checks every placeholder of an action's config. @throws `VALIDATION_ERROR` */
export const checkPlaceholders = (value: unknown, path: string): void => {
  if (typeof value === "string") {
    for (const [, name = ""] of value.matchAll(marks)) {
      const [root = ""] = name.split(".")
      if (!form.test(name) || !roots.has(root)) {
        throw invalid(`${path}: '{{…}}' must start with one of ${[...roots].join(", ")}.`, path)
      }
    }
    return
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkPlaceholders(item, `${path}[${i}]`)
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) checkPlaceholders(item, `${path}.${key}`)
  }
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return ""
  if (value instanceof Date) return value.toISOString()
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

const hasOperators = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  (Array.isArray(value)
    ? value.some(hasOperators)
    : Object.entries(value).some(([key, item]) => key.startsWith("$") || hasOperators(item)))

/**
 * The config with the context put in. A string that is one placeholder becomes the value itself;
 * values are never read as placeholders again. In a `strict` place a missing value, or one that looks
 * like an operator, is refused.
 */
export const fill = (
  value: unknown,
  context: TriggerContext,
  place: Place = "value",
  path = "config"
): unknown => {
  if (typeof value === "string") {
    if (!value.includes("{{")) return value
    const whole = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(value)
    if (whole !== null && place !== "address") {
      const found = readPath(context, [whole[1] ?? ""])
      if (place === "strict" && (found === undefined || hasOperators(found))) {
        throw invalid(
          `${path}: '${whole[1]}' ${found === undefined ? "is missing" : "holds keys that start with '$'"}.`,
          path
        )
      }
      return found ?? null
    }
    return value.replace(marks, (_, name: string) => {
      const text = textOf(readPath(context, [name]))
      return place === "address" ? encodeURIComponent(text) : text
    })
  }
  if (Array.isArray(value)) return value.map((item, i) => fill(item, context, place, `${path}[${i}]`))
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fill(item, context, place, `${path}.${key}`)])
    )
  }
  return value
}
