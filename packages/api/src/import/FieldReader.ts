import type { Field } from "@ductape/registry"
import { acceptable, dataTypeOf, sendable } from "./fieldTypes.ts"
import { isCredentialName, isForbiddenName, shorten } from "./json.ts"
import type { Schemas, Shape } from "./Schemas.ts"

export type Draft = { -readonly [K in keyof Field]: Field[K] }

export interface FieldOptions {
  readonly name: string
  readonly required: boolean
  readonly description?: string | undefined
  /** Whether the document's default may be sent where the caller gives nothing. */
  readonly defaults: boolean
  /** Beats the schema's own. */
  readonly sample?: unknown
  /** A form or file body: strings of format `binary` are bytes. */
  readonly binary?: boolean
}

interface Pending {
  readonly draft: Draft
  readonly shape: Shape
  readonly depth: number
  readonly above: Trail | undefined
  readonly binary: boolean
}

interface Trail {
  readonly shape: Shape
  readonly above: Trail | undefined
}

const maxNested = 250
const maxDepth = 6
const sampleBytes = 300

/**
 * Reads the fields of one action. Children are read level by level, so that where an action has more
 * than is worth keeping, it is the deepest that are left open. What is left open accepts anything.
 */
export class FieldReader {
  readonly #schemas: Schemas
  readonly #pending: Array<Pending> = []
  #nested = 0
  /** Whether something was left open. */
  cut = false

  constructor(schemas: Schemas) {
    this.#schemas = schemas
  }

  field(schema: unknown, options: FieldOptions): Draft {
    const shape = this.#schemas.shape(schema)
    const draft = this.#draft(shape, options, 0, undefined)
    this.#drain()
    return draft
  }

  /** The properties of an object that a request may carry, each a field. */
  properties(shape: Shape, options: { defaults: boolean; binary: boolean }): Record<string, Draft> {
    const fields = this.#children(shape, options, 0, { shape, above: undefined })
    this.#drain()
    return fields
  }

  #children(
    shape: Shape,
    options: { defaults: boolean; binary: boolean },
    depth: number,
    above: Trail
  ): Record<string, Draft> {
    const fields: Record<string, Draft> = {}
    for (const [name, schema] of Object.entries(shape.properties ?? {})) {
      if (isForbiddenName(name)) continue
      const child = this.#schemas.shape(schema)
      if (child.readOnly) continue
      const required = shape.required?.has(name) ?? false
      fields[name] = this.#draft(child, { name, required, ...options }, depth, above)
    }
    return fields
  }

  #draft(shape: Shape, options: FieldOptions, depth: number, above: Trail | undefined): Draft {
    const items = shape.type === "array" ? this.#schemas.shape(shape.items) : undefined
    const binary = options.binary === true && isBinary(shape)
    const files = options.binary === true && items !== undefined && isBinary(items)
    const type = binary ? undefined : files ? "array" : dataTypeOf(shape, items)
    const draft: Draft = {}
    if (type !== undefined) draft.type = type
    if (binary) draft.binary = true
    if (options.required) draft.required = true
    if (shape.nullable) draft.nullable = true
    const description = shorten(options.description ?? shape.description, depth === 0 ? 160 : 80)
    if (description !== undefined && depth < 3) draft.description = description
    const limits = limitsOf(shape)
    if (limits.min !== undefined && limits.min > 0) draft.minLength = limits.min
    if (limits.max !== undefined) draft.maxLength = limits.max
    this.#values(draft, shape, options, limits)
    if (shape.type === "object" || (type === "array" && items !== undefined)) {
      this.#pending.push({ draft, shape, depth: depth + 1, above, binary: options.binary === true })
    }
    return draft
  }

  #values(draft: Draft, shape: Shape, options: FieldOptions, limits: ReturnType<typeof limitsOf>): void {
    const constant = acceptable(shape.constant?.value, draft.type, shape, limits)
    const value = acceptable(shape.default, draft.type, shape, limits)
    if (options.defaults && constant !== undefined && options.required) draft.defaultValue = constant
    else if (options.defaults && value !== undefined && sendable(value, shape)) {
      if (JSON.stringify(value).length <= 2000) draft.defaultValue = value
    }
    if (isCredentialName(options.name)) return
    const sample = acceptable(options.sample ?? shape.sample ?? constant, draft.type, shape, limits)
    if (sample === undefined || draft.defaultValue === sample) return
    const kept = withoutCredentials(sample)
    if (JSON.stringify(kept).length <= sampleBytes) draft.sampleValue = kept
  }

  #drain(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const { draft, shape, depth, above, binary } = next
      // A type inside itself is cut where it comes again.
      if (contains(above, shape)) continue
      const trail = { shape, above }
      const size = shape.type === "array" ? 1 : Object.keys(shape.properties ?? {}).length
      if (size === 0) continue
      if (depth > maxDepth || this.#nested + size > maxNested) {
        this.cut = true
        continue
      }
      this.#nested += size
      if (shape.type === "array") {
        const items = this.#schemas.shape(shape.items)
        if (contains(trail, items)) continue
        const item = this.#draft(items, { name: "", required: false, defaults: false, binary }, depth, trail)
        if (Object.keys(item).length > 0) draft.items = item
      } else {
        const fields = this.#children(shape, { defaults: false, binary }, depth, trail)
        if (Object.keys(fields).length > 0) draft.fields = fields
      }
    }
  }
}

const contains = (trail: Trail | undefined, shape: Shape): boolean => {
  for (let at = trail; at !== undefined; at = at.above) if (at.shape === shape) return true
  return false
}

/** Bytes: format `binary` (3.0), the old type `file`, or a media type without an encoding (3.1). */
export const isBinary = (shape: Shape): boolean =>
  shape.type === "file" ||
  ((shape.type === "string" || shape.type === undefined) &&
    (shape.format === "binary" || (shape.contentMediaType !== undefined && shape.format !== "byte")))

const limitsOf = (shape: Shape): { min: number | undefined; max: number | undefined } => {
  const [min, max] =
    shape.type === "array"
      ? [shape.minItems, shape.maxItems]
      : shape.type === "string"
        ? [shape.minLength, shape.maxLength]
        : []
  // Limits that exclude each other are a slip of the document's.
  return min !== undefined && max !== undefined && min > max
    ? { min: undefined, max: undefined }
    : { min, max }
}

/** A sample without the values of fields that are named like credentials. */
export const withoutCredentials = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutCredentials)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isCredentialName(name) && !isForbiddenName(name))
      .map(([name, child]) => [name, withoutCredentials(child)])
  )
}
