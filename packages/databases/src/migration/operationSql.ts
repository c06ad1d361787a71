import { invalid } from "../DatabaseError.ts"
import {
  checksOf,
  columnSql,
  commentSql,
  constraintsOf,
  referencesSql,
  typeSql
} from "../schema/columnSql.ts"
import { type Fields, type ReadField, readField, readFields } from "../schema/FieldDef.ts"
import { defaultLiteral } from "../schema/literal.ts"
import { defaultName, schemaPrefix } from "../schema/names.ts"
import { quoteColumn, quoteTable } from "../sql/identifier.ts"
import type { AddField, Constraint, CreateCollection, CreateIndex, ModifyField, Op } from "./Op.ts"
import { movesTransaction, splitStatements } from "./splitStatements.ts"

const columnList = (columns: unknown, path: string): string => {
  if (!Array.isArray(columns) || columns.length === 0) {
    throw invalid(`${path}: expected a list of columns.`, path)
  }
  return columns.map((column, i) => quoteColumn(column, `${path}[${i}]`)).join(", ")
}

const sqlText = (text: unknown, path: string): string => {
  if (typeof text !== "string" || text.trim() === "") throw invalid(`${path}: expected SQL.`, path)
  if (splitStatements(text).length !== 1)
    throw invalid(`${path}: expected one expression, without ';'.`, path)
  return text
}

/** Name and what stands behind it. */
const constraintSql = (table: string, constraint: Constraint, path: string): readonly [string, string] => {
  switch (constraint.type) {
    case "unique": {
      const columns = columnList(constraint.columns, `${path}.columns`)
      return [constraint.name ?? defaultName("uq", table, constraint.columns), `UNIQUE (${columns})`]
    }
    case "check": {
      const expression = sqlText(constraint.expression, `${path}.expression`)
      return [constraint.name ?? defaultName("chk", table, constraint.columns ?? []), `CHECK (${expression})`]
    }
    case "foreignKey": {
      const columns = columnList(constraint.columns, `${path}.columns`)
      const at = `${path}.references`
      const to = constraint.references
      if (typeof to !== "object" || to === null || !Array.isArray(to.columns)) {
        throw invalid(`${at}: expected { table, columns }.`, at)
      }
      if (to.columns.length !== constraint.columns.length) {
        throw invalid(`${at}.columns: as many are needed as the constraint has.`, `${at}.columns`)
      }
      return [
        constraint.name ?? defaultName("fk", table, constraint.columns),
        `FOREIGN KEY (${columns}) ${referencesSql(to.table, to.columns, to, at)}`
      ]
    }
    default:
      throw invalid(`${path}.type: expected 'unique', 'check' or 'foreignKey'.`, `${path}.type`)
  }
}

const indexSql = (op: CreateIndex, path: string): string => {
  const name = indexName(op)
  const condition = op.where === undefined ? "" : ` WHERE ${sqlText(op.where, `${path}.where`)}`
  return (
    `CREATE ${op.unique === true ? "UNIQUE " : ""}INDEX ${op.concurrently === true ? "CONCURRENTLY " : ""}` +
    `${quoteColumn(name, `${path}.name`)} ON ${quoteTable(op.collection, `${path}.collection`)} ` +
    `(${columnList(op.fields, `${path}.fields`)})${condition}`
  )
}

export const indexName = (op: CreateIndex): string =>
  op.name ?? defaultName(op.unique === true ? "uq" : "idx", op.collection, op.fields)

const timestampFields: Fields = {
  created_at: { type: "timestamp", required: true, default: "now" },
  updated_at: { type: "timestamp", required: true, default: "now" }
}

/** Every column of a new table: with a key of its own if none is declared, and its timestamps. */
export const fieldsOfTable = (op: CreateCollection, path = "fields"): ReadonlyArray<ReadField> => {
  const declared = readFields(op.fields, path)
  const own = declared.some((field) => field.primaryKey)
  const named = declared.some((field) => field.name === "id")
  const keyed = own
    ? declared
    : named
      ? declared.map((field) => (field.name === "id" ? { ...field, primaryKey: true } : field))
      : [readField("id", { type: "uuid", primaryKey: true }), ...declared]
  if (op.timestamps !== true) return keyed
  const missing = readFields(timestampFields).filter(
    (field) => !declared.some(({ name }) => name === field.name)
  )
  return [...keyed, ...missing]
}

