import type { ActionResponse } from "@ductape/registry"
import { withoutCredentials } from "./FieldReader.ts"
import { isForbiddenName, isRecord, own, recordIn, shorten } from "./json.ts"
import type { Schemas, Shape } from "./Schemas.ts"

const maxNodes = 80
const maxDepth = 6
const sampleBytes = 2048

type Written = Record<string, unknown>

/**
 * A schema on its own: without references, level by level up to a fixed number of nodes. What is
 * left out, and a type inside itself, is `{}` or an object of any kind.
 */
const compact = (schemas: Schemas, schema: unknown): Written => {
  let nodes = 0
  const queue: Array<() => void> = []
  const write = (source: unknown, depth: number, above: ReadonlyArray<Shape>): Written => {
    const shape = schemas.shape(source)
    const target: Written = {}
    if (shape.type !== undefined) target["type"] = shape.type === "file" ? "string" : shape.type
    if (shape.nullable) target["nullable"] = true
    if (shape.format !== undefined) target["format"] = shape.format
    if (shape.constant !== undefined) target["enum"] = [shape.constant.value]
    else if (shape.enum !== undefined && shape.enum.length <= 20) target["enum"] = shape.enum
    if (depth >= maxDepth || above.includes(shape)) return target
    const trail = [...above, shape]
    const later = (count: number, add: () => void): void => {
      queue.push(() => {
        if (nodes + count > maxNodes) return
        nodes += count
        add()
      })
    }
    if (shape.items !== undefined) {
      later(1, () => {
        target["items"] = write(shape.items, depth + 1, trail)
      })
    }
    const { alternatives, properties } = shape
    const names = properties === undefined ? [] : Object.keys(properties)
    if (properties !== undefined && names.length > 0) {
      later(names.length, () => {
        const children: Written = {}
        for (const name of names) {
          if (!isForbiddenName(name)) children[name] = write(properties[name], depth + 1, trail)
        }
        target["properties"] = children
        const required = [...(shape.required ?? [])].filter((name) => Object.hasOwn(children, name))
        if (required.length > 0) target["required"] = required
      })
    }
    if (isRecord(shape.additionalProperties)) {
      later(1, () => {
        target["additionalProperties"] = write(shape.additionalProperties, depth + 1, trail)
      })
    }
    if (alternatives !== undefined && alternatives.length <= 20) {
      later(alternatives.length, () => {
        target["anyOf"] = alternatives.map((one) => write(one, depth + 1, trail))
      })
    }
    return target
  }
  const written = write(schema, 0, [])
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) next()
  return written
}

const statusOf = (code: string): number | undefined => {
  const exact = /^[1-5]\d\d$/.test(code) ? Number(code) : undefined
  return exact ?? (/^[1-5]XX$/i.test(code) ? Number(code[0]) * 100 : undefined)
}

/** The responses of an operation: schema and sample of a success, the bare status of the others. */
export const readResponses = (schemas: Schemas, responses: unknown): ReadonlyArray<ActionResponse> => {
  const found: Array<ActionResponse> = []
  let described = false
  const entries = isRecord(responses) ? Object.entries(responses) : []
  for (const [code, written] of entries) {
    if (code.startsWith("x-")) continue
    const status = statusOf(code)
    const response = schemas.follow(written)
    const success = status === undefined ? code === "default" && entries.length === 1 : status < 300
    const media =
      success && isRecord(response) && !described ? chooseMedia(recordIn(response, "content")) : undefined
    if (media !== undefined) described = true
    if (status === undefined && media === undefined) continue
    found.push({
      ...(status === undefined ? {} : { status }),
      ...(media === undefined ? {} : describe(schemas, media))
    })
  }
  return found
}

const chooseMedia = (content: Readonly<Record<string, unknown>>) => {
  const media = Object.entries(content).filter(([, value]) => isRecord(value))
  const [, value] = media.find(([type]) => /json/i.test(type)) ?? media[0] ?? []
  return isRecord(value) ? value : undefined
}

const describe = (schemas: Schemas, media: Readonly<Record<string, unknown>>): ActionResponse => {
  const written = own(media, "schema")
  const examples = Object.values(recordIn(media, "examples")).map((entry) => schemas.follow(entry))
  const named = examples.find((entry) => isRecord(entry) && own(entry, "value") !== undefined)
  const example = own(media, "example") ?? (isRecord(named) ? own(named, "value") : undefined)
  const sample = sampleOf(example ?? schemas.shape(written).sample)
  const schema = written === undefined ? undefined : compact(schemas, written)
  return {
    ...(schema === undefined || Object.keys(schema).length === 0 ? {} : { schema }),
    ...(sample === undefined ? {} : { sample })
  }
}

/** A sample without credentials, if it is small enough to keep. */
export const sampleOf = (value: unknown): unknown => {
  if (value === undefined || value === null) return undefined
  if (typeof value === "string") {
    if (!/^\s*[[{]/.test(value)) return shorten(value, 300)
    // Documents often show JSON as text.
    try {
      return sampleOf(JSON.parse(value))
    } catch {
      return shorten(value, 300)
    }
  }
  const text = JSON.stringify(value)
  return text.length > sampleBytes ? undefined : withoutCredentials(value)
}
