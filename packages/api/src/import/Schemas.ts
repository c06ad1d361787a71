import { isRecord, type JsonRecord, listIn, own, textIn } from "./json.ts"
import type { Warnings } from "./Warnings.ts"

export type JsonType = "string" | "integer" | "number" | "boolean" | "object" | "array" | "file"

/** What a schema says, its `$ref`s followed and its `allOf` merged; children are still schemas. */
export interface Shape {
  readonly type?: JsonType | undefined
  readonly nullable?: boolean
  readonly readOnly?: boolean
  readonly format?: string | undefined
  readonly description?: string | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
  readonly properties?: JsonRecord | undefined
  readonly required?: ReadonlySet<string> | undefined
  readonly items?: unknown
  readonly additionalProperties?: unknown
  /** Members of `oneOf` or `anyOf`. */
  readonly alternatives?: ReadonlyArray<unknown> | undefined
  readonly enum?: ReadonlyArray<unknown> | undefined
  readonly default?: unknown
  readonly sample?: unknown
  readonly constant?: { readonly value: unknown } | undefined
  readonly contentMediaType?: string | undefined
}

const anything: Shape = {}
const types: ReadonlySet<string> = new Set([
  "string",
  "integer",
  "number",
  "boolean",
  "object",
  "array",
  "file"
])

/** The schemas of one document. Every schema object is read once. */
export class Schemas {
  readonly root: JsonRecord
  readonly warnings: Warnings
  /** OpenAPI 3.0: what stands beside a `$ref` does not count. */
  readonly #refAlone: boolean
  readonly #shapes = new Map<object, Shape>()
  readonly #targets = new Map<string, unknown>()
  readonly #reading = new Set<object>()
  #anchors: ReadonlyMap<string, unknown> | undefined

  constructor(root: JsonRecord, warnings: Warnings, refAlone: boolean) {
    this.root = root
    this.warnings = warnings
    this.#refAlone = refAlone
  }

  /** Follows references of any kind of object; what leads nowhere is `undefined`. */
  follow(value: unknown): unknown {
    let current = value
    for (let hops = 0; hops < 50; hops++) {
      if (!isRecord(current)) return current
      const ref = own(current, "$ref")
      if (typeof ref !== "string") return current
      current = this.target(ref)
    }
    this.warnings.add("a $ref leads to itself and stands for anything")
    return undefined
  }

  /** What a reference within the document points to. Nothing outside is ever fetched. */
  target(ref: string): unknown {
    if (this.#targets.has(ref)) return this.#targets.get(ref)
    const found = this.#find(ref)
    this.#targets.set(ref, found)
    return found
  }

  #find(ref: string): unknown {
    if (!ref.startsWith("#")) {
      this.warnings.add(
        "a $ref to another document is not followed and stands for anything",
        ref.slice(0, 200)
      )
      return undefined
    }
    let current: unknown = this.root
    const found = (): unknown => {
      if (ref === "#") return current
      if (!ref.startsWith("#/")) return this.#anchor(ref.slice(1))
      for (const part of ref.slice(2).split("/")) {
        const key = unescape(part)
        if (Array.isArray(current)) current = current[Number(key)]
        else if (isRecord(current)) current = own(current, key)
        else return undefined
      }
      return current
    }
    const value = found()
    if (value === undefined) {
      this.warnings.add("a $ref points to nothing and stands for anything", ref.slice(0, 200))
    }
    return value
  }

  #anchor(name: string): unknown {
    if (this.#anchors === undefined) {
      const anchors = new Map<string, unknown>()
      const seen = new Set<object>()
      const stack: Array<unknown> = [this.root]
      while (stack.length > 0) {
        const node = stack.pop()
        if (typeof node !== "object" || node === null || seen.has(node)) continue
        seen.add(node)
        const anchor = isRecord(node) ? textIn(node, "$anchor") : undefined
        if (anchor !== undefined) anchors.set(anchor, node)
        for (const child of Object.values(node)) stack.push(child)
      }
      this.#anchors = anchors
    }
    return this.#anchors.get(name)
  }

  shape(schema: unknown): Shape {
    if (!isRecord(schema)) return anything
    const known = this.#shapes.get(schema)
    if (known !== undefined) return known
    // An `allOf` or `$ref` that leads back into itself adds nothing the second time.
    if (this.#reading.has(schema)) return anything
    this.#reading.add(schema)
    const shape = this.#read(schema)
    this.#reading.delete(schema)
    this.#shapes.set(schema, shape)
    return shape
  }

  #read(schema: JsonRecord): Shape {
    const ref = textIn(schema, "$ref")
    if (ref !== undefined) {
      const target = this.shape(this.target(ref))
      const alone = this.#refAlone || Object.keys(schema).length === 1
      return alone ? target : merge(this.#direct(schema), target)
    }
    return this.#direct(schema)
  }

  #direct(schema: JsonRecord): Shape {
    const own = this.#narrow(direct(schema), schema)
    const members = listIn(schema, "allOf")
    if (members.length === 0) return own
    // Later members refine earlier ones; what stands beside `allOf` refines them all.
    let inherited = anything
    for (const member of members) inherited = merge(this.shape(member), inherited)
    return merge(own, inherited)
  }

  /** `oneOf`/`anyOf` of one thing, or of one thing and null, is that thing. */
  #narrow(shape: Shape, schema: JsonRecord): Shape {
    const alternatives = shape.alternatives
    if (alternatives === undefined) return shape
    const real = alternatives.filter((member) => !isNull(member))
    const nullable = real.length < alternatives.length
    const [only] = real
    if (real.length !== 1 || only === schema) return nullable ? { ...shape, nullable: true } : shape
    const { alternatives: _, ...rest } = shape
    return merge(nullable ? { ...rest, nullable: true } : rest, this.shape(only))
  }
}

