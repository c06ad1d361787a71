import { DatabaseError } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import { type Migration, MigrationHelpers } from "../migration/Migration.ts"
import { migration as build } from "../migration/MigrationBuilder.ts"
import { MigrationEngine } from "../migration/MigrationEngine.ts"
import type { Constraint, FieldChanges, Op, SqlOptions } from "../migration/Op.ts"
import type { FieldDef, FieldOptions, Fields } from "./FieldDef.ts"
import {
  describeTable,
  type IndexInfo,
  listIndexes,
  listTables,
  type TableDescription,
  tableExists
} from "./inspect.ts"

export interface IndexSpec {
  readonly fields: ReadonlyArray<string>
  readonly unique?: boolean | undefined
  readonly name?: string | undefined
}

export interface CreateOptions {
  /** Adds `created_at` and `updated_at`; the second is kept up to date by `update` and `upsert`. */
  readonly timestamps?: boolean | undefined
  readonly indexes?: ReadonlyArray<IndexSpec> | undefined
  readonly sqlOptions?: SqlOptions | undefined
  /** Of other kinds of stores: refused here. */
  readonly mongoOptions?: object | undefined
  readonly dynamoOptions?: object | undefined
  readonly cassandraOptions?: object | undefined
}

export interface DropOptions {
  readonly ifExists?: boolean | undefined
  readonly cascade?: boolean | undefined
}

export interface IndexOptions {
  readonly name?: string | undefined
  readonly unique?: boolean | undefined
  /** Condition of a partial index: SQL, as written. */
  readonly where?: string | undefined
  /** Not on PostgreSQL. */
  readonly sparse?: boolean | undefined
  /** Not on PostgreSQL. */
  readonly expireAfterSeconds?: number | undefined
}

/** What a call changed: the migration that it generated, applied and recorded. */
export interface SchemaChange {
  readonly migration: Migration
  readonly applied: true
}

/** Tables, their columns, indexes and constraints, without SQL. */
export interface SchemaCalls {
  /**
   * A table declared without a key gets a uuid key `id`.
   *
   * @throws `TABLE_EXISTS`, `VALIDATION_ERROR`, `UNSUPPORTED_OPERATION`
   */
  readonly create: (table: string, fields: Fields, options?: CreateOptions) => Promise<SchemaChange>
  /** @throws `TABLE_NOT_FOUND`; `SCHEMA_ERROR` when others depend on it and `cascade` is not set */
  readonly drop: (table: string, options?: DropOptions) => Promise<SchemaChange>
  readonly rename: (from: string, to: string) => Promise<SchemaChange>
  readonly addField: (table: string, name: string, def: FieldDef) => Promise<SchemaChange>
  /** What is not named stays. `default: null` takes the default away. */
  readonly modifyField: (table: string, name: string, changes: FieldChanges) => Promise<SchemaChange>
  readonly dropField: (table: string, name: string) => Promise<SchemaChange>
  readonly renameField: (table: string, from: string, to: string) => Promise<SchemaChange>
  readonly createIndex: (
    table: string,
    columns: ReadonlyArray<string>,
    options?: IndexOptions
  ) => Promise<SchemaChange>
  readonly dropIndex: (table: string, name: string) => Promise<SchemaChange>
  readonly addConstraint: (table: string, constraint: Constraint) => Promise<SchemaChange>
  readonly dropConstraint: (table: string, name: string) => Promise<SchemaChange>
  /** Names of the tables of a schema; default: the current one. */
  readonly list: (schema?: string) => Promise<Array<string>>
  readonly exists: (table: string) => Promise<boolean>
  readonly indexes: (table: string) => Promise<Array<IndexInfo>>
  readonly describe: (table: string) => Promise<TableDescription>
}

const unsupported = (option: string): DatabaseError =>
  new DatabaseError({
    code: "UNSUPPORTED_OPERATION",
    message: `${option}: PostgreSQL has nothing like it.`,
    details: { option }
  })

const refuse = (options: object, names: ReadonlyArray<string>): void => {
  for (const name of names) {
    const value = (options as Readonly<Record<string, unknown>>)[name]
    if (value !== undefined && value !== false) throw unsupported(name)
  }
}

