import { invalid } from "../DatabaseError.ts"
import { isIdentifier } from "../sql/identifier.ts"

/** PostgreSQL's type for each name of a type; the capitalised ones are those of schema files. */
const types = {
  integer: "integer",
  Number: "integer",
  smallint: "smallint",
  bigint: "bigint",
  BigInt: "bigint",
  float: "double",
  double: "double",
  decimal: "decimal",
  Decimal128: "decimal",
  string: "string",
  String: "string",
  text: "text",
  date: "date",
  time: "time",
  boolean: "boolean",
  Boolean: "boolean",
  datetime: "datetime",
  Date: "datetime",
  timestamp: "datetime",
  json: "json",
  Object: "json",
  Mixed: "json",
  object: "json",
  uuid: "uuid",
  UUID: "uuid",
  ObjectId: "uuid",
  enum: "enum",
  array: "array",
  Array: "array",
  binary: "binary",
  Buffer: "binary",
  blob: "binary"
} as const

export type FieldType = keyof typeof types
/** One name for each type. */
export type BaseType = (typeof types)[FieldType]

export interface References {
  readonly table: string
  /** Default: `id`. */
  readonly column?: string | undefined
  /** `CASCADE`, `SET NULL`, `SET DEFAULT`, `RESTRICT`, `NO ACTION`. */
  readonly onDelete?: string | undefined
  readonly onUpdate?: string | undefined
}

export interface FieldOptions {
  readonly type: FieldType
  /** NOT NULL. */
  readonly required?: boolean | undefined
  /** `false` is the same as `required`. */
  readonly nullable?: boolean | undefined
  readonly unique?: boolean | undefined
  /** Several fields with it make one key of all of them. */
  readonly primaryKey?: boolean | undefined
  readonly index?: boolean | undefined
  /** Integers: an identity column. */
  readonly autoIncrement?: boolean | undefined
  /** Integers: an identity column; strings and uuids: a random uuid. */
  readonly autoGenerate?: boolean | undefined
  /** `'now'` on dates and times is the moment of the insert. */
  readonly default?: unknown
  /** In characters. */
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  /** The same as `maxLength`. */
  readonly length?: number | undefined
  readonly maxlength?: number | undefined
  /** Digits of a decimal in all, and behind the point. */
  readonly precision?: number | undefined
  readonly scale?: number | undefined
  readonly enum?: ReadonlyArray<string> | undefined
  /** The same as `enum`. */
  readonly enumValues?: ReadonlyArray<string> | undefined
  /** Type of an array's elements. Default: text. */
  readonly items?: FieldType | undefined
  /** Of a `Number`: with a fraction. */
  readonly float?: boolean | undefined
  readonly comment?: string | undefined
  /** A foreign key. */
  readonly references?: References | undefined
}

/** A column: its type alone, or with what else is to be said of it. */
export type FieldDef = FieldType | FieldOptions

export type Fields = Readonly<Record<string, FieldDef>>

/** A field that was read: one spelling for everything. */
export interface ReadField {
  readonly name: string
  readonly type: BaseType
  readonly required: boolean
  readonly unique: boolean
  readonly primaryKey: boolean
  readonly index: boolean
  /** Filled by the database itself. */
  readonly generated: "identity" | "uuid" | "now" | undefined
  readonly hasDefault: boolean
  readonly default: unknown
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
  readonly enum: ReadonlyArray<string> | undefined
  readonly items: BaseType | undefined
  readonly comment: string | undefined
  readonly references: References | undefined
}

const known = new Set([
  "name",
  "type",
  "required",
  "nullable",
  "unique",
  "primaryKey",
  "index",
  "autoIncrement",
  "autoGenerate",
  "default",
  "minLength",
  "maxLength",
  "length",
  "maxlength",
  "precision",
  "scale",
  "enum",
  "enumValues",
  "items",
  "float",
  "comment",
  "references"
])

export const baseType = (type: unknown, path: string): BaseType => {
  if (typeof type === "string" && Object.hasOwn(types, type)) return types[type as FieldType]
  throw invalid(`${path}: expected one of ${Object.keys(types).join(", ")}.`, path)
}

const integers: ReadonlySet<BaseType> = new Set(["integer", "smallint", "bigint"])
const texts: ReadonlySet<BaseType> = new Set(["string", "text"])

const flag = (value: unknown, path: string): boolean => {
  if (value === undefined) return false
  if (typeof value !== "boolean") throw invalid(`${path}: expected true or false.`, path)
  return value
}

const size = (value: unknown, path: string, least: number, most: number): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(`${path}: expected a whole number from ${least} to ${most}.`, path)
  }
  return value
}

const readEnum = (value: unknown, path: string): ReadonlyArray<string> | undefined => {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0 || value.some((item) => typeof item !== "string")) {
    throw invalid(`${path}: expected a list of strings.`, path)
  }
  return value as ReadonlyArray<string>
}

