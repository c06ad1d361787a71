import type { Field } from "@ductape/registry"
import { ActionError } from "../ActionError.ts"
import { BodyStream, isBinary, isBlob, isBytes, isFilePart, isStream, toBytes } from "./fileValue.ts"
import { formBody } from "./formBody.ts"
import { multipartBody } from "./multipartBody.ts"
import { jsonText, scalarText } from "./parameterText.ts"
import { isPlainObject } from "./plainObject.ts"

export type BuiltBody = string | Uint8Array | BodyStream

export type BodyKind = "json" | "form" | "multipart" | "text" | "binary"

/** How a body of a media type is written. */
export const bodyKind = (contentType: string): BodyKind => {
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase()
  if (type === "application/x-www-form-urlencoded") return "form"
  if (type.startsWith("multipart/")) return "multipart"
  if (/[/+]json$/.test(type) || type === "application/json5" || type === "*/*") return "json"
  if (type.startsWith("text/") || /[/+]xml$/.test(type) || /(?:yaml|javascript|graphql)$/.test(type))
    return "text"
  return "binary"
}

const refuse = (message: string): never => {
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `The input is not valid: body ${message}.`,
    details: [{ location: "body", path: "", rule: "type", message }]
  })
}

const json = (value: unknown): string => {
  try {
    return jsonText(value) ?? refuse("cannot be written as JSON")
  } catch (cause) {
    if (cause instanceof ActionError) throw cause
    return refuse("cannot be written as JSON: it refers to itself or holds something without a JSON form")
  }
}

const raw = (value: unknown): BuiltBody | undefined => {
  if (isBytes(value)) return toBytes(value)
  if (isBlob(value) || isStream(value)) return BodyStream.of(value)
  if (isFilePart(value)) return typeof value.data === "string" ? value.data : raw(value.data)
  return undefined
}

/** The body's bytes and the media type to send with them. */
export const writeBody = (
  kind: BodyKind,
  contentType: string,
  value: unknown,
  schema: ReadonlyMap<string, Field>
): { readonly body: BuiltBody; readonly contentType: string } => {
  if (kind !== "multipart") {
    const bytes = isBinary(value) ? raw(value) : undefined
    if (bytes !== undefined) return { body: bytes, contentType }
  }
  switch (kind) {
    case "json":
      return { body: json(value), contentType }
    case "form":
      if (typeof value === "string") return { body: value, contentType }
      return isPlainObject(value)
        ? { body: formBody(value, schema), contentType }
        : refuse("must be an object of form fields")
    case "multipart": {
      if (!isPlainObject(value)) return refuse("must be an object of parts")
      const { body, boundary } = multipartBody(value, schema)
      return { body, contentType: `${contentType.split(";")[0]?.trim()}; boundary=${boundary}` }
    }
    default: {
      const text = scalarText(value) ?? raw(value)
      if (text !== undefined) return { body: text, contentType }
      return refuse(kind === "text" ? "must be text" : "must be text, bytes, a Blob or a stream")
    }
  }
}
