import type { DriverResult } from "../DatabaseDriver.ts"
import { DatabaseError } from "../DatabaseError.ts"
import { quoteTable } from "./identifier.ts"
import { kindOfType, type ValueKind } from "./pgTypes.ts"

export interface ColumnType {
  readonly kind: ValueKind
  /** `int4`, `varchar`, …; of a domain, its base type. */
  readonly name: string
  readonly oid: number
  /** As SQL writes it, without length or precision: `character varying`. */
  readonly sql: string
  readonly element?: ColumnType | undefined
  /** Of an enum. */
  readonly labels?: ReadonlyArray<string> | undefined
}

export interface Column extends ColumnType {
  readonly column: string
  readonly nullable: boolean
  readonly hasDefault: boolean
  /** Sorts by code point already, so that no COLLATE is needed. */
  readonly binary: boolean
}

export interface ForeignKey {
  readonly table: string
  readonly columns: ReadonlyArray<string>
  readonly referenced: string
  readonly referencedColumns: ReadonlyArray<string>
}

/** What the compiler needs to know of a table. */
export interface Table {
  /** As the caller wrote it. */
  readonly name: string
  /** Quoted, for SQL. */
  readonly sql: string
  readonly columns: ReadonlyMap<string, Column>
  readonly primaryKey: ReadonlyArray<string>
  /** Column sets with a unique index, without predicate or expressions. The primary key is one. */
  readonly unique: ReadonlyArray<ReadonlyArray<string>>
  /** From this table to others. */
  readonly references: ReadonlyArray<ForeignKey>
  /** From others to this table. */
  readonly referencedBy: ReadonlyArray<ForeignKey>
}

const typeJson = (t: string): string => `
  'type', ${t}.typname, 'oid', ${t}.oid::int8, 'typtype', ${t}.typtype, 'category', ${t}.typcategory,
  'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = ${t}.oid),
  'sql', pg_catalog.format_type(${t}.oid, NULL)`

