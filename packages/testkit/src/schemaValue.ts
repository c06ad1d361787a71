import * as fc from "fast-check"

type Schema = Readonly<Record<string, unknown>>

export interface SchemaValueOptions {
  /** The document that local `$ref`s lead into. */
  readonly root: unknown
  /** The same seed gives the same values. */
  readonly seed: number
  /** How many of the optional properties are given, 0 to 1. Default: 0.5. */
  readonly optional?: number
  /** Below it only what is required is made. Default: 4. */
  readonly depth?: number
}

/** `mulberry32`: small, seeded, good enough for test data. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const isSchema = (u: unknown): u is Schema => typeof u === "object" && u !== null && !Array.isArray(u)

const list = (u: unknown): ReadonlyArray<unknown> => (Array.isArray(u) ? u : [])

const numberOr = (u: unknown, fallback: number): number => (typeof u === "number" ? u : fallback)

/**
 * Values that a JSON schema (OpenAPI 3.0 or 3.1) accepts as part of a request: `readOnly` properties
 * are left out. It is a best effort: schemas that contradict themselves, or need more than one
 * alternative at once, may get a value that they refuse.
 */
export class SchemaValues {
  readonly #options: SchemaValueOptions
  readonly #random: () => number
  #budget = 300

  constructor(options: SchemaValueOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  /** A value for the schema; `undefined` where there is none to give. */
  value(schema: unknown): unknown {
    this.#budget = 300
    return this.#value(schema, 0)
  }

  #int(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1))
  }

  #pick(values: ReadonlyArray<unknown>): unknown {
    return values[this.#int(0, values.length - 1)]
  }

  resolve(schema: unknown): unknown {
    let current = schema
    for (let hops = 0; hops < 30 && isSchema(current) && typeof current["$ref"] === "string"; hops++) {
      const { $ref, ...siblings } = current
      const target = this.#find($ref)
      current = isSchema(target) ? { ...target, ...siblings } : siblings
    }
    return current
  }

  #find(ref: string): unknown {
    let current: unknown = this.#options.root
    for (const part of ref.replace(/^#\/?/, "").split("/")) {
      if (part === "") continue
      const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
      current = isSchema(current) && Object.hasOwn(current, key) ? current[key] : list(current)[Number(key)]
    }
    return current
  }

  #value(written: unknown, depth: number): unknown {
    const schema = this.#flatten(written, 0)
    if (--this.#budget < -2000) return undefined
    if ("const" in schema) return schema["const"]
    const values = list(schema["enum"]).filter((value) => value !== null)
    if (values.length > 0) return this.#pick(values)
    const types = list(schema["type"]).filter((type) => type !== "null")
    const type = typeof schema["type"] === "string" ? schema["type"] : types[0]
    switch (type ?? this.#guess(schema)) {
      case "object":
        return this.#object(schema, depth)
      case "array":
        return this.#array(schema, depth)
      case "integer":
        return this.#number(schema, true)
      case "number":
        return this.#number(schema, false)
      case "boolean":
        return this.#random() < 0.5
      case "string":
        return this.#string(schema)
      default:
        return "value"
    }
  }

