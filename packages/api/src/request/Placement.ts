import type { Action, Field, Fields } from "@ductape/registry"
import { ActionError } from "../ActionError.ts"
import { isBinary } from "./fileValue.ts"
import { emptyRecord, isPlainObject } from "./plainObject.ts"

export type Section = "body" | "query" | "params" | "headers" | "cookies"

const mapped = ["params", "query", "cookies", "headers"] as const

/** Values by where they go. A name is there once; header names compare in lower case. */
export class Placement {
  readonly params: Map<string, unknown> = new Map()
  readonly query: Map<string, unknown> = new Map()
  readonly cookies: Map<string, unknown> = new Map()
  /** By lower-case name. */
  readonly headers: Map<string, unknown> = new Map()
  /** Header names as they were given, by lower-case name. */
  readonly spellings: Map<string, string> = new Map()
  /** Body fields, as an object without a prototype. */
  fields: Record<string, unknown> | undefined
  /** A body given as one value; then there are no fields. */
  whole: { readonly value: unknown } | undefined

  has(section: Section, name: string): boolean {
    switch (section) {
      case "body":
        return this.fields !== undefined && Object.hasOwn(this.fields, name)
      case "headers":
        return this.headers.has(name.toLowerCase())
      default:
        return this[section].has(name)
    }
  }

  set(section: Section, name: string, value: unknown): void {
    switch (section) {
      case "body":
        this.fields ??= emptyRecord()
        this.fields[name] = value
        return
      case "headers": {
        const key = name.toLowerCase()
        this.headers.set(key, value)
        this.spellings.set(key, name)
        return
      }
      default:
        this[section].set(name, value)
    }
  }

  /** Changes a value that is there; `name` is lower-case for headers and empty for a whole body. */
  replace(section: Section, name: string, value: unknown): void {
    if (section !== "body") this[section].set(name, value)
    else if (this.whole !== undefined) this.whole = { value }
    else if (this.fields !== undefined) this.fields[name] = value
  }

  /** Takes a value out; names as {@link replace} takes them. */
  remove(section: Section, name: string): void {
    if (section !== "body") this[section].delete(name)
    else if (this.whole !== undefined) this.whole = undefined
    else if (this.fields !== undefined) delete this.fields[name]
  }

  /** Adds what `lower` has and this has not. */
  merge(lower: Placement): void {
    for (const section of ["params", "query", "cookies"] as const) {
      for (const [name, value] of lower[section]) if (!this[section].has(name)) this[section].set(name, value)
    }
    for (const [name, value] of lower.headers) {
      if (!this.headers.has(name)) this.set("headers", lower.spellings.get(name) ?? name, value)
    }
    if (this.whole !== undefined) {
      if (lower.fields === undefined || !isPlainObject(this.whole.value)) return
      this.fields = Object.assign(emptyRecord(), this.whole.value)
      this.whole = undefined
    }
    if (lower.fields === undefined) {
      if (this.fields === undefined) this.whole = lower.whole
      return
    }
    for (const [name, value] of Object.entries(lower.fields)) {
      if (!this.has("body", name)) this.set("body", name, value)
    }
  }

  /** Visits every value, with names as {@link replace} takes them; it may replace the one it visits. */
  forEach(visit: (value: unknown, section: Section, name: string) => void): void {
    for (const section of mapped) {
      for (const [name, value] of this[section]) visit(value, section, name)
    }
    if (this.fields !== undefined) {
      for (const name of Object.keys(this.fields)) visit(this.fields[name], "body", name)
    }
    if (this.whole !== undefined) visit(this.whole.value, "body", "")
  }
}

/** An action's fields, made ready for looking names up. */
export interface PlacementRules {
  readonly params: ReadonlyMap<string, Field | undefined>
  readonly query: ReadonlyMap<string, Field>
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, Field>
  readonly cookies: ReadonlyMap<string, Field>
  readonly body: ReadonlyMap<string, Field>
  /** Where names go that no section knows. */
  readonly unknown: "body" | "query"
  /** Whether a scalar under `body` is the body. */
  readonly wholeBody: boolean
}

const sections: Readonly<Record<string, Section>> = Object.assign(
  emptyRecord() as Record<string, Section>,
  {
    body: "body",
    query: "query",
    params: "params",
    headers: "headers",
    header: "headers",
    cookies: "cookies"
  } as const
)

const toMap = (fields: Fields | undefined, key: (name: string) => string): Map<string, Field> =>
  new Map(Object.entries(fields ?? {}).map(([name, field]) => [key(name), field]))

const same = (name: string): string => name

