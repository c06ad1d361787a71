import type { Table as DrizzleTable } from "drizzle-orm"
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core"
import type { DatabaseHandle } from "./DatabaseHandle.ts"
import type { FindOneResult, FindResult, InsertedResult, SaveResult, UpsertedResult } from "./results.ts"
import type { Transaction } from "./Transaction.ts"
import type {
  CountInput,
  DeleteInput,
  FindInput,
  Include,
  InsertInput,
  Order,
  TxOptions,
  UpdateInput,
  UpsertInput
} from "./types.ts"

/** The tables of a drizzle schema, by their names in the database. */
export type SchemaTables<S> = {
  readonly [K in keyof S as S[K] extends DrizzleTable ? S[K]["_"]["name"] : never]: S[K] extends DrizzleTable
    ? S[K]
    : never
}

type ColumnsOf<T> = T extends DrizzleTable ? T["_"]["columns"] : never

interface ColumnShape {
  readonly name: string
  readonly columnType: string
  readonly data: unknown
  readonly notNull: boolean
  readonly hasDefault: boolean
}

type ShapeOf<C> = C extends { readonly _: infer M extends ColumnShape } ? M : never

/** Numbers that may be too exact for JavaScript come as text. */
type DataOf<M extends ColumnShape> = M["columnType"] extends "PgNumeric" | "PgBigInt53" | "PgBigInt64"
  ? number | string
  : M["data"]

/** A row as it is read: columns by their names in the database. */
export type RowOf<T> = {
  [K in keyof ColumnsOf<T> as ShapeOf<ColumnsOf<T>[K]>["name"]]: ShapeOf<
    ColumnsOf<T>[K]
  >["notNull"] extends true
    ? DataOf<ShapeOf<ColumnsOf<T>[K]>>
    : DataOf<ShapeOf<ColumnsOf<T>[K]>> | null
}

type Needed<M extends ColumnShape> = M["notNull"] extends true
  ? M["hasDefault"] extends true
    ? never
    : M["name"]
  : never

type Written<V> = V extends number | string ? V | number | string | bigint : V

/** A row as it is written: what has a default, or may be null, may be left out. */
export type NewRowOf<T> = {
  [K in keyof ColumnsOf<T> as Needed<ShapeOf<ColumnsOf<T>[K]>>]: DataOf<ShapeOf<ColumnsOf<T>[K]>>
} & {
  [K in keyof ColumnsOf<T> as ShapeOf<ColumnsOf<T>[K]>["name"]]?: DataOf<ShapeOf<ColumnsOf<T>[K]>> | null
}

type Condition<V> =
  | V
  | null
  | (V extends ReadonlyArray<infer E> ? { readonly $contains?: E } : never)
  | { readonly [operator: `$${string}`]: unknown }

/** Conditions on the table's columns. */
export type WhereOf<T> = { readonly [K in keyof RowOf<T>]?: Condition<RowOf<T>[K]> } & {
  readonly $and?: ReadonlyArray<WhereOf<T>> | WhereOf<T>
  readonly $or?: ReadonlyArray<WhereOf<T>> | WhereOf<T>
  readonly $nor?: ReadonlyArray<WhereOf<T>> | WhereOf<T>
  readonly $not?: WhereOf<T>
}

type Name<T> = keyof RowOf<T> & string

/** Includes in map form: each names its table, or is called like it. */
export type IncludesOf<S> = {
  readonly [relation: string]: Omit<Include, "relation" | "table"> & {
    readonly table?: keyof SchemaTables<S> & string
  }
}

type TargetOf<S, K, I> = I extends { readonly table: infer N extends keyof SchemaTables<S> }
  ? SchemaTables<S>[N]
  : K extends keyof SchemaTables<S>
    ? SchemaTables<S>[K]
    : never

type IncludedOf<S, I> = {
  [K in keyof I]: [TargetOf<S, K, I[K]>] extends [never]
    ? unknown
    : I[K] extends { readonly type: "many-to-one" }
      ? RowOf<TargetOf<S, K, I[K]>> | null
      : I[K] extends { readonly type: string }
        ? Array<RowOf<TargetOf<S, K, I[K]>>>
        : unknown
}

/** The columns of `select`, or all of them. */
type Selected<T, C> = [C] extends [never] ? RowOf<T> : Pick<RowOf<T>, C & keyof RowOf<T>>

type TableInputOf<N> = { readonly table: N; readonly entity?: never; readonly collection?: never }

type FindOf<S, N extends keyof SchemaTables<S>, C extends string, I> = Omit<
  FindInput,
  "table" | "entity" | "collection" | "select" | "where" | "orderBy" | "include"
