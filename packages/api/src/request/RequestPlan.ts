import type { Action, DataFormat, Field, HttpMethod } from "@ductape/registry"
import { ActionError } from "../ActionError.ts"
import { checkMember, checkValue, type Failure, hasRules } from "./fieldCheck.ts"
import { BodyStream } from "./fileValue.ts"
import { checkHeader } from "./headerRules.ts"
import { type Placement, type PlacementRules, place, placementRules, type Section } from "./Placement.ts"
import { cookiePairs, pathText, queryPairs, simpleText } from "./parameterStyle.ts"
import { type PathTemplate, parsePath } from "./pathTemplate.ts"
import { emptyRecord, isPlainObject } from "./plainObject.ts"
import { type BodyKind, type BuiltBody, bodyKind, writeBody } from "./requestBody.ts"

export interface CompileOptions {
  /** `http:` or `https:`; an action's own `base_url` wins over it. */
  readonly baseUrl: string
  /** Default of the app environment; the action's own wins. */
  readonly requestType?: DataFormat | undefined
  /** Access tag, for error messages. */
  readonly app?: string | undefined
}

/** A request, ready to be sent. */
export interface BuiltRequest {
  readonly method: HttpMethod
  /** `origin` and `path` in one. */
  readonly url: string
  readonly origin: string
  /** Path and query, percent-encoded. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: BuiltBody | undefined
  /** `false` when the body is a stream that can be read only once. */
  readonly replayable: boolean
}

const mediaTypes: Readonly<Record<string, string>> = {
  SOAP: "text/xml; charset=utf-8",
  html: "text/html; charset=utf-8"
}

/**
 * Compiles an action once, for building any number of requests from it.
 *
 * @throws {ActionError} `VALIDATION_ERROR` for a base URL that is none
 */
export const compileAction = (action: Action, options: CompileOptions): RequestPlan =>
  new RequestPlan(action, options)

export class RequestPlan {
  readonly action: Action
  readonly app: string | undefined
  readonly origin: string
  readonly rules: PlacementRules
  readonly #basePath: string
  readonly #baseQuery: string
  readonly #path: PathTemplate
  readonly #contentType: string
  readonly #kind: BodyKind
  readonly #bodiless: boolean
  readonly #checked: ReadonlyArray<{ section: Exclude<Section, "body">; name: string; field: Field }>
  readonly #checkedBody: ReadonlyArray<readonly [string, Field]>

  constructor(action: Action, options: CompileOptions) {
    this.action = action
    this.app = options.app
    const base = parseBase(action, action.base_url ?? options.baseUrl, options.app)
    this.origin = base.origin
    this.#basePath = base.pathname.replace(/\/+$/, "")
    this.#path = parsePath(
      action.resource.startsWith("/") || action.resource === "" ? action.resource : `/${action.resource}`,
      action.params
    )
    this.#baseQuery = [base.search.slice(1), this.#path.query].filter((text) => text !== "").join("&")
    const format = action.bodyFormat?.contentType ?? action.request_type ?? options.requestType
    this.#contentType = mediaTypes[format ?? ""] ?? format ?? "application/json"
    this.#kind = bodyKind(this.#contentType)
    // Text and bytes have no fields: a scalar under `body` is all of it.
    const textual = this.#kind === "text" || this.#kind === "binary"
    const whole = action.bodyFormat?.shape === "whole" || (textual && action.body === undefined)
    this.rules = placementRules(action, this.#path.names, whole)
    this.#bodiless = action.method === "GET" || action.method === "HEAD"
    const checked: Array<{ section: Exclude<Section, "body">; name: string; field: Field }> = []
    for (const section of ["query", "headers", "cookies"] as const) {
      for (const [name, field] of this.rules[section]) {
        if (hasRules(field)) checked.push({ section, name, field })
      }
    }
    this.#checked = checked
    this.#checkedBody = [...this.rules.body].filter(([, field]) => hasRules(field))
  }

