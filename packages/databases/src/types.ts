import type { SessionInput } from "@ductape/core"
import type { PreSaveConfig, PreSaveOp } from "./presave/PreSaveOp.ts"
import type { Transaction } from "./Transaction.ts"

export type Row = Record<string, unknown>

/** What every call on a database takes. */
export interface Target {
  /** Tag of the database; connects on first use and leaves the active connection alone. */
  readonly database?: string | undefined
  readonly product?: string | undefined
  /** Older spelling of `product`. */
  readonly product_tag?: string | undefined
  readonly env?: string | undefined
  readonly transaction?: Transaction | undefined
  /** Verified first; then `$Session{…}` standing alone as a filter or row value is read from it. */
  readonly session?: SessionInput | undefined
  /** Deadline of the whole call in milliseconds. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Tag of a cache; reads only. */
  readonly cache?: string | undefined
}

/** The table, and other names for it. */
export interface TableInput {
  /** `table` or `schema.table`. */
  readonly table?: string | undefined
  readonly entity?: string | undefined
  readonly collection?: string | undefined
}

export type Group = ReadonlyArray<Where> | Where

/** Conditions on columns, ANDed; `$and`, `$or`, `$nor`, `$not` combine them. */
export interface Where {
  readonly $and?: Group
  readonly $or?: Group
  readonly $nor?: Group
  readonly $not?: Where
  readonly [column: string]: unknown
}

export const SortOrder = { ASC: "ASC", DESC: "DESC" } as const

/**
 * Ascending puts nulls last, descending first, as PostgreSQL does. Text goes by code point
 * (`COLLATE "C"`), so that every database and JavaScript agree.
 */
export interface Order<Column extends string = string> {
  readonly column: Column
  /** In any letter case. Default: `ASC`. */
  readonly order?: "ASC" | "DESC" | "asc" | "desc" | undefined
}

export type IncludeType = "many-to-one" | "one-to-many" | "many-to-many"

export interface Include {
  /** The property that it becomes in each record. */
  readonly relation: string
  /** Told from the foreign keys of the two tables when left out. */
  readonly type?: IncludeType | undefined
  /** Default: the relation's name, then its plural. */
  readonly table?: string | undefined
  /** many-to-one: on the queried table; one-to-many: on the target; many-to-many: on `through`. */
  readonly foreignKey?: string | undefined
  /** Column that the foreign key refers to. Default: as the database says, else `id`. */
  readonly primaryKey?: string | undefined
  /** The table between, for many-to-many. */
  readonly through?: string | undefined
  /** Column of `through` that refers to the queried table. */
  readonly throughForeignKey?: string | undefined
  /** Column of `through` that refers to the target. */
  readonly throughRelatedKey?: string | undefined
  readonly select?: ReadonlyArray<string> | undefined
  readonly where?: Where | undefined
  readonly orderBy?: Order | ReadonlyArray<Order> | undefined
  /** For each parent. */
  readonly limit?: number | undefined
  readonly include?: Includes | undefined
}

/** One, several, or by relation name. */
export type Includes =
  | Include
  | ReadonlyArray<Include>
  | { readonly [relation: string]: Omit<Include, "relation"> }

export interface FindInput extends Target, TableInput {
  readonly select?: ReadonlyArray<string> | undefined
  readonly where?: Where | undefined
  readonly orderBy?: Order | ReadonlyArray<Order> | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  readonly include?: Includes | undefined
  /** `false`: do not count what limit and offset leave out; `count` is then that of `records`. */
  readonly count?: boolean | undefined
  /**
   * Keyset paging: `null` for the first page, then the `nextCursor` of the page before. Needs
   * `limit`; the order is completed by the primary key, so that ties neither repeat nor go missing.
   */
  readonly after?: string | null | undefined
}

export interface Save {
  /** `true`: all columns. Default: none. */
  readonly returning?: boolean | ReadonlyArray<string> | undefined
  /** Changes and checks before the rows are sent; see `PreSave`. */
  readonly preSave?: ReadonlyArray<PreSaveOp> | undefined
  readonly preSaveConfig?: PreSaveConfig | undefined
}

