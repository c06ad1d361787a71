import { randomUUID } from "node:crypto"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import { isIdentifier } from "../sql/identifier.ts"
import type { Row } from "../types.ts"
import type { PreSaveConfig, PreSaveOp } from "./PreSaveOp.ts"
import { encryptValue, hashText } from "./secretText.ts"
import { mask, sanitize, slugOf, truncate } from "./textOperations.ts"
import { validateRule } from "./validateRule.ts"

/** The order in which operations run, whatever the order in which they are given. */
const phases: Readonly<Record<PreSaveOp["type"], number>> = {
  default: 0,
  compute: 1,
  validate: 2,
  trim: 3,
  lowercase: 3,
  uppercase: 3,
  normalizeEmail: 3,
  normalizePhone: 3,
  sanitize: 4,
  truncate: 5,
  slug: 6,
  round: 7,
  clamp: 7,
  jsonStringify: 8,
  jsonParse: 8,
  uuid: 9,
  timestamp: 9,
  transform: 10,
  mask: 11,
  hash: 12,
  encrypt: 13
}

interface Fault {
  readonly field: string
  readonly path: string
  readonly message: string
}

const isNothing = (value: unknown): boolean => value === undefined || value === null

const isEmpty = (value: unknown): boolean =>
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === 0)

/** `{ $inc: 1 }`: what the database is to do with the old value. */
const isOperator = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).some((key) => key.startsWith("$"))

const rounded = (value: number, digits: number, mode: "round" | "floor" | "ceil"): number => {
  // By the decimal text, so that 1.005 is what it looks like.
  const shifted = Number(`${value}e${digits}`)
  if (!Number.isFinite(shifted)) return value
  const whole = Math[mode](Math.abs(shifted))
  const exact = mode === "round" ? Math.sign(shifted) * whole : Math[mode](shifted)
  return Number(`${exact}e${-digits}`)
}

const asText = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : String(value)

const textChanges: Readonly<
  Record<"trim" | "lowercase" | "uppercase" | "normalizeEmail" | "normalizePhone", (text: string) => string>
> = {
  trim: (text) => text.trim(),
  lowercase: (text) => text.toLowerCase(),
  uppercase: (text) => text.toUpperCase(),
  normalizeEmail: (text) => text.trim().toLowerCase(),
  normalizePhone: (text) => (/^\s*\+/.test(text) ? "+" : "") + text.replace(/\D/g, "")
}

/** The new value of the field, or `undefined` to leave it. */
const changed = async (
  op: PreSaveOp,
  value: unknown,
  record: Row,
  config: PreSaveConfig
): Promise<unknown> => {
  switch (op.type) {
    case "default":
      return isNothing(value) ? (op.generator === undefined ? op.value : await op.generator()) : undefined
    case "compute":
      return op.compute(record)
    case "transform":
      return op.transform(value, record)
    case "uuid":
      return isNothing(value) ? randomUUID() : undefined
    case "timestamp":
      return new Date()
    case "slug": {
      const source = record[op.from]
      return typeof source === "string" ? slugOf(source, op) : undefined
    }
  }
  if (isNothing(value)) return undefined
  switch (op.type) {
    case "round":
      return typeof value === "number" ? rounded(value, op.digits, op.mode ?? "round") : undefined
    case "clamp":
      return typeof value === "number" ? Math.min(op.max, Math.max(op.min, value)) : undefined
    case "jsonStringify":
      return typeof value === "string" ? undefined : JSON.stringify(value)
    case "jsonParse":
      return typeof value === "string" ? parsed(value, op.field) : undefined
    case "hash": {
      const algorithm = op.algorithm ?? config.defaultHashAlgorithm ?? "bcrypt"
      return hashText(asText(value), algorithm, op.saltRounds ?? config.defaultSaltRounds ?? 12)
    }
    case "encrypt":
      return encryptValue(value, op.key ?? config.encryptionKey, op.algorithm)
    case "mask": {
      const text = typeof value === "number" ? String(value) : value
      return typeof text === "string" ? mask(text, op) : undefined
    }
  }
  if (typeof value !== "string" || op.type === "validate") return undefined
  if (op.type === "sanitize") return sanitize(value)
  if (op.type === "truncate") return truncate(value, op)
  return textChanges[op.type](value)
}

