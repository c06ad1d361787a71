import type { LateParam, Param } from "../DatabaseDriver.ts"
import { invalid } from "../DatabaseError.ts"
import type { Column, ColumnType } from "./Catalogue.ts"
import { arrayOids, intRange, oids } from "./pgTypes.ts"

/** The value cannot be one of the type's, so no stored value equals it. */
export const misfit: unique symbol = Symbol("misfit")
export type Encoded = string | typeof misfit

const hex = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`

const whole = /^[+-]?\d+$/
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/
const day = /^\d{4,6}-\d\d-\d\d/
const clock = /^\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[+-]\d\d(?::?\d\d)?)?$/

/** A real day of the proleptic Gregorian calendar, as PostgreSQL's `date` wants it. */
const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith("0000")) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

const isoDate = (date: Date): string => {
  const year = date.getUTCFullYear()
  if (year > 0 && year <= 9999) return date.toISOString()
  const text = date.toISOString().replace(/^[+-]\d{6}/, "")
  return year > 0 ? `${year}${text}` : `${String(1 - year).padStart(4, "0")}${text.replace(/^\d{4}/, "")} BC`
}

const int = (type: string, value: unknown): Encoded => {
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return misfit
    if (type === "int4" && value >= -2147483648 && value <= 2147483647) return String(value)
    if (!Number.isSafeInteger(value)) return int(type, BigInt(value))
  } else if (typeof value === "string") {
    if (!whole.test(value)) return misfit
  } else if (typeof value !== "bigint") {
    if (typeof value !== "object" || value === null || !whole.test(String(value))) return misfit
  }
  const range = intRange[type]
  const exact = BigInt(typeof value === "object" ? String(value) : (value as string | number | bigint))
  return range === undefined || (exact >= range[0] && exact <= range[1]) ? String(exact) : misfit
}

const number = (value: unknown): Encoded => {
  switch (typeof value) {
    case "number":
    case "bigint":
      return String(value)
    case "string":
      return decimal.test(value) ? value : misfit
    case "object":
      return value !== null && decimal.test(String(value)) ? String(value) : misfit
    default:
      return misfit
  }
}

const float = (type: string, value: unknown): Encoded => {
  const text = number(value)
  if (text === misfit || type !== "float4") return text
  // Beyond the range of binary32 the server refuses; the nearest there is compares the same.
  const near = Math.fround(Number(text))
  return Number.isFinite(near) && near !== 0 ? text : String(near)
}

/**
 * PostgreSQL's text for a value that is compared with, or put into, a column of the type; `misfit`
 * where the type has no such value.
 */
export const encode = (type: ColumnType, value: unknown): Encoded => {
  switch (type.kind) {
    case "int":
      return int(type.name, value)
    case "float":
      return float(type.name, value)
    case "numeric":
      return number(value)
    case "text":
      return typeof value === "string" ? value : misfit
    case "bool":
      return typeof value === "boolean" ? (value ? "t" : "f") : misfit
    case "uuid":
      return typeof value === "string" && uuid.test(value) ? value : misfit
    case "date":
      if (value instanceof Date) return isoDate(value).replace(/T.*?Z/, "")
      return typeof value === "string" && isDay(value) ? value : misfit
    case "time":
      return typeof value === "string" && clock.test(value) ? value : misfit
    case "timestamp":
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? misfit : isoDate(value)
      return typeof value === "string" && (day.test(value) || /^-?infinity$/.test(value)) ? value : misfit
    case "json":
      return JSON.stringify(value) ?? misfit
    case "bytes":
      return value instanceof Uint8Array ? hex(value) : misfit
    case "enum":
      return typeof value === "string" && (type.labels?.includes(value) ?? true) ? value : misfit
    case "array":
      return Array.isArray(value) && type.element !== undefined ? arrayText(value, type.element) : misfit
    case "other":
      if (typeof value === "string") return value
      if (value instanceof Date) return isoDate(value)
      return typeof value === "object" ? misfit : String(value)
  }
}

const escaped = (text: string): string =>
  /["\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`

/** `{…}`; nested arrays only where the element is none itself (JSON arrays are elements of `jsonb[]`). */
export const arrayText = (values: ReadonlyArray<unknown>, element: ColumnType): Encoded => {
  let out = "{"
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out += ","
    const value = values[i]
    if (value === null || value === undefined) {
      out += "NULL"
    } else if (Array.isArray(value) && element.kind !== "json") {
      const inner = arrayText(value, element)
      if (inner === misfit) return misfit
      out += inner
    } else {
      const text = encode(element, value)
      if (text === misfit) return misfit
      out += element.kind === "int" ? text : escaped(text)
    }
  }
  return `${out}}`
}

/** For writing: as `encode`, but objects may go into text columns as JSON, and what does not fit is told. */
export const encodeWrite = (column: Column, value: unknown, path: string): string | null => {
  if (value === null || value === undefined) return null
  const { kind } = column
  let text: Encoded
  if (kind === "text") {
    text = textOf(value)
  } else if ((kind === "date" || kind === "time") && typeof value === "string") {
    text = value
  } else if (kind === "enum" || kind === "uuid") {
    text = typeof value === "string" ? value : misfit
  } else if (kind === "time" && value instanceof Date) {
    text = value.toISOString().slice(11, 23)
  } else {
    text = encode(column, value)
  }
  if (text === misfit) {
    throw invalid(
      `${path}: a ${nameOf(value)} does not fit column '${column.column}' of type ${column.sql}.`,
      path,
      { columns: [column.column] }
    )
  }
  return text
}

const textOf = (value: unknown): Encoded => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
    case "bigint":
    case "boolean":
      return String(value)
    case "object":
      if (value instanceof Date) return isoDate(value)
      if (value instanceof Uint8Array) return misfit
      return JSON.stringify(value) ?? misfit
    default:
      return misfit
  }
}

const nameOf = (value: unknown): string =>
  value instanceof Date
    ? "date"
    : Array.isArray(value)
      ? "array"
      : value instanceof Uint8Array
        ? "byte array"
        : typeof value

class Late implements LateParam {
  readonly #value: object
  constructor(value: object) {
    this.#value = value
  }
  forType(oid: number): string {
    if (oid === oids.json || oid === oids.jsonb || !Array.isArray(this.#value)) {
      return JSON.stringify(this.#value)
    }
    const json = arrayOids[oid] === oids.json || arrayOids[oid] === oids.jsonb
    return looseArray(this.#value, json)
  }
  toString(): string {
    return Array.isArray(this.#value) ? looseArray(this.#value, false) : JSON.stringify(this.#value)
  }
}

const looseArray = (values: ReadonlyArray<unknown>, json: boolean): string =>
  `{${values
    .map((value) => {
      if (value === null || value === undefined) return "NULL"
      if (Array.isArray(value) && !json) return looseArray(value, json)
      return escaped(json ? JSON.stringify(value) : String(encodeLoose(value, "params")))
    })
    .join(",")}}`

/** A parameter of `raw`, whose type only the server knows. */
export const encodeLoose = (value: unknown, path: string): Param => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
    case "bigint":
      return String(value)
    case "boolean":
      return value ? "t" : "f"
    case "object":
      if (value === null) return null
      if (value instanceof Date) return isoDate(value)
      if (value instanceof Uint8Array) return hex(value)
      return new Late(value)
    default:
      throw invalid(`${path}: a value of type ${typeof value} cannot be bound.`, path)
  }
}
