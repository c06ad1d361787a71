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
  readonly properties?: ReadonlyMap<string, unknown> | undefined
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
    let shape = this.#narrow(direct(schema), schema)
    for (const member of listIn(schema, "allOf")) shape = merge(shape, this.shape(member))
    return shape
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

const count = (schema: JsonRecord, key: string): number | undefined => {
  const value = own(schema, key)
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

const direct = (schema: JsonRecord): Shape => {
  const properties = own(schema, "properties")
  const required = own(schema, "required")
  const alternatives = [...listIn(schema, "oneOf"), ...listIn(schema, "anyOf")]
  const values = own(schema, "enum")
  const examples = own(schema, "examples")
  const { type, nullable } = typeOf(schema)
  const sample = own(schema, "example") ?? (Array.isArray(examples) ? examples[0] : undefined)
  return {
    ...(type === undefined ? {} : { type }),
    ...(nullable ? { nullable } : {}),
    ...(own(schema, "readOnly") === true ? { readOnly: true } : {}),
    format: textIn(schema, "format"),
    description: textIn(schema, "description"),
    minLength: count(schema, "minLength"),
    maxLength: count(schema, "maxLength"),
    minItems: count(schema, "minItems"),
    maxItems: count(schema, "maxItems"),
    properties: isRecord(properties) ? new Map(Object.entries(properties)) : undefined,
    required: Array.isArray(required)
      ? new Set(required.filter((key) => typeof key === "string"))
      : undefined,
    items: own(schema, "items"),
    additionalProperties: own(schema, "additionalProperties"),
    alternatives: alternatives.length > 0 ? alternatives : undefined,
    enum: Array.isArray(values) ? values : undefined,
    default: own(schema, "default"),
    sample,
    constant: Object.hasOwn(schema, "const") ? { value: own(schema, "const") } : undefined,
    contentMediaType: textIn(schema, "contentMediaType")
  }
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
  const properties =
    a.properties === undefined || b.properties === undefined
      ? (a.properties ?? b.properties)
      : mergeProperties(a.properties, b.properties)
  return {
    type: a.type === "number" && b.type === "integer" ? "integer" : (a.type ?? b.type),
    ...(a.nullable || b.nullable ? { nullable: true } : {}),
    ...(a.readOnly || b.readOnly ? { readOnly: true } : {}),
    format: a.format ?? b.format,
    description: a.description ?? b.description,
    minLength: tighter(Math.max, a.minLength, b.minLength),
    maxLength: tighter(Math.min, a.maxLength, b.maxLength),
    minItems: tighter(Math.max, a.minItems, b.minItems),
    maxItems: tighter(Math.min, a.maxItems, b.maxItems),
    properties,
    required:
      a.required === undefined || b.required === undefined
        ? (a.required ?? b.required)
        : new Set([...a.required, ...b.required]),
    items: a.items ?? b.items,
    additionalProperties: a.additionalProperties ?? b.additionalProperties,
    alternatives: a.alternatives ?? b.alternatives,
    enum: a.enum ?? b.enum,
    default: a.default ?? b.default,
    sample: a.sample ?? b.sample,
    constant: a.constant ?? b.constant,
    contentMediaType: a.contentMediaType ?? b.contentMediaType
  }
}

const mergeProperties = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>) => {
  const merged = new Map(a)
  for (const [name, schema] of b) {
    const other = merged.get(name)
    merged.set(name, other === undefined || other === schema ? schema : { allOf: [other, schema] })
  }
  return merged
}
