import { quoteTable } from "../sql/identifier.ts"
import { textLiteral } from "./literal.ts"

/** Runs a query on the catalogue, inside the transaction of the caller. */
export type Read = (
  text: string,
  params: ReadonlyArray<unknown>
) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>

const quoted = (name: unknown): string => `"${String(name).replaceAll('"', '""')}"`

interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly collation: string | null
  readonly required: boolean
  readonly expression: string | null
  readonly identity: string
  readonly generated: string
  readonly comment: string | null
  readonly sequence: string | null
}

const columnsSql = `
SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
  CASE WHEN co.collname IS NULL OR a.attcollation = t.typcollation THEN NULL
    ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(co.collname) END AS collation,
  a.attnotnull AS required, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression,
  a.attidentity::text AS identity, a.attgenerated::text AS generated,
  pg_catalog.col_description(a.attrelid, a.attnum) AS comment,
  CASE WHEN a.attidentity = '' THEN pg_catalog.pg_get_serial_sequence($1, a.attname) END AS sequence
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace
WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

/** Constraints of the table and those of others that refer to it; the NOT NULL ones are told by the columns. */
const constraintsSql = `
SELECT c.conname::text AS name, c.contype::text AS kind, c.conrelid::regclass::text AS on_table,
  pg_catalog.pg_get_constraintdef(c.oid) AS definition, c.conrelid = pg_catalog.to_regclass($1) AS own,
  ARRAY(SELECT k.attname::text FROM pg_catalog.unnest(CASE WHEN c.conrelid = pg_catalog.to_regclass($1) THEN c.conkey ELSE c.confkey END) AS u(attnum)
    JOIN pg_catalog.pg_attribute k ON k.attrelid = pg_catalog.to_regclass($1) AND k.attnum = u.attnum) AS columns
FROM pg_catalog.pg_constraint c
WHERE c.contype IN ('p', 'u', 'c', 'x', 'f')
  AND (c.conrelid = pg_catalog.to_regclass($1) OR c.confrelid = pg_catalog.to_regclass($1))
