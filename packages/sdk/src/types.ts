import type { AuthDefinition, DataFormat, DataType, Field, HttpMethod, TokenPeriod } from "@ductape/registry"

export { ImportDocTypes } from "@ductape/api"

/** The types of fields; `NUMBER` is another name of `DOUBLE`. */
export const DataTypes = {
  STRING: "string",
  NO_SPACES_STRING: "nospaces_string",
  EMAIL_STRING: "email_string",
  NUMBER_STRING: "numberstring",
  INTEGER: "number",
  NUMBER: "double",
  FLOAT: "float",
  DOUBLE: "double",
  UUID: "uuid",
  BOOLEAN: "boolean",
  OBJECT: "object",
  ARRAY: "array",
  ARRAY_STRING: "array-string",
  ARRAY_NUMBER: "array-number",
  ARRAY_FLOAT: "array-float",
  ARRAY_DOUBLE: "array-double",
  ARRAY_UUID: "array-uuid",
  ARRAY_BOOLEAN: "array-boolean"
} as const satisfies Record<string, DataType>

/** Where a display hint stands relative to its value. */
export const DecoratorPositions = {
  BEFORE: "BEFORE",
  AFTER: "AFTER",
  EMPTY: ""
} as const satisfies Record<string, NonNullable<Field["decoratorPosition"]>>

export const AuthTypes = {
  CREDENTIAL: "credential_access",
  TOKEN: "token_access"
} as const satisfies Record<string, AuthDefinition["setup_type"]>

/** The sections of a request. */
export const InputTypes = {
  BODY: "body",
  QUERY: "query",
  PARAMS: "params",
  HEADERS: "headers"
} as const

export const TokenPeriods = {
  SECONDS: "secs",
  MINUTES: "mins",
  HOURS: "hours",
  DAYS: "days",
  WEEKS: "weeks",
  MONTHS: "months",
  YEARS: "years"
} as const satisfies Record<string, TokenPeriod>

export const DataFormats = {
  JSON: "application/json",
  URLENCODED: "application/x-www-form-urlencoded",
  FORMDATA: "multipart/form-data",
  SOAP: "SOAP",
  HTML: "html"
} as const satisfies Record<string, DataFormat>

export const HttpMethods = {
  GET: "GET",
  POST: "POST",
  PUT: "PUT",
  PATCH: "PATCH",
  DELETE: "DELETE",
  HEAD: "HEAD",
  OPTIONS: "OPTIONS"
} as const satisfies Record<string, HttpMethod>

export type {
  ActionErrorCode,
  CredentialConfig,
  EgressOptions,
  FlatInput,
  ImportOptions,
  ImportResult,
  OAuthConfig,
  PagesCall,
  RunCall,
  RunResponse,
  StructuredInput
} from "@ductape/api"
export type { CacheConfig, CacheValue } from "@ductape/cache"
export type { CallOptions, SessionInput } from "@ductape/core"
export type {
  Action,
  App,
  AppEnv,
  AuthDefinition,
  Connection,
  ConnectionEnv,
  ConnectionLimits,
  Constant,
  DataFormat,
  DataType,
  Field,
  Fields,
  HttpMethod,
  Product,
  ProductEnv,
  SecretMeta,
  StoredAction,
  TokenPeriod,
  Variable
} from "@ductape/registry"
export type { SessionConfig, SessionInfo, SessionTokens, SessionUser } from "@ductape/sessions"
export type { DuctapeOptions, Logger, TelemetryOptions } from "./DuctapeOptions.ts"
export type { DuctapeTypes, KnownActions } from "./DuctapeTypes.ts"
