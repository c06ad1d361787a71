export type { FieldDef, FieldOptions, Fields, FieldType, References } from "./FieldDef.ts"
export type { ColumnInfo, ConstraintInfo, IndexInfo, TableDescription } from "./inspect.ts"
export type { AsEffects, Namespaces } from "./namespaces.ts"
export type {
  CreateOptions,
  DropOptions,
  IndexOptions,
  IndexSpec,
  SchemaCalls,
  SchemaChange
} from "./Schema.ts"
export { SchemaHelpers } from "./SchemaHelpers.ts"
export type { Columns, IndexInput, TableCalls, TableChanges } from "./tableCalls.ts"
