import type { Action, AuthDefinition, HttpMethod, Variable } from "@ductape/registry"
import { ImportFault } from "./ImportFault.ts"
import type { ImportedOperation, ImportPlan, PlanOptions } from "./ImportPlan.ts"
import { isRecord, type JsonRecord, listIn, own, recordIn, shorten, textIn } from "./json.ts"
import { type AuthReading, readAuth } from "./postmanAuth.ts"
import { readPostmanBody } from "./postmanBody.ts"
import { describe, headerFields, headersOf, parametersIn, sampleFields } from "./postmanFields.ts"
import { type PostmanUrl, readUrl } from "./postmanUrl.ts"
import { sampleOf } from "./responses.ts"
import { giveTags } from "./tags.ts"
import { Warnings } from "./Warnings.ts"

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])

interface Found {
  readonly operation: Omit<ImportedOperation, "tag">
  readonly method: HttpMethod
  readonly item: JsonRecord
  readonly request: JsonRecord
  readonly url: PostmanUrl
  /** The nearest `auth` from the request up to the collection. */
  readonly auth: unknown
}

/** The actions of a Postman collection, format 2.1. Its scripts are not run. */
export const planPostman = (
  root: JsonRecord,
  options: Pick<PlanOptions, "base_url" | "tags">
): ImportPlan => {
  const warnings = new Warnings()
  const variables = variablesOf(root)
  const skipped: Array<{ name: string; reason: string }> = []
  if (!Array.isArray(own(root, "item"))) {
    throw new ImportFault("a Postman collection needs a list `item`", ["item"])
  }
  const found = findRequests(root, variables, warnings, skipped)
  const base = options.base_url ?? mostFrequent(found.map(({ url }) => url.base))
  const tags = giveTags(
    found.map(({ operation }) => operation),
    options.tags
  )
  const auths = new Map<string, AuthDefinition>()
  const actions = found.map((one, index): Action => {
    const auth = readAuth(one.auth, warnings, one.operation.path)
    if (auth?.definition !== undefined) auths.set(auth.definition.tag, auth.definition)
    return actionOf(one, tags[index] ?? "", { auth, base, chosen: options.base_url, warnings, variables })
  })
  const info = recordIn(root, "info")
  const description = shorten(describe(own(info, "description")), 1000)
  const version = versionOf(own(info, "version"))
  return {
    title: textIn(info, "name")?.trim() || "API",
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
    ...(base === undefined ? {} : { base_url: base }),
    actions,
    variables: variableDefinitions(root),
    auths: [...auths.values()],
    warnings: warnings.list(),
    skipped
  }
}

const versionOf = (written: unknown): string | undefined => {
  if (typeof written === "string") return written
  if (!isRecord(written)) return undefined
  const parts = ["major", "minor", "patch"].map((key) => own(written, key))
  return parts.every((part) => typeof part === "number") ? parts.join(".") : undefined
}

/** Values of collection variables, only for resolving the hosts of URLs. */
const variablesOf = (root: JsonRecord): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  for (const variable of listIn(root, "variable")) {
    if (!isRecord(variable) || own(variable, "disabled") === true) continue
    const key = textIn(variable, "key") ?? textIn(variable, "id")
    const value = own(variable, "value")
    if (key !== undefined && (typeof value === "string" || typeof value === "number")) {
      values.set(key, String(value))
    }
  }
  return values
}

const variableDefinitions = (root: JsonRecord): ReadonlyArray<Variable> => {
  const found = new Map<string, Variable>()
  for (const variable of listIn(root, "variable")) {
    if (!isRecord(variable) || own(variable, "disabled") === true) continue
    const key = textIn(variable, "key") ?? textIn(variable, "id")
    if (key === undefined || key === "") continue
    const description = shorten(describe(own(variable, "description")), 300)
    const type = own(variable, "type") === "boolean" ? "boolean" : "string"
    found.set(key, { key, type, ...(description === undefined ? {} : { description }) })
  }
  return [...found.values()]
}

