/** The content types that an action's body is written in. */
export type DataFormat =
  | "application/json"
  | "application/x-www-form-urlencoded"
  | "multipart/form-data"
  | "SOAP"
  | "html"

export type TokenPeriod = "secs" | "mins" | "hours" | "days" | "weeks" | "months" | "years"

/** What a field accepts (api.md §6); `number` is a whole number. */
export type DataType =
  | "string"
  | "nospaces_string"
  | "email_string"
  | "numberstring"
  | "number"
  | "float"
  | "double"
  | "uuid"
  | "boolean"
  | "object"
  | "array"
  | "array-string"
  | "array-number"
  | "array-float"
  | "array-double"
  | "array-uuid"
  | "array-boolean"

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS"

export type Dict = Readonly<Record<string, unknown>>

/** What the registry adds to every record. Times are ISO 8601. */
export interface RecordMeta {
  readonly _id: string
  readonly workspace_id: string
  readonly createdAt: string
  readonly updatedAt: string
}

export interface ProductEnv {
  readonly env_name: string
  readonly slug: string
  readonly description?: string
  readonly active: boolean
}

export interface Product extends RecordMeta {
  readonly tag: string
  readonly name: string
  readonly description: string
  readonly envs: ReadonlyArray<ProductEnv>
}

export interface AppEnv extends ProductEnv {
  readonly base_url: string
  readonly request_type?: DataFormat
}

/** A value that each connection of the app sets for itself. */
export interface Variable {
  readonly key: string
  readonly type: DataType
  readonly description?: string
}

export interface Constant {
  readonly key: string
  readonly type: DataType
  readonly value: unknown
  readonly description?: string
}

export interface AuthDefinition {
  readonly tag: string
  readonly name: string
  readonly description?: string
  readonly setup_type: "credential_access" | "token_access"
  /** credential_access: how long the answer of `action_tag` is kept, in `period`s. */
  readonly expiry?: number
  readonly period?: TokenPeriod
  readonly action_tag?: string
  /** token_access: where each credential goes; values are samples. */
  readonly tokens?: {
    readonly params?: Dict
    readonly query?: Dict
    readonly body?: Dict
    readonly headers?: Dict
    readonly cookies?: Dict
  }
}

export interface App extends RecordMeta {
  readonly tag: string
  readonly app_name: string
  readonly description?: string
  readonly version?: string
  readonly envs: ReadonlyArray<AppEnv>
  readonly variables: ReadonlyArray<Variable>
  readonly constants: ReadonlyArray<Constant>
  readonly auths: ReadonlyArray<AuthDefinition>
}

/** How fast, and how many at once, one connection may be called in this process. */
export interface ConnectionLimits {
  /** Attempts per second; above it, runs wait. */
  readonly perSecond?: number
  /** Attempts under way at once; above it, runs wait. */
  readonly concurrency?: number
}

export interface ConnectionEnv {
  readonly product_env_slug: string
  readonly app_env_slug: string
  readonly active?: boolean
  /** Replaces that of the app environment. */
  readonly base_url?: string
  readonly request_type?: DataFormat
  /** Values may be templates. */
  readonly variables?: ReadonlyArray<{ readonly key: string; readonly value: unknown }>
  readonly auth?: ReadonlyArray<{ readonly auth_tag: string; readonly data: Dict }>
  readonly limits?: ConnectionLimits
}

export interface Connection extends RecordMeta {
  readonly access_tag: string
  readonly product: string
  readonly app: string
  readonly version?: string
  readonly envs: ReadonlyArray<ConnectionEnv>
}

export type Fields = Readonly<Record<string, Field>>

export interface Field {
  /** Left out: anything goes (`oneOf`, `anyOf`, no type given). */
  readonly type?: DataType
  readonly required?: boolean
  readonly description?: string
  /** Code points of a string, items of an array. */
  readonly minLength?: number
  readonly maxLength?: number
  readonly defaultValue?: unknown
  readonly sampleValue?: unknown
  readonly decorator?: string
  readonly decoratorPosition?: "BEFORE" | "AFTER" | ""
  /** Children of an object. */
  readonly fields?: Fields
  /** What each item of an array is, where `type` does not say it. */
  readonly items?: Field
  readonly nullable?: boolean
  /** `true`: told from a sample, so a hint and not enforced. */
  readonly inferred?: boolean
  /** OpenAPI serialisation of a parameter or of a form property. */
  readonly style?: string
  readonly explode?: boolean
  readonly allowReserved?: boolean
  /** Media type of a parameter or of a multipart part, when its document names one. */
  readonly contentType?: string
  /** A part that is a file, or a body that is bytes. */
  readonly binary?: boolean
  /** Properties that a validation rule set by hand: an import leaves them alone. */
  readonly manual?: ReadonlyArray<string>
}

/** How an action's body is written. */
export interface ActionBody {
  /** The exact media type to send, such as `application/vnd.api+json`. */
  readonly contentType: string
  /** `fields`: an object of `Action.body` fields; `whole`: one value as it is given under `body`. */
  readonly shape: "fields" | "whole"
  readonly required?: boolean
  /** Constraints of a `whole` body. */
  readonly field?: Field
}

export interface ActionResponse {
  readonly status?: number
  readonly schema?: object
  readonly sample?: unknown
}

/** One call of a third-party API. */
export interface Action {
  readonly tag: string
  readonly name: string
  readonly description?: string
  readonly folder?: ReadonlyArray<string>
  readonly method: HttpMethod
  /** Path below the base URL; parameters as `:id`, `{id}` accepted on input. */
  readonly resource: string
  /** Default: that of the app environment, else JSON. */
  readonly request_type?: DataFormat
  readonly params?: Fields
  readonly query?: Fields
  readonly headers?: Fields
  readonly cookies?: Fields
  readonly body?: Fields
  readonly bodyFormat?: ActionBody
  /** An imported per-operation server. */
  readonly base_url?: string
  /** Tag of an auth definition, or none. */
  readonly auth?: string | false
  readonly response?: ReadonlyArray<ActionResponse>
}

/** An action as it is kept. */
export interface StoredAction extends Action, RecordMeta {
  readonly app: string
}

export type SecretStatus = "active" | "expired" | "revoked"

export interface SecretMeta extends RecordMeta {
  readonly key: string
  readonly description?: string
  readonly token_type?: string
  /** App tags, access tags, product tags or data-store tags; none or empty: unrestricted. */
  readonly scope?: ReadonlyArray<string>
  /** Environment slugs; none or empty: unrestricted. */
  readonly envs?: ReadonlyArray<string>
  /** Unix seconds. */
  readonly expires_at: number | null
  readonly status: SecretStatus
}
