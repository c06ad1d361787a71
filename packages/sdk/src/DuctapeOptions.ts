import type { EgressOptions } from "@ductape/api"
import type { Adapter } from "@ductape/core"
import { defaultStore, RegistryError } from "@ductape/registry"

/** Where spans go, every few seconds and at `close()`; nothing leaves the process without it. */
export interface TelemetryOptions {
  /** An OTLP/HTTP traces endpoint, such as `http://localhost:4318/v1/traces`. */
  readonly endpoint: string
  /** Default: `ductape`. */
  readonly serviceName?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Receives what the library has to say; `console` fits. */
export interface Logger {
  readonly debug: (message: string, fields?: unknown) => void
  readonly info: (message: string, fields?: unknown) => void
  readonly warn: (message: string, fields?: unknown) => void
  readonly error: (message: string, fields?: unknown) => void
}

/** What `new Ductape(…)` takes. One of the four spellings of the access key is needed. */
export interface DuctapeOptions {
  /** Opens the workspace (`dk_…`), as `createWorkspace` printed it. */
  readonly accessKey?: string | undefined
  /** Older spellings of `accessKey`. */
  readonly apiKey?: string | undefined
  readonly token?: string | undefined
  readonly private_key?: string | undefined
  /** The product of calls that name none. */
  readonly product?: string | undefined
  /** The environment of calls that name none. */
  readonly env?: string | undefined
  /**
   * Where the workspace is kept: a file (default `.ductape/workspace.db` under the working
   * directory), `postgres://…`, or `memory://name` for tests.
   */
  readonly store?: string | { readonly url: string } | undefined
  /** Server of the default cache provider. */
  readonly redis_url?: string | undefined
  readonly redisUrl?: string | undefined
  /** Milliseconds for one outbound attempt of `api.run`. Default: 30,000. */
  readonly timeout?: number | undefined
  /** Default: warnings and errors go to `console`. `false`: nothing is said. */
  readonly logger?: Logger | false | undefined
  /** Which addresses runs may not connect to, checked after DNS resolution. Default: any. */
  readonly egress?: EgressOptions | undefined
  readonly telemetry?: TelemetryOptions | undefined
  /** Adapters to use before any that would be loaded by name. */
  readonly adapters?: ReadonlyArray<Adapter> | undefined
  /** Must be that of the opened workspace, if given. */
  readonly workspace_id?: string | undefined
  /** Who acts, for the record of changes. */
  readonly user_id?: string | undefined
  /** Grants nothing; accepted since older programs pass it. */
  readonly public_key?: string | undefined
  /** Selects nothing; use `env`. */
  readonly env_type?: string | undefined
  readonly local?: boolean | undefined
}

/** The options, checked: strings are non-empty, the key is there. */
export interface CheckedOptions {
  readonly accessKey: string
  readonly workspaceId: string | undefined
  readonly store: string
  readonly defaults: { readonly product: string | undefined; readonly env: string | undefined }
  readonly redisUrl: string | undefined
  readonly timeout: number
  readonly logger: Logger | false
  readonly egress: EgressOptions | undefined
  readonly telemetry: TelemetryOptions | undefined
  readonly adapters: ReadonlyArray<Adapter>
}

const invalid = (path: string, message: string) =>
  new RegistryError({
    code: "VALIDATION_ERROR",
    message: `new Ductape({ ${path} }): ${message}`,
    details: [{ path, rule: "type", message }]
  })

const text = (options: DuctapeOptions, path: keyof DuctapeOptions): string | undefined => {
  const value = options[path]
  if (value === undefined || value === null) return undefined
  if (typeof value !== "string" || value === "") throw invalid(path, "must be a non-empty string.")
  return value
}

/** The URL of a store given as a string or as `{ url }`. */
export const storeUrl = (store: DuctapeOptions["store"]): string => {
  const url = typeof store === "object" ? store?.url : store
  if (url === undefined || url === null) return defaultStore
  if (typeof url !== "string" || url === "") throw invalid("store", "must be a path or a URL.")
  return url
}

const egressRanges: Readonly<Record<EgressOptions["deny"][number], true>> = {
  private: true,
  loopback: true,
  "link-local": true,
  metadata: true
}

// A misspelt range would let through what it was meant to keep out.
const checkEgress = (egress: EgressOptions | undefined): EgressOptions | undefined => {
  if (egress === undefined || egress === null) return undefined
  const { allow, deny, lookup } = typeof egress === "object" ? egress : ({} as Partial<EgressOptions>)
  if (!Array.isArray(deny) || !deny.every((range) => Object.hasOwn(egressRanges, range))) {
    throw invalid("egress.deny", `must be a list of ${Object.keys(egressRanges).join(", ")}.`)
  }
  if (allow !== undefined && !(Array.isArray(allow) && allow.every((host) => typeof host === "string"))) {
    throw invalid("egress.allow", "must be a list of host names.")
  }
  if (lookup !== undefined && typeof lookup !== "function") {
    throw invalid("egress.lookup", "must be a function like dns.lookup.")
  }
  return egress
}

const levels = ["debug", "info", "warn", "error"] as const

const checkLogger = (logger: Logger | false | undefined): Logger | false => {
  if (logger === undefined || logger === null) return console
  const receives = (level: keyof Logger) => typeof (logger as Partial<Logger>)[level] === "function"
  if (logger !== false && !levels.every(receives)) {
    throw invalid("logger", `must be false, or an object with the methods ${levels.join(", ")}.`)
  }
  return logger
}

const checkTelemetry = (telemetry: TelemetryOptions | undefined): TelemetryOptions | undefined => {
  if (telemetry === undefined || telemetry === null) return undefined
  const { endpoint } = typeof telemetry === "object" ? telemetry : ({} as Partial<TelemetryOptions>)
  if (typeof endpoint !== "string" || !/^https?:/i.test(endpoint) || !URL.canParse(endpoint)) {
    throw invalid("telemetry.endpoint", "must be an http:// or https:// URL.")
  }
  return telemetry
}

/** @throws {RegistryError} `VALIDATION_ERROR` */
export const checkAdapters = (adapters: ReadonlyArray<Adapter> | undefined): ReadonlyArray<Adapter> => {
  const given: unknown = adapters ?? []
  const isAdapter = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "capability" in value && "make" in value
  if (!Array.isArray(given) || !given.every(isAdapter)) {
    throw invalid("adapters", "must be a list of adapters: what postgres(), redis() and the like return.")
  }
  return given
}

/**
 * Checks the options without any I/O.
 *
 * @throws {RegistryError} `CREDENTIALS_MISSING`, `CREDENTIALS_UNSUPPORTED` (a browser's publishable
 * key), `VALIDATION_ERROR`
 */
export const checkOptions = (options: DuctapeOptions): CheckedOptions => {
  if (typeof options !== "object" || options === null) throw invalid("…", "takes an object of options.")
  if ("publishableKey" in options) {
    throw new RegistryError({
      code: "CREDENTIALS_UNSUPPORTED",
      message: "A publishable key is for browsers. Use the workspace's access key (dk_…) on a server."
    })
  }
  const accessKey =
    text(options, "accessKey") ??
    text(options, "apiKey") ??
    text(options, "token") ??
    text(options, "private_key")
  if (accessKey === undefined) {
    throw new RegistryError({
      code: "CREDENTIALS_MISSING",
      message:
        "No access key. Pass new Ductape({ accessKey: process.env.DUCTAPE_ACCESS_KEY }); createWorkspace({ name }) makes one."
    })
  }
  const timeout = options.timeout ?? 30_000
  if (typeof timeout !== "number" || !(timeout > 0)) {
    throw invalid("timeout", "must be a number of milliseconds above 0.")
  }
  return {
    accessKey,
    workspaceId: text(options, "workspace_id"),
    store: storeUrl(options.store),
    defaults: { product: text(options, "product"), env: text(options, "env") },
    redisUrl: text(options, "redis_url") ?? text(options, "redisUrl"),
    timeout,
    logger: checkLogger(options.logger),
    egress: checkEgress(options.egress),
    telemetry: checkTelemetry(options.telemetry),
    adapters: checkAdapters(options.adapters)
  }
}
