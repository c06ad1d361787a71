import { compareStrings, equalValues, isPlainObject } from "./Kind.ts"
import { readPath } from "./ReadPath.ts"
import { addToDate, dateUnit, formatDate, readDate } from "./TemplateDate.ts"
import { type TemplateErrorCode, templateError } from "./TemplateError.ts"
import type { MeasureName, OperatorName } from "./TemplateNode.ts"

/** Bytes of UTF-8, or their like, that one result may hold. */
export const maxResult = 1024 * 1024

/** The call that is being evaluated, for messages. */
export interface At {
  readonly operator: string
  readonly offset: number
}

const fail = (code: TemplateErrorCode, at: At, message: string): never => {
  throw templateError(code, `'${at.operator}' ${message}`, at)
}

const typeError = (at: At, position: number, expected: string, value: unknown): never =>
  fail("OPERATOR_TYPE", at, `needs ${expected} as argument ${position + 1}, not ${kindName(value)}`)

const rangeError = (at: At, message: string): never => fail("OPERATOR_RANGE", at, message)

const kindName = (value: unknown): string => {
  if (value === null || value === undefined) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "number" && !Number.isFinite(value)) return "a number that is not finite"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

const numeric = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** A number, or the one that a numeric string stands for. */
const toNumber = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "string" || !numeric.test(value.trim())) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

type Args = ReadonlyArray<unknown>

const num = (args: Args, i: number, at: At): number =>
  toNumber(args[i]) ?? typeError(at, i, "a finite number or a numeric string", args[i])

const str = (args: Args, i: number, at: At): string => {
  const value = args[i]
  return typeof value === "string" ? value : typeError(at, i, "a string", value)
}

const idx = (args: Args, i: number, at: At): number => {
  const value = args[i]
  return typeof value === "number" && Number.isInteger(value) ? value : typeError(at, i, "an integer", value)
}

const array = (args: Args, i: number, at: At): ReadonlyArray<unknown> => {
  const value = args[i]
  return Array.isArray(value) ? value : typeError(at, i, "an array", value)
}

const finite = (value: number, at: At): number =>
  Number.isFinite(value) ? value : rangeError(at, "gives a number that is too large")

const tooLarge = (at: At): never => fail("TEMPLATE_LIMIT", at, `gives more than ${maxResult} bytes`)

const concat = (args: Args, at: At): string => {
  const separator = args.length > 1 ? str(args, 1, at) : ""
  let length = 0
  const parts = array(args, 0, at).map((element) => {
    const type = typeof element
    if (type !== "string" && type !== "number" && type !== "boolean") {
      return fail("OPERATOR_TYPE", at, `joins strings, numbers and booleans, not ${kindName(element)}`)
    }
    const text = String(element)
    length += text.length + separator.length
    return length - separator.length > maxResult ? tooLarge(at) : text
  })
  return parts.join(separator)
}

const joinArrays = (args: Args, at: At): ReadonlyArray<unknown> => {
  const result: Array<unknown> = []
  for (const element of array(args, 0, at)) {
    if (!Array.isArray(element)) {
      return fail("OPERATOR_TYPE", at, `without a separator joins arrays, not ${kindName(element)}`)
    }
    if (result.length + element.length > maxResult) return tooLarge(at)
    for (const item of element) result.push(item)
  }
  return result
}

const substring = (args: Args, at: At): string => {
  const points = [...str(args, 0, at)]
  const position = (i: number): number => {
    const given = idx(args, i, at)
    const found = given < 0 ? given + points.length : given
    return found < 0 || found > points.length
      ? rangeError(at, `has position ${given} outside a string of ${points.length} characters`)
      : found
  }
  const start = position(1)
  const end = args.length > 2 ? position(2) : points.length
  return start > end ? rangeError(at, "starts after its end") : points.slice(start, end).join("")
}

const pick = (args: Args, at: At): unknown => {
  const source = args[0]
  const items =
    typeof source === "string"
      ? [...source]
      : Array.isArray(source)
        ? source
        : typeError(at, 0, "a string or an array", source)
  const i = idx(args, 1, at)
  return i < 0 || i >= items.length
    ? rangeError(at, `has position ${i} outside 0 to ${items.length - 1}`)
    : items[i]
}

const split = (args: Args, at: At): ReadonlyArray<string> => {
  const separator = str(args, 1, at)
  return separator === "" ? [...str(args, 0, at)] : str(args, 0, at).split(separator)
}

const replace = (args: Args, at: At): string => {
  const text = str(args, 0, at)
  const search = str(args, 1, at)
  const replacement = str(args, 2, at)
  if (search === "") return fail("OPERATOR_TYPE", at, "needs something to search for")
  const parts = text.split(search)
  const length = text.length + (parts.length - 1) * (replacement.length - search.length)
  return length > maxResult ? tooLarge(at) : parts.join(replacement)
}

