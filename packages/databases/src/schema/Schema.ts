import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import { type Migration, MigrationHelpers } from "../migration/Migration.ts"
import { migration as build, type MigrationBuilder } from "../migration/MigrationBuilder.ts"
import { MigrationEngine } from "../migration/MigrationEngine.ts"
import type { Constraint, FieldChanges, SqlOptions } from "../migration/Op.ts"
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
  steps: (builder: MigrationBuilder) => MigrationBuilder
): Promise<SchemaChange> => {
  const migration = steps(build(name)).tag(tagOf(name)).build()
  try {
    await new MigrationEngine(access).run([migration])
  } catch (cause) {
    throw unwrapped(cause)
  }
  return { migration, applied: true }
}

export const makeSchema = (connect: () => Promise<DatabaseAccess>): SchemaCalls => {
  const change = async (
    name: string,
    steps: (builder: MigrationBuilder) => MigrationBuilder
  ): Promise<SchemaChange> => applyChange(await connect(), name, steps)
  const read = async <A>(run: (access: DatabaseAccess) => Promise<A>): Promise<A> => run(await connect())

  return {
    create: (table, fields, options = {}) =>
      change(`create ${table}`, (builder) => {
        refuse(options, ["mongoOptions", "dynamoOptions", "cassandraOptions"])
        const { indexes = [], sqlOptions, timestamps } = options
        builder.createCollection(table, fields, {
          ...(timestamps === undefined ? {} : { timestamps }),
          ...(sqlOptions === undefined ? {} : { sqlOptions })
        })
        for (const { fields, name, unique } of indexes) {
          builder.createIndex(table, fields, {
            ...(name === undefined ? {} : { name }),
            ...(unique === undefined ? {} : { unique })
          })
        }
        return builder
      }),
    drop: (table, options = {}) =>
      read(async (access) => {
        if (options.ifExists === true && !(await tableExists(access, table))) {
          const migration = build(`drop ${table}`).dropCollection(table, { ifExists: true }).build()
          return { migration, applied: true as const }
        }
        return applyChange(access, `drop ${table}`, (builder) =>
          builder.dropCollection(table, {
            ...(options.ifExists === undefined ? {} : { ifExists: options.ifExists }),
            ...(options.cascade === undefined ? {} : { cascade: options.cascade })
          })
        )
      }),
    rename: (from, to) => change(`rename ${from} to ${to}`, (builder) => builder.renameCollection(from, to)),
    addField: (table, name, def) =>
      change(`add ${name} to ${table}`, (builder) =>
        builder.addField(table, {
          ...((typeof def === "string" ? { type: def } : def) as FieldOptions),
          name
        })
      ),
    modifyField: (table, name, changes) =>
      change(`modify ${name} of ${table}`, (builder) => builder.modifyField(table, name, changes)),
    dropField: (table, name) =>
      change(`drop ${name} of ${table}`, (builder) => builder.dropField(table, name)),
    renameField: (table, from, to) =>
      change(`rename ${from} of ${table}`, (builder) => builder.renameField(table, from, to)),
    createIndex: (table, columns, options = {}) =>
      change(`index ${table}`, (builder) => {
        refuse(options, ["sparse", "expireAfterSeconds"])
        const { name, unique, where } = options
        return builder.createIndex(table, columns, {
          ...(name === undefined ? {} : { name }),
          ...(unique === undefined ? {} : { unique }),
          ...(where === undefined ? {} : { where })
        })
      }),
    dropIndex: (table, name) => change(`drop index ${name}`, (builder) => builder.dropIndex(table, name)),
    addConstraint: (table, constraint) =>
      change(`constrain ${table}`, (builder) => builder.addConstraint(table, constraint)),
    dropConstraint: (table, name) =>
      change(`drop constraint ${name}`, (builder) => builder.dropConstraint(table, name)),
    list: (schema) => read((access) => listTables(access, schema)),
    exists: (table) => read((access) => tableExists(access, table)),
    indexes: (table) => read((access) => listIndexes(access, table)),
    describe: (table) => read((access) => describeTable(access, table))
  }
}

/** A name that must be there. @throws `VALIDATION_ERROR` */
export const needName = (value: unknown, path: string): string => {
  if (typeof value !== "string" || value === "") throw invalid(`${path}: missing.`, path)
  return value
}
