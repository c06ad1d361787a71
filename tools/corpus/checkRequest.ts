import { isDeepStrictEqual } from "node:util"
import type { BuiltRequest } from "@ductape/api"
import {
  asJson,
  asList,
  isJson,
  type OriginalBody,
  type OriginalDocument,
  type OriginalOperation,
  type OriginalParameter
} from "./OriginalDocument.ts"
import type { GeneratedInput } from "./operationInput.ts"
import { propertiesOf } from "./operationInput.ts"
import {
  formDecode,
  matches,
  type Pairs,
  parseBrackets,
  queryMatches,
  rawPairs,
  simpleMatches,
  type Tree,
  textOf
} from "./readBack.ts"

export interface RequestCheck {
  readonly document: OriginalDocument
  readonly operation: OriginalOperation
  readonly path: string
  readonly base: string
  readonly input: GeneratedInput
  readonly request: BuiltRequest
}

/** What is wrong with a request by the words of the document; `undefined` if nothing. */
export const checkRequest = (check: RequestCheck): string | undefined =>
  checkPath(check) ?? checkQuery(check) ?? checkHeaders(check) ?? checkBody(check)

const templated = /\{([^{}]+)\}/g

/** The path of a document without the parts that only tell operations apart. */
export const plainPath = (path: string): { readonly path: string; readonly query: string } => {
  const [whole = ""] = path.split("#", 1)
  const mark = whole.indexOf("?")
  return mark < 0 ? { path: whole, query: "" } : { path: whole.slice(0, mark), query: whole.slice(mark + 1) }
}

export const namesIn = (path: string): ReadonlySet<string> =>
  new Set([...plainPath(path).path.matchAll(templated)].map((match) => match[1] ?? ""))

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const checkPath = ({
  base,
  document: _,
  input,
  operation,
  path,
  request
}: RequestCheck): string | undefined => {
  const sent = new URL(request.url)
  const origin = new URL(base)
  if (sent.origin !== origin.origin) return "another origin"
  const written = plainPath(path).path
  // Where parameters touch, no reader could part them: the whole is compared.
  if (written.includes("}{")) return sameWhole(written, input.params, request, origin)
  const names: Array<string> = []
  // `:name` with a path parameter of that name is how some documents write `{name}`.
  const template = written.replace(/(?<=\/):(\w+)/g, (whole, name: string) =>
    operation.parameters.some((one) => one.in === "path" && one.name === name) ? `{${name}}` : whole
  )
  const pattern = template
    .split(templated)
    .map((part, index) => {
      if (index % 2 === 0) return escapeRegex(normalise(part))
      names.push(part)
      return "([^/]*?)"
    })
    .join("")
  const prefix = origin.pathname.replace(/\/+$/, "")
  const slash = template.startsWith("/") ? "" : "/"
  const regex = new RegExp(`^${escapeRegex(prefix)}${slash}${pattern}$`)
  const raw = regex.exec(normalise(request.path.split("?", 1)[0] ?? ""))
  if (raw === null) return "the path does not match its template"
  for (const [index, name] of names.entries()) {
    const parameter = operation.parameters.find((one) => one.in === "path" && one.name === name)
    const given = input.params[name]
    const text = raw[index + 1] ?? ""
    if (parameter === undefined) {
      if (decodeURIComponent(text) !== textOf(given)) return "an undeclared path parameter differs"
    } else if (!simpleMatches(parameter, given, text, decodeURIComponent)) {
      // Text between two parameters may be in their values too.
      return sameWhole(template, input.params, request, origin)
    }
  }
  return undefined
}

const sameWhole = (
  template: string,
  params: Readonly<Record<string, unknown>>,
  request: BuiltRequest,
  origin: URL
): string | undefined => {
  const expected = template.replace(templated, (_, name: string) => textOf(params[name]))
  const sent = decodeURIComponent(request.path.split("?", 1)[0] ?? "")
  return sent === origin.pathname.replace(/\/+$/, "") + expected ? undefined : "a path parameter differs"
}

