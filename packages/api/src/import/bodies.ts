import type { ActionBody, DataFormat } from "@ductape/registry"
import { type Draft, type FieldReader, isBinary } from "./FieldReader.ts"
import { isForbiddenName, isRecord, type JsonRecord, own, recordIn, textIn } from "./json.ts"
import type { Schemas, Shape } from "./Schemas.ts"

export type BodyKind = "json" | "form" | "multipart" | "text" | "binary"

export interface BodyReading {
  readonly request_type?: DataFormat
  readonly bodyFormat: ActionBody
  readonly body?: Record<string, Draft>
}

const order: ReadonlyArray<BodyKind> = ["json", "form", "multipart", "text", "binary"]

/** What is written for a media type, and the type that is really sent. */
export const mediaKind = (written: string): { readonly kind: BodyKind; readonly type: string } => {
  const type = written.trim()
  const essence = (type.split(";", 1)[0] ?? "").trim().toLowerCase()
  const wildcard = essence.includes("*")
  if (/^(application|text)\/json$|^[^/]+\/[^/]+\+json$/.test(essence)) {
    return { kind: "json", type: wildcard ? "application/json" : type }
  }
  if (essence === "" || essence === "application/*") return { kind: "json", type: "application/json" }
  if (essence === "application/x-www-form-urlencoded") return { kind: "form", type }
  if (/^(multipart\/form-data|application\/form-data|multipart\/\*)$/.test(essence)) {
    return { kind: "multipart", type: "multipart/form-data" }
  }
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+$/.test(essence)) {
    return essence.includes("json")
      ? { kind: "json", type: "application/json" }
      : { kind: "binary", type: "application/octet-stream" }
  }
  if (
    /^text\/|[/+](xml|yaml|x-yaml|javascript|csv|ndjson|x-ndjson|jwt|jose|graphql|sdp)$|^message\/|jsonlines/.test(
      essence
    )
  ) {
    return { kind: "text", type: wildcard ? "text/plain" : type }
  }
  return { kind: "binary", type: wildcard ? "application/octet-stream" : type }
}

/** The media type to send: JSON before forms, multipart, text, bytes; in each the first one written. */
const chooseMedia = (content: JsonRecord, schemas: Schemas) => {
  const media = Object.entries(content).map(([written, value]) => {
    const source = isRecord(value) ? value : {}
    const known = mediaKind(written)
    if (written.trim() !== "*/*") return { ...known, source }
    // Anything goes: bytes stay bytes, the rest is JSON.
    return isBinary(schemas.shape(own(source, "schema")))
      ? { kind: "binary" as const, type: "application/octet-stream", source }
      : { kind: "json" as const, type: "application/json", source }
  })
  return order.flatMap((kind) => media.filter((entry) => entry.kind === kind))[0]
}

export const readBody = (
  schemas: Schemas,
  reader: FieldReader,
  written: unknown,
  method: string,
  place: string
): BodyReading | undefined => {
  const request = schemas.follow(written)
  if (!isRecord(request)) return undefined
  const media = chooseMedia(recordIn(request, "content"), schemas)
  if (media === undefined) return undefined
  const required = own(request, "required") === true
  const { kind, source } = media
  const shape = schemas.shape(own(source, "schema"))
  const needed = { required }
  if (kind === "text" || kind === "binary") {
    const field: Draft = kind === "text" ? textField(shape) : { binary: true }
    return { bodyFormat: { contentType: media.type, shape: "whole", ...needed, field } }
  }
  const request_type: DataFormat =
    kind === "json"
      ? "application/json"
      : kind === "form"
        ? "application/x-www-form-urlencoded"
        : "multipart/form-data"
  // A partial update leaves alone what it does not mention; a default would overwrite it.
  const defaults = method !== "PATCH"
  const body = fieldsOf(schemas, reader, shape, { defaults, binary: kind === "multipart" })
  if (kind !== "json") {
    for (const [name, encoding] of Object.entries(recordIn(source, "encoding"))) {
      const field = body?.[name]
      if (field !== undefined && isRecord(encoding)) applyEncoding(field, encoding)
    }
    if (body === undefined) schemas.warnings.add("a form has no described fields and accepts anything", place)
    return {
      request_type,
      bodyFormat: { contentType: media.type, shape: "fields", ...needed },
      body: body ?? {}
    }
  }
  if (body !== undefined) {
    return { request_type, bodyFormat: { contentType: media.type, shape: "fields", ...needed }, body }
  }
  const field = reader.field(own(source, "schema"), { name: "", required: false, defaults })
  return { request_type, bodyFormat: { contentType: media.type, shape: "whole", ...needed, field } }
}

/** Whether a body carries anything; some documents give every operation an empty one. */
export const describesBody = (schemas: Schemas, written: unknown): boolean => {
  const request = schemas.follow(written)
  return Object.values(isRecord(request) ? recordIn(request, "content") : {}).some((media) => {
    const shape = schemas.shape(isRecord(media) ? own(media, "schema") : undefined)
    const fields = Object.keys(shape.properties ?? {}).length
    return fields > 0 || shape.alternatives !== undefined || (shape.type ?? "object") !== "object"
  })
}

/** XML is written by the caller, whatever its schema. */
const textField = (shape: Shape): Draft => (shape.type === "string" ? { type: "string" } : {})

/** The fields of a body that is an object; `undefined` for any other. */
const fieldsOf = (
  schemas: Schemas,
  reader: FieldReader,
  shape: Shape,
  options: { defaults: boolean; binary: boolean }
): Record<string, Draft> | undefined => {
  const alternatives = shape.alternatives?.map((member) => schemas.shape(member))
  const isObject = shape.type === "object" || shape.properties !== undefined
  if (!isObject && alternatives === undefined) return undefined
  if (alternatives !== undefined && !alternatives.every((one) => isObjectLike(one, isObject)))
    return undefined
  const body = reader.properties(shape, options)
  // Fields of alternatives have a name and no more: which alternative is meant is not known here.
  for (const alternative of alternatives ?? []) {
    for (const [name, schema] of Object.entries(alternative.properties ?? {})) {
      if (isForbiddenName(name) || Object.hasOwn(body, name) || schemas.shape(schema).readOnly) continue
      body[name] = options.binary && isBinary(schemas.shape(schema)) ? { binary: true } : {}
    }
  }
  return body
}

const isObjectLike = (shape: Shape, parentIsObject: boolean): boolean =>
  shape.type === "object" || shape.properties !== undefined || (parentIsObject && shape.type === undefined)

const applyEncoding = (field: Draft, encoding: JsonRecord): void => {
  const style = textIn(encoding, "style")
  const explode = own(encoding, "explode")
  if (style !== undefined || typeof explode === "boolean") {
    field.style = style ?? "form"
    field.explode = typeof explode === "boolean" ? explode : field.style === "form"
  }
  if (own(encoding, "allowReserved") === true) field.allowReserved = true
  const contentType = textIn(encoding, "contentType")
  if (contentType !== undefined) field.contentType = contentType
}
