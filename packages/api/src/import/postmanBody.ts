import type { ActionBody, DataFormat, Field } from "@ductape/registry"
import { isForbiddenName, isRecord, type JsonRecord, listIn, own, recordIn, shorten, textIn } from "./json.ts"
import { describe, inferredField, inferredFields, sampleFields } from "./postmanFields.ts"
import { entriesOf } from "./postmanUrl.ts"
import type { Warnings } from "./Warnings.ts"

type Draft = { -readonly [K in keyof Field]: Field[K] }

export interface PostmanBody {
  readonly request_type?: DataFormat
  readonly bodyFormat: ActionBody
  readonly body?: Record<string, Draft>
}

const form: DataFormat = "application/x-www-form-urlencoded"
const json: DataFormat = "application/json"

const languages: Readonly<Record<string, string>> = {
  text: "text/plain",
  xml: "application/xml",
  html: "text/html",
  javascript: "application/javascript"
}

export const readPostmanBody = (
  written: unknown,
  contentType: string | undefined,
  warnings: Warnings,
  place: string
): PostmanBody | undefined => {
  if (!isRecord(written) || own(written, "disabled") === true) return undefined
  switch (textIn(written, "mode")) {
    case "raw":
      return readRaw(written, contentType, warnings, place)
    case "urlencoded": {
      const body = sampleFields(entriesOf(listIn(written, "urlencoded")))
      return { request_type: form, bodyFormat: { contentType: form, shape: "fields" }, body }
    }
    case "formdata":
      return readFormData(listIn(written, "formdata"))
    case "graphql":
      return readGraphql(recordIn(written, "graphql"))
    case "file":
      return {
        bodyFormat: {
          contentType: contentType ?? "application/octet-stream",
          shape: "whole",
          field: { binary: true }
        }
      }
    default:
      return undefined
  }
}

const readRaw = (
  written: JsonRecord,
  contentType: string | undefined,
  warnings: Warnings,
  place: string
): PostmanBody | undefined => {
  const text = textIn(written, "raw") ?? ""
  if (text.trim() === "") return undefined
  const language = textIn(recordIn(recordIn(written, "options"), "raw"), "language")
  const media = contentType ?? (language === undefined ? undefined : languages[language])
  const isJson =
    language === "json" || (media === undefined ? /^\s*[[{]/.test(text) : /[/+]json\b/i.test(media))
  if (!isJson) {
    const plain = media ?? "text/plain"
    return { bodyFormat: { contentType: plain, shape: "whole", field: { type: "string", inferred: true } } }
  }
  const type = media !== undefined && /[/+]json\b/i.test(media) ? media : json
  const sample = parseLoosely(text)
  if (isRecord(sample)) {
    return {
      request_type: json,
      bodyFormat: { contentType: type, shape: "fields" },
      body: inferredFields(sample)
    }
  }
  if (sample === undefined)
    warnings.add("a JSON body is no JSON as it stands, so its fields are unknown", place)
  const field = sample === undefined ? { inferred: true } : inferredField("", sample)
  return { request_type: json, bodyFormat: { contentType: type, shape: "whole", field } }
}

/** JSON as people write it in Postman: with comments, and with bare `{{variables}}` for values. */
const parseLoosely = (text: string): unknown => {
  for (const candidate of [text, withoutComments(text)]) {
    try {
      return JSON.parse(candidate)
    } catch {}
  }
  return undefined
}

const withoutComments = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\{\{[^{}]+\}\}|,(?=\s*[}\]])/g, (match) =>
    match.startsWith('"') ? match : match.startsWith("{{") ? "null" : ""
  )

const readFormData = (entries: ReadonlyArray<unknown>): PostmanBody => {
  const body: Record<string, Draft> = {}
  for (const entry of entries) {
    if (!isRecord(entry)) continue
    const name = textIn(entry, "key")
    if (name === undefined || name === "" || isForbiddenName(name)) continue
    const file = own(entry, "type") === "file"
    const [text] = file ? [] : Object.values(sampleFields(entriesOf([entry])))
    const field: Draft = text ?? { binary: true, inferred: true }
    const description = shorten(describe(own(entry, "description")), 160)
    if (description !== undefined) field.description = description
    const contentType = textIn(entry, "contentType")
    if (contentType !== undefined && contentType !== "") field.contentType = contentType
    body[name] ??= field
  }
  return {
    request_type: "multipart/form-data",
    bodyFormat: { contentType: "multipart/form-data", shape: "fields" },
    body
  }
}

/** The query is the operation itself, so it is sent where the caller gives none. */
const readGraphql = (written: JsonRecord): PostmanBody => {
  const query = textIn(written, "query")
  const text = own(written, "variables")
  const sample = typeof text === "string" ? parseLoosely(text) : text
  const operationName = textIn(written, "operationName")
  return {
    request_type: json,
    bodyFormat: { contentType: json, shape: "fields", required: true },
    body: {
      query: {
        type: "string",
        required: true,
        ...(query === undefined || query === "" || query.length > 20_000 ? {} : { defaultValue: query })
      },
      variables: inferredField("variables", isRecord(sample) ? sample : {}),
      ...(operationName === undefined || operationName === ""
        ? {}
        : { operationName: { type: "string", defaultValue: operationName } as const })
    }
  }
}