/** Escapes that may be written or not, written one way. */
const normalise = (text: string): string =>
  text.replace(/%[0-9A-F]{2}/gi, (escape) => {
    const code = Number.parseInt(escape.slice(1), 16)
    const char = String.fromCharCode(code)
    return code < 128 && /[A-Za-z0-9\-._~:@!$&'()*+,;=<>"^`{}|\\[\] ]/.test(char) && !/[,;=.]/.test(char)
      ? char
      : escape.toUpperCase()
  })

/** Defaults of the document that may be sent although nothing was given. */
const isDefault = (document: OriginalDocument, schema: unknown, text: Tree | undefined): boolean => {
  const resolved = asJson(document.resolve(schema))
  const values = [
    resolved["default"],
    resolved["const"],
    ...asList(resolved["allOf"]).map((part) => asJson(document.resolve(part))["default"])
  ]
  return values.some((value) => value !== undefined && (matches(value, text) || textOf(value) === text))
}

/** What `key={name}`, `{name}` or `{name}=example` in the query of a path stands for. */
export const nameInQuery = (
  key: string,
  value: string
): { readonly key: string; readonly name: string } | undefined => {
  const template = /^\{\??([^{}]+)\}$/
  const inValue = template.exec(value)?.[1]
  if (inValue !== undefined) return { key: decodeURIComponent(key), name: inValue }
  const inKey = template.exec(key)?.[1]
  return inKey === undefined ? undefined : { key: inKey, name: inKey }
}

/** The names that a query parameter is written under. */
const writtenNames = (
  { contentType, explode, name, style }: OriginalParameter,
  given: unknown
): ReadonlyArray<string> =>
  isJson(given) && style === "form" && explode && contentType === undefined ? Object.keys(given) : [name]

const checkQuery = ({ document, input, operation, path, request }: RequestCheck): string | undefined => {
  const query = request.path.includes("?") ? request.path.slice(request.path.indexOf("?") + 1) : ""
  let pairs = rawPairs(query)
  const literal = rawPairs(plainPath(path).query)
  const inPath = new Map<string, string>()
  for (const [key, value] of literal) {
    const named = nameInQuery(key, value)
    if (named !== undefined) {
      inPath.set(named.key, named.name)
      continue
    }
    const index = pairs.findIndex((pair) => pair[0] === key && pair[1] === value)
    if (index < 0) return "a fixed part of the query is missing"
    pairs = pairs.filter((_, at) => at !== index)
  }
  const used = new Set<string>()
  // Objects that are spread over the query may share names; then no reader can tell them apart.
  const owners = new Map<string, number>()
  for (const parameter of operation.parameters) {
    const given = parameter.in === "query" ? input.query[parameter.name] : undefined
    if (given === undefined) continue
    for (const name of writtenNames(parameter, given)) owners.set(name, (owners.get(name) ?? 0) + 1)
  }
  for (const parameter of operation.parameters) {
    if (parameter.in !== "query") continue
    const given = input.query[parameter.name]
    if (given === undefined) {
      const own = pairs.filter(([key]) => decodeURIComponent(key) === parameter.name)
      if (own.length === 0) {
        if (parameter.required && asJson(document.resolve(parameter.schema))["default"] === undefined) {
          return "a required query parameter is missing"
        }
        continue
      }
      const texts = own.map(([, value]) => decodeURIComponent(value))
      const text = texts.length === 1 ? texts[0] : texts
      const joined = texts.length === 1 ? (texts[0] ?? "").split(",") : texts
      if (isDefault(document, parameter.schema, text) || isDefault(document, parameter.schema, joined)) {
        used.add(parameter.name)
      }
      continue
    }
    const own = writtenNames(parameter, given)
    const names = own.some((name) => (owners.get(name) ?? 0) > 1)
      ? own
      : queryMatches(parameter, given, pairs, decodeURIComponent)
    if (names === undefined) return "a query parameter differs"
    for (const name of names) used.add(name)
  }
  for (const [key, name] of inPath) {
    const text = pairs.find((pair) => decodeURIComponent(pair[0]) === decodeURIComponent(key))?.[1]
    const given = input.query[key]
    if (given !== undefined && decodeURIComponent(text ?? "") !== textOf(given))
      return `the query of the path differs in ${name}`
    used.add(decodeURIComponent(key))
  }
  const extra = pairs.find(([key]) => {
    const name = decodeURIComponent(key)
    const open = name.indexOf("[")
    return !used.has(name) && !used.has(open > 0 ? name.slice(0, open) : name)
  })
  return extra === undefined ? undefined : "the query has what the document does not know"
}

const checkHeaders = ({ document, input, operation, request }: RequestCheck): string | undefined => {
  const known = new Set(["content-type", "cookie"])
  for (const parameter of operation.parameters) {
    if (parameter.in !== "header") continue
    const name = parameter.name.toLowerCase()
    known.add(name)
    const given = input.headers[parameter.name]
    const sent = request.headers[name]
    if (given === undefined) {
      if (sent !== undefined && !isDefault(document, parameter.schema, sent))
        return "a header that nobody gave"
    } else if (sent === undefined || !simpleMatches(parameter, given, sent, (text) => text)) {
      return "a header differs"
    }
  }
  if (Object.keys(request.headers).some((name) => !known.has(name))) return "an undeclared header"
  const cookies = (request.headers["cookie"] ?? "").split("; ").join("&")
  for (const parameter of operation.parameters) {
    if (parameter.in !== "cookie") continue
    const given = input.cookies[parameter.name]
    if (
      given !== undefined &&
      queryMatches(parameter, given, rawPairs(cookies), decodeURIComponent) === undefined
    ) {
      return "a cookie differs"
    }
  }
  return undefined
}

const essenceOf = (type: string): string => (type.split(";", 1)[0] ?? "").trim().toLowerCase()

const acceptsType = (declared: string, sent: string): boolean => {
  const [a, b] = [essenceOf(declared), essenceOf(sent)]
  if (a === b || a === "*/*" || a === "" || !/^[^/]+\/[^/]+$/.test(a)) return true
  if (a === "application/form-data") return b === "multipart/form-data"
  return (
    (a.includes("*") &&
      new RegExp(`^${escapeRegex(a).replaceAll("\\*", ".*")}$`).test(
        b.replace("application/json", "application/x+json")
      )) ||
    a === "application/*"
  )
}

const checkBody = ({ document, input, operation, request }: RequestCheck): string | undefined => {
  const { body } = operation
  const given = input.body
  if (body === undefined || given === undefined) {
    if (request.body === undefined) return undefined
    if (body === undefined || request.method === "GET" || request.method === "HEAD")
      return "a body that nobody declared"
    return body.required ? undefined : onlyDefaults(document, body, request)
  }
  if (request.body === undefined)
    return isJson(given) && Object.keys(given).length === 0 ? undefined : "the body is missing"
  const type = request.headers["content-type"] ?? ""
  if (!acceptsType(body.mediaType, type)) return `the body has another media type`
  if (typeof request.body !== "string" && !(request.body instanceof Uint8Array)) return "the body is a stream"
  const bytes = Buffer.from(request.body)
  switch (body.kind) {
    case "json":
      return sameJson(document, body, given, JSON.parse(bytes.toString("utf8")))
        ? undefined
        : "the JSON body differs"
    case "form":
      return sameForm(document, body, asJson(given), bytes.toString("utf8"))
    case "multipart":
      return sameParts(document, body, asJson(given), bytes, type)
    default:
      return bytes.equals(Buffer.from(given as Uint8Array)) ? undefined : "the body differs"
  }
}

const onlyDefaults = (
  document: OriginalDocument,
  body: OriginalBody,
  request: BuiltRequest
): string | undefined => {
  if (body.kind !== "json" || typeof request.body !== "string") return undefined
  return sameJson(document, body, {}, JSON.parse(request.body)) ? undefined : "a body that nobody gave"
}

const hasDefault = (document: OriginalDocument, schema: unknown, value: unknown): boolean => {
  const resolved = asJson(document.resolve(schema))
  return isDeepStrictEqual(resolved["default"], value)
}

/** Equal, but for defaults of the top level that nobody gave. */
const sameJson = (document: OriginalDocument, body: OriginalBody, given: unknown, sent: unknown): boolean => {
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(given)), sent)) return true
  if (!isJson(given) || !isJson(sent)) return false
  const properties = propertiesOf(document, body.schema)
  for (const [name, value] of Object.entries(sent)) {
    if (name in given) {
      if (!isDeepStrictEqual(JSON.parse(JSON.stringify(given[name])), value)) return false
    } else if (
      !hasDefault(document, properties[name], value) &&
      !isDefault(document, properties[name], String(value))
    ) {
      return false
    }
  }
  return Object.keys(given).every((name) => name in sent)
}

