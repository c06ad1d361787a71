import { SchemaValues } from "@ductape/testkit"
import {
  asJson,
  asList,
  isJson,
  type OriginalBody,
  type OriginalDocument,
  type OriginalOperation,
  type OriginalParameter
} from "./OriginalDocument.ts"
import type { SchemaCheck } from "./SchemaCheck.ts"

export interface GeneratedInput {
  readonly params: Record<string, unknown>
  readonly query: Record<string, unknown>
  readonly headers: Record<string, unknown>
  readonly cookies: Record<string, unknown>
  readonly body?: unknown
}

export interface Generated {
  readonly input: GeneratedInput
  /** Why no valid input could be made: the document's schema contradicts itself, or is beyond the generator. */
  readonly invalid: string | undefined
}

const sections = { path: "params", query: "query", header: "headers", cookie: "cookies" } as const

/** Headers that the connection itself writes. */
const ownHeader =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade|expect|te|trailer)$/i

const tries = 6

/** A valid input for an operation, made from the document alone; the same seed makes the same one. */
export const generateInput = (
  document: OriginalDocument,
  check: SchemaCheck,
  operation: OriginalOperation,
  options: { readonly seed: number; readonly pathNames: ReadonlySet<string>; readonly bodiless: boolean }
): Generated => {
  const input: GeneratedInput = { params: {}, query: {}, headers: {}, cookies: {} }
  let invalid: string | undefined
  let seed = options.seed
  const optional = new SchemaValues({ root: document.root, seed })
  const make = (schema: unknown, accept: (value: unknown) => boolean) => {
    let fault: string | undefined
    let value: unknown
    for (let attempt = 0; attempt < tries; attempt++) {
      seed = (seed * 31 + 7) >>> 0
      // Later attempts are sparser: fewer optional parts, fewer contradictions.
      const share = [0.5, 0.3, 0.1, 0, 0.5, 0][attempt] ?? 0
      value = new SchemaValues({ root: document.root, seed, optional: share }).value(schema)
      if (!accept(value)) {
        fault = "the schema allows nothing that can be sent here"
        continue
      }
      fault = check.fault(schema, value)
      if (fault === "") return { value, fault: undefined }
      fault ??= "the schema cannot be compiled"
    }
    return { value, fault }
  }
  for (const parameter of operation.parameters) {
    if (parameter.in === "path" && !options.pathNames.has(parameter.name)) continue
    if (parameter.in === "header" && ownHeader.test(parameter.name)) continue
    const wanted = optional.value({ type: "boolean" }) === true
    if (!parameter.required && !wanted) continue
    const { fault, value } = make(parameter.schema, (made) => isSendable(parameter, made))
    if (fault !== undefined) {
      if (!parameter.required) continue
      invalid ??= `${parameter.in} ${fault}`
    }
    input[sections[parameter.in as keyof typeof sections]][parameter.name] = value
  }
  const { body } = operation
  if (body === undefined || options.bodiless) return { input, invalid }
  const { fault, value } = make(
    body.schema,
    (made) => (body.kind !== "form" && body.kind !== "multipart") || isJson(made)
  )
  if (fault !== undefined && (body.kind === "json" || body.kind === "form" || body.kind === "multipart")) {
    if (!body.required) return { input, invalid }
    invalid ??= `body ${fault}`
  }
  return { input: { ...input, body: bodyValue(document, body, value) }, invalid }
}

const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null

/** What the serialisation of a parameter can carry at all. */
const isSendable = (parameter: OriginalParameter, value: unknown): boolean => {
  if (value === undefined || value === null) return false
  if (parameter.contentType !== undefined)
    return parameter.in !== "header" || isHeaderText(JSON.stringify(value))
  const leaves = isScalar(value) ? [value] : Object.values(value as object)
  if (leaves.length === 0) return false
  if (parameter.in === "query") return true
  if (!leaves.every(isScalar)) return false
  const texts = [...leaves.map(String), ...(isJson(value) ? Object.keys(value) : [])]
  if (parameter.in === "path") return texts.every((text) => text !== "" && text !== "." && text !== "..")
  const plain = texts.every((text) => isHeaderText(text) && text.trim() === text)
  return plain && (isScalar(value) || texts.every((text) => !/[,=]/.test(text)))
}

const isHeaderText = (text: string): boolean => /^[\x20-\x7e\xa0-\xff]*$/.test(text)

/** Bytes where the document wants a file. */
const bodyValue = (document: OriginalDocument, body: OriginalBody, value: unknown): unknown => {
  if (body.kind === "binary") {
    // A pattern or an encoding means that the bytes are text after all.
    const { format, pattern } = asJson(document.resolve(body.schema))
    const text = typeof value === "string" && (pattern !== undefined || format === "byte")
    return Buffer.from(text ? value : "binary \u0000 body")
  }
  if (body.kind === "text")
    return /xml/.test(body.mediaType) ? "<a>1</a>" : "plain text, two lines\nand späße"
  if (body.kind !== "multipart" || !isJson(value)) return value
  const properties = propertiesOf(document, body.schema)
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      isFile(document, properties[name]) ? Buffer.from(textOf(part)) : part
    ])
  )
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const isFile = (document: OriginalDocument, schema: unknown): boolean => {
  const resolved = asJson(document.resolve(schema))
  return resolved["format"] === "binary" || resolved["type"] === "file"
}

export const propertiesOf = (
  document: OriginalDocument,
  schema: unknown
): Readonly<Record<string, unknown>> => {
  const resolved = asJson(document.resolve(schema))
  const inherited = [...asList(resolved["allOf"]), ...asList(resolved["oneOf"]), ...asList(resolved["anyOf"])]
  return Object.assign(
    {},
    ...inherited.map((part) => propertiesOf(document, part)),
    asJson(resolved["properties"])
  ) as Record<string, unknown>
}
