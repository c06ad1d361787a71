import type { ContextDefaults } from "@ductape/core"
import type { RecordMeta, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { invalid } from "../DatabaseError.ts"
import type { DatabaseHandle } from "../DatabaseHandle.ts"
import type { Failure } from "../Failure.ts"
import type { Target } from "../types.ts"
import { actionTag, type DatabaseAction, type DatabaseActionInput, readAction } from "./DatabaseAction.ts"
import { executeAction } from "./executeAction.ts"
import { attempt, promised, spanned, storedDefinitions } from "./StoredDefinitions.ts"

type Result<A> = Effect.Effect<A, Failure>

export type StoredDatabaseAction = DatabaseAction & RecordMeta

export interface ExecuteInput extends Target {
  /** `database:action`, or the action alone. */
  readonly action: string
  readonly input?: Readonly<Record<string, unknown>> | undefined
}

/** Stored calls: `database.action`. */
export interface ActionCalls {
  /** Fails with `ALREADY_EXISTS`, `VALIDATION_ERROR`. */
  readonly create: (def: DatabaseActionInput) => Result<StoredDatabaseAction>
  /** What is not named stays. */
  readonly update: (
    patch: Partial<DatabaseActionInput> & { readonly tag: string }
  ) => Result<StoredDatabaseAction>
  readonly fetch: (
    tag: string,
    options?: Pick<Target, "product" | "database">
  ) => Result<StoredDatabaseAction>
  /** Those of one database. */
  readonly fetchAll: (
    database: string,
    options?: Pick<Target, "product">
  ) => Result<ReadonlyArray<StoredDatabaseAction>>
  readonly list: ActionCalls["fetchAll"]
  readonly delete: (
    tag: string,
    options?: Pick<Target, "product" | "database">
  ) => Result<{ readonly deleted: true }>
  /**
   * Rows of query and raw_sql as an array with a `count` beside them; else what the call of that name
   * returns. Fails with `NOT_FOUND`, `VALIDATION_ERROR` and what the call fails with.
   */
  readonly execute: <T = unknown>(input: ExecuteInput) => Result<T>
}

export const makeActions = (
  registry: RegistryShape,
  defaults: ContextDefaults,
  service: {
    readonly handle: (target: Target) => Result<DatabaseHandle>
    readonly getCurrentContext: () => { readonly product: string; readonly database: string } | null
  }
): ActionCalls => {
  const stored = storedDefinitions<DatabaseAction>(registry, defaults, "action")
  const productOf = (given: string | undefined): string | undefined =>
    given ?? service.getCurrentContext()?.product

  const fetchAll: ActionCalls["fetchAll"] = (database, options) =>
    Effect.map(stored.fetchAll(productOf(options?.product)), (actions) =>
      actions.filter(({ tag }) => tag.startsWith(`${database}:`))
    ).pipe(spanned("action.fetchAll"))

  return {
    create: (def) =>
      Effect.flatMap(
        attempt(() => readAction(def)),
        (action) => stored.create(productOf(def.product ?? def.product_tag), action)
      ).pipe(spanned("action.create")),
    update: (patch) =>
      Effect.suspend(() => {
        const { database, product, product_tag, tag, ...changes } = patch
        return Effect.flatMap(
          attempt(() => actionTag(tag, database)),
          (full) =>
            Effect.flatMap(stored.fetch(productOf(product ?? product_tag), full), (old) => {
              const next = (base: DatabaseAction): DatabaseAction =>
                readAction({
                  ...base,
                  ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
                  ...(changes.type === undefined ? {} : { operation: changes.operation ?? changes.type }),
                  ...(changes.table === undefined ? {} : { tableName: changes.tableName ?? changes.table })
                })
              return Effect.flatMap(
                attempt(() => next(old)),
                () => stored.update(productOf(product ?? product_tag), full, next)
              )
            })
        )
      }).pipe(spanned("action.update")),
    fetch: (tag, options = {}) =>
      Effect.flatMap(
        attempt(() => actionTag(tag, options.database)),
        (full) => stored.fetch(productOf(options.product), full)
      ).pipe(spanned("action.fetch")),
    fetchAll,
    list: fetchAll,
    delete: (tag, options = {}) =>
      Effect.flatMap(
        attempt(() => actionTag(tag, options.database)),
        (full) => stored.delete(productOf(options.product), full)
      ).pipe(spanned("action.delete")),
    execute: <T>(given: ExecuteInput) =>
      Effect.flatMap(
        attempt(() => {
          if (typeof given !== "object" || given === null) throw invalid("execute: expected one object.")
          const open = given.database ?? given.transaction?.state.connection.identity.database
          const database =
            open ?? (given.action?.includes(":") ? undefined : service.getCurrentContext()?.database)
          return actionTag(given.action, database, "action")
        }),
        (tag) =>
          Effect.flatMap(stored.fetch(productOf(given.product ?? given.product_tag), tag), (action) => {
            const { action: _, input, database: __, env, product, product_tag, ...options } = given
            const target = {
              env,
              product,
              product_tag,
              transaction: given.transaction,
              database: tag.slice(0, tag.indexOf(":"))
            }
            return Effect.flatMap(service.handle(target), (handle) =>
              promised(() => executeAction(handle, action, input, options) as Promise<T>)
            )
          })
      ).pipe(spanned("action.execute"))
  }
}