let serial = 0

/** A tag of its own for each call, even within one second. */
const tagOf = (name: string): string =>
  `${MigrationHelpers.generateTag(name)}_${Date.now().toString(36)}${(serial++ % 46_656).toString(36).padStart(3, "0")}${Math.random().toString(36).slice(2, 6)}`

/** The failure itself: that a migration was around it is this module's business. */
const unwrapped = (cause: unknown): unknown =>
  cause instanceof DatabaseError && cause.code === "MIGRATION_ERROR" && cause.cause instanceof DatabaseError
    ? cause.cause
    : cause

/** Generates, applies and records one migration. */
export const applyChange = async (
  access: DatabaseAccess,
  name: string,
  ops: ReadonlyArray<Op>
): Promise<SchemaChange> => {
  const migration = build(name).steps(ops).tag(tagOf(name)).build()
  try {
    await new MigrationEngine(access).run([migration])
  } catch (cause) {
    throw unwrapped(cause)
  }
  return { migration, applied: true }
}

/** Without what is undefined: steps are JSON. */
const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T

export const makeSchema = (connect: () => Promise<DatabaseAccess>): SchemaCalls => {
  const change = async (name: string, steps: () => ReadonlyArray<Op>): Promise<SchemaChange> => {
    const ops = steps()
    return applyChange(await connect(), name, ops)
  }
  const read = async <A>(run: (access: DatabaseAccess) => Promise<A>): Promise<A> => run(await connect())

  return {
    create: (table, fields, options = {}) =>
      change(`create ${table}`, () => {
        refuse(options, ["mongoOptions", "dynamoOptions", "cassandraOptions"])
        const { indexes = [], sqlOptions, timestamps } = options
        return [
          defined<Op>({ type: "createCollection", name: table, fields, timestamps, sqlOptions }),
          ...indexes.map(({ fields, name, unique }) =>
            defined<Op>({ type: "createIndex", collection: table, fields, name, unique })
          )
        ]
      }),
    drop: async (table, options = {}) => {
      const access = await connect()
      const { cascade, ifExists } = options
      const ops = [defined<Op>({ type: "dropCollection", name: table, ifExists, cascade })]
      if (ifExists === true && !(await tableExists(access, table))) {
        return { migration: build(`drop ${table}`).steps(ops).build(), applied: true }
      }
      return applyChange(access, `drop ${table}`, ops)
    },
    rename: (from, to) => change(`rename ${from} to ${to}`, () => [{ type: "renameCollection", from, to }]),
    addField: (collection, name, def) =>
      change(`add ${name} to ${collection}`, () => {
        const options = (typeof def === "string" ? { type: def } : def) as FieldOptions
        return [{ type: "addField", collection, field: { ...options, name } }]
      }),
    modifyField: (collection, field, changes) =>
      change(`modify ${field} of ${collection}`, () => [{ type: "modifyField", collection, field, changes }]),
    dropField: (collection, field) =>
      change(`drop ${field} of ${collection}`, () => [{ type: "dropField", collection, field }]),
    renameField: (collection, from, to) =>
      change(`rename ${from} of ${collection}`, () => [{ type: "renameField", collection, from, to }]),
    createIndex: (collection, fields, options = {}) =>
      change(`index ${collection}`, () => {
        refuse(options, ["sparse", "expireAfterSeconds"])
        const { name, unique, where } = options
        return [defined<Op>({ type: "createIndex", collection, fields, name, unique, where })]
      }),
    dropIndex: (collection, name) =>
      change(`drop index ${name}`, () => [{ type: "dropIndex", collection, name }]),
    addConstraint: (collection, constraint) =>
      change(`constrain ${collection}`, () => [{ type: "addConstraint", collection, constraint }]),
    dropConstraint: (collection, name) =>
      change(`drop constraint ${name}`, () => [{ type: "dropConstraint", collection, name }]),
    list: (schema) => read((access) => listTables(access, schema)),
    exists: (table) => read((access) => tableExists(access, table)),
    indexes: (table) => read((access) => listIndexes(access, table)),
    describe: (table) => read((access) => describeTable(access, table))
  }
}
