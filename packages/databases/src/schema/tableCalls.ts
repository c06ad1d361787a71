import { invalid } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import type { Migration } from "../migration/Migration.ts"
import { MigrationEngine } from "../migration/MigrationEngine.ts"
import type { MigrationOptions, RunResult } from "../migration/MigrationResults.ts"
import type { Constraint, FieldChanges, Op } from "../migration/Op.ts"
import type { Target } from "../types.ts"
import type { FieldDef, FieldOptions, Fields } from "./FieldDef.ts"
import type { IndexInfo, TableDescription } from "./inspect.ts"
import { applyChange, type CreateOptions, type DropOptions, makeSchema, type SchemaChange } from "./Schema.ts"

/** Columns by name, or in a list. */
export type Columns = Fields | ReadonlyArray<FieldOptions & { readonly name: string }>

export interface IndexInput {
  readonly columns?: ReadonlyArray<string> | undefined
  /** The same as `columns`. */
  readonly fields?: ReadonlyArray<string> | undefined
  readonly name?: string | undefined
  readonly unique?: boolean | undefined
  /** SQL, as written. */
  readonly where?: string | undefined
}

/** What to change, in this order: rename, drop, modify, add. */
export interface TableChanges {
  readonly renameColumns?: Readonly<Record<string, string>> | undefined
  readonly dropConstraints?: ReadonlyArray<string> | undefined
  readonly dropIndexes?: ReadonlyArray<string> | undefined
  readonly dropColumns?: ReadonlyArray<string> | undefined
  readonly modifyColumns?: Readonly<Record<string, FieldChanges>> | undefined
  readonly addColumns?: Columns | undefined
  readonly addIndexes?: ReadonlyArray<IndexInput> | undefined
  readonly addConstraints?: ReadonlyArray<Constraint> | undefined
  /** The table's new name. */
  readonly rename?: string | undefined
}

/** Older, flat spellings of the schema calls; each names its database. */
export interface TableCalls {
  readonly createTable: (
    context: Target,
    table: { readonly name: string; readonly columns: Columns },
    options?: CreateOptions
  ) => Promise<SchemaChange>
  /** All changes in one migration. */
  readonly alterTable: (context: Target, table: string, changes: TableChanges) => Promise<SchemaChange>
  readonly dropTable: (context: Target, table: string, options?: DropOptions) => Promise<SchemaChange>
  readonly listTables: (context?: Target) => Promise<Array<string>>
  readonly getTableSchema: (context: Target, table: string) => Promise<TableDescription>
  readonly tableExists: (context: Target, table: string) => Promise<boolean>
  readonly createIndex: (
    input: Target & { readonly table: string; readonly index: IndexInput }
  ) => Promise<SchemaChange>
  readonly dropIndex: (
    input: Target & { readonly table: string; readonly name: string }
  ) => Promise<SchemaChange>
  readonly listIndexes: (input: Target & { readonly table: string }) => Promise<Array<IndexInfo>>
  readonly runMigration: (
    context: Target,
    migrations: Migration | ReadonlyArray<Migration>,
    options?: MigrationOptions
  ) => Promise<RunResult>
}

const fieldsOf = (columns: unknown, path: string): Fields => {
  if (typeof columns !== "object" || columns === null) throw invalid(`${path}: expected columns.`, path)
  if (!Array.isArray(columns)) return columns as Fields
  const list = columns as ReadonlyArray<FieldOptions & { readonly name: string }>
  const entries = list.map((column, i): readonly [string, FieldDef] => {
    if (typeof column?.name !== "string") throw invalid(`${path}[${i}].name: missing.`, `${path}[${i}].name`)
    const { name, ...def } = column
    return [name, def]
  })
  const names = new Set(entries.map(([name]) => name))
  if (names.size < entries.length) throw invalid(`${path}: a name is there twice.`, path)
  return Object.fromEntries(entries)
}

const indexOp = (collection: string, index: IndexInput, path: string): Op => {
  const fields = index?.columns ?? index?.fields
  if (fields === undefined) throw invalid(`${path}.columns: missing.`, `${path}.columns`)
  const { name, unique, where } = index
  return {
    type: "createIndex",
    collection,
    fields,
    ...(name === undefined ? {} : { name }),
    ...(unique === undefined ? {} : { unique }),
    ...(where === undefined ? {} : { where })
  }
}

const alterations = (collection: string, changes: TableChanges): ReadonlyArray<Op> => {
  const ops: Array<Op> = []
  for (const [from, to] of Object.entries(changes.renameColumns ?? {})) {
    ops.push({ type: "renameField", collection, from, to })
  }
  for (const name of changes.dropConstraints ?? []) ops.push({ type: "dropConstraint", collection, name })
  for (const name of changes.dropIndexes ?? []) ops.push({ type: "dropIndex", collection, name })
  for (const field of changes.dropColumns ?? []) ops.push({ type: "dropField", collection, field })
  for (const [field, change] of Object.entries(changes.modifyColumns ?? {})) {
    ops.push({ type: "modifyField", collection, field, changes: change })
  }
  if (changes.addColumns !== undefined) {
    for (const [name, def] of Object.entries(fieldsOf(changes.addColumns, "addColumns"))) {
      const options = typeof def === "string" ? { type: def } : def
      ops.push({ type: "addField", collection, field: { ...options, name } })
    }
  }
  for (const [i, index] of (changes.addIndexes ?? []).entries()) {
    ops.push(indexOp(collection, index, `addIndexes[${i}]`))
  }
  for (const constraint of changes.addConstraints ?? []) {
    ops.push({ type: "addConstraint", collection, constraint })
  }
  if (changes.rename !== undefined)
    ops.push({ type: "renameCollection", from: collection, to: changes.rename })
  if (ops.length === 0) throw invalid("changes: nothing to change.", "changes")
  return ops
}

export const makeTableCalls = (connect: (target: Target) => Promise<DatabaseAccess>): TableCalls => {
  const schema = (target: Target) => makeSchema(() => connect(target))
  const apply = async (target: Target, name: string, ops: ReadonlyArray<Op>): Promise<SchemaChange> =>
    applyChange(await connect(target), name, ops)
  return {
    createTable: async (context, table, options) =>
      schema(context).create(table?.name, fieldsOf(table?.columns, "columns"), options),
    alterTable: async (context, table, changes) =>
      apply(context, `alter ${table}`, alterations(table, changes ?? {})),
    dropTable: (context, table, options) => schema(context).drop(table, options),
    listTables: (context = {}) => schema(context).list(),
    getTableSchema: (context, table) => schema(context).describe(table),
    tableExists: (context, table) => schema(context).exists(table),
    createIndex: async (input) =>
      apply(input, `index ${input.table}`, [indexOp(input.table, input.index, "index")]),
    dropIndex: (input) => schema(input).dropIndex(input.table, input.name),
    listIndexes: (input) => schema(input).indexes(input.table),
    runMigration: async (context, migrations, options) => {
      const list = Array.isArray(migrations)
        ? (migrations as ReadonlyArray<Migration>)
        : [migrations as Migration]
      return new MigrationEngine(await connect(context)).run(list, options)
    }
  }
}