  /**
   * A request from a call's input and, lower in priority, flat credentials (the first layer wins over
   * the second). Pure; values are taken as they are, templates in them are text.
   *
   * @throws {ActionError} `VALIDATION_ERROR` with all failures as `details`, `INPUT_*`
   */
  build(input?: unknown, ...credentials: ReadonlyArray<unknown>): BuiltRequest {
    const placement = this.place(input)
    for (const layer of credentials) placement.merge(this.placeCredentials(layer))
    return this.assemble(placement)
  }

  /** Where each value of a call's input goes. */
  place(input: unknown): Placement {
    return this.#named(() => place(this.rules, input))
  }

  /** The same for credentials; those for a part that this action has not are left out. */
  placeCredentials(credentials: unknown): Placement {
    const placement = this.#named(() => place(this.rules, credentials))
    for (const name of placement.params.keys())
      if (!this.rules.params.has(name)) placement.params.delete(name)
    if (this.#bodiless) {
      placement.fields = undefined
      placement.whole = undefined
    }
    return placement
  }

  /** The default that `$Default` stands for at this place. */
  defaultOf(section: Section, name: string): unknown {
    return (section === "body" && name === "" ? this.action.bodyFormat?.field : this.rules[section].get(name))
      ?.defaultValue
  }

  /** Fills in defaults, validates, and writes the request. */
  assemble(placement: Placement): BuiltRequest {
    return this.#named(() => this.#assemble(placement))
  }

