import { isDeepStrictEqual } from "node:util"
import { readPath } from "@ductape/core"
import { invalid } from "../DatabaseError.ts"
import type { ConditionOperator, TriggerCondition, TriggerContext } from "./Trigger.ts"

const operators: ReadonlySet<string> = new Set<ConditionOperator>([
  "equals",
  "notEquals",
  "greaterThan",
  "greaterThanOrEquals",
  "lessThan",
  "lessThanOrEquals",
  "in",
  "notIn",
  "contains",
  "startsWith",
  "endsWith",
  "matches",
  "isNull",
  "isNotNull",
  "isEmpty",
  "isNotEmpty",
  "changed",
  "notChanged",
  "changedTo",
  "changedFrom"
])

/** `greater_than`, `GREATER_THAN` → `greaterThan`. */
const folded = new Map([...operators].map((name) => [name.toLowerCase(), name as ConditionOperator]))
const operatorOf = (name: unknown): ConditionOperator | undefined =>
  typeof name === "string" ? folded.get(name.replaceAll(/[_\s-]/g, "").toLowerCase()) : undefined

/** @throws `VALIDATION_ERROR` */
export const checkCondition = (condition: TriggerCondition, path = "condition"): void => {
  if (typeof condition !== "object" || condition === null) throw invalid(`${path}: expected an object.`, path)
  if ("and" in condition || "or" in condition) {
    const members = "and" in condition ? condition.and : condition.or
    if (!Array.isArray(members)) throw invalid(`${path}: and, or: expected a list.`, path)
    for (const [i, member] of (members as ReadonlyArray<TriggerCondition>).entries()) {
      checkCondition(member, `${path}[${i}]`)
    }
    return
  }
  if ("not" in condition) {
    checkCondition(condition.not, `${path}.not`)
    return
  }
  if (typeof condition.field !== "string" || condition.field === "") {
    throw invalid(`${path}.field: missing.`, `${path}.field`)
  }
  if (operatorOf(condition.operator) === undefined) {
    throw invalid(`${path}.operator: expected one of ${[...operators].join(", ")}.`, `${path}.operator`)
  }
}

/** A bare name is a field of the record. */
const valueAt = (field: string, context: TriggerContext): unknown => {
  const [head = ""] = field.split(".")
  const roots: Readonly<Record<string, unknown>> = { ...context }
  return Object.hasOwn(roots, head) && field.includes(".")
    ? readPath(roots, [field])
    : readPath(context.record, [field])
}

const comparable = (value: unknown): unknown =>
  value instanceof Date ? value.getTime() : typeof value === "bigint" ? Number(value) : value

const same = (a: unknown, b: unknown): boolean => {
  if (a === undefined || a === null) return b === undefined || b === null
  // A stored condition writes dates as text.
  if (a instanceof Date && typeof b === "string") return a.getTime() === Date.parse(b)
  return isDeepStrictEqual(comparable(a), comparable(b))
}

const compare = (a: unknown, b: unknown): number | undefined => {
  const right = a instanceof Date && typeof b === "string" ? Date.parse(b) : comparable(b)
  const left = comparable(a)
  if (typeof left === "number" && typeof right === "number") return left - right
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0
  return undefined
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && !(value instanceof Date) && Object.keys(value).length === 0)

const matches = (value: unknown, pattern: unknown): boolean => {
  const expression =
    pattern instanceof RegExp
      ? new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""))
      : new RegExp(String(pattern), "u")
  return typeof value === "string" && expression.test(value)
}

const contains = (value: unknown, part: unknown): boolean =>
  typeof value === "string"
    ? typeof part === "string" && value.includes(part)
    : Array.isArray(value) && value.some((item) => same(item, part))

/** `undefined` where the row as it was is not known. */
const before = (field: string, context: TriggerContext): unknown =>
  context.previousRecord === undefined ? undefined : readPath(context.previousRecord, [plainField(field)])

const plainField = (field: string): string => field.replace(/^record\./, "")

const hasChanged = (field: string, context: TriggerContext): boolean => {
  const name = plainField(field)
  // An update that does not name the field leaves it as it was.
  if (context.previousRecord !== undefined && !Object.hasOwn(context.record, name.split(".")[0] ?? name))
    return false
  return !same(readPath(context.record, [name]), before(field, context))
}

/** Whether the trigger applies; without a condition it does. */
export const holds = (condition: TriggerCondition | undefined, context: TriggerContext): boolean => {
  if (condition === undefined) return true
  if ("and" in condition) return condition.and.every((member) => holds(member, context))
  if ("or" in condition) return condition.or.some((member) => holds(member, context))
  if ("not" in condition) return !holds(condition.not, context)
  const { field, value: given } = condition
  const value = valueAt(field, context)
  const order = (test: (difference: number) => boolean): boolean => {
    const difference = compare(value, given)
    return difference !== undefined && test(difference)
  }
  switch (operatorOf(condition.operator)) {
    case "equals":
      return same(value, given)
    case "notEquals":
      return !same(value, given)
    case "greaterThan":
      return order((difference) => difference > 0)
    case "greaterThanOrEquals":
      return order((difference) => difference >= 0)
    case "lessThan":
      return order((difference) => difference < 0)
    case "lessThanOrEquals":
      return order((difference) => difference <= 0)
    case "in":
      return Array.isArray(given) && given.some((item) => same(value, item))
    case "notIn":
      return Array.isArray(given) && !given.some((item) => same(value, item))
    case "contains":
      return contains(value, given)
    case "startsWith":
      return typeof value === "string" && typeof given === "string" && value.startsWith(given)
    case "endsWith":
      return typeof value === "string" && typeof given === "string" && value.endsWith(given)
    case "matches":
      return matches(value, given)
    case "isNull":
      return value === undefined || value === null
    case "isNotNull":
      return value !== undefined && value !== null
    case "isEmpty":
      return isEmpty(value)
    case "isNotEmpty":
      return !isEmpty(value)
    case "changed":
      return hasChanged(field, context)
    case "notChanged":
      return !hasChanged(field, context)
    case "changedTo":
      return hasChanged(field, context) && same(value, given)
    case "changedFrom":
      return hasChanged(field, context) && same(before(field, context), given)
    default:
      return false
  }
}

/** Whether a condition or a placeholder looks at the row as it was. */
export const asksForPrevious = (value: unknown): boolean => {
  if (typeof value === "string") return value.includes("previousRecord")
  if (typeof value === "function") return false
  if (Array.isArray(value)) return value.some(asksForPrevious)
  if (typeof value !== "object" || value === null) return false
  const operator = operatorOf((value as { readonly operator?: unknown }).operator)
  if (operator !== undefined && /^(?:changed|notChanged)/.test(operator)) return true
  return Object.values(value).some(asksForPrevious)
}