/** One round trip for all of a table. */
const tableSql = `
SELECT
  (SELECT json_agg(json_build_object(
      'name', a.attname, 'notNull', a.attnotnull,
      'hasDefault', a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '',
      'collation', co.collname, ${typeJson("t")},
      'element', CASE WHEN e.oid IS NULL THEN NULL ELSE json_build_object(${typeJson("e")}) END
    ) ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a
   JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
   JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
   LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
   LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT json_agg(json_build_object('primary', i.indisprimary, 'columns',
      (SELECT json_agg(k.attname ORDER BY o.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS o(attnum, n)
       JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attnum = o.attnum WHERE o.n <= i.indnkeyatts)))
   FROM pg_catalog.pg_index i
   WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid) AS keys,
  (SELECT json_agg(json_build_object(
      'own', f.conrelid = c.oid, 'self', f.conrelid = f.confrelid,
      'table', f.conrelid::regclass::text, 'referenced', f.confrelid::regclass::text,
      'columns', (SELECT json_agg(k.attname ORDER BY o.n) FROM unnest(f.conkey) WITH ORDINALITY AS o(attnum, n)
        JOIN pg_catalog.pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = o.attnum),
      'referencedColumns', (SELECT json_agg(k.attname ORDER BY o.n) FROM unnest(f.confkey) WITH ORDINALITY AS o(attnum, n)
        JOIN pg_catalog.pg_attribute k ON k.attrelid = f.confrelid AND k.attnum = o.attnum)
    ) ORDER BY f.conname)
   FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND (f.conrelid = c.oid OR f.confrelid = c.oid)) AS keys_out,
  (SELECT CASE to_jsonb(db) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'C' ELSE db.datcollate END
   FROM pg_catalog.pg_database db WHERE db.datname = current_database()) AS collate
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

interface TypeRow {
  readonly type: string
  readonly oid: number
  readonly typtype: string
  readonly category: string
  readonly labels: ReadonlyArray<string> | null
  readonly sql: string
}

interface ColumnRow extends TypeRow {
  readonly name: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly collation: string | null
  readonly element: TypeRow | null
}

interface KeyRow {
  readonly own: boolean
  readonly self: boolean
  readonly table: string
  readonly referenced: string
  readonly columns: ReadonlyArray<string>
  readonly referencedColumns: ReadonlyArray<string>
}

/** Without a length, these words mean a length of 1 in a cast. */
const unbounded: Readonly<Record<string, string>> = {
  character: "bpchar",
  "character[]": "bpchar[]",
  bit: '"bit"',
  "bit[]": '"bit"[]'
}

const typeOf = (row: TypeRow): ColumnType => ({
  kind: kindOfType(row.type, row.typtype, row.category),
  name: row.type,
  oid: row.oid,
  sql: unbounded[row.sql] ?? row.sql,
  labels: row.labels ?? undefined
})

/** `"Order Lines"` (as regclass prints it) → `Order Lines`; quoted names hold no quotes of ours. */
const plain = (regclass: string): string => regclass.replaceAll('"', "")

/** Locales whose order is that of the bytes, as is that of every locale of the builtin provider. */
const binaryLocale = /^(?:C|POSIX|C\.UTF-?8|ucs_basic|pg_c_utf8|pg_unicode_fast)$/i

const readTable = (name: string, sql: string, row: Readonly<Record<string, unknown>>): Table => {
  const columns = new Map<string, Column>()
  const database = String(row["collate"] ?? "")
  for (const column of (row["columns"] ?? []) as ReadonlyArray<ColumnRow>) {
    const collation = column.collation === "default" ? database : (column.collation ?? "C")
    columns.set(column.name, {
      ...typeOf(column),
      element: column.element === null ? undefined : typeOf(column.element),
      column: column.name,
      nullable: !column.notNull,
      hasDefault: column.hasDefault,
      binary: binaryLocale.test(collation)
    })
  }
  const keys = (row["keys"] ?? []) as ReadonlyArray<{
    readonly primary: boolean
    readonly columns: ReadonlyArray<string>
  }>
  const links = (row["keys_out"] ?? []) as ReadonlyArray<KeyRow>
  const link = (key: KeyRow): ForeignKey => ({
    table: plain(key.table),
    columns: key.columns,
    referenced: plain(key.referenced),
    referencedColumns: key.referencedColumns
  })
  return {
    name,
    sql,
    columns,
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    unique: keys.map((key) => key.columns),
    references: links.filter((key) => key.own).map(link),
    referencedBy: links.filter((key) => !key.own || key.self).map(link)
  }
}

/**
 * The tables of one database, read on first use and kept until a statement of this process changes
 * them, or the server says that something is not as it was.
 */
export class Catalogue {
  readonly #tables = new Map<string, Table>()
  readonly #loading = new Map<string, Promise<Table | undefined>>()
  readonly #query: (text: string, params: ReadonlyArray<string>) => Promise<DriverResult>
  readonly #changed: () => void

  constructor(
    query: (text: string, params: ReadonlyArray<string>) => Promise<DriverResult>,
    /** Called when what was compiled from the catalogue must go. */
    changed: () => void
  ) {
    this.#query = query
    this.#changed = changed
  }

  /** Without waiting, if it is known. */
  peek(name: string): Table | undefined {
    return this.#tables.get(name)
  }

  /**
   * @param query where to look, if not on any connection: inside a transaction, its own, which sees
   *   tables that are not committed yet
   */
  async find(
    name: string,
    query?: (text: string, params: ReadonlyArray<string>) => Promise<DriverResult>
  ): Promise<Table | undefined> {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const under = query === undefined ? this.#loading.get(name) : undefined
    if (under !== undefined) return under
    const load = this.#load(name, query ?? this.#query)
    if (query !== undefined) return load
    this.#loading.set(name, load)
    try {
      return await load
    } finally {
      this.#loading.delete(name)
    }
  }

  /** @throws `TABLE_NOT_FOUND` */
  async table(
    name: string,
    query?: (text: string, params: ReadonlyArray<string>) => Promise<DriverResult>
  ): Promise<Table> {
    const table = await this.find(name, query)
    if (table === undefined) {
      throw new DatabaseError({
        code: "TABLE_NOT_FOUND",
        message: `There is no table '${name}'. Create it with schema.create or a migration, or write 'schema.table' if it is not on the search path.`,
        table: name
      })
    }
    return table
  }

  /** Forgets a table, or all of them. */
  invalidate(name?: string): void {
    if (name === undefined) this.#tables.clear()
    else this.#tables.delete(name)
    this.#changed()
  }

  async #load(
    name: string,
    query: NonNullable<Parameters<Catalogue["find"]>[1]>
  ): Promise<Table | undefined> {
    const sql = quoteTable(name)
    const { rows } = await query(tableSql, [sql])
    const [row] = rows
    if (row === undefined) return undefined
    const table = readTable(name, sql, row)
    this.#tables.set(name, table)
    return table
  }
}
