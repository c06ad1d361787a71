/**
 * What a value is to the filter language. Values of different kinds are never equal and never
 * ordered; `other` (functions, symbols, unknown class instances) is no operand at all.
 */
export type Kind = "null" | "number" | "string" | "boolean" | "date" | "bytes" | "array" | "object" | "other"

/** A decimal number as text: `-12.50`, `3e8`. */
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Whether `value` was written as `{…}` (or parsed from JSON): no class instance, no array. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && isPlain(value)

/**
 * A number of arbitrary precision: an instance of some class (decimal.js, big.js, Prisma's Decimal)
 * whose text is a decimal number. Dates, arrays and byte arrays are none.
 */
export const isDecimal = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !ArrayBuffer.isView(value) &&
  !isPlain(value) &&
  typeof value.toString === "function" &&
  value.toString !== Object.prototype.toString &&
  decimal.test(String(value))

export const kindOf = (value: unknown): Kind => {
  switch (typeof value) {
    case "undefined":
      return "null"
    case "number":
    case "bigint":
      return "number"
    case "string":
      return "string"
    case "boolean":
      return "boolean"
    case "object":
      if (value === null) return "null"
      if (Array.isArray(value)) return "array"
      if (isPlain(value)) return "object"
      if (value instanceof Date) return "date"
      if (value instanceof Uint8Array) return "bytes"
      return isDecimal(value) ? "number" : "other"
    default:
      return "other"
  }
}

/** Digits and scale of a finite number of any spelling: `units × 10^-scale`. */
const parts = (value: unknown): { readonly units: bigint; readonly scale: number } => {
  const [mantissa = "", exponent = "0"] = String(value).toLowerCase().split("e")
  const [whole = "", fraction = ""] = mantissa.split(".")
  return { units: BigInt(`${whole}${fraction}`.replace("+", "")), scale: fraction.length - Number(exponent) }
}

const compareDecimals = (a: unknown, b: unknown): number => {
  if (a === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY) return a === b ? 0 : 1
  if (b === Number.POSITIVE_INFINITY || a === Number.NEGATIVE_INFINITY) return a === b ? 0 : -1
  const left = parts(a)
  const right = parts(b)
  // Equal magnitudes only are worth the big arithmetic; 1e400 against 1 is not.
  const magnitude = (n: { units: bigint; scale: number }): number =>
    n.units === 0n ? Number.NEGATIVE_INFINITY : n.units.toString().replace("-", "").length - n.scale
  const sign = (n: bigint): number => (n > 0n ? 1 : n < 0n ? -1 : 0)
  if (sign(left.units) !== sign(right.units)) return sign(left.units) - sign(right.units)
  if (magnitude(left) !== magnitude(right)) {
    return (magnitude(left) < magnitude(right) ? -1 : 1) * sign(left.units)
  }
  const scale = Math.max(left.scale, right.scale)
  const l = left.units * 10n ** BigInt(scale - left.scale)
  const r = right.units * 10n ** BigInt(scale - right.scale)
  return l < r ? -1 : l > r ? 1 : 0
}

/** By code point; the order of UTF-8 bytes. JavaScript's own `<` compares UTF-16 units instead. */
export const compareStrings = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue
    // The first differing unit may be the second half of a pair: step back to where it starts.
    const start = i > 0 && isHigh(a.charCodeAt(i - 1)) && isLow(a.charCodeAt(i)) ? i - 1 : i
    const x = a.codePointAt(start) ?? 0
    const y = b.codePointAt(start) ?? 0
    if (x !== y) return x < y ? -1 : 1
    return a.charCodeAt(i) < b.charCodeAt(i) ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a[i] ?? 0
    const y = b[i] ?? 0
    if (x !== y) return x < y ? -1 : 1
  }
  return a.length - b.length
}

/**
 * Orders two values: negative, 0, positive; `undefined` when they have no order (different kinds,
 * null, NaN, an invalid date, arrays, objects).
 */
export const compareValues = (a: unknown, b: unknown): number | undefined => {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return undefined
  switch (kind) {
    case "number":
      if (Number.isNaN(a) || Number.isNaN(b)) return undefined
      if (typeof a !== "object" && typeof b !== "object") {
        const x = a as number | bigint
        const y = b as number | bigint
        return x < y ? -1 : x > y ? 1 : 0
      }
      return compareDecimals(a, b)
    case "string":
      return compareStrings(a as string, b as string)
    case "boolean":
      return Number(a) - Number(b)
    case "date": {
      const difference = (a as Date).getTime() - (b as Date).getTime()
      return Number.isNaN(difference) ? undefined : difference
    }
    case "bytes":
      return compareBytes(a as Uint8Array, b as Uint8Array)
    default:
      return undefined
  }
}

/**
 * Deep equality of data: numbers by value whatever their class (`1`, `1n`, `new Decimal("1.0")`),
 * objects without regard to key order, arrays element by element. Null equals null here (inside a
 * JSON value); NaN equals nothing.
 */
export const equalValues = (a: unknown, b: unknown): boolean => {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  if (kind === "null") return true
  if (kind === "array") {
    const x = a as ReadonlyArray<unknown>
    const y = b as ReadonlyArray<unknown>
    return x.length === y.length && x.every((element, i) => equalValues(element, y[i]))
  }
  if (kind === "object") {
    const x = a as Record<string, unknown>
    const y = b as Record<string, unknown>
    const keys = Object.keys(x)
    return (
      keys.length === Object.keys(y).length &&
      keys.every((key) => Object.hasOwn(y, key) && equalValues(x[key], y[key]))
    )
  }
  return compareValues(a, b) === 0
}
