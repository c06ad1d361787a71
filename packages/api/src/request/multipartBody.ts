import { createHash, randomBytes } from "node:crypto"
import type { Field } from "@ductape/registry"
import { ActionError } from "../ActionError.ts"
import { BodyStream, type FileData, isBinary, isBlob, isBytes, isFilePart, toBytes } from "./fileValue.ts"
import { anyText, items, jsonText } from "./parameterText.ts"
import { isPlainObject } from "./plainObject.ts"

interface Part {
  readonly head: string
  readonly content: Uint8Array | BodyStream
}

/** WHATWG's escaping of names in `Content-Disposition`. */
const quoted = (text: string): string =>
  `"${text.toWellFormed().replace(/\r/g, "%0D").replace(/\n/g, "%0A").replace(/"/g, "%22")}"`

const contentTypeOf = (given: string | undefined, fallback: string): string => {
  const type = given === undefined || given === "" ? fallback : given
  if (/^[\x20-\x7E]+$/.test(type)) return type
  throw new ActionError({
    code: "INPUT_HEADER_INVALID",
    message: "The contentType of a multipart part holds characters that no header can.",
    details: { location: "body" }
  })
}

const part = (
  name: string,
  content: Uint8Array | BodyStream,
  contentType: string | undefined,
  filename: string | undefined
): Part => ({
  head:
    `Content-Disposition: form-data; name=${quoted(name)}` +
    (filename === undefined ? "" : `; filename=${quoted(filename)}`) +
    (contentType === undefined ? "" : `\r\nContent-Type: ${contentType}`) +
    "\r\n\r\n",
  content
})

const filePart = (
  name: string,
  data: FileData,
  declared: string | undefined,
  given: { readonly filename?: string; readonly contentType?: string }
): Part => {
  const content = typeof data === "string" || isBytes(data) ? toBytes(data) : BodyStream.of(data)
  const blobName = isBlob(data) && "name" in data && typeof data.name === "string" ? data.name : undefined
  const blobType = isBlob(data) && data.type !== "" ? data.type : undefined
  return part(
    name,
    content,
    contentTypeOf(given.contentType ?? blobType ?? soleType(declared), "application/octet-stream"),
    given.filename ?? blobName ?? name
  )
}

/** The media type of an encoding, if it names exactly one. */
const soleType = (declared: string | undefined): string | undefined =>
  declared === undefined || /[,*]/.test(declared) ? undefined : declared

/** The parts of one field: arrays repeat the name; objects are JSON, as OpenAPI has it by default. */
const partsOf = (name: string, field: Field | undefined, value: unknown): Array<Part> => {
  if (value === undefined || value === null) return []
  if (isFilePart(value)) return [filePart(name, value.data, field?.contentType, value)]
  if (isBinary(value)) return [filePart(name, value, field?.contentType, {})]
  const type = soleType(field?.contentType)
  const asJson = type !== undefined && /[/+]json\b/i.test(type)
  if (Array.isArray(value) && !asJson) {
    return items(value).flatMap((item) => partsOf(name, field?.items ?? arrayItem(field), item))
  }
  if (field?.binary === true && typeof value === "string") {
    return [filePart(name, value, field.contentType, {})]
  }
  if (asJson || Array.isArray(value) || isPlainObject(value)) {
    return [part(name, toBytes(jsonText(value) ?? ""), contentTypeOf(type, "application/json"), undefined)]
  }
  return [
    part(name, toBytes(anyText(value)), type === undefined ? undefined : contentTypeOf(type, type), undefined)
  ]
}

const arrayItem = (field: Field | undefined): Field | undefined =>
  field === undefined || (field.contentType === undefined && field.binary === undefined)
    ? undefined
    : {
        ...(field.contentType === undefined ? {} : { contentType: field.contentType }),
        ...(field.binary === undefined ? {} : { binary: field.binary })
      }

/**
 * RFC 7578. When all parts are in memory the boundary is a digest of them, so that no content can
 * hold it and the same input gives the same bytes; with streams it is random.
 */
export const multipartBody = (
  fields: Readonly<Record<string, unknown>>,
  schema: ReadonlyMap<string, Field>
): { readonly boundary: string; readonly body: Uint8Array | BodyStream } => {
  const parts = Object.keys(fields).flatMap((name) => partsOf(name, schema.get(name), fields[name]))
  const inMemory: Array<Uint8Array> = []
  const digest = createHash("sha256")
  for (const { content, head } of parts) {
    digest.update(head)
    if (content instanceof BodyStream) continue
    digest.update(content)
    inMemory.push(content)
  }
  const allInMemory = inMemory.length === parts.length
  const boundary = `ductape-${allInMemory ? digest.digest("hex").slice(0, 40) : randomBytes(20).toString("hex")}`
  const opening = (head: string): Uint8Array => toBytes(`--${boundary}\r\n${head}`)
  const lineEnd = toBytes("\r\n")
  const end = toBytes(`--${boundary}--\r\n`)
  if (allInMemory) {
    const chunks = parts.flatMap(({ head }, index) => [
      opening(head),
      inMemory[index] ?? new Uint8Array(),
      lineEnd
    ])
    return { boundary, body: Buffer.concat([...chunks, end]) }
  }
  let length: number | undefined = end.byteLength
  for (const { content, head } of parts) {
    const size: number | undefined = content instanceof BodyStream ? content.length : content.byteLength
    length =
      length === undefined || size === undefined ? undefined : length + opening(head).byteLength + size + 2
  }
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (const { content, head } of parts) {
      yield opening(head)
      if (content instanceof BodyStream) yield* content.open()
      else yield content
      yield lineEnd
    }
    yield end
  }
  const replayable = parts.every(({ content }) => !(content instanceof BodyStream) || content.replayable)
  return { boundary, body: new BodyStream({ length, replayable, open }) }
}