const generatedOf = (options: FieldOptions, type: BaseType, path: string): ReadField["generated"] => {
  const increment = flag(options.autoIncrement, `${path}.autoIncrement`)
  const generate = flag(options.autoGenerate, `${path}.autoGenerate`)
  if (!increment && !generate) return undefined
  if (integers.has(type)) return "identity"
  if (!increment && (type === "uuid" || type === "string")) return "uuid"
  if (!increment && (type === "datetime" || type === "date" || type === "time")) return "now"
  const word = increment ? "autoIncrement" : "autoGenerate"
  throw invalid(
    `${path}.${word}: only for ${increment ? "integers" : "integers, strings, uuids and dates"}.`,
    `${path}.${word}`
  )
}

/**
 * Reads a field's definition.
 *
 * @throws `VALIDATION_ERROR` naming the place under `path`
 */
export const readField = (name: string, def: unknown, path = `fields.${name}`): ReadField => {
  if (!isIdentifier(name)) {
    throw invalid(`${path}: the name is not an identifier. Use letters, digits, _ and $, at most 63.`, path)
  }
  const options = (typeof def === "string" ? { type: def } : def) as FieldOptions
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalid(`${path}: expected a type, or an object with one.`, path)
  }
  for (const key of Object.keys(options)) {
    if (!known.has(key))
      throw invalid(`${path}.${key}: there is no such option of a field.`, `${path}.${key}`)
  }
  const values = readEnum(options.enum ?? options.enumValues, `${path}.enum`)
  const written = baseType(options.type, `${path}.type`)
  const fraction = flag(options.float, `${path}.float`)
  if (fraction && written !== "integer" && written !== "double") {
    throw invalid(`${path}.float: only for numbers.`, `${path}.float`)
  }
  const generated = generatedOf(options, written, path)
  const type: BaseType =
    generated === "uuid"
      ? "uuid"
      : fraction
        ? "double"
        : values !== undefined && written === "string"
          ? "enum"
          : written
  const only = (option: keyof FieldOptions, allowed: boolean, what: string): void => {
    if (options[option] !== undefined && !allowed) {
      throw invalid(`${path}.${option}: only for ${what}.`, `${path}.${option}`)
    }
  }
  if (type === "enum" && values === undefined) {
    throw invalid(`${path}.enum: missing. List the values.`, `${path}.enum`)
  }
  if (values !== undefined && type !== "enum" && type !== "text") {
    throw invalid(`${path}.enum: only for strings.`, `${path}.enum`)
  }
  only("precision", type === "decimal", "decimals")
  only("scale", type === "decimal", "decimals")
  only("items", type === "array", "arrays")
  only("minLength", texts.has(type), "strings")
  // A generated key may still say how long it would be as text.
  for (const option of ["maxLength", "length", "maxlength"] as const) {
    only(option, texts.has(type) || type === "enum" || generated === "uuid", "strings")
  }
  const maxLength = size(
    options.maxLength ?? options.length ?? options.maxlength,
    `${path}.maxLength`,
    1,
    10_485_760
  )
  const minLength = size(options.minLength, `${path}.minLength`, 0, 10_485_760)
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    throw invalid(`${path}.minLength: more than maxLength.`, `${path}.minLength`)
  }
  const precision = size(options.precision, `${path}.precision`, 1, 1000)
  const scale = size(options.scale, `${path}.scale`, 0, 1000)
  if (scale !== undefined && (precision === undefined || scale > precision)) {
    throw invalid(`${path}.scale: needs a precision that is not less.`, `${path}.scale`)
  }
  if (options.comment !== undefined && typeof options.comment !== "string") {
    throw invalid(`${path}.comment: expected text.`, `${path}.comment`)
  }
  const hasDefault = options.default !== undefined
  if (hasDefault && generated !== undefined) {
    throw invalid(`${path}.default: the field is generated.`, `${path}.default`)
  }
  return {
    name,
    type,
    required: flag(options.required, `${path}.required`) || options.nullable === false,
    unique: flag(options.unique, `${path}.unique`),
    primaryKey: flag(options.primaryKey, `${path}.primaryKey`),
    index: flag(options.index, `${path}.index`),
    generated,
    hasDefault,
    default: options.default,
    minLength,
    maxLength: generated === "uuid" || type === "enum" ? undefined : maxLength,
    precision,
    scale,
    enum: values,
    items: options.items === undefined ? undefined : baseType(options.items, `${path}.items`),
    comment: options.comment,
    references: options.references
  }
}

/** @throws `VALIDATION_ERROR` */
export const readFields = (fields: unknown, path = "fields"): ReadonlyArray<ReadField> => {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw invalid(`${path}: expected an object of fields by name.`, path)
  }
  return Object.entries(fields).map(([name, def]) => readField(name, def, `${path}.${name}`))
}
