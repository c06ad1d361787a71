import type { Row } from "../types.ts"

export interface ValidationRule {
  readonly type:
    | "required"
    | "email"
    | "url"
    | "minLength"
    | "maxLength"
    | "min"
    | "max"
    | "pattern"
    | "enum"
    | "type"
    | "integer"
    | "positive"
    | "negative"
    | "custom"
  /** What the value is held against: a length, a bound, a pattern, a list, a type's name. */
  readonly value?: unknown
  /** In place of the usual words. */
  readonly message?: string | undefined
  /** Of `custom`: `false` or a message refuses. */
  readonly validator?:
    | ((value: unknown, record: Row) => boolean | string | Promise<boolean | string>)
    | undefined
}

export type HashAlgorithm = "bcrypt" | "argon2" | "sha256" | "sha512" | "md5"

export type MaskKind = "credit-card" | "ssn" | "phone" | "email" | "custom"

interface Common {
  readonly field: string
  /** Of the record so far; without it, always. */
  readonly condition?: ((record: Row) => boolean) | undefined
  /** Leaves null and missing values alone. */
  readonly skipIfNull?: boolean | undefined
  /** Leaves empty text, lists and objects alone. */
  readonly skipIfEmpty?: boolean | undefined
}

/** What an operation does, without where and when. */
export type PreSaveAction =
  | { readonly type: "default"; readonly value?: unknown; readonly generator?: (() => unknown) | undefined }
  | { readonly type: "compute"; readonly compute: (record: Row) => unknown }
  | { readonly type: "validate"; readonly rules: ReadonlyArray<ValidationRule> }
  | { readonly type: "trim" | "lowercase" | "uppercase" | "normalizeEmail" | "normalizePhone" }
  | { readonly type: "sanitize" }
  | {
      readonly type: "truncate"
      /** In characters, the suffix included. */
      readonly maxLength: number
      readonly suffix?: string | undefined
      /** Cuts between words where it can. */
      readonly wordBoundary?: boolean | undefined
    }
  | {
      readonly type: "slug"
      readonly from: string
      readonly separator?: string | undefined
      readonly lowercase?: boolean | undefined
      readonly maxLength?: number | undefined
    }
  | {
      readonly type: "round"
      readonly digits: number
      readonly mode?: "round" | "floor" | "ceil" | undefined
    }
  | { readonly type: "clamp"; readonly min: number; readonly max: number }
  | { readonly type: "jsonStringify" | "jsonParse" }
  | { readonly type: "uuid" | "timestamp" }
  | { readonly type: "transform"; readonly transform: (value: unknown, record: Row) => unknown }
  | {
      readonly type: "mask"
      readonly kind: MaskKind
      readonly showFirst?: number | undefined
      readonly showLast?: number | undefined
      readonly maskChar?: string | undefined
      /** A field for the value as it was. */
      readonly storeOriginalIn?: string | undefined
    }
  | {
      readonly type: "hash"
      readonly algorithm?: HashAlgorithm | undefined
      /** Of bcrypt: 4 to 31. Default: 12. */
      readonly saltRounds?: number | undefined
    }
  | {
      readonly type: "encrypt"
      /** Default: `preSaveConfig.encryptionKey`. */
      readonly key?: string | undefined
      readonly algorithm?: "aes-256-gcm" | undefined
    }

/** One change or check of a field before it is saved. */
export type PreSaveOp = Common & PreSaveAction

export interface PreSaveConfig {
  readonly encryptionKey?: string | undefined
  /** Default: `bcrypt`. */
  readonly defaultHashAlgorithm?: HashAlgorithm | undefined
  /** Default: 12. */
  readonly defaultSaltRounds?: number | undefined
  /** `false`: what does not pass is saved all the same. Default: `true`. */
  readonly throwOnValidationError?: boolean | undefined
}

/** When it runs and for which records. */
export type When = Omit<Common, "field">

type Of<T extends PreSaveAction["type"]> = Omit<Extract<PreSaveAction, { readonly type: T }>, "type">

const simple =
  <
    T extends
      | "trim"
      | "lowercase"
      | "uppercase"
      | "normalizeEmail"
      | "normalizePhone"
      | "sanitize"
      | "jsonStringify"
      | "jsonParse"
      | "uuid"
      | "timestamp"
  >(
    type: T
  ) =>
  (field: string, when: When = {}): PreSaveOp =>
    ({ ...when, field, type }) as PreSaveOp

/**
 * Operations for `preSave` of insert, upsert and update.
 *
 * @example
 * insert({ table: "users", records, preSave: [
 *   PreSave.normalizeEmail("email"),
 *   PreSave.validate("email", [{ type: "required" }, { type: "email" }]),
 *   PreSave.hash("password")
 * ] })
 */
export const PreSave = {
  /** For a field that is null or missing, on insert; a function makes a value for each record. */
  default: (field: string, value: unknown, when: When = {}): PreSaveOp =>
    typeof value === "function"
      ? { ...when, field, type: "default", generator: value as () => unknown }
      : { ...when, field, type: "default", value },
  compute: (field: string, compute: (record: Row) => unknown, when: When = {}): PreSaveOp => ({
    ...when,
    field,
    type: "compute",
    compute
  }),
  validate: (field: string, rules: ReadonlyArray<ValidationRule>, when: When = {}): PreSaveOp => ({
    ...when,
    field,
    type: "validate",
    rules
  }),
  transform: (
    field: string,
    transform: (value: unknown, record: Row) => unknown,
    when: When = {}
  ): PreSaveOp => ({ ...when, field, type: "transform", transform }),
  trim: simple("trim"),
  lowercase: simple("lowercase"),
  uppercase: simple("uppercase"),
  normalizeEmail: simple("normalizeEmail"),
  /** Digits, with a leading `+` if there was one. */
  normalizePhone: simple("normalizePhone"),
  /** Takes out scripts with what is in them, then all other tags. */
  sanitize: simple("sanitize"),
  truncate: (
    field: string,
    maxLength: number,
    options: Omit<Of<"truncate">, "maxLength"> & When = {}
  ): PreSaveOp => ({ ...options, field, type: "truncate", maxLength }),
  /** `"Café del Mar"` → `cafe-del-mar`. */
  slug: (field: string, from: string, options: Omit<Of<"slug">, "from"> & When = {}): PreSaveOp => ({
    ...options,
    field,
    type: "slug",
    from
  }),
  round: (
    field: string,
    digits = 0,
    mode: "round" | "floor" | "ceil" = "round",
    when: When = {}
  ): PreSaveOp => ({ ...when, field, type: "round", digits, mode }),
  clamp: (field: string, min: number, max: number, when: When = {}): PreSaveOp => ({
    ...when,
    field,
    type: "clamp",
    min,
    max
  }),
  jsonStringify: simple("jsonStringify"),
  jsonParse: simple("jsonParse"),
  /** A random one, for a field that is null or missing, on insert. */
  uuid: simple("uuid"),
  /** The moment of the call. */
  timestamp: simple("timestamp"),
  mask: (field: string, kind: MaskKind, options: Omit<Of<"mask">, "kind"> & When = {}): PreSaveOp => ({
    ...options,
    field,
    type: "mask",
    kind
  }),
  hash: (field: string, options: Of<"hash"> & When = {}): PreSaveOp => ({ ...options, field, type: "hash" }),
  encrypt: (field: string, options: Of<"encrypt"> & When = {}): PreSaveOp => ({
    ...options,
    field,
    type: "encrypt"
  })
} as const