ORDER BY (c.contype = 'f'), (c.contype <> 'p'), c.conname`

const indexesSql = `
SELECT i.indexrelid::regclass::text AS name, k.relname::text AS plain, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
  ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid > 0) AS columns
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
WHERE i.indrelid = pg_catalog.to_regclass($1)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
ORDER BY 1`

interface ConstraintRow {
  readonly name: string
  readonly kind: string
  readonly on_table: string
  readonly definition: string
  readonly own: boolean
  readonly columns: ReadonlyArray<string>
}

interface IndexRow {
  readonly name: string
  readonly plain: string
  readonly definition: string
  readonly columns: ReadonlyArray<string>
}

/** A table as the catalogue has it, in SQL that makes it again. */
export interface TableSnapshot {
  readonly table: string
  readonly columns: ReadonlyArray<ColumnRow>
  readonly constraints: ReadonlyArray<ConstraintRow>
  readonly indexes: ReadonlyArray<IndexRow>
  readonly unlogged: boolean
  readonly comment: string | null
}

/** `undefined`: there is no such table. */
export const readSnapshot = async (read: Read, name: string): Promise<TableSnapshot | undefined> => {
  const table = quoteTable(name)
  const [found] = await read(
    `SELECT c.relpersistence::text AS persistence, pg_catalog.obj_description(c.oid, 'pg_class') AS comment
     FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'f')`,
    [table]
  )
  if (found === undefined) return undefined
  return {
    table,
    columns: (await read(columnsSql, [table])) as unknown as ReadonlyArray<ColumnRow>,
    constraints: (await read(constraintsSql, [table])) as unknown as ReadonlyArray<ConstraintRow>,
    indexes: (await read(indexesSql, [table])) as unknown as ReadonlyArray<IndexRow>,
    unlogged: found["persistence"] === "u",
    comment: (found["comment"] ?? null) as string | null
  }
}

const columnText = (column: ColumnRow): string => {
  const parts = [quoted(column.name), column.type]
  if (column.collation !== null) parts.push(`COLLATE ${column.collation}`)
  if (column.generated !== "") {
    parts.push(
      `GENERATED ALWAYS AS (${column.expression}) ${column.generated === "s" ? "STORED" : "VIRTUAL"}`
    )
  } else if (column.identity !== "") {
    parts.push(`GENERATED ${column.identity === "a" ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY`)
  } else if (column.expression !== null) parts.push(`DEFAULT ${column.expression}`)
  return parts.join(" ")
}

const sequences = (columns: ReadonlyArray<ColumnRow>) => columns.filter((column) => column.sequence !== null)

const before = (columns: ReadonlyArray<ColumnRow>): ReadonlyArray<string> =>
  sequences(columns).map((column) => `CREATE SEQUENCE IF NOT EXISTS ${column.sequence}`)

const after = (table: string, columns: ReadonlyArray<ColumnRow>): ReadonlyArray<string> => [
  ...sequences(columns).map(
    (column) => `ALTER SEQUENCE ${column.sequence} OWNED BY ${table}.${quoted(column.name)}`
  ),
  ...columns
    .filter((column) => column.comment !== null)
    .map(
      (column) =>
        `COMMENT ON COLUMN ${table}.${quoted(column.name)} IS ${textLiteral(column.comment ?? "", "comment")}`
    )
]

const addConstraint = (row: ConstraintRow): string =>
  `ALTER TABLE ${row.on_table} ADD CONSTRAINT ${quoted(row.name)} ${row.definition}`

/** Makes the dropped table again, with what others had that referred to it. */
export const restoreTable = (snapshot: TableSnapshot): ReadonlyArray<string> => {
  const { columns, comment, constraints, indexes, table, unlogged } = snapshot
  const lines = columns.map((column) => `${columnText(column)}${column.required ? " NOT NULL" : ""}`)
  return [
    ...before(columns),
    `CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${table} (\n  ${lines.join(",\n  ")}\n)`,
    ...constraints.map(addConstraint),
    ...indexes.map((index) => index.definition),
    ...after(table, columns),
    ...(comment === null ? [] : [`COMMENT ON TABLE ${table} IS ${textLiteral(comment, "comment")}`])
  ]
}

/**
 * Makes the dropped column again, at the end of the table. A column that must not be null becomes so
 * only where no row is left without a value: its data is gone.
 */
export const restoreColumn = (snapshot: TableSnapshot, name: string): ReadonlyArray<string> | undefined => {
  const { constraints, indexes, table } = snapshot
  const columns = snapshot.columns.filter((column) => column.name === name)
  const [column] = columns
  if (column === undefined) return undefined
  const statements = [...before(columns), `ALTER TABLE ${table} ADD COLUMN ${columnText(column)}`]
  if (column.required && column.identity === "") {
    const test = `EXISTS (SELECT FROM ${table} WHERE ${quoted(name)} IS NULL)`
    const alter = `ALTER TABLE ${table} ALTER COLUMN ${quoted(name)} SET NOT NULL`
    statements.push(`DO $ductape$ BEGIN IF NOT ${test} THEN ${alter}; END IF; END $ductape$`)
  }
  return [
    ...statements,
    ...constraints.filter((row) => row.columns.includes(name)).map(addConstraint),
    ...indexes.filter((row) => row.columns.includes(name)).map((row) => row.definition),
    ...after(table, columns)
  ]
}

/** Puts type, default, NOT NULL and the named constraints and indexes of a column back. */
export const restoreColumnState = (
  snapshot: TableSnapshot,
  name: string,
  constraintNames: ReadonlyArray<string>,
  index: string
): ReadonlyArray<string> | undefined => {
  const { table } = snapshot
  const column = snapshot.columns.find((one) => one.name === name)
  if (column === undefined) return undefined
  const drops = constraintNames.map((constraint) => `DROP CONSTRAINT IF EXISTS ${quoted(constraint)}`)
  const alter = `ALTER COLUMN ${quoted(name)}`
  const statements = [`ALTER TABLE ${table} ${drops.join(", ")}`]
  const plain = column.identity === "" && column.generated === ""
  const changes = [
    ...(plain ? [`${alter} DROP DEFAULT`] : []),
    `${alter} TYPE ${column.type} USING ${quoted(name)}::${column.type}`
  ]
  if (plain && column.expression !== null) changes.push(`${alter} SET DEFAULT ${column.expression}`)
  // An identity column, or one of a key, is never null and cannot be told to be.
  const keyed = snapshot.constraints.some((row) => row.kind === "p" && row.own && row.columns.includes(name))
  if (column.identity === "" && !keyed) changes.push(`${alter} ${column.required ? "SET" : "DROP"} NOT NULL`)
  statements.push(`ALTER TABLE ${table} ${changes.join(", ")}`)
  statements.push(
    ...snapshot.constraints.filter((row) => constraintNames.includes(row.name)).map(addConstraint)
  )
  const had = snapshot.indexes.find((row) => row.plain === index)
  const schema = table.includes(".") ? `${table.split(".")[0]}.` : ""
  statements.push(`DROP INDEX IF EXISTS ${schema}${quoted(index)}`)
  if (had !== undefined) statements.push(had.definition)
  statements.push(
    `COMMENT ON COLUMN ${table}.${quoted(name)} IS ${column.comment === null ? "NULL" : textLiteral(column.comment, "comment")}`
  )
  return statements
}

export const restoreConstraint = (
  snapshot: TableSnapshot,
  name: string
): ReadonlyArray<string> | undefined => {
  const own = snapshot.constraints.find((row) => row.own && row.name === name)
  if (own === undefined) return undefined
  // A key that others refer to goes only with them (CASCADE), which the step does not do.
  return [addConstraint(own)]
}

export const restoreIndex = (snapshot: TableSnapshot, name: string): ReadonlyArray<string> | undefined => {
  const index = snapshot.indexes.find((row) => row.plain === name)
  return index === undefined ? undefined : [index.definition]
}
