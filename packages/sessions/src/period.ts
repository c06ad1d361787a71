/** What `expiry` counts. Months and years follow the UTC calendar. */
export type Period =
  | "secs"
  | "mins"
  | "hours"
  | "days"
  | "weeks"
  | "months"
  | "years"
  | "sec"
  | "second"
  | "seconds"
  | "min"
  | "minute"
  | "minutes"
  | "hour"
  | "day"
  | "week"
  | "month"
  | "year"

type Unit = "secs" | "mins" | "hours" | "days" | "weeks" | "months" | "years"

const units: ReadonlyMap<string, Unit> = new Map<Period, Unit>([
  ["secs", "secs"],
  ["sec", "secs"],
  ["second", "secs"],
  ["seconds", "secs"],
  ["mins", "mins"],
  ["min", "mins"],
  ["minute", "mins"],
  ["minutes", "mins"],
  ["hours", "hours"],
  ["hour", "hours"],
  ["days", "days"],
  ["day", "days"],
  ["weeks", "weeks"],
  ["week", "weeks"],
  ["months", "months"],
  ["month", "months"],
  ["years", "years"],
  ["year", "years"]
])

const seconds = { secs: 1, mins: 60, hours: 3_600, days: 86_400, weeks: 604_800 } as const

export const periods: ReadonlyArray<string> = [...units.keys()]

export const isPeriod = (value: unknown): value is Period => typeof value === "string" && units.has(value)

/** How long an access token lives. */
export interface Lifetime {
  readonly expiry: number
  /** Default: seconds. */
  readonly period?: Period | undefined
}

/** The same day of a later month; the 31st becomes the last day of a shorter one. */
const addMonths = (at: number, months: number): number => {
  const from = new Date(at * 1_000)
  const month = from.getUTCMonth() + months
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate()
  return (
    Date.UTC(
      from.getUTCFullYear(),
      month,
      Math.min(from.getUTCDate(), lastDay),
      from.getUTCHours(),
      from.getUTCMinutes(),
      from.getUTCSeconds()
    ) / 1_000
  )
}

/** When something that begins `at` ends; both Unix seconds. */
export const lifetimeEnd = (at: number, { expiry, period = "secs" }: Lifetime): number => {
  const unit = units.get(period) ?? "secs"
  if (unit === "months") return addMonths(at, expiry)
  if (unit === "years") return addMonths(at, expiry * 12)
  return at + expiry * seconds[unit]
}
