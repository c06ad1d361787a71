import type { Action, Fields, HttpMethod } from "@ductape/registry"
import { describesBody, readBody } from "./bodies.ts"
import { FieldReader } from "./FieldReader.ts"
import { ImportFault } from "./ImportFault.ts"
import type { ImportedOperation, ImportPlan, PlanOptions } from "./ImportPlan.ts"
import { isRecord, type JsonRecord, listIn, own, recordIn, shorten, textIn } from "./json.ts"
import { parameterFields, parameterLists, parametersOf } from "./parameters.ts"
import { readResponses } from "./responses.ts"
import { Schemas } from "./Schemas.ts"
import { SecurityReader } from "./security.ts"
import { baseOf } from "./servers.ts"
import { giveTags } from "./tags.ts"
import { Warnings } from "./Warnings.ts"

const methods: Readonly<Record<string, HttpMethod>> = {
  get: "GET",
  post: "POST",
  put: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  head: "HEAD",
  options: "OPTIONS"
}

interface Found {
  readonly operation: Omit<ImportedOperation, "tag">
  readonly method: HttpMethod
  readonly item: JsonRecord
  readonly source: JsonRecord
}

/** The actions of an OpenAPI 3.0 or 3.1 document. */
export const planOpenApi = (
  root: JsonRecord,
  options: Pick<PlanOptions, "base_url" | "tags">,
  warnings = new Warnings()
): ImportPlan => {
  const schemas = new Schemas(root, warnings, (textIn(root, "openapi") ?? "").startsWith("3.0"))
  const skipped: Array<{ name: string; reason: string }> = []
  const found = findOperations(schemas, skipped)
  if (found.length === 0 && skipped.length === 0) warnings.add("the document has no operations")
  const tags = giveTags(
    found.map(({ operation }) => operation),
    options.tags
  )
  const base = options.base_url ?? baseOf(listIn(root, "servers"), warnings, undefined)
  const security = new SecurityReader(schemas)
  const reading: Reading = { schemas, security, base }
  const actions: Array<Action> = []
  for (const [index, one] of found.entries()) {
    actions.push(readOperation(reading, one, tags[index] ?? ""))
  }
  const info = recordIn(root, "info")
  const version = textIn(info, "version")
  const description = shorten(textIn(info, "description"), 1000)
  return {
    title: textIn(info, "title")?.trim() || "API",
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
    ...(base === undefined ? {} : { base_url: base }),
    actions,
    variables: [],
    auths: security.definitions(),
    warnings: warnings.list(),
    skipped
  }
}

const findOperations = (
  schemas: Schemas,
  skipped: Array<{ name: string; reason: string }>
): ReadonlyArray<Found> => {
  const { root } = schemas
  const paths = own(root, "paths")
  if (paths === undefined && (isRecord(own(root, "webhooks")) || isRecord(own(root, "components")))) return []
  if (!isRecord(paths)) {
    throw new ImportFault(paths === undefined ? "the document has no `paths`" : "`paths` must be an object", [
      "paths"
    ])
  }
  const found: Array<Found> = []
  for (const [path, written] of Object.entries(paths)) {
    if (path.startsWith("x-")) continue
    const item = pathItem(schemas, written)
    if (item === undefined) {
      throw new ImportFault("a path must be an object of operations", ["paths", path])
    }
    for (const [key, source] of Object.entries(item)) {
      const method = Object.hasOwn(methods, key.toLowerCase()) ? methods[key.toLowerCase()] : undefined
      const name = `${key.toUpperCase()} ${path}`
      if (method === undefined) {
        if (key === "trace") skipped.push({ name, reason: "TRACE requests are not supported" })
        continue
      }
      if (!isRecord(source)) throw new ImportFault("an operation must be an object", ["paths", path, key])
      const folder = listIn(source, "tags")
        .filter((tag) => typeof tag === "string")
        .slice(0, 1)
      const id = textIn(source, "operationId")
      found.push({ operation: { id, method, path, folder }, method, item, source })
    }
  }
  return found
}

/** A path item, whose `$ref` may stand beside operations of its own. */
const pathItem = (schemas: Schemas, written: unknown): JsonRecord | undefined => {
  if (written === null) return {}
  if (!isRecord(written)) return undefined
  const ref = textIn(written, "$ref")
  if (ref === undefined) return written
  const target = schemas.follow({ $ref: ref })
  return isRecord(target) ? { ...target, ...written } : written
}

interface Reading {
  readonly schemas: Schemas
  readonly security: SecurityReader
  readonly base: string | undefined
}

const readOperation = ({ schemas, security, base }: Reading, found: Found, tag: string): Action => {
  const { item, method, operation, source } = found
  const { warnings } = schemas
  const place = `${method} ${operation.path}`
  const reader = new FieldReader(schemas)
  const parameters = parametersOf(schemas, parameterLists(item, source), place)
  const fields = parameterFields(schemas, reader, operation.path, parameters, place)
  const requestBody = own(source, "requestBody")
  const bodiless = method === "GET" || method === "HEAD"
  if (bodiless && describesBody(schemas, requestBody)) {
    warnings.add(`the body of a ${method} request is left out`, place)
  }
  const body = bodiless ? undefined : readBody(schemas, reader, requestBody, method, place)
  if (reader.cut) {
    warnings.add("an action has more nested fields than are kept; the deepest accept anything", place)
  }
  const servers = [listIn(source, "servers"), listIn(item, "servers")].find((list) => list.length > 0)
  const ownBase = servers === undefined ? undefined : baseOf(servers, warnings, base)
  const description = shorten(textIn(source, "description") ?? textIn(source, "summary"), 300)
  const auth = security.auth(own(source, "security") ?? own(schemas.root, "security"))
  const response = readResponses(schemas, own(source, "responses"))
  const { cookies, headers, params, path, query } = fields
  return {
    tag,
    name: shorten(textIn(source, "summary"), 120) ?? operation.id ?? place,
    ...(description === undefined ? {} : { description }),
    ...(operation.folder.length === 0 ? {} : { folder: operation.folder }),
    method,
    resource: path.resource,
    ...(body?.request_type === undefined ? {} : { request_type: body.request_type }),
    ...present({ params, query, headers, cookies, body: body?.body }),
    ...(body === undefined ? {} : { bodyFormat: body.bodyFormat }),
    ...(ownBase === undefined || ownBase === base ? {} : { base_url: ownBase }),
    ...(auth === undefined ? {} : { auth }),
    ...(response.length === 0 ? {} : { response })
  }
}

type Sections = Pick<Action, "params" | "query" | "headers" | "cookies" | "body">

/** Without the sections that hold nothing. */
const present = (sections: { readonly [K in keyof Sections]-?: Fields | undefined }): Sections =>
  Object.fromEntries(
    Object.entries(sections).filter(([, fields]) => fields !== undefined && Object.keys(fields).length > 0)
  )