/** The values of a name that holds brackets of its own. */
const exactly = (pairs: Pairs, name: string): Tree | undefined => {
  const values = pairs.filter(([key]) => formDecode(key) === name).map(([, value]) => formDecode(value))
  return values.length > 1 ? values : values[0]
}

const sameForm = (
  document: OriginalDocument,
  body: OriginalBody,
  given: Readonly<Record<string, unknown>>,
  text: string
): string | undefined => {
  const raw = rawPairs(text)
  const tree = parseBrackets(raw.map(([key, value]) => [formDecode(key), formDecode(value)]))
  const properties = propertiesOf(document, body.schema)
  for (const [name, value] of Object.entries(given)) {
    const encoding = asJson(body.encoding[name])
    const style = typeof encoding["style"] === "string" ? encoding["style"] : "form"
    if (/json/i.test(String(encoding["contentType"] ?? ""))) {
      if (tree[name] !== JSON.stringify(value)) return "a JSON part of the form differs"
    } else if (encoding["explode"] === false && typeof value === "object" && style !== "deepObject") {
      const parameter = {
        name,
        in: "query",
        required: false,
        style,
        explode: false,
        schema: {},
        contentType: undefined
      }
      if (queryMatches(parameter, value, raw, formDecode) === undefined) return "a form field differs"
    } else if (!matches(value, tree[name]) && !matches(value, exactly(raw, name))) {
      const spread = isJson(value) && Object.keys(value).every((key) => matches(value[key], tree[key]))
      if (!spread) return "a form field differs"
    }
  }
  const bracketed = new Set(Object.keys(given).map((name) => name.split("[", 1)[0] ?? ""))
  const extra = Object.keys(tree).find(
    (name) =>
      !(name in given) &&
      !bracketed.has(name) &&
      !isDefault(document, properties[name], tree[name]) &&
      !Object.values(given).some((value) => isJson(value) && name in value)
  )
  return extra === undefined ? undefined : "the form has a field that nobody gave"
}

