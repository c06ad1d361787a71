import type { DuctapeError } from "@ductape/core"
import {
  type BoundCalls,
  type ConnectInput,
  type DatabaseHandle,
  type DatabasePatch,
  Databases,
  type ExecuteInput,
  type FindInput,
  type MigrationBuilder,
  migration,
  type Row,
  type RowMethod,
  type StoredDatabase,
  type Target,
  type Transaction,
  type TxOptions,
  type TypedHandle
} from "@ductape/databases"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Runner } from "../Runner.ts"
import { methods, methodsOf } from "./methods.ts"

interface Definitions {
  fetch: {
    (tag: string): Promise<StoredDatabase>
    (product: string, tag: string): Promise<StoredDatabase>
  }
  update: {
    (tag: string, patch: DatabasePatch): Promise<StoredDatabase>
    (product: string, tag: string, patch: DatabasePatch): Promise<StoredDatabase>
  }
  delete: {
    (tag: string): Promise<{ readonly deleted: true }>
    (product: string, tag: string): Promise<{ readonly deleted: true }>
  }
}

/** A string first names a definition, an object is a call on rows. */
type Both<Name extends "update" | "delete"> = Definitions[Name] & BoundCalls[Name]

/** `ductape.databases`: relational databases, embedded and on servers. */
export const databasesNamespace = (runner: Runner<Databases>, client: object) => {
  /** The service tells its overloads apart by their arguments, which go on as they are. */
  const pass =
    (name: keyof Databases["Service"]) =>
    (...args: ReadonlyArray<unknown>): Promise<never> =>
      runner.use(Databases, (_) =>
        (_[name] as (...args: ReadonlyArray<unknown>) => Effect.Effect<never, DuctapeError>)(...args)
      )
  /** A call on rows goes straight to an open database: an Effect run would be a tenth of a read by key. */
  const row = (name: RowMethod | "update" | "delete") => {
    const slowly = pass(name)
    return (...args: ReadonlyArray<unknown>): Promise<unknown> => {
      const services = runner.context
      const handle = services && Context.get(services, Databases).handleNow(args[0] as Target)
      return handle === undefined
        ? slowly(...args)
        : (
            handle as unknown as Record<
              RowMethod | "update" | "delete",
              (...args: ReadonlyArray<unknown>) => Promise<unknown>
            >
          )[name](...args)
    }
  }
  const rows = Object.fromEntries(
    (
      [
        "find",
        "query",
        "findOne",
        "insert",
        "upsert",
        "updateRecords",
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "aggregate",
        "groupBy",
        "raw"
      ] as const satisfies ReadonlyArray<RowMethod>
    ).map((name) => [name, row(name)])
  ) as unknown as Pick<BoundCalls, RowMethod>
  const update = row("update") as Both<"update">
  const remove = row("delete") as Both<"delete">

  function transaction<T>(run: (tx: Transaction) => Promise<T> | T): Promise<T>
  function transaction<T>(options: TxOptions, run: (tx: Transaction) => Promise<T> | T): Promise<T>
  function transaction<T>(
    first: TxOptions | ((tx: Transaction) => Promise<T> | T),
    second?: unknown
  ): Promise<T> {
    const [options, run] = typeof first === "function" ? [{}, first] : [first, second]
    return runner.use(Databases, (_) => _.transaction<T>(options, run as (tx: Transaction) => Promise<T> | T))
  }

  /** Opens a database and makes it the active connection; the handle is bound to it. */
  function connect<S extends Record<string, unknown>>(
    input: ConnectInput & { readonly schema: S }
  ): Promise<TypedHandle<S>>
  function connect(input: ConnectInput): Promise<DatabaseHandle>
  function connect(input: ConnectInput): Promise<never> {
    return runner.use(Databases, (_) => withClient(_).connect(input) as Effect.Effect<never, DuctapeError>)
  }

  /** Actions of triggers call the client that they belong to. */
  const withClient = (service: Databases["Service"]): Databases["Service"] => {
    service.triggers.setDuctapeInstance(client)
    return service
  }

  return {
    /** Tables, columns, indexes and constraints of the active connection. */
    schema: methodsOf(
      runner,
      Databases,
      (_) => _.schema
    )([
      "create",
      "drop",
      "rename",
      "addField",
      "modifyField",
      "dropField",
      "renameField",
      "createIndex",
      "dropIndex",
      "addConstraint",
      "dropConstraint",
      "list",
      "exists",
      "indexes",
      "describe"
    ]),
    /** Writes a migration; its methods run and keep migrations. */
    migration: Object.assign(
      (name: string): MigrationBuilder => migration(name),
      methodsOf(
        runner,
        Databases,
        (_) => _.migration
      )(["run", "rollback", "history", "status", "create", "update", "fetch", "list", "delete"])
    ),
    /** Stored calls with placeholders. */
    action: {
      ...methodsOf(
        runner,
        Databases,
        (_) => _.action
      )(["create", "update", "fetch", "fetchAll", "list", "delete"]),
      execute: <T = unknown>(input: ExecuteInput): Promise<T> =>
        runner.use(Databases, (_) => _.action.execute<T>(input))
    },
    /** What is to happen around writes, in this process. */
    triggers: methodsOf(
      runner,
      Databases,
      (_) => withClient(_).triggers
    )([
      "create",
      "update",
      "fetch",
      "fetchAll",
      "delete",
      "load",
      "execute",
      "register",
      "unregister",
      "getTriggersForEvent",
      "setDuctapeInstance",
      "getProcessor"
    ]),
    ...methods(runner, Databases, [
      "createTable",
      "alterTable",
      "dropTable",
      "listTables",
      "getTableSchema",
      "tableExists",
      "createIndex",
      "dropIndex",
      "listIndexes",
      "runMigration",
      "create",
      "register",
      "fetchAll",
      "list",
      "testConnection",
      "disconnect",
      "closeAll",
      "beginTransaction"
    ]),
    ...rows,
    fetch: pass("fetch") as Definitions["fetch"],
    update,
    updateDatabase: update as Definitions["update"],
    delete: remove,
    deleteDatabase: remove as Definitions["delete"],
    connect,
    transaction,
    /** The rows of a find one by one, through a cursor on the server. */
    stream: <T = Row>(input: FindInput & { readonly batch?: number }): AsyncIterable<T> => ({
      async *[Symbol.asyncIterator]() {
        yield* (await runner.use(Databases, (_) => _.stream(input))) as AsyncIterableIterator<T>
      }
    }),
    /** Of the active connection. */
    getCurrentContext: (): { product: string; env: string; database: string } | null => {
      const services = runner.context
      return services === undefined ? null : Context.get(services, Databases).getCurrentContext()
    }
  }
}