const unescape = (part: string): string => {
  const plain = part.replaceAll("~1", "/").replaceAll("~0", "~")
  if (!plain.includes("%")) return plain
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

const isNull = (schema: unknown): boolean =>
  isRecord(schema) &&
  (own(schema, "type") === "null" ||
    (Object.hasOwn(schema, "const") && own(schema, "const") === null) ||
    (Array.isArray(own(schema, "enum")) && listIn(schema, "enum").every((value) => value === null)))

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

type Draft = { -readonly [K in keyof Shape]: Shape[K] }

/** One pass over the keys that are there: documents hold hundreds of thousands of schemas. */
const direct = (schema: JsonRecord): Shape => {
  const { type, nullable } = typeOf(schema)
  const shape: Draft = {}
  if (type !== undefined) shape.type = type
  if (nullable) shape.nullable = true
  for (const key of Object.keys(schema)) {
    const value = schema[key]
    switch (key) {
      case "readOnly":
        if (value === true) shape.readOnly = true
        break
      case "format":
      case "description":
      case "contentMediaType":
        if (typeof value === "string") shape[key] = value
        break
      case "minLength":
      case "maxLength":
      case "minItems":
      case "maxItems":
        if (isCount(value)) shape[key] = value
        break
      case "properties":
        if (isRecord(value)) shape.properties = value
        break
      case "required":
        if (Array.isArray(value)) shape.required = new Set(value.filter((name) => typeof name === "string"))
        break
      case "items":
      case "additionalProperties":
      case "default":
        shape[key] = value
        break
      case "oneOf":
      case "anyOf":
        if (Array.isArray(value) && value.length > 0)
          shape.alternatives = [...(shape.alternatives ?? []), ...value]
        break
      case "enum":
        if (Array.isArray(value)) shape.enum = value
        break
      case "example":
        shape.sample = value
        break
      case "examples":
        if (Array.isArray(value)) shape.sample ??= value[0]
        break
      case "const":
        shape.constant = { value }
        break
    }
  }
  // A type that is only guessed from `items` or `properties` says nothing beside alternatives.
  if (shape.alternatives !== undefined && own(schema, "type") === undefined) delete shape.type
  return shape
}

const typeOf = (schema: JsonRecord): { type: JsonType | undefined; nullable: boolean } => {
  const written = own(schema, "type")
  const names = (Array.isArray(written) ? written : [written]).filter((name) => typeof name === "string")
  const nullable = own(schema, "nullable") === true || names.includes("null")
  const real = names.filter((name) => name !== "null")
  const values = Object.hasOwn(schema, "const") ? [own(schema, "const")] : listIn(schema, "enum")
  let type: JsonType | undefined
  if (real.length === 1) type = types.has(real[0] ?? "") ? (real[0] as JsonType) : undefined
  else if (real.length > 1) {
    if (real.every((name) => name === "integer" || name === "number")) type = "number"
  } else if (isRecord(own(schema, "properties"))) type = "object"
  else if (isRecord(own(schema, "items"))) type = "array"
  else if (isRecord(own(schema, "additionalProperties"))) type = "object"
  else type = commonType(values)
  // A list of values, none of which has the type: the list is what the API means.
  const listed = values.filter((value) => value !== null)
  if (type !== undefined && listed.length > 0 && !listed.some((value) => isOf(type, value))) type = undefined
  return { type, nullable: nullable || (values.includes(null) && real.length === 0) }
}

const commonType = (values: ReadonlyArray<unknown>): JsonType | undefined => {
  const kinds = new Set(values.filter((value) => value !== null).map((value) => typeof value))
  if (kinds.size !== 1) return undefined
  if (kinds.has("string")) return "string"
  if (kinds.has("boolean")) return "boolean"
  return kinds.has("number") ? "number" : undefined
}

const isOf = (type: JsonType | undefined, value: unknown): boolean => {
  switch (type) {
    case "integer":
      return Number.isInteger(value)
    case "number":
    case "string":
    case "boolean":
      return typeof value === type
    case "array":
      return Array.isArray(value)
    case "object":
      return isRecord(value)
    default:
      return true
  }
}

const tighter = (
  choose: (...values: Array<number>) => number,
  a: number | undefined,
  b: number | undefined
): number | undefined => (a === undefined ? b : b === undefined ? a : choose(a, b))

/** Both hold; where only one can be told, `a`'s word counts. */
const merge = (a: Shape, b: Shape): Shape => {
  const merged: Draft = { ...b, ...a }
  if (a.type === "number" && b.type === "integer") merged.type = "integer"
  const minLength = tighter(Math.max, a.minLength, b.minLength)
  const maxLength = tighter(Math.min, a.maxLength, b.maxLength)
  const minItems = tighter(Math.max, a.minItems, b.minItems)
  const maxItems = tighter(Math.min, a.maxItems, b.maxItems)
  Object.assign(merged, { minLength, maxLength, minItems, maxItems })
  if (a.properties !== undefined && b.properties !== undefined) {
    merged.properties = mergeProperties(a.properties, b.properties)
  }
  if (a.required !== undefined && b.required !== undefined) {
    merged.required = new Set([...a.required, ...b.required])
  }
  return merged
}

const mergeProperties = (a: JsonRecord, b: JsonRecord): JsonRecord => {
  const merged = new Map(Object.entries(a))
  for (const [name, schema] of Object.entries(b)) {
    const other = merged.get(name)
    merged.set(name, other === undefined || other === schema ? schema : { allOf: [schema, other] })
  }
  return Object.fromEntries(merged)
}