  #guess(schema: Schema): string | undefined {
    if (isSchema(schema["properties"])) return "object"
    if (schema["items"] !== undefined) return "array"
    return isSchema(schema["additionalProperties"]) ? "object" : undefined
  }

  /** `$ref` followed, `allOf` merged, one alternative of `oneOf` and `anyOf` taken. */
  #flatten(written: unknown, level: number): Schema {
    const schema = this.resolve(written)
    if (!isSchema(schema) || level > 20) return {}
    const { allOf, anyOf, oneOf, ...own } = schema
    let merged: Schema = own
    for (const part of list(allOf)) merged = join(merged, this.#flatten(part, level + 1))
    for (const alternatives of [list(oneOf), list(anyOf)]) {
      const real = alternatives.filter((one) => !isSchema(one) || one["type"] !== "null")
      if (real.length > 0) merged = join(merged, this.#flatten(this.#pick(real), level + 1))
    }
    return merged
  }

  #object(schema: Schema, depth: number): Record<string, unknown> {
    const required = new Set(list(schema["required"]))
    const made: Record<string, unknown> = {}
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {}
    const share =
      depth >= (this.#options.depth ?? 4) || this.#budget < 0 ? 0 : (this.#options.optional ?? 0.5)
    for (const [name, child] of Object.entries(properties)) {
      if (name === "__proto__") continue
      const needed = required.has(name)
      if (!needed && this.#random() >= share) continue
      if (depth > 12 || this.#isReadOnly(child)) continue
      const value = this.#value(child, depth + 1)
      if (value !== undefined) made[name] = value
    }
    for (const name of required) {
      if (typeof name === "string" && !Object.hasOwn(properties, name) && !Object.hasOwn(made, name)) {
        made[name] = this.#value(schema["additionalProperties"], depth + 1)
      }
    }
    const missing = numberOr(schema["minProperties"], 0) - Object.keys(made).length
    for (let n = 0; n < Math.min(missing, 20); n++) {
      const free = Object.keys(properties).find(
        (name) => !Object.hasOwn(made, name) && !this.#isReadOnly(properties[name])
      )
      const value = this.#value(
        free === undefined ? schema["additionalProperties"] : properties[free],
        depth + 1
      )
      made[free ?? `extra${n}`] = value
    }
    return made
  }

  #isReadOnly(schema: unknown): boolean {
    const resolved = this.resolve(schema)
    if (!isSchema(resolved)) return false
    return resolved["readOnly"] === true || list(resolved["allOf"]).some((part) => this.#isReadOnly(part))
  }

  #array(schema: Schema, depth: number): ReadonlyArray<unknown> {
    const min = numberOr(schema["minItems"], 0)
    const max = Math.min(numberOr(schema["maxItems"], min + 2), min + 2)
    const size = depth > 8 || this.#budget < 0 ? min : this.#int(Math.max(min, Math.min(1, max)), max)
    const made: Array<unknown> = []
    for (let tries = 0; made.length < Math.min(size, 50) && tries < size * 5 + 5; tries++) {
      const value = this.#value(schema["items"], depth + 1)
      const twin = made.some((other) => JSON.stringify(other) === JSON.stringify(value))
      if (!twin || schema["uniqueItems"] !== true) made.push(value)
    }
    return made
  }

  #number(schema: Schema, whole: boolean): number {
    const strictMin = schema["exclusiveMinimum"]
    const strictMax = schema["exclusiveMaximum"]
    const edge = whole ? 1 : 0.5
    let min = numberOr(strictMin, Number.NaN) + edge
    let max = numberOr(strictMax, Number.NaN) - edge
    if (Number.isNaN(min)) min = numberOr(schema["minimum"], Number.NaN) + (strictMin === true ? edge : 0)
    if (Number.isNaN(max)) max = numberOr(schema["maximum"], Number.NaN) - (strictMax === true ? edge : 0)
    if (Number.isNaN(min)) min = Number.isNaN(max) ? 1 : Math.min(1, max)
    if (Number.isNaN(max) || max - min > 1000) max = min + 100
    const step = numberOr(schema["multipleOf"], 0)
    if (step > 0 && step >= 1) {
      const first = Math.ceil(min / step) * step
      return first <= max ? first : min
    }
    if (whole)
      return Math.floor(max) < Math.ceil(min) ? Math.ceil(min) : this.#int(Math.ceil(min), Math.floor(max))
    const value = min + this.#random() * (max - min)
    const rounded = Math.round(value * 4) / 4
    return rounded >= min && rounded <= max ? rounded : min
  }

  #string(schema: Schema): string {
    const min = numberOr(schema["minLength"], 0)
    const max = numberOr(schema["maxLength"], Number.POSITIVE_INFINITY)
    const fits = (text: string): boolean => {
      const size = [...text].length
      return size >= min && size <= max
    }
    if (typeof schema["pattern"] === "string") {
      const made = this.#matching(schema["pattern"], schema, fits)
      if (made !== undefined) return made
    }
    const formatted = formats[String(schema["format"])]?.(() => this.#int(1, 28))
    if (formatted !== undefined && fits(formatted)) return formatted
    const word = this.#pick(words) as string
    const long = word.length >= min ? word : word.padEnd(Math.min(min, 100_000), "abcdefgh")
    return [...long].slice(0, Math.min(max, 100_000)).join("")
  }

  #matching(pattern: string, schema: Schema, fits: (text: string) => boolean): string | undefined {
    const compile = (): RegExp | undefined => {
      for (const flags of ["u", ""]) {
        try {
          return new RegExp(pattern, flags)
        } catch {}
      }
      return undefined
    }
    const regex = backtracks(pattern) ? undefined : compile()
    if (regex === undefined) return undefined
    const shown = [schema["example"], schema["default"], ...words, "2024-05-17", "12345", "a"]
    const known = shown.filter((text): text is string => typeof text === "string")
    const plain = known.find((text) => regex.test(text) && fits(text))
    if (plain !== undefined) return plain
    const made = matching(regex, numberOr(schema["minLength"], 0)).filter(fits)
    const filled = made.filter((text) => text !== "")
    return filled.length > 0 ? (this.#pick(filled) as string) : made[0]
  }
}