const createTable = (op: CreateCollection, path: string): ReadonlyArray<string> => {
  const table = quoteTable(op.name, `${path}.name`)
  const fields = fieldsOfTable(op, `${path}.fields`)
  const key = fields.filter((field) => field.primaryKey)
  const lines = fields.map((field) => columnSql(field, `${path}.fields.${field.name}`, key.length === 1))
  lines.push(`PRIMARY KEY (${key.map((field) => quoteColumn(field.name, path)).join(", ")})`)
  for (const field of fields) {
    for (const { name, sql } of constraintsOf(op.name, field, `${path}.fields.${field.name}`)) {
      lines.push(`CONSTRAINT ${quoteColumn(name, path)} ${sql}`)
    }
  }
  const options = op.sqlOptions ?? {}
  if (options.temporary === true && options.unlogged === true) {
    throw invalid(`${path}.sqlOptions: a temporary table cannot be unlogged too.`, `${path}.sqlOptions`)
  }
  const kind = options.temporary === true ? "TEMPORARY " : options.unlogged === true ? "UNLOGGED " : ""
  const guard = op.ifNotExists === true || options.ifNotExists === true ? "IF NOT EXISTS " : ""
  const space =
    options.tablespace === undefined
      ? ""
      : ` TABLESPACE ${quoteColumn(options.tablespace, `${path}.sqlOptions.tablespace`)}`
  return [
    `CREATE ${kind}TABLE ${guard}${table} (\n  ${lines.join(",\n  ")}\n)${space}`,
    ...fields
      .filter((field) => field.index)
      .map((field) => indexSql({ type: "createIndex", collection: op.name, fields: [field.name] }, path)),
    ...fields.flatMap((field) => commentSql(op.name, field, `${path}.fields.${field.name}`))
  ]
}

const addField = (op: AddField, path: string): ReadonlyArray<string> => {
  const { name, ...def } = op.field
  const at = `${path}.field`
  const field = readField(name, def, at)
  if (field.primaryKey) {
    throw invalid(`${at}.primaryKey: a table's key is made with the table.`, `${at}.primaryKey`)
  }
  const table = quoteTable(op.collection, `${path}.collection`)
  const constraints = constraintsOf(op.collection, field, at).map(
    (constraint) => `ADD CONSTRAINT ${quoteColumn(constraint.name, at)} ${constraint.sql}`
  )
  return [
    `ALTER TABLE ${table} ${[`ADD COLUMN ${columnSql(field, at)}`, ...constraints].join(", ")}`,
    ...(field.index
      ? [indexSql({ type: "createIndex", collection: op.collection, fields: [name] }, path)]
      : []),
    ...commentSql(op.collection, field, at)
  ]
}

const unchangeable = ["primaryKey", "autoIncrement", "autoGenerate", "references"] as const

const modifyField = (op: ModifyField, path: string): ReadonlyArray<string> => {
  const { changes } = op
  const at = `${path}.changes`
  for (const key of unchangeable) {
    if (changes[key] !== undefined) {
      throw invalid(`${at}.${key}: cannot be changed; add a field or a constraint instead.`, `${at}.${key}`)
    }
  }
  const length = changes.maxLength ?? changes.length ?? changes.maxlength
  const values = changes.enum ?? changes.enumValues
  const typed = changes.type !== undefined || changes.items !== undefined
  const numeric = changes.precision !== undefined || changes.scale !== undefined
  const type =
    changes.type ??
    (values !== undefined
      ? "enum"
      : length !== undefined || changes.minLength !== undefined
        ? "string"
        : numeric
          ? "decimal"
          : changes.items !== undefined
            ? "array"
            : changes.float === true
              ? "Number"
              : undefined)
  const { default: value, ...rest } = changes
  // Without a type the default is taken as it is written; the column's own type then reads it.
  const guessed = type ?? guessType(value)
  const field = readField(
    op.field,
    { ...rest, type: guessed, ...(value === undefined || value === null ? {} : { default: value }) },
    at
  )
  const table = quoteTable(op.collection, `${path}.collection`)
  const column = quoteColumn(op.field, `${path}.field`)
  const name = (prefix: "chk" | "uq", ...more: ReadonlyArray<string>): string =>
    quoteColumn(defaultName(prefix, op.collection, [op.field, ...more]), path)
  const drop: Array<string> = []
  const alter: Array<string> = []
  const add: Array<string> = []
  const checked = typed || values !== undefined || changes.minLength !== undefined
  if (checked) drop.push(`DROP CONSTRAINT IF EXISTS ${name("chk")}`)
  if (typed || length !== undefined) drop.push(`DROP CONSTRAINT IF EXISTS ${name("chk", "max")}`)
  if (typed || length !== undefined || numeric || changes.float === true) {
    const sql = typeSql(field, `${at}.type`)
    if (value !== undefined) alter.push(`ALTER COLUMN ${column} DROP DEFAULT`)
    alter.push(`ALTER COLUMN ${column} TYPE ${sql} USING ${column}::${sql}`)
  }
  if (value === null) alter.push(`ALTER COLUMN ${column} DROP DEFAULT`)
  else if (value !== undefined) {
    alter.push(`ALTER COLUMN ${column} SET DEFAULT ${defaultLiteral(field, typeSql(field), `${at}.default`)}`)
  }
  if (changes.required !== undefined || changes.nullable !== undefined) {
    alter.push(`ALTER COLUMN ${column} ${field.required ? "SET" : "DROP"} NOT NULL`)
  }
  if (checked || length !== undefined) {
    for (const check of checksOf(op.collection, field, at)) {
      add.push(`ADD CONSTRAINT ${quoteColumn(check.name, at)} ${check.sql}`)
    }
  }
  if (changes.unique === true) add.push(`ADD CONSTRAINT ${name("uq")} UNIQUE (${column})`)
  if (changes.unique === false) drop.push(`DROP CONSTRAINT IF EXISTS ${name("uq")}`)
  const statements: Array<string> = []
  for (const steps of [drop, alter, add]) {
    if (steps.length > 0) statements.push(`ALTER TABLE ${table} ${steps.join(", ")}`)
  }
  if (changes.index === true) {
    statements.push(indexSql({ type: "createIndex", collection: op.collection, fields: [op.field] }, path))
  }
  if (changes.index === false) {
    const index = quoteColumn(defaultName("idx", op.collection, [op.field]), path)
    statements.push(`DROP INDEX IF EXISTS ${schemaPrefix(op.collection)}${index}`)
  }
  statements.push(...commentSql(op.collection, field, at))
  if (statements.length === 0) throw invalid(`${at}: nothing to change.`, at)
  return statements
}