const findRequests = (
  root: JsonRecord,
  variables: ReadonlyMap<string, string>,
  warnings: Warnings,
  skipped: Array<{ name: string; reason: string }>
): ReadonlyArray<Found> => {
  const found: Array<Found> = []
  const visit = (
    items: ReadonlyArray<unknown>,
    folder: ReadonlyArray<string>,
    auth: unknown,
    path: ReadonlyArray<string | number>
  ): void => {
    for (const [index, item] of items.entries()) {
      const here = [...path, index]
      if (!isRecord(item)) throw new ImportFault("an item must be an object", here)
      if (listIn(item, "event").length > 0) warnings.add("scripts are not run")
      const name = textIn(item, "name") ?? ""
      const nearest = own(item, "auth") ?? auth
      const children = own(item, "item")
      if (Array.isArray(children)) {
        visit(children, name === "" ? folder : [...folder, name], nearest, [...here, "item"])
        continue
      }
      const written = own(item, "request")
      const request = typeof written === "string" ? { url: written } : written
      if (!isRecord(request)) throw new ImportFault("an item needs a `request` or a list `item`", here)
      const method = (textIn(request, "method") ?? "GET").toUpperCase()
      if (!methods.has(method)) {
        skipped.push({ name: name || method, reason: `${method.slice(0, 20)} requests are not supported` })
        continue
      }
      const url = readUrl(own(request, "url"), variables)
      if (url === undefined) {
        skipped.push({ name: name || method, reason: "the request has no URL" })
        continue
      }
      found.push({
        operation: { id: name === "" ? undefined : name, method, path: url.path, folder },
        method: method as HttpMethod,
        item,
        request,
        url,
        auth: own(request, "auth") ?? nearest
      })
    }
  }
  if (listIn(root, "event").length > 0) warnings.add("scripts are not run")
  visit(listIn(root, "item"), [], own(root, "auth"), ["item"])
  return found
}

const mostFrequent = (bases: ReadonlyArray<string | undefined>): string | undefined => {
  const counts = new Map<string, number>()
  for (const base of bases) if (base !== undefined) counts.set(base, (counts.get(base) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

interface Surroundings {
  readonly auth: AuthReading | undefined
  readonly base: string | undefined
  readonly chosen: string | undefined
  readonly warnings: Warnings
  readonly variables: ReadonlyMap<string, string>
}

const actionOf = (found: Found, tag: string, around: Surroundings): Action => {
  const { item, method, operation, request, url } = found
  const { auth, base, warnings } = around
  const headers = headersOf(own(request, "header"))
  const contentType = headers.find(({ name }) => name.toLowerCase() === "content-type")?.value
  const bodiless = method === "GET" || method === "HEAD"
  const written = own(request, "body")
  if (bodiless && isRecord(written) && hasContent(written)) {
    warnings.add(`the body of a ${method} request is left out`, operation.path)
  }
  const body = bodiless ? undefined : readPostmanBody(written, contentType, warnings, operation.path)
  // The caller's base URL stands for the hosts that only a variable names.
  const ownBase = url.base === undefined || url.base === base ? undefined : url.base
  if (url.base === undefined && base === undefined) {
    warnings.add("the host of a request is a variable without a value; give base_url", operation.path)
  }
  const description = shorten(describe(own(request, "description") ?? own(item, "description")), 300)
  const response = listIn(item, "response").flatMap(responseOf).slice(0, 5)
  const params = parametersIn(url)
  const query = sampleFields(url.query)
  const fields = headerFields(headers, auth?.headerNames ?? [])
  return {
    tag,
    name: operation.id ?? `${method} ${operation.path}`,
    ...(description === undefined ? {} : { description }),
    ...(operation.folder.length === 0 ? {} : { folder: operation.folder }),
    method,
    resource: url.resource,
    ...(body?.request_type === undefined ? {} : { request_type: body.request_type }),
    ...(Object.keys(params).length === 0 ? {} : { params }),
    ...(Object.keys(query).length === 0 ? {} : { query }),
    ...(Object.keys(fields).length === 0 ? {} : { headers: fields }),
    ...(body?.body === undefined || Object.keys(body.body).length === 0 ? {} : { body: body.body }),
    ...(body === undefined ? {} : { bodyFormat: body.bodyFormat }),
    ...(ownBase === undefined || around.chosen !== undefined ? {} : { base_url: ownBase }),
    ...(auth === undefined ? {} : { auth: auth.definition?.tag ?? false }),
    ...(response.length === 0 ? {} : { response })
  }
}

const hasContent = (body: JsonRecord): boolean => {
  const mode = textIn(body, "mode")
  if (mode === undefined || own(body, "disabled") === true) return false
  const content = own(body, mode)
  return Array.isArray(content) ? content.length > 0 : content !== undefined && content !== ""
}

const responseOf = (written: unknown) => {
  if (!isRecord(written)) return []
  const code = own(written, "code")
  const text = own(written, "body")
  let sample: unknown = text
  if (typeof text === "string") {
    try {
      sample = JSON.parse(text)
    } catch {
      sample = text
    }
  }
  const kept = sampleOf(sample)
  const status = typeof code === "number" && Number.isInteger(code) ? code : undefined
  if (status === undefined && kept === undefined) return []
  return [{ ...(status === undefined ? {} : { status }), ...(kept === undefined ? {} : { sample: kept }) }]
}
