/** Minutes, hours, days, …: what `$DateAdd` counts in. */
export type DateUnit = "second" | "minute" | "hour" | "day" | "week" | "month" | "year"

const fixed: Readonly<Record<"second" | "minute" | "hour" | "day" | "week", number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000
}

const units: ReadonlySet<string> = new Set([...Object.keys(fixed), "month", "year"])

/** `months` or `month` → `month`; `undefined` for anything else. */
export const dateUnit = (name: string): DateUnit | undefined => {
  const singular = name.endsWith("s") ? name.slice(0, -1) : name
  return units.has(singular) ? (singular as DateUnit) : undefined
}

const iso =
  /^(\d{4}|[+-]\d{6})(?:-(\d{2})(?:-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?)?)?$/

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999; this does not. */
const utc = (year: number, month: number, day: number, time: number): number =>
  new Date(0).setUTCFullYear(year, month - 1, day) + time

const offsetOf = (zone: string | undefined): number | undefined => {
  if (zone === undefined || zone === "Z" || zone === "z") return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(":", "") || 0)
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const validTime = (time: number): number | undefined => (Math.abs(time) <= 8.64e15 ? time : undefined)

/**
 * Reads an ISO 8601 date (extended format, calendar dates, reduced precision allowed; without an
 * offset it is UTC), epoch milliseconds, or a `Date`.
 *
 * @returns epoch milliseconds, or `undefined` when it is none of these or names no real day
 */
export const readDate = (value: unknown): number | undefined => {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime()
  if (typeof value === "number") return Number.isFinite(value) ? validTime(Math.trunc(value)) : undefined
  if (typeof value !== "string") return undefined
  const match = iso.exec(value)
  if (match === null || match[1] === "-000000") return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)))
  const offset = offsetOf(match[8])
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || offset === undefined)
    return undefined
  // ISO 8601 allows 24:00 for the end of a day.
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && (minute > 0 || second > 0))) return undefined
  const milliseconds = Math.trunc(Number(`0.${match[7] ?? "0"}`) * 1000 + 1e-9)
  if (hour === 24 && milliseconds > 0) return undefined
  return validTime(
    utc(year, month, day, hour * 3_600_000 + minute * 60_000 + second * 1_000 + milliseconds) - offset
  )
}

/** Adds calendar units in UTC; a day that the month does not have becomes its last. */
export const addToDate = (time: number, amount: number, unit: DateUnit): number | undefined => {
  if (unit !== "month" && unit !== "year") return validTime(time + amount * fixed[unit])
  const date = new Date(time)
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + amount * (unit === "year" ? 12 : 1)
  const year = Math.floor(months / 12)
  const month = months - year * 12 + 1
  if (!(Math.abs(year) < 300_000)) return undefined
  const timeOfDay = ((time % fixed.day) + fixed.day) % fixed.day
  return validTime(utc(year, month, Math.min(date.getUTCDate(), daysIn(year, month)), timeOfDay))
}

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December"
]
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

interface Fields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const utcFields = (time: number): Fields => {
  const date = new Date(time)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds()
  }
}

const zones = new Map<string, Intl.DateTimeFormat | undefined>()

/** A formatter for an IANA zone; `undefined` if there is none. Names that fail are remembered too. */
const zoneFormat = (zone: string): Intl.DateTimeFormat | undefined => {
  if (zones.has(zone)) return zones.get(zone)
  let format: Intl.DateTimeFormat | undefined
  try {
    format = /^[A-Za-z]/.test(zone)
      ? new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
          timeZone: zone,
          hourCycle: "h23",
          era: "short",
          year: "numeric",
          month: "numeric",
          day: "numeric",
          hour: "numeric",
          minute: "numeric",
          second: "numeric"
        })
      : undefined
  } catch {
    format = undefined
  }
  if (zones.size >= 500) zones.clear()
  zones.set(zone, format)
  return format
}

const zoneFields = (time: number, format: Intl.DateTimeFormat): Fields => {
  const found: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(time)) found[type] = value
  const read = (name: string): number => Number(found[name])
  const year = found["era"]?.startsWith("B") ? 1 - read("year") : read("year")
  return {
    year,
    month: read("month"),
    day: read("day"),
    weekday: new Date(utc(year, read("month"), read("day"), 0)).getUTCDay(),
    hour: read("hour"),
    minute: read("minute"),
    second: read("second")
  }
}

const pad = (value: number, width: number): string =>
  value < 0 ? `-${String(-value).padStart(width, "0")}` : String(value).padStart(width, "0")

const tokens: Readonly<Record<string, (fields: Fields) => string>> = {
  YYYY: (f) => pad(f.year, 4),
  YY: (f) => pad(Math.abs(f.year) % 100, 2),
  MMMM: (f) => months[f.month - 1] ?? "",
  MMM: (f) => (months[f.month - 1] ?? "").slice(0, 3),
  MM: (f) => pad(f.month, 2),
  M: (f) => String(f.month),
  DD: (f) => pad(f.day, 2),
  D: (f) => String(f.day),
  dddd: (f) => weekdays[f.weekday] ?? "",
  ddd: (f) => (weekdays[f.weekday] ?? "").slice(0, 3),
  HH: (f) => pad(f.hour, 2),
  H: (f) => String(f.hour),
  hh: (f) => pad(f.hour % 12 || 12, 2),
  h: (f) => String(f.hour % 12 || 12),
  mm: (f) => pad(f.minute, 2),
  m: (f) => String(f.minute),
  ss: (f) => pad(f.second, 2),
  s: (f) => String(f.second),
  A: (f) => (f.hour < 12 ? "AM" : "PM"),
  a: (f) => (f.hour < 12 ? "am" : "pm")
}

const tokenPattern = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|A|a/g

/**
 * Writes a date by a pattern of tokens, in UTC or an IANA zone, with English names. `[text]` stands
 * for itself.
 *
 * @returns `undefined` when the zone does not exist
 */
export const formatDate = (time: number, pattern: string, zone?: string): string | undefined => {
  const format = zone === undefined ? undefined : zoneFormat(zone)
  if (zone !== undefined && format === undefined) return undefined
  const fields = format === undefined ? utcFields(time) : zoneFields(time, format)
  return pattern.replace(
    tokenPattern,
    (token: string, text: string | undefined) => text ?? tokens[token]?.(fields) ?? token
  )
}