const date = (args: Args, i: number, at: At): number =>
  readDate(args[i]) ??
  fail("OPERATOR_TYPE", at, `needs an ISO 8601 date or epoch milliseconds as argument ${i + 1}`)

const dateformat = (args: Args, at: At): string => {
  const time = date(args, 0, at)
  const pattern = str(args, 1, at)
  const zone = args.length > 2 ? str(args, 2, at) : undefined
  return formatDate(time, pattern, zone) ?? fail("OPERATOR_TYPE", at, "needs an IANA time zone as argument 3")
}

const dateAdd = (args: Args, at: At): number => {
  const time = date(args, 0, at)
  const amount = idx(args, 1, at)
  const unit =
    dateUnit(str(args, 2, at)) ??
    fail("OPERATOR_TYPE", at, "counts in seconds, minutes, hours, days, weeks, months or years")
  return addToDate(time, amount, unit) ?? rangeError(at, "gives a date that cannot be represented")
}

type Comparator = ">" | "<" | ">=" | "<=" | "==" | "!=="

const comparators: Readonly<Record<string, Comparator>> = {
  ">": ">",
  "<": "<",
  ">=": ">=",
  "<=": "<=",
  "==": "==",
  "===": "==",
  "!==": "!==",
  "!=": "!=="
}

/** Numbers, a number and a numeric string, or two strings by code point; else no order. */
const order = (a: unknown, b: unknown): number | undefined => {
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b)
  if (typeof a !== "number" && typeof b !== "number") return undefined
  const x = toNumber(a)
  const y = toNumber(b)
  return x === undefined || y === undefined ? undefined : x - y
}

const test = (value: unknown, comparator: Comparator, wanted: unknown): boolean => {
  switch (comparator) {
    case "==":
      return equalValues(value, wanted)
    case "!==":
      return !equalValues(value, wanted)
    case ">":
      return (order(value, wanted) ?? 0) > 0
    case "<":
      return (order(value, wanted) ?? 0) < 0
    case ">=":
      return (order(value, wanted) ?? -1) >= 0
    case "<=":
      return (order(value, wanted) ?? 1) <= 0
  }
}

const isScalar = (value: unknown): boolean => value === null || typeof value !== "object"

/** An object matches by itself or if any of its top-level scalars does; `!==` negates `==`. */
const testElement = (element: unknown, comparator: Comparator, wanted: unknown): boolean => {
  if (comparator === "!==") return !testElement(element, "==", wanted)
  if (test(element, comparator, wanted)) return true
  return (
    isPlainObject(element) &&
    Object.values(element).some((value) => isScalar(value) && test(value, comparator, wanted))
  )
}

const predicate = (args: Args, at: At): ((element: unknown) => boolean) => {
  const position = args.length - 2
  const name = str(args, position, at)
  const comparator = Object.hasOwn(comparators, name) ? comparators[name] : undefined
  const wanted = args[position + 1]
  if (comparator === undefined) {
    return fail("OPERATOR_TYPE", at, `compares by one of > < >= <= == !==, as argument ${position + 1}`)
  }
  if (args.length === 3) return (element) => testElement(element, comparator, wanted)
  const field = str(args, 1, at)
  return (element) => test(readPath(element, [field]), comparator, wanted)
}

/** The operators, but for `$Default`, which does not evaluate all of its arguments. */
export const operators: Readonly<Record<Exclude<OperatorName, "Default">, (args: Args, at: At) => unknown>> =
  {
    Add: (args, at) =>
      finite(
        args.reduce<number>((sum, _, i) => sum + num(args, i, at), 0),
        at
      ),
    Subtract: (args, at) =>
      finite(
        args.slice(1).reduce<number>((rest, _, i) => rest - num(args, i + 1, at), num(args, 0, at)),
        at
      ),
    Concat: concat,
    Substring: substring,
    Trim: (args, at) => str(args, 0, at).trim(),
    Split: split,
    Pick: pick,
    Join: (args, at) => (args.length > 1 ? concat(args, at) : joinArrays(args, at)),
    Uppercase: (args, at) => str(args, 0, at).toUpperCase(),
    Lowercase: (args, at) => str(args, 0, at).toLowerCase(),
    Dateformat: dateformat,
    Format: dateformat,
    DateAdd: dateAdd,
    Replace: replace,
    Filter: (args, at) => array(args, 0, at).filter(predicate(args, at)),
    Find: (args, at) => array(args, 0, at).find(predicate(args, at)) ?? null
  }

/** `$Size` and `$Length`: keys of an object, elements of an array, characters of a string. */
export const measure = (name: MeasureName, value: unknown, offset: number): number => {
  if (typeof value === "string") {
    let count = 0
    for (const _ of value) count++
    return count
  }
  if (Array.isArray(value)) return value.length
  if (isPlainObject(value)) return Object.keys(value).length
  return typeError({ operator: `$${name}`, offset }, 0, "an object, an array or a string", value)
}