const parsed = (text: string, field: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw invalid(`preSave: '${field}' is no JSON.`, field)
  }
}

const checkOps = (ops: ReadonlyArray<PreSaveOp>): ReadonlyArray<PreSaveOp> => {
  if (!Array.isArray(ops)) throw invalid("preSave: expected a list of operations.", "preSave")
  for (const [i, op] of (ops as ReadonlyArray<PreSaveOp>).entries()) {
    const at = `preSave[${i}]`
    if (typeof op !== "object" || op === null || !isIdentifier(op.field)) {
      throw invalid(`${at}.field: expected the name of a column.`, `${at}.field`)
    }
    if (!Object.hasOwn(phases, op.type)) {
      throw invalid(`${at}.type: expected one of ${Object.keys(phases).join(", ")}.`, `${at}.type`)
    }
    if (op.type === "validate" && !Array.isArray(op.rules)) {
      throw invalid(`${at}.rules: expected a list.`, `${at}.rules`)
    }
  }
  return [...(ops as ReadonlyArray<PreSaveOp>)].sort((a, b) => phases[a.type] - phases[b.type])
}

/** Copies of the records, as they are to be saved. @throws `VALIDATION_ERROR`, `UNSUPPORTED_OPERATION` */
export const runPreSave = async (
  records: ReadonlyArray<Row>,
  given: ReadonlyArray<PreSaveOp>,
  config: PreSaveConfig = {},
  isUpdate = false,
  path: (index: number) => string = (index) => `records[${index}]`
): Promise<Array<Row>> => {
  const ops = checkOps(given)
  const faults: Array<Fault> = []
  const copies = records.map((record) => ({ ...record }))
  const checks = ops.filter((op) => phases[op.type] <= phases.validate)
  // All records are checked before costly work on any of them begins.
  for (const [i, record] of copies.entries()) {
    for (const op of checks) await apply(op, record, config, isUpdate, faults, path(i))
  }
  if (faults.length > 0 && config.throwOnValidationError !== false) {
    throw new DatabaseError({
      code: "VALIDATION_ERROR",
      message: `Validation failed: ${faults.map(({ field, message }) => `${field}: ${message}`).join(", ")}`,
      columns: [...new Set(faults.map(({ field }) => field))],
      details: faults
    })
  }
  const rest = ops.slice(checks.length)
  for (const [i, record] of copies.entries()) {
    for (const op of rest) await apply(op, record, config, isUpdate, faults, path(i))
  }
  return copies
}

/** Of an update these would put in what the caller did not mean to change. */
const insertOnly = new Set<PreSaveOp["type"]>(["default", "uuid"])

const apply = async (
  op: PreSaveOp,
  record: Row,
  config: PreSaveConfig,
  isUpdate: boolean,
  faults: Array<Fault>,
  path: string
): Promise<void> => {
  const { field } = op
  const value = record[field]
  if (isUpdate && (insertOnly.has(op.type) || isOperator(value))) return
  if (op.condition !== undefined && !op.condition(record)) return
  if (op.skipIfNull === true && isNothing(value)) return
  if (op.skipIfEmpty === true && isEmpty(value)) return
  if (op.type === "validate") {
    if (isUpdate && !Object.hasOwn(record, field)) return
    for (const rule of op.rules) {
      const message = await validateRule(rule, value, record, `preSave ${field}`)
      if (message !== undefined) faults.push({ field, path: `${path}.${field}`, message })
    }
    return
  }
  if (op.type === "transform" && isUpdate && value === undefined) return
  if (op.type === "mask" && op.storeOriginalIn !== undefined && !isNothing(value)) {
    record[op.storeOriginalIn] = value
  }
  const next = await changed(op, value, record, config)
  if (next !== undefined) record[field] = next
}
