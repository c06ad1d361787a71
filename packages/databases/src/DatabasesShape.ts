import type { AdapterPackage, ContextDefaults } from "@ductape/core"
import type * as Effect from "effect/Effect"
import type { PoolOptions } from "./connect.ts"
import type { DatabaseAdapter } from "./DatabaseDriver.ts"
import type { DatabaseHandle } from "./DatabaseHandle.ts"
import type { Failure } from "./Failure.ts"
import type { RegistryCalls } from "./registryCalls.ts"
import type {
  FindOneResult,
  FindResult,
  InsertedResult,
  QueryResult,
  SaveResult,
  UpsertedResult
} from "./results.ts"
import type { Namespaces } from "./schema/namespaces.ts"
import type { Transaction } from "./Transaction.ts"
import type { TypedHandle } from "./typed.ts"
import type {
  AggregateInput,
  ColumnAggregateInput,
  CountInput,
  DeleteInput,
  FindInput,
  GroupByInput,
  InsertInput,
  RawInput,
  Row,
  Target,
  TxOptions,
  UpdateInput,
  UpsertInput
} from "./types.ts"

export interface DatabasesOptions extends ContextDefaults {
  /** `[postgres(), pglite()]`; they win over packages. */
  readonly adapters?: ReadonlyArray<DatabaseAdapter> | undefined
  /** Where an adapter that was not passed is imported from, by URL scheme. */
  readonly packages?: Readonly<Record<string, AdapterPackage>> | undefined
}

export interface ConnectInput extends PoolOptions {
  readonly database?: string | undefined
  /** The same as `database`. */
  readonly tag?: string | undefined
  readonly product?: string | undefined
  readonly product_tag?: string | undefined
  readonly env?: string | undefined
  /** A drizzle schema: types the handle's calls. */
  readonly schema?: Record<string, unknown> | undefined
}

export interface ConnectionTest {
  readonly connected: boolean
  readonly version?: string
  /** Milliseconds. */
  readonly latency?: number
  readonly error?: string
}

export type RowMethod =
  | "find"
  | "query"
  | "findOne"
  | "insert"
  | "upsert"
  | "updateRecords"
  | "count"
  | "sum"
  | "avg"
  | "min"
  | "max"
  | "aggregate"
  | "groupBy"
  | "raw"

/** The calls of a handle as Effects: the same inputs, the same results. */
export interface RowCalls {
  readonly find: <T = Row>(input: FindInput) => Effect.Effect<FindResult<T>, Failure>
  readonly query: <T = Row>(
    input: FindInput | RawInput
  ) => Effect.Effect<FindResult<T> | QueryResult<T>, Failure>
  readonly findOne: <T = Row>(input: FindInput) => Effect.Effect<FindOneResult<T>, Failure>
  readonly insert: <T = Row>(input: InsertInput) => Effect.Effect<InsertedResult<T>, Failure>
  readonly upsert: <T = Row>(input: UpsertInput) => Effect.Effect<UpsertedResult<T>, Failure>
  readonly updateRecords: <T = Row>(input: UpdateInput) => Effect.Effect<SaveResult<T>, Failure>
  readonly count: (input: CountInput) => Effect.Effect<number, Failure>
  readonly sum: (input: ColumnAggregateInput) => Effect.Effect<unknown, Failure>
  readonly avg: (input: ColumnAggregateInput) => Effect.Effect<unknown, Failure>
  readonly min: (input: ColumnAggregateInput) => Effect.Effect<unknown, Failure>
  readonly max: (input: ColumnAggregateInput) => Effect.Effect<unknown, Failure>
  readonly aggregate: <T = Row>(input: AggregateInput) => Effect.Effect<T, Failure>
  readonly groupBy: <T = Row>(input: GroupByInput) => Effect.Effect<Array<T>, Failure>
  readonly raw: <T = Row>(input: RawInput) => Effect.Effect<QueryResult<T>, Failure>
}

/** Relational databases of the workspace's products. */
export interface DatabasesShape extends RowCalls, Namespaces, Omit<RegistryCalls, "update" | "delete"> {
  /** A string first: the definition; an object: rows. */
  readonly update: RegistryCalls["update"] &
    (<T = Row>(input: UpdateInput) => Effect.Effect<SaveResult<T>, Failure>)
  readonly delete: RegistryCalls["delete"] &
    (<T = Row>(input: DeleteInput) => Effect.Effect<SaveResult<T>, Failure>)
  /** Opens the database, or joins the pool that is open, and makes it the active connection. */
  readonly connect: {
    /** With a drizzle schema the handle's calls are typed from it. */
    <S extends Record<string, unknown>>(
      input: ConnectInput & { readonly schema: S }
    ): Effect.Effect<TypedHandle<S>, Failure>
    (input: ConnectInput): Effect.Effect<DatabaseHandle, Failure>
  }
  /** Fails only when the database is not registered. */
  readonly testConnection: (input: ConnectInput) => Effect.Effect<ConnectionTest, Failure>
  /** Closes the pool of the active connection. */
  readonly disconnect: () => Effect.Effect<void>
  readonly closeAll: () => Effect.Effect<void>
  readonly getCurrentContext: () => { product: string; env: string; database: string } | null
  /** The handle that a call with this input would use; what other modules of databases build on. */
  readonly handle: (input: Target) => Effect.Effect<DatabaseHandle, Failure>
  /**
   * The same without waiting, for a face of Promises: where the database is open and the call needs no
   * session, cache or span. `undefined`: take the method of the service.
   */
  readonly handleNow: (input: Target) => DatabaseHandle | undefined
  readonly transaction: <T>(
    options: TxOptions,
    run: (tx: Transaction) => Promise<T> | T
  ) => Effect.Effect<T, Failure>
  readonly beginTransaction: (options?: TxOptions) => Effect.Effect<Transaction, Failure>
  readonly stream: (
    input: FindInput & { readonly batch?: number }
  ) => Effect.Effect<AsyncIterableIterator<Row>, Failure>
}