  #assemble(placement: Placement): BuiltRequest {
    this.#validate(placement)
    const path = this.#writePath(placement)
    const headers: Record<string, string> = {}
    for (const [name, value] of placement.headers) {
      if (value === null || value === undefined) continue
      const text = simpleText(this.rules.headers.get(name), value, (plain) => plain)
      headers[name] = checkHeader(name, placement.spellings.get(name) ?? name, text)
    }
    this.#writeCookies(placement, headers)
    const body = this.#writeBody(placement, headers)
    return {
      method: this.action.method,
      url: this.origin + path,
      origin: this.origin,
      path,
      headers,
      body,
      replayable: !(body instanceof BodyStream) || body.replayable
    }
  }

  #validate(placement: Placement): void {
    const failures: Array<Failure> = []
    for (const [name, field] of this.rules.params) {
      const value = placement.params.get(name) ?? undefined
      const next = checkMember({ ...field, required: true }, value, "params", name, failures)
      if (next !== value) placement.params.set(name, next)
    }
    for (const name of placement.params.keys()) {
      if (!this.rules.params.has(name)) {
        const message = "is not in the action's path"
        failures.push({ location: "params", path: name, rule: "unknown", message })
      }
    }
    for (const { section, name, field } of this.#checked) {
      const value = placement[section].get(name) ?? undefined
      const next = checkMember(field, value, section, name, failures)
      if (next !== value) placement.set(section, name, next)
    }
    this.#validateBody(placement, failures)
    if (failures.length === 0) return
    const list = failures
      .slice(0, 5)
      .map(({ location, message, path }) => `${location}${path === "" ? "" : "."}${path} ${message}`)
    const more = failures.length > list.length ? `; and ${failures.length - list.length} more` : ""
    throw new ActionError({
      code: "VALIDATION_ERROR",
      message: `The input is not valid: ${list.join("; ")}${more}.`,
      details: failures
    })
  }

  #validateBody(placement: Placement, failures: Array<Failure>): void {
    if (this.#bodiless) {
      if (placement.fields !== undefined || placement.whole !== undefined) {
        const message = `cannot be sent with ${this.action.method}`
        failures.push({ location: "body", path: "", rule: "unknown", message })
      }
      return
    }
    const format = this.action.bodyFormat
    if (this.rules.wholeBody) {
      const value = placement.whole === undefined ? placement.fields : placement.whole.value
      const field = { ...format?.field, required: format?.required === true }
      const next = checkMember(field, value, "body", "", failures)
      if (next !== value) placement.whole = { value: next }
      return
    }
    if (placement.whole !== undefined) {
      if (this.rules.body.size > 0 && isPlainObject(placement.whole.value)) {
        const object = { type: "object", fields: this.action.body ?? {} } as const
        placement.whole = { value: checkValue(object, placement.whole.value, "body", "", failures) }
      }
      return
    }
    // An optional body that was left out altogether needs none of its fields.
    if (placement.fields === undefined && format?.required === false && this.#checkedBody.length > 0) return
    for (const [name, field] of this.#checkedBody) {
      const value = placement.has("body", name) ? placement.fields?.[name] : undefined
      const next = checkMember(field, value, "body", name, failures)
      if (next !== value) placement.set("body", name, next)
    }
  }

  #writePath(placement: Placement): string {
    const { names, texts } = this.#path
    let path = texts[0] ?? ""
    for (const [index, name] of names.entries()) {
      const text = pathText(name, this.rules.params.get(name), placement.params.get(name))
      if (text === "" || text === "." || text === "..") return refuseParam(name)
      path += text + (texts[index + 1] ?? "")
    }
    const pairs: Array<string> = this.#baseQuery === "" ? [] : [this.#baseQuery]
    for (const [name, value] of placement.query) {
      if (value === null || value === undefined) continue
      queryPairs(name, this.rules.query.get(name), value, pairs)
    }
    const full = this.#basePath + path
    return (full === "" ? "/" : full) + (pairs.length === 0 ? "" : `?${pairs.join("&")}`)
  }

  #writeCookies(placement: Placement, headers: Record<string, string>): void {
    if (placement.cookies.size === 0) return
    const pairs: Array<string> = []
    for (const [name, value] of placement.cookies) {
      if (value === null || value === undefined) continue
      cookiePairs(name, this.rules.cookies.get(name), value, pairs)
    }
    if (pairs.length === 0) return
    const given = headers["cookie"]
    headers["cookie"] = (given === undefined || given === "" ? pairs : [given, ...pairs]).join("; ")
  }

  #writeBody(placement: Placement, headers: Record<string, string>): BuiltBody | undefined {
    if (this.#bodiless) return undefined
    const given = placement.whole === undefined ? placement.fields : placement.whole.value
    const value = given ?? (this.action.bodyFormat?.required === true ? emptyRecord() : undefined)
    if (value === undefined) return undefined
    const chosen = headers["content-type"]
    const { body, contentType } = writeBody(this.#kind, this.#contentType, value, this.rules.body)
    if (chosen === undefined || chosen === "" || this.#kind === "multipart") {
      headers["content-type"] = contentType
    }
    return body
  }

  /** Adds which action it was to an error from below. */
  #named<A>(run: () => A): A {
    try {
      return run()
    } catch (cause) {
      if (!(cause instanceof ActionError) || cause.action !== undefined) throw cause
      throw new ActionError({
        code: cause.code,
        message: cause.message,
        details: cause.details,
        app: this.app,
        action: this.action.tag
      })
    }
  }
}

const refuseParam = (name: string): never => {
  throw new ActionError({
    code: "INPUT_PARAM_INVALID",
    message: `The path parameter '${name}' is empty, or would change the path as '.' and '..' do.`,
    details: { location: "params", path: name }
  })
}

const parseBase = (action: Action, baseUrl: string, app: string | undefined): URL => {
  const refuse = (why: string): never => {
    const where = app === undefined ? "" : ` of app '${app}'`
    throw new ActionError({
      code: "VALIDATION_ERROR",
      message: `The base URL${where} ${why}. Set base_url on the app's environment or on the connection.`,
      details: [{ location: "base_url", path: "", rule: "url", message: why }],
      app,
      action: action.tag
    })
  }
  if (baseUrl === "") return refuse("is not set")
  if (!URL.canParse(baseUrl)) return refuse("is not a URL")
  const url = new URL(baseUrl)
  if (url.protocol !== "http:" && url.protocol !== "https:") return refuse("is neither http nor https")
  if (url.username !== "" || url.password !== "") return refuse("holds credentials")
  return url
}