> &
  TableInputOf<N> & {
    readonly select?: ReadonlyArray<C>
    readonly where?: WhereOf<SchemaTables<S>[N]>
    readonly orderBy?: Order<Name<SchemaTables<S>[N]>> | ReadonlyArray<Order<Name<SchemaTables<S>[N]>>>
    readonly include?: I
  }

type SaveRows<T> = NewRowOf<T> | ReadonlyArray<NewRowOf<T>>

/** The calls of a handle, typed from a drizzle schema. Columns have their names in the database. */
export interface TypedCalls<S> {
  find<
    N extends keyof SchemaTables<S> & string,
    C extends Name<SchemaTables<S>[N]> = never,
    const I extends IncludesOf<S> = Record<never, never>
  >(input: FindOf<S, N, C, I>): Promise<FindResult<Selected<SchemaTables<S>[N], C> & IncludedOf<S, I>>>
  findOne<
    N extends keyof SchemaTables<S> & string,
    C extends Name<SchemaTables<S>[N]> = never,
    const I extends IncludesOf<S> = Record<never, never>
  >(input: FindOf<S, N, C, I>): Promise<FindOneResult<Selected<SchemaTables<S>[N], C> & IncludedOf<S, I>>>
  stream<N extends keyof SchemaTables<S> & string, C extends Name<SchemaTables<S>[N]> = never>(
    input: FindOf<S, N, C, Record<never, never>> & { readonly batch?: number }
  ): AsyncIterableIterator<Selected<SchemaTables<S>[N], C>>
  insert<N extends keyof SchemaTables<S> & string>(
    input: Omit<InsertInput, "table" | "entity" | "collection" | "records" | "data"> &
      TableInputOf<N> & { readonly records: SaveRows<SchemaTables<S>[N]> }
  ): Promise<InsertedResult<RowOf<SchemaTables<S>[N]>>>
  upsert<N extends keyof SchemaTables<S> & string>(
    input: Omit<UpsertInput, "table" | "entity" | "collection" | "records" | "data" | "conflictKeys"> &
      TableInputOf<N> & {
        readonly records: SaveRows<SchemaTables<S>[N]>
        readonly conflictKeys: ReadonlyArray<Name<SchemaTables<S>[N]>>
      }
  ): Promise<UpsertedResult<RowOf<SchemaTables<S>[N]>>>
  update<N extends keyof SchemaTables<S> & string>(
    input: Omit<UpdateInput, "table" | "entity" | "collection" | "data" | "where"> &
      TableInputOf<N> & {
        readonly data: {
          readonly [K in keyof RowOf<SchemaTables<S>[N]>]?:
            | Written<RowOf<SchemaTables<S>[N]>[K]>
            | { readonly [operator: `$${string}`]: unknown }
        }
        readonly where?: WhereOf<SchemaTables<S>[N]>
      }
  ): Promise<SaveResult<RowOf<SchemaTables<S>[N]>>>
  delete<N extends keyof SchemaTables<S> & string>(
    input: Omit<DeleteInput, "table" | "entity" | "collection" | "where"> &
      TableInputOf<N> & { readonly where?: WhereOf<SchemaTables<S>[N]> }
  ): Promise<SaveResult<RowOf<SchemaTables<S>[N]>>>
  count<N extends keyof SchemaTables<S> & string>(
    input: Omit<CountInput, "table" | "entity" | "collection" | "where" | "column"> &
      TableInputOf<N> & {
        readonly where?: WhereOf<SchemaTables<S>[N]>
        readonly column?: Name<SchemaTables<S>[N]> | "*"
      }
  ): Promise<number>
}

/** What drizzle makes of a schema. */
export type DrizzleOf<S> = S extends Record<string, unknown> ? PgDatabase<PgQueryResultHKT, S> : unknown

/** A transaction of a typed handle. */
export type TypedTransaction<S> = Omit<Transaction, keyof TypedCalls<S> | "drizzle" | "transaction"> &
  TypedCalls<S> & {
    readonly drizzle: DrizzleOf<S>
    transaction<T>(run: (tx: TypedTransaction<S>) => Promise<T> | T): Promise<T>
  }

/** A handle of `connect({ database, schema })`. */
export type TypedHandle<S> = Omit<
  DatabaseHandle,
  keyof TypedCalls<S> | "drizzle" | "transaction" | "beginTransaction"
> &
  TypedCalls<S> & {
    /** drizzle over the same pool, for what goes beyond these calls. */
    readonly drizzle: DrizzleOf<S>
    transaction<T>(run: (tx: TypedTransaction<S>) => Promise<T> | T): Promise<T>
    transaction<T>(options: TxOptions, run: (tx: TypedTransaction<S>) => Promise<T> | T): Promise<T>
    beginTransaction(options?: TxOptions): Promise<TypedTransaction<S>>
    [Symbol.asyncDispose](): Promise<void>
  }
