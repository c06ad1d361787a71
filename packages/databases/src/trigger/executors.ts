import type { BoundCalls } from "../BoundCalls.ts"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { Row, Where } from "../types.ts"
import { fill } from "./placeholders.ts"
import type { TriggerAction, TriggerContext } from "./Trigger.ts"

type Config = Readonly<Record<string, unknown>>

/** Does one kind of action. `calls` are those of the write's database, in its transaction if the action is synchronous. */
export type TriggerExecutor = (
  config: Config,
  context: TriggerContext,
  calls: BoundCalls
) => Promise<unknown> | unknown

/** By type (`http.post`), or by what stands before the dot (`notification`). */
export type TriggerExecutors = Readonly<Record<string, TriggerExecutor>>

/** Flat and older spellings, as one: `template` is `message`, a single recipient is a list. */
export const configOf = (action: TriggerAction): Config => {
  const {
    condition: _,
    config,
    continueOnError: __,
    name: ___,
    retry: ____,
    timing: _____,
    type: ______,
    ...flat
  } = action
  const merged: Record<string, unknown> = { ...flat, ...config }
  if (merged["message"] === undefined && merged["template"] !== undefined)
    merged["message"] = merged["template"]
  if (merged["data"] === undefined && merged["variables"] !== undefined) merged["data"] = merged["variables"]
  if (typeof merged["recipients"] === "string") merged["recipients"] = [merged["recipients"]]
  return merged
}

const text = (config: Config, key: string): string => {
  const value = config[key]
  if (typeof value !== "string" || value === "") throw invalid(`${key}: expected text.`, key)
  return value
}

