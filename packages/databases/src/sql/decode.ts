import { arrayOids, oids } from "./pgTypes.ts"

/** `number`: a number where it is exact, else text. `string`: always text, for int8 and numeric. */
export type NumericMode = "number" | "string"

const int8 = (text: string): number | string => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : text
}

const significant = (text: string): number => text.replace(/^-?0*\.?0*|\.|0+$/g, "").length

/** Exact up to 15 significant digits (IEEE 754 binary64); beyond, if the shortest text is the same. */
const numeric = (text: string): number | string => {
  if (text === "NaN") return Number.NaN
  if (text === "Infinity") return Number.POSITIVE_INFINITY
  if (text === "-Infinity") return Number.NEGATIVE_INFINITY
  const number = Number(text)
  if (text.length <= 15 || significant(text) <= 15) return number
  return String(number) === text ? number : text
}

const stamp =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?$/

/**
 * A `Date`; what no `Date` holds (`infinity`, years BC) stays text. Digits after the millisecond are
 * cut. A timestamp without time zone is read as UTC, as it is written.
 */
const two = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528

const timestamp = (text: string): Date | string => {
  const { length } = text
  // The common spelling, '2024-01-31 10:20:30.123+00', digit by digit: large reads spend their time here.
  if (
    length >= 22 &&
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(length - 3) === 43 &&
    text.endsWith("00") &&
    text.charCodeAt(0) > 48
  ) {
    let ms = 0
    if (text.charCodeAt(19) === 46) {
      let weight = 100
      for (let at = 20; at < length - 3 && weight >= 1; at++) {
        ms += (text.charCodeAt(at) - 48) * weight
        weight /= 10
      }
    } else if (length !== 22) {
      return slowTimestamp(text)
    }
    return new Date(
      Date.UTC(
        two(text, 0) * 100 + two(text, 2),
        two(text, 5) - 1,
        two(text, 8),
        two(text, 11),
        two(text, 14),
        two(text, 17),
        ms | 0
      )
    )
  }
  return slowTimestamp(text)
}

const slowTimestamp = (text: string): Date | string => {
  const m = stamp.exec(text)
  if (m === null) return text
  const ms = Number((m[7] ?? "").padEnd(3, "0").slice(0, 3))
  const date = new Date(0)
  date.setUTCFullYear(Number(m[1]), Number(m[2]) - 1, Number(m[3]))
  date.setUTCHours(Number(m[4]), Number(m[5]), Number(m[6]), ms)
  if (m[8] === undefined) return date
  const offset = Number(m[9]) * 3_600_000 + Number(m[10] ?? 0) * 60_000 + Number(m[11] ?? 0) * 1000
  return new Date(date.getTime() - (m[8] === "-" ? -offset : offset))
}

const bytes = (text: string): Buffer | string =>
  text.startsWith("\\x") ? Buffer.from(text.slice(2), "hex") : text

/** Reads `{1,NULL,"a,b",{…}}` (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). */
export const decodeArray = (text: string, element: (text: string) => unknown): ReadonlyArray<unknown> => {
  // Bounds that do not start at 1 come first: [0:2]={…}
  let at = text.startsWith("[") ? text.indexOf("=") + 1 : 0
  const list = (): Array<unknown> => {
    const out: Array<unknown> = []
    at++
    while (at < text.length) {
      const char = text[at]
      if (char === "}") {
        at++
        return out
      }
      if (char === ",") {
        at++
      } else if (char === "{") {
        out.push(list())
      } else if (char === '"') {
        let value = ""
        let from = ++at
        while (text[at] !== '"') {
          if (text[at] === "\\") {
            value += text.slice(from, at)
            from = ++at
          }
          at++
        }
        value += text.slice(from, at)
        at++
        out.push(element(value))
      } else {
        const from = at
        while (text[at] !== "," && text[at] !== "}") at++
        const value = text.slice(from, at)
        out.push(value === "NULL" ? null : element(value))
      }
    }
    return out
  }
  return list()
}

/** Reads each built-in type from its text; the types not in the map stay text. */
export const decoders = (mode: NumericMode): ReadonlyMap<number, (text: string) => unknown> => {
  const exact = mode === "string" ? (text: string): unknown => text : undefined
  const scalars = new Map<number, (text: string) => unknown>([
    [oids.bool, (text) => text === "t"],
    [oids.int2, Number],
    [oids.int4, Number],
    [oids.oid, Number],
    [oids.int8, exact ?? int8],
    [oids.numeric, exact ?? numeric],
    [oids.float4, Number],
    [oids.float8, Number],
    [oids.json, (text) => JSON.parse(text) as unknown],
    [oids.jsonb, (text) => JSON.parse(text) as unknown],
    [oids.timestamp, timestamp],
    [oids.timestamptz, timestamp],
    [oids.bytea, bytes]
  ])
  const all = new Map(scalars)
  for (const [array, element] of Object.entries(arrayOids)) {
    const decode = scalars.get(element) ?? ((text: string): unknown => text)
    all.set(Number(array), (text) => decodeArray(text, decode))
  }
  // Types that stay text, named so that no driver's own idea of them applies.
  for (const oid of [
    oids.text,
    oids.varchar,
    oids.bpchar,
    oids.name,
    oids.date,
    oids.time,
    oids.timetz,
    oids.uuid,
    oids.interval,
    oids.inet
  ]) {
    all.set(oid, (text) => text)
  }
  return all
}