/** Whether a pattern repeats what repeats, `(a*)*`: matching may then take exponential time. */
export const backtracks = (pattern: string): boolean => /[*+}]\)(?:[*+]|\{\d+,\d*\})/.test(pattern)

const patterns = new Map<string, ReadonlyArray<string>>()

/** Texts that match, some of them at least `min` long; the same ones for the same pattern. */
const matching = (regex: RegExp, min: number): ReadonlyArray<string> => {
  const key = `${min} ${regex.source}`
  const known = patterns.get(key)
  if (known !== undefined) return known
  let made: ReadonlyArray<string> = []
  try {
    made = fc.sample(fc.stringMatching(regex, { size: "xsmall" }), { seed: 1, numRuns: 16 })
  } catch {
    // Lookaround and the like are beyond the generator.
  }
  // Most patterns allow more of what they begin or end with.
  const longer = made.flatMap((text) => {
    const missing = min - [...text].length
    if (missing <= 0 || text === "") return []
    return [text + (text.at(-1) ?? "").repeat(missing), (text[0] ?? "").repeat(missing) + text]
  })
  const all = [...made, ...longer].filter((text) => regex.test(text))
  patterns.set(key, all)
  return all
}

/** What people send: spaces, other scripts, and what has a meaning in URLs and forms. */
const words = [
  "alpha",
  "two words",
  "späße",
  "a&b=c",
  "50% off?",
  "x+y",
  "q#1",
  "日本",
  "O'Hara",
  "café/au-lait"
]

const formats: Readonly<Record<string, (day: () => number) => string>> = {
  date: (day) => `2024-05-${String(day()).padStart(2, "0")}`,
  "date-time": (day) => `2024-05-${String(day()).padStart(2, "0")}T10:20:30Z`,
  time: () => "10:20:30Z",
  duration: () => "P1D",
  uuid: (day) => `123e4567-e89b-42d3-a456-4266141740${String(day()).padStart(2, "0")}`,
  email: (day) => `user${day()}@example.com`,
  "idn-email": () => "user@example.com",
  uri: (day) => `https://example.com/${day()}`,
  url: (day) => `https://example.com/${day()}`,
  "uri-reference": (day) => `/path/${day()}`,
  "uri-template": () => "https://example.com/{id}",
  iri: () => "https://example.com/",
  hostname: () => "example.com",
  ipv4: (day) => `192.0.2.${day()}`,
  ipv6: () => "2001:db8::1",
  byte: () => "aGVsbG8=",
  "json-pointer": () => "/a/b",
  regex: () => "a+",
  int32: (day) => String(day()),
  int64: (day) => String(day())
}

const join = (a: Schema, b: Schema): Schema => {
  const properties = isSchema(a["properties"]) || isSchema(b["properties"])
  const joined: Record<string, unknown> = { ...b, ...a }
  if (properties) {
    const [x, y] = [a["properties"], b["properties"]]
    const all: Record<string, unknown> = { ...(isSchema(y) ? y : {}) }
    for (const [name, schema] of Object.entries(isSchema(x) ? x : {})) {
      all[name] = Object.hasOwn(all, name) ? { allOf: [schema, all[name]] } : schema
    }
    joined["properties"] = all
  }
  const required = [...list(a["required"]), ...list(b["required"])]
  if (required.length > 0) joined["required"] = required
  if (Array.isArray(a["enum"]) && Array.isArray(b["enum"])) {
    const other = b["enum"]
    joined["enum"] = a["enum"].filter((value) => other.includes(value))
  }
  return joined
}