export const placementRules = (
  action: Action,
  pathNames: ReadonlyArray<string>,
  whole: boolean
): PlacementRules => {
  const bodiless = action.method === "GET" || action.method === "HEAD"
  const body = bodiless ? new Map<string, Field>() : toMap(action.body, same)
  const wholeBody = !bodiless && whole
  const writes = action.method === "POST" || action.method === "PUT" || action.method === "PATCH"
  const params = new Map<string, Field | undefined>(
    pathNames.map((name) => [
      name,
      Object.hasOwn(action.params ?? {}, name) ? action.params?.[name] : undefined
    ])
  )
  return {
    params,
    query: toMap(action.query, same),
    headers: toMap(action.headers, (name) => name.toLowerCase()),
    cookies: toMap(action.cookies, same),
    body,
    unknown: writes || body.size > 0 || wholeBody ? "body" : "query",
    wholeBody
  }
}

const isWholeBody = (value: unknown): boolean => Array.isArray(value) || isBinary(value)

const isStructured = (input: Record<string, unknown>): boolean => {
  let any = false
  for (const key of Object.keys(input)) {
    const value = input[key]
    const section = sections[key]
    if (section === undefined) return false
    if (value === undefined) continue
    if (!isPlainObject(value) && !(section === "body" && isWholeBody(value))) return false
    any = true
  }
  return any
}

const shown = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}…` : name)

const fail = (
  code: "INPUT_KEY_INVALID" | "INPUT_CONFLICT" | "INPUT_DUPLICATE" | "VALIDATION_ERROR",
  message: string,
  details: unknown
): never => {
  throw new ActionError({ code, message, details })
}

/**
 * Puts the values of a call's input, or of flat credentials, where they go (structured, flat,
 * prefixed or mixed form).
 *
 * @throws {ActionError} `INPUT_KEY_INVALID`, `INPUT_CONFLICT`, `INPUT_DUPLICATE`, `VALIDATION_ERROR`
 */
export const place = (rules: PlacementRules, input: unknown): Placement => {
  const placement = new Placement()
  if (input === undefined || input === null) return placement
  if (!isPlainObject(input)) {
    return fail("VALIDATION_ERROR", "'input' must be an object.", [
      { location: "input", path: "", rule: "type", message: "must be an object" }
    ])
  }
  if (isStructured(input)) {
    for (const key of Object.keys(input)) placeSection(placement, sections[key] ?? "body", input[key])
    return placement
  }
  const bare: Array<string> = []
  for (const key of Object.keys(input)) {
    const value = input[key]
    if (value === undefined) continue
    const colon = key.indexOf(":")
    const section = colon > 0 ? sections[key.slice(0, colon)] : undefined
    if (section === undefined) {
      bare.push(key)
      continue
    }
    const name = key.slice(colon + 1)
    if (name === "") {
      fail("INPUT_KEY_INVALID", `The key ${shown(key)} names no field. Write '${section}:name'.`, { key })
    }
    put(placement, section, name, value)
  }
  for (const key of bare) placeBare(placement, rules, input, key)
  return placement
}

const placeSection = (placement: Placement, section: Section, value: unknown): void => {
  if (value === undefined) return
  if (isPlainObject(value)) {
    const names = Object.keys(value)
    for (const name of names) if (value[name] !== undefined) put(placement, section, name, value[name])
    if (section === "body" && placement.whole === undefined) placement.fields ??= emptyRecord()
  } else {
    if (placement.fields !== undefined || placement.whole !== undefined) duplicate("body", "")
    placement.whole = { value }
  }
}

const placeBare = (
  placement: Placement,
  rules: PlacementRules,
  input: Record<string, unknown>,
  key: string
): void => {
  const value = input[key]
  const found = sectionsOf(rules, key)
  if (found.length === 0) {
    const section = sections[key]
    const whole = key === "body" && (isWholeBody(value) || rules.wholeBody)
    if (section !== undefined && (isPlainObject(value) || whole)) placeSection(placement, section, value)
    else put(placement, rules.unknown, key, value)
    return
  }
  const candidates = found.length === 1 ? found : found.filter((section) => !placement.has(section, key))
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) {
    put(placement, only, key, value)
    return
  }
  const spellings = found.map((section) => `${section}:${key}`)
  fail(
    "INPUT_CONFLICT",
    `The field ${shown(key)} is in ${found.join(" and ")}. Say which: ${spellings.map((s) => `'${s}'`).join(" or ")}.`,
    { key, candidates: spellings }
  )
}

const sectionsOf = (rules: PlacementRules, key: string): Array<Section> => {
  if (rules.params.has(key)) return ["params"]
  const found: Array<Section> = []
  if (rules.query.has(key)) found.push("query")
  if (rules.body.has(key)) found.push("body")
  if (rules.headers.has(key.toLowerCase())) found.push("headers")
  if (rules.cookies.has(key)) found.push("cookies")
  return found
}

const duplicate = (section: Section, name: string): never =>
  fail(
    "INPUT_DUPLICATE",
    name === "" ? "The body is given twice." : `'${section}:${name.slice(0, 60)}' is given twice.`,
    { section, name }
  )

const put = (placement: Placement, section: Section, name: string, value: unknown): void => {
  if (section === "body") {
    if (placement.whole !== undefined) duplicate("body", "")
  } else if (value === null) return
  if (placement.has(section, name)) duplicate(section, name)
  placement.set(section, name, value)
}
