import type { FieldOptions, Fields, FieldType, References } from "./FieldDef.ts"

type More = Partial<Omit<FieldOptions, "type">>

const of =
  (type: FieldType) =>
  (options: More = {}): FieldOptions => ({ ...options, type })

/**
 * Fields in few words.
 *
 * @example
 * schema.create("orders", {
 *   id: SchemaHelpers.id(),
 *   user_id: SchemaHelpers.foreignKey("users", { onDelete: "CASCADE" }),
 *   total: SchemaHelpers.decimal({ precision: 10, scale: 2 }),
 *   ...SchemaHelpers.timestamps(),
 *   ...SchemaHelpers.softDelete()
 * })
 */
export const SchemaHelpers = {
  /** A random uuid as the key; `integer` or `bigint`: counted up. */
  id: (type: "uuid" | "integer" | "bigint" = "uuid"): FieldOptions =>
    type === "uuid" ? { type, primaryKey: true } : { type, primaryKey: true, autoIncrement: true },
  /** A column that refers to another table's `id`, with an index. */
  foreignKey: (
    table: string,
    options: More & Omit<References, "table"> & { readonly type?: FieldType } = {}
  ): FieldOptions => {
    const { column, onDelete, onUpdate, type = "uuid", ...rest } = options
    return { index: true, ...rest, type, references: { table, column, onDelete, onUpdate } }
  },
  timestamps: (): Fields => ({
    created_at: { type: "timestamp", required: true, default: "now" },
    updated_at: { type: "timestamp", required: true, default: "now" }
  }),
  /** When the row was taken away; null while it counts. */
  softDelete: (): Fields => ({ deleted_at: { type: "timestamp", index: true } }),
  integer: of("integer"),
  smallint: of("smallint"),
  bigint: of("bigint"),
  float: of("float"),
  double: of("double"),
  decimal: of("decimal"),
  /** `string(120)` is `string({ maxLength: 120 })`. */
  string: (options: number | More = {}): FieldOptions =>
    typeof options === "number" ? { type: "string", maxLength: options } : { ...options, type: "string" },
  text: of("text"),
  boolean: of("boolean"),
  date: of("date"),
  time: of("time"),
  datetime: of("datetime"),
  timestamp: of("timestamp"),
  json: of("json"),
  uuid: of("uuid"),
  enum: (values: ReadonlyArray<string>, options: More = {}): FieldOptions => ({
    ...options,
    type: "enum",
    enum: values
  }),
  array: (items: FieldType = "text", options: More = {}): FieldOptions => ({
    ...options,
    type: "array",
    items
  }),
  binary: of("binary"),
  blob: of("blob")
} as const
