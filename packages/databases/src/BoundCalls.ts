import { type CallEnvironment, type CallKind, runCall } from "./calls.ts"
import type { Scope } from "./DatabaseConnection.ts"
import { invalid } from "./DatabaseError.ts"
import { withHooks } from "./hooks.ts"
import { tableName } from "./input.ts"
import { nativeRaw, type RawCall } from "./nativeRaw.ts"
import { aggregate, columnAggregate, count, groupBy } from "./read/aggregate.ts"
import { find, findOne } from "./read/find.ts"
import { raw } from "./read/raw.ts"
import { streamFind } from "./read/stream.ts"
import { findCodec, findOneCodec, plainCodec } from "./resultCodec.ts"
import type {
  FindOneResult,
  FindResult,
  InsertedResult,
  QueryResult,
  SaveResult,
  UpsertedResult
} from "./results.ts"
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
  UpdateInput,
  UpsertInput
} from "./types.ts"
import { deleteRows } from "./write/delete.ts"
import { insert } from "./write/insert.ts"
import { update } from "./write/update.ts"
import { upsert } from "./write/upsert.ts"

const read = (name: string): CallKind => ({ name, write: false })
const write = (name: string): CallKind => ({ name, write: true })

const kinds = {
  find: read("find"),
  findOne: read("findOne"),
  insert: write("insert"),
  upsert: write("upsert"),
  update: write("update"),
  delete: write("delete"),
  count: read("count"),
  sum: read("sum"),
  avg: read("avg"),
  min: read("min"),
  max: read("max"),
  aggregate: read("aggregate"),
  groupBy: read("groupBy"),
  raw: write("raw")
}

/** The calls on rows, bound to a database or to a transaction of it. */
export class BoundCalls {
  readonly #scope: Scope
  readonly #environment: CallEnvironment
  #raw: RawCall | undefined

  constructor(scope: Scope, environment: CallEnvironment) {
    this.#scope = scope
    this.#environment = environment
  }

  /** What the calls of this package work on; not for applications. */
  get scope(): Scope {
    return this.#scope
  }

  get environment(): CallEnvironment {
    return this.#environment
  }

  /** Rows that match, and how many there are in all. */
  find<T = Row>(input: FindInput): Promise<FindResult<T>> {
    return runCall(kinds.find, this.#scope, this.#environment, input, find, findCodec) as Promise<
      FindResult<T>
    >
  }

  /** `find`; with a string `query` or `sql` and no table, `raw`. */
  query<T = Row>(input: FindInput | RawInput): Promise<FindResult<T> | QueryResult<T>> {
    const { query, sql } = input as RawInput
    const statement = query ?? sql
    const { entity, table } = input as FindInput
    return typeof statement === "string" && table === undefined && entity === undefined
      ? this.#statement<T>(input as RawInput)
      : this.find<T>(input as FindInput)
  }

  /** The first row that matches, or null. */
  findOne<T = Row>(input: FindInput): Promise<FindOneResult<T>> {
    return runCall(kinds.findOne, this.#scope, this.#environment, input, findOne, findOneCodec) as Promise<
      FindOneResult<T>
    >
  }

  /**
   * The rows of a find one by one, through a cursor on the server: memory stays bounded, the server
   * waits while the consumer does, and leaving the loop closes the cursor.
   */
  stream<T = Row>(input: FindInput & { readonly batch?: number }): AsyncIterableIterator<T> {
    return streamFind(this.#scope, input) as AsyncIterableIterator<T>
  }

  insert<T = Row>(input: InsertInput): Promise<InsertedResult<T>> {
    return runCall(kinds.insert, this.#scope, this.#environment, input, (scope, given) =>
      withHooks("insert", tableName(given), scope, given, insert)
    ) as Promise<InsertedResult<T>>
  }

  upsert<T = Row>(input: UpsertInput): Promise<UpsertedResult<T>> {
    return runCall(kinds.upsert, this.#scope, this.#environment, input, (scope, given) =>
      withHooks("upsert", tableName(given), scope, given, upsert)
    ) as Promise<UpsertedResult<T>>
  }

  update<T = Row>(input: UpdateInput): Promise<SaveResult<T>> {
    return runCall(kinds.update, this.#scope, this.#environment, input, (scope, given) =>
      withHooks("update", tableName(given), scope, given, update)
    ) as Promise<SaveResult<T>>
  }

  /** The same as `update`. */
  updateRecords<T = Row>(input: UpdateInput): Promise<SaveResult<T>> {
    return this.update<T>(input)
  }

  delete<T = Row>(input: DeleteInput): Promise<SaveResult<T>> {
    return runCall(kinds.delete, this.#scope, this.#environment, input, (scope, given) =>
      withHooks("delete", tableName(given), scope, given, deleteRows)
    ) as Promise<SaveResult<T>>
  }

  count(input: CountInput): Promise<number> {
    return runCall(kinds.count, this.#scope, this.#environment, input, count, plainCodec as never)
  }

  /** 0 when there is nothing to add. */
  sum(input: ColumnAggregateInput): Promise<unknown> {
    return this.#column("sum", input)
  }

  /** `null` when there is no value. */
  avg(input: ColumnAggregateInput): Promise<unknown> {
    return this.#column("avg", input)
  }

  min(input: ColumnAggregateInput): Promise<unknown> {
    return this.#column("min", input)
  }

  max(input: ColumnAggregateInput): Promise<unknown> {
    return this.#column("max", input)
  }

  aggregate<T = Row>(input: AggregateInput): Promise<T> {
    return runCall(
      kinds.aggregate,
      this.#scope,
      this.#environment,
      input,
      aggregate,
      plainCodec as never
    ) as Promise<T>
  }

  groupBy<T = Row>(input: GroupByInput): Promise<Array<T>> {
    return runCall(
      kinds.groupBy,
      this.#scope,
      this.#environment,
      input,
      groupBy,
      plainCodec as never
    ) as Promise<Array<T>>
  }

  /**
   * Called with `{ query, params }`: one statement as written; no pre-save, no triggers. Otherwise the
   * driver's own object (`postgres.Sql`, `PGlite`): `handle.native<Sql>()` is the same with its type.
   */
  get raw(): RawCall {
    this.#raw ??= nativeRaw(
      () => this.native(),
      <T>(input: RawInput) => this.#statement<T>(input)
    )
    return this.#raw
  }

  /** The driver's own object: of the pool, or of the transaction. */
  native<N = unknown>(): N {
    const { connection, transaction } = this.#scope
    return (transaction === undefined ? connection.pool.native : transaction.driver.native) as N
  }

  #statement<T>(input: RawInput): Promise<QueryResult<T>> {
    if (typeof input !== "object" || input === null) {
      return Promise.reject(invalid("raw: expected { query, params? }."))
    }
    if (input.cache !== undefined)
      return Promise.reject(invalid("cache: raw statements are not cached.", "cache"))
    return runCall(kinds.raw, this.#scope, this.#environment, input, raw) as Promise<QueryResult<T>>
  }

  #column(name: "sum" | "avg" | "min" | "max", input: ColumnAggregateInput): Promise<unknown> {
    return runCall(
      kinds[name],
      this.#scope,
      this.#environment,
      input,
      (scope, given) => columnAggregate(name, scope, given),
      plainCodec
    )
  }
}