const sameParts = (
  document: OriginalDocument,
  body: OriginalBody,
  given: Readonly<Record<string, unknown>>,
  bytes: Buffer,
  type: string
): string | undefined => {
  const boundary = /boundary=("?)([^";]+)\1/.exec(type)?.[2]
  if (boundary === undefined) return "multipart without a boundary"
  const parts = new Map<string, Array<Buffer>>()
  const text = bytes.toString("latin1")
  if (!text.endsWith(`--${boundary}--\r\n`)) return "multipart without an end"
  for (const part of text.split(`--${boundary}`).slice(1, -1)) {
    const blank = part.indexOf("\r\n\r\n")
    const head = Buffer.from(part.slice(0, blank), "latin1").toString("utf8")
    const name = /name="([^"]*)"/.exec(head)?.[1]?.replaceAll("%22", '"')
    if (name === undefined) return "a part without a name"
    const content = Buffer.from(part.slice(blank + 4, -2), "latin1")
    parts.set(name, [...(parts.get(name) ?? []), content])
  }
  for (const [name, value] of Object.entries(given)) {
    const found = parts.get(name) ?? []
    const values = value === null ? [] : found.length !== 1 && Array.isArray(value) ? value : [value]
    if (found.length === 1 && Array.isArray(value) && value.length === 1 && samePart(value[0], found[0]))
      continue
    if (values.length !== found.length || !values.every((one, index) => samePart(one, found[index]))) {
      return "a part differs"
    }
  }
  const properties = propertiesOf(document, body.schema)
  for (const [name, found] of parts) {
    if (!(name in given) && !isDefault(document, properties[name], found[0]?.toString("utf8"))) {
      return "a part that nobody gave"
    }
  }
  return undefined
}

const samePart = (value: unknown, part: Buffer | undefined): boolean => {
  if (part === undefined) return false
  if (value instanceof Uint8Array) return part.equals(Buffer.from(value))
  if (typeof value === "object" && value !== null) {
    try {
      return isDeepStrictEqual(JSON.parse(part.toString("utf8")), JSON.parse(JSON.stringify(value)))
    } catch {
      return false
    }
  }
  return part.toString("utf8") === String(value)
}
