import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import { historyTable, journalTable } from "../migration/history.ts"
import { isIdentifier, quoteTable } from "../sql/identifier.ts"

export interface ColumnInfo {
  readonly name: string
  /** As PostgreSQL writes it: `character varying(40)`. */
  readonly type: string
  readonly nullable: boolean
  /** SQL of the default; `null`: none. */
  readonly default: string | null
  readonly isPrimaryKey: boolean
}

export interface IndexInfo {
  readonly name: string
  /** In order; of an index on an expression, its text. */
  readonly columns: ReadonlyArray<string>
  readonly unique: boolean
  readonly primaryKey: boolean
}

export interface ConstraintInfo {
  readonly name: string
  readonly type: "primaryKey" | "unique" | "check" | "foreignKey" | "exclusion"
  readonly columns: ReadonlyArray<string>
  /** SQL behind the name. */
  readonly definition: string
  readonly references?: { readonly table: string; readonly columns: ReadonlyArray<string> }
}

export interface TableDescription {
  readonly name: string
  readonly columns: ReadonlyArray<ColumnInfo>
  readonly indexes: ReadonlyArray<IndexInfo>
  readonly constraints: ReadonlyArray<ConstraintInfo>
}

const own = new Set([historyTable, journalTable])

/** Tables of a schema by name, without those of the library; default: the current one. */
export const listTables = async (access: DatabaseAccess, schema?: string): Promise<Array<string>> => {
  if (schema !== undefined && !isIdentifier(schema)) throw invalid("schema: expected a name.", "schema")
  const { rows } = await access.execute(
    `SELECT c.relname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname = COALESCE($1::text, current_schema()) ORDER BY c.relname COLLATE "C"`,
    [schema ?? null]
  )
  return rows.map((row) => row["name"] as string).filter((name) => !own.has(name))
}

export const tableExists = async (access: DatabaseAccess, table: string): Promise<boolean> => {
  const { rows } = await access.execute(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p')) AS there",
    [quoteTable(table)]
  )
  return rows[0]?.["there"] === true
}

export const listIndexes = async (access: DatabaseAccess, table: string): Promise<Array<IndexInfo>> => {
  await needTable(access, table)
  const { rows } = await access.execute(
    `SELECT k.relname::text AS name, i.indisunique AS "unique", i.indisprimary AS "primaryKey",
      ARRAY(SELECT COALESCE(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, o.n::int, true))
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS o(attnum, n)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = o.attnum AND o.attnum > 0
        WHERE o.n <= i.indnkeyatts ORDER BY o.n) AS columns
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
     WHERE i.indrelid = pg_catalog.to_regclass($1) ORDER BY k.relname COLLATE "C"`,
    [quoteTable(table)]
  )
  return rows as unknown as Array<IndexInfo>
}

const kinds: Readonly<Record<string, ConstraintInfo["type"]>> = {
  p: "primaryKey",
  u: "unique",
  c: "check",
  f: "foreignKey",
  x: "exclusion"
}

/** @throws `TABLE_NOT_FOUND` */
export const describeTable = async (access: DatabaseAccess, table: string): Promise<TableDescription> => {
  await needTable(access, table)
  const name = quoteTable(table)
  const { rows: columns } = await access.execute(
    `SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
      CASE WHEN a.attidentity <> '' THEN 'generated ' || CASE a.attidentity WHEN 'a' THEN 'always' ELSE 'by default' END || ' as identity'
        ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS "default",
      EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey::int2[])) AS "isPrimaryKey"
     FROM pg_catalog.pg_attribute a
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [name]
  )
  const { rows: constraints } = await access.execute(
    `SELECT c.conname::text AS name, c.contype::text AS kind, pg_catalog.pg_get_constraintdef(c.oid) AS definition,
      CASE WHEN c.contype = 'f' THEN c.confrelid::regclass::text END AS referenced,
      ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS o(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = o.attnum ORDER BY o.n) AS columns,
      ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY AS o(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = o.attnum ORDER BY o.n) AS "referencedColumns"
     FROM pg_catalog.pg_constraint c
     WHERE c.conrelid = pg_catalog.to_regclass($1) AND c.contype IN ('p', 'u', 'c', 'f', 'x') ORDER BY c.conname COLLATE "C"`,
    [name]
  )
  return {
    name: table,
    columns: columns as unknown as ReadonlyArray<ColumnInfo>,
    indexes: await listIndexes(access, table),
    constraints: constraints.map((row) => ({
      name: row["name"] as string,
      type: kinds[row["kind"] as string] ?? "check",
      columns: row["columns"] as ReadonlyArray<string>,
      definition: row["definition"] as string,
      ...(row["referenced"] === null
        ? {}
        : {
            references: {
              table: String(row["referenced"]).replaceAll('"', ""),
              columns: row["referencedColumns"] as ReadonlyArray<string>
            }
          })
    }))
  }
}

const needTable = async (access: DatabaseAccess, table: string): Promise<void> => {
  if (await tableExists(access, table)) return
  throw new DatabaseError({
    code: "TABLE_NOT_FOUND",
    message: `There is no table '${table}'. Create it with schema.create or a migration.`,
    database: access.identity.database,
    table
  })
}