/** Scheme, host and port of an address are the trigger's, never the row's. @throws `VALIDATION_ERROR` */
export const checkAddress = (url: unknown, path: string): void => {
  if (typeof url !== "string" || !/^https?:\/\/[^/?#{}\s@]+(?:[/?#]|$)/i.test(url)) {
    throw invalid(
      `${path}: expected http:// or https:// and a host, without placeholders or credentials up to there.`,
      path
    )
  }
}

const request = async (method: "GET" | "POST", config: Config, context: TriggerContext): Promise<unknown> => {
  checkAddress(config["url"], "url")
  const url = fill(config["url"], context, "address") as string
  const headers = new Headers(
    Object.entries((fill(config["headers"] ?? {}, context) ?? {}) as Readonly<Record<string, string>>)
  )
  const body = config["body"] === undefined ? undefined : fill(config["body"], context, "value", "body")
  if (method === "POST" && typeof body !== "string" && !headers.has("content-type")) {
    headers.set("content-type", "application/json")
  }
  const timeout = typeof config["timeout"] === "number" ? config["timeout"] : 10_000
  const response = await fetch(url, {
    method,
    headers,
    redirect: "error",
    signal: AbortSignal.timeout(timeout),
    ...(method === "POST" ? { body: typeof body === "string" ? body : JSON.stringify(body ?? null) } : {})
  }).catch((cause: unknown) => {
    const late = cause instanceof Error && cause.name === "TimeoutError"
    throw new DatabaseError({
      code: late ? "TIMEOUT" : "CONNECTION_ERROR",
      message: `${method} ${new URL(url).origin} ${late ? `did not answer within ${timeout} ms` : "could not be done"}.`
    })
  })
  await response.body?.cancel()
  if (response.ok) return { status: response.status }
  throw new DatabaseError({
    code: "QUERY_ERROR",
    message: `${method} ${new URL(url).origin} was answered with status ${response.status}.`,
    retryable: response.status === 429 || response.status >= 500,
    details: { status: response.status }
  })
}

const rows = (value: unknown): Row | ReadonlyArray<Row> => {
  if (typeof value !== "object" || value === null) throw invalid("data: expected a row.", "data")
  return value as Row | ReadonlyArray<Row>
}

/** What needs nothing but the database and this process. */
export const ownExecutors: TriggerExecutors = {
  "database.insert": (config, context, calls) =>
    calls.insert({
      table: text(config, "table"),
      records: rows(fill(config["data"] ?? config["records"], context, "value", "data"))
    }),
  "database.update": (config, context, calls) =>
    calls.update({
      table: text(config, "table"),
      data: rows(fill(config["data"], context, "strict", "data")) as Row,
      where: fill(config["where"], context, "strict", "where") as Where
    }),
  "database.delete": (config, context, calls) =>
    calls.delete({
      table: text(config, "table"),
      where: fill(config["where"], context, "strict", "where") as Where
    }),
  "http.post": (config, context) => request("POST", config, context),
  "http.get": (config, context) => request("GET", config, context),
  custom: (config, context) => {
    const run = config["run"] ?? config["handler"]
    if (typeof run !== "function") throw invalid("custom: expected a function.", "config.run")
    return (run as (context: TriggerContext) => unknown)(context)
  }
}

/** What the actions use of a `Ductape`: the methods of its namespaces, taking one object. */
export interface DuctapeInstance {
  readonly databases?: object | undefined
  readonly caches?: object | undefined
  readonly api?: object | undefined
}

const method = (
  target: object | undefined,
  name: string,
  capability: string
): ((input: object) => Promise<unknown>) => {
  const found = (target as Readonly<Record<string, unknown>> | undefined)?.[name]
  if (typeof found !== "function") throw missing(capability)
  return (input) => (found as (input: object) => Promise<unknown>).call(target, input)
}

/** The error for actions of a capability that is not there. */
export const missing = (capability: string): DatabaseError =>
  new DatabaseError({
    code: "UNSUPPORTED_OPERATION",
    message: `Actions of '${capability}' need the capability '${capability}', which is not there. Give triggers an executor for it, or use another action.`,
    details: { capability }
  })

/** `users:*` as a test of a key. */
const globOf = (pattern: string): ((key: string) => boolean) => {
  const parts = pattern.split("*")
  return (key) => {
    if (parts.length === 1) return key === pattern
    const [first = "", ...rest] = parts
    const last = rest.pop() ?? ""
    if (!key.startsWith(first) || !key.endsWith(last) || key.length < first.length + last.length) return false
    let from = first.length
    for (const part of rest) {
      const at = key.indexOf(part, from)
      if (at < 0 || at + part.length > key.length - last.length) return false
      from = at + part.length
    }
    return true
  }
}

/** Executors over a `Ductape`: databases by tag, caches, actions of apps. */
export const executorsOf = (ductape: DuctapeInstance): TriggerExecutors => {
  const at = ({ env }: TriggerContext, product: string | undefined): object => ({
    ...(env === undefined ? {} : { env }),
    ...(product === undefined ? {} : { product })
  })
  const productOf = (calls: BoundCalls): string | undefined => calls.scope.connection.identity.product
  const elsewhere =
    (name: "insert" | "update" | "delete"): TriggerExecutor =>
    (config, context, calls) => {
      const own = ownExecutors[`database.${name}`] as TriggerExecutor
      const tag = config["database"]
      if (tag === undefined || tag === context.database) return own(config, context, calls)
      const call = method(ductape.databases, name, "database")
      const place = name === "insert" ? "value" : "strict"
      const filled = (key: string): object =>
        config[key] === undefined ? {} : { [key]: fill(config[key], context, place, key) }
      return call({
        ...at(context, productOf(calls)),
        database: tag,
        table: text(config, "table"),
        ...filled(name === "insert" && config["records"] !== undefined ? "records" : "data"),
        ...(name === "insert" ? {} : filled("where"))
      })
    }
  return {
    "database.insert": elsewhere("insert"),
    "database.update": elsewhere("update"),
    "database.delete": elsewhere("delete"),
    "cache.set": (config, context, calls) => {
      const { cache, expiry, key, ttl, value } = fill(config, context) as Config
      return method(
        ductape.caches,
        "set",
        "cache"
      )({
        ...at(context, productOf(calls)),
        cache,
        key,
        value,
        ...(ttl === undefined ? {} : { ttl }),
        ...(expiry === undefined ? {} : { expiry })
      })
    },
    "cache.delete": (config, context, calls) => {
      const { cache, key } = fill(config, context) as Config
      return method(ductape.caches, "clear", "cache")({ ...at(context, productOf(calls)), cache, key })
    },
    "cache.invalidate": async (config, context, calls) => {
      const { cache, pattern } = fill(config, context) as Config
      if (typeof pattern !== "string") throw invalid("pattern: expected text.", "pattern")
      const where = { ...at(context, productOf(calls)), cache }
      const fits = globOf(pattern)
      const list = method(ductape.caches, "keys", "cache")
      const clear = method(ductape.caches, "clear", "cache")
      for (const key of keysOf(await list({ ...where, prefix: pattern.split("*")[0] }))) {
        if (fits(key)) await clear({ ...where, key })
      }
    },
    "action.execute": (config, context, calls) => {
      const { action, app, input } = fill(config, context) as Config
      return method(ductape.api, "run", "action")({ ...at(context, productOf(calls)), app, action, input })
    }
  }
}

const keysOf = (answer: unknown): ReadonlyArray<string> => {
  const list = Array.isArray(answer) ? answer : ((answer as { readonly keys?: unknown }).keys ?? [])
  return (list as ReadonlyArray<unknown>).filter((key) => typeof key === "string")
}