export interface InsertInput extends Target, TableInput, Save {
  readonly records?: Row | ReadonlyArray<Row> | undefined
  /** The same as `records`. */
  readonly data?: Row | ReadonlyArray<Row> | undefined
  readonly onConflict?:
    | {
        readonly columns: ReadonlyArray<string>
        readonly action: "update" | "ignore"
        /** Default: every column given that is no key. */
        readonly update?: ReadonlyArray<string> | undefined
      }
    | undefined
  /** Called after each chunk with the rows written so far and the rows in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface UpsertInput extends Target, TableInput, Save {
  readonly records?: Row | ReadonlyArray<Row> | undefined
  readonly data?: Row | ReadonlyArray<Row> | undefined
  readonly conflictKeys?: ReadonlyArray<string> | undefined
  /** The same as `conflictKeys`. */
  readonly conflictColumns?: ReadonlyArray<string> | undefined
  readonly updateColumns?: ReadonlyArray<string> | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface UpdateInput extends Target, TableInput, Save {
  /** New values by column; an object of one `$` operator changes the old value. */
  readonly data: Row
  readonly where?: Where | undefined
  /** Change every row of the table. */
  readonly all?: true | undefined
}

export interface DeleteInput extends Target, TableInput {
  readonly where?: Where | undefined
  /** Delete every row of the table. */
  readonly all?: true | undefined
  readonly returning?: boolean | ReadonlyArray<string> | undefined
}

export interface CountInput extends Target, TableInput {
  readonly where?: Where | undefined
  /** Counts rows where it is not null. Default: `*`. */
  readonly column?: string | undefined
  readonly distinct?: boolean | undefined
}

export interface ColumnAggregateInput extends Target, TableInput {
  readonly where?: Where | undefined
  readonly column?: string | undefined
  readonly field?: string | undefined
}

export type AggregateSpec =
  | { readonly $count: string }
  | { readonly $sum: string }
  | { readonly $avg: string }
  | { readonly $min: string }
  | { readonly $max: string }
  | { readonly $arrayAgg: string }
  | { readonly $stringAgg: { readonly column: string; readonly separator?: string } }
  | { readonly $groupConcat: { readonly column: string; readonly separator?: string } }

export type AggregateSpecs = Readonly<Record<string, AggregateSpec>>

/** Older list form of {@link AggregateSpecs}. */
export interface Aggregation {
  readonly type: string
  readonly field?: string
  readonly column?: string
  readonly alias: string
}

export interface AggregateInput extends Target, TableInput {
  readonly where?: Where | undefined
  readonly operations?: AggregateSpecs | undefined
  readonly aggregations?: ReadonlyArray<Aggregation> | undefined
  readonly groupBy?: ReadonlyArray<string> | undefined
  readonly having?: Where | undefined
  /** Older form: one aggregate, returned as `{ value }`. */
  readonly operation?: string | undefined
  readonly column?: string | undefined
}

export interface GroupByInput extends Target, TableInput {
  readonly where?: Where | undefined
  readonly groupBy: ReadonlyArray<string>
  readonly aggregate?: AggregateSpecs | undefined
  readonly operations?: AggregateSpecs | undefined
  readonly having?: Where | undefined
  /** Aliases, or columns of `groupBy`. */
  readonly orderBy?: Order | ReadonlyArray<Order> | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

export interface RawInput extends Target {
  /** One statement, with placeholders `$1`, `$2`, …. */
  readonly query?: string | undefined
  readonly sql?: string | undefined
  readonly params?: ReadonlyArray<unknown> | undefined
  readonly collection?: string | undefined
}

export interface RawResult<T = Row> {
  readonly records: Array<T>
  readonly count: number
  readonly fields: Array<string>
}

export interface InsertResult<T = Row> {
  readonly records: Array<T>
  readonly count: number
  /** Primary keys in the order of the input; objects where the key has several columns. */
  readonly insertedIds: Array<unknown>
}

export interface UpsertResult<T = Row> {
  readonly records: Array<T>
  readonly count: number
  readonly operation: "inserted" | "updated" | "mixed"
}

export interface WriteResult<T = Row> {
  readonly records: Array<T>
  readonly count: number
}

export type IsolationLevel = "READ_UNCOMMITTED" | "READ_COMMITTED" | "REPEATABLE_READ" | "SERIALIZABLE"

export interface TxOptions {
  readonly database?: string | undefined
  readonly product?: string | undefined
  readonly env?: string | undefined
  /** Milliseconds from begin to commit; then everything is rolled back. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly readOnly?: boolean | undefined
  /** With `SERIALIZABLE` and `readOnly` only: waits for a snapshot that can never fail. */
  readonly deferrable?: boolean | undefined
  /** A savepoint around each statement, so that one that fails leaves the transaction usable. */
  readonly statementSavepoints?: boolean | undefined
  readonly isolationLevel?: IsolationLevel | undefined
  /** Runs the callback again, at most so often, after a serialization failure or deadlock. Default: 0. */
  readonly retries?: number | undefined
  /** Joins this transaction through a savepoint instead of beginning one. */
  readonly transaction?: Transaction | undefined
}