const guessType = (value: unknown): "text" | "decimal" | "boolean" | "datetime" | "json" => {
  if (typeof value === "number" || typeof value === "bigint") return "decimal"
  if (typeof value === "boolean") return "boolean"
  if (value === "now") return "datetime"
  return typeof value === "object" && value !== null ? "json" : "text"
}

/** Where a migration runs, for the steps that ask. */
export interface SqlTarget {
  /** Tag of the database. */
  readonly database: string
}

const here = new Set(["postgresql", "postgres", "pglite", "sql"])

/** Whether a raw step is meant for this database. */
export const isFor = (database: string, target: SqlTarget): boolean =>
  here.has(database.toLowerCase()) || database === target.database

/** The statements of one step. @throws `VALIDATION_ERROR` naming the place under `path` */
export const operationSql = (op: Op, target: SqlTarget, path = "op"): ReadonlyArray<string> => {
  switch (op.type) {
    case "createCollection":
      return createTable(op, path)
    case "dropCollection": {
      const guard = op.ifExists === true ? "IF EXISTS " : ""
      return [
        `DROP TABLE ${guard}${quoteTable(op.name, `${path}.name`)}${op.cascade === true ? " CASCADE" : ""}`
      ]
    }
    case "renameCollection": {
      const [schema, bare] = op.to.split(".")
      if (bare !== undefined && schema !== op.from.split(".")[0]) {
        throw invalid(`${path}.to: a table cannot be renamed into another schema.`, `${path}.to`)
      }
      return [
        `ALTER TABLE ${quoteTable(op.from, `${path}.from`)} RENAME TO ${quoteColumn(bare ?? op.to, `${path}.to`)}`
      ]
    }
    case "addField":
      return addField(op, path)
    case "dropField":
      return [
        `ALTER TABLE ${quoteTable(op.collection, `${path}.collection`)} DROP COLUMN ${quoteColumn(op.field, `${path}.field`)}`
      ]
    case "renameField":
      return [
        `ALTER TABLE ${quoteTable(op.collection, `${path}.collection`)} RENAME COLUMN ${quoteColumn(op.from, `${path}.from`)} TO ${quoteColumn(op.to, `${path}.to`)}`
      ]
    case "modifyField":
      return modifyField(op, path)
    case "createIndex":
      return [indexSql(op, path)]
    case "dropIndex": {
      quoteTable(op.collection, `${path}.collection`)
      return [`DROP INDEX ${schemaPrefix(op.collection)}${quoteColumn(op.name, `${path}.name`)}`]
    }
    case "addConstraint": {
      const at = `${path}.constraint`
      const [name, sql] = constraintSql(op.collection, op.constraint, at)
      const table = quoteTable(op.collection, `${path}.collection`)
      return [`ALTER TABLE ${table} ADD CONSTRAINT ${quoteColumn(name, `${at}.name`)} ${sql}`]
    }
    case "dropConstraint":
      return [
        `ALTER TABLE ${quoteTable(op.collection, `${path}.collection`)} DROP CONSTRAINT ${quoteColumn(op.name, `${path}.name`)}`
      ]
    case "raw": {
      if (!isFor(op.database, target)) return []
      const statements = splitStatements(op.statement)
      if (statements.length === 0)
        throw invalid(`${path}.statement: holds no statement.`, `${path}.statement`)
      if (statements.some(movesTransaction)) {
        throw invalid(
          `${path}.statement: the engine begins and ends transactions itself. For a migration without one, set transactional: false.`,
          `${path}.statement`
        )
      }
      return statements
    }
  }
}

/** Name of the constraint that a step adds. */
export const constraintName = (table: string, constraint: Constraint): string =>
  constraintSql(table, constraint, "constraint")[0]
