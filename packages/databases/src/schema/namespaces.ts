import type { ContextDefaults } from "@ductape/core"
import type { RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { type ActionCalls, makeActions } from "../action/ActionCalls.ts"
import { promised, spanned } from "../action/StoredDefinitions.ts"
import type { DatabaseConnection } from "../DatabaseConnection.ts"
import type { DatabaseAccess, DatabaseHandle } from "../DatabaseHandle.ts"
import type { Failure } from "../Failure.ts"
import { makeStoredMigrations, type ServiceMigrationCalls } from "../migration/StoredMigrations.ts"
import { attachTriggers, makeTriggers, type TriggerCalls } from "../trigger/TriggerCalls.ts"
import { TriggerProcessor } from "../trigger/TriggerProcessor.ts"
import type { Target } from "../types.ts"
import { makeSchema, type SchemaCalls } from "./Schema.ts"
import { makeTableCalls, type TableCalls } from "./tableCalls.ts"

type Result<A> = Effect.Effect<A, Failure>

/** The same calls as Effects. */
export type AsEffects<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer Args) => Promise<infer A>
    ? (...args: Args) => Result<A>
    : never
}

/** What the service has besides definitions, connections and rows. */
export interface Namespaces extends AsEffects<TableCalls> {
  /** On the active connection. */
  readonly schema: AsEffects<SchemaCalls>
  readonly migration: ServiceMigrationCalls
  readonly action: ActionCalls
  readonly triggers: TriggerCalls
}

interface Service {
  readonly handle: (target: Target) => Result<DatabaseHandle>
  readonly getCurrentContext: () => { readonly product: string; readonly database: string } | null
}

/** The calls of `make` once the connection is there, each a span. */
const lifted = <T extends object>(
  names: T,
  prefix: string,
  open: (args: ReadonlyArray<unknown>) => Result<DatabaseHandle>,
  make: (access: DatabaseAccess) => T
): AsEffects<T> =>
  Object.fromEntries(
    Object.keys(names).map((name) => [
      name,
      (...args: ReadonlyArray<unknown>) =>
        Effect.flatMap(open(args), (handle) =>
          promised(() => {
            const calls = make(handle.getAdapter()) as Readonly<
              Record<string, (...args: ReadonlyArray<unknown>) => Promise<unknown>>
            >
            return (calls[name] as (...args: ReadonlyArray<unknown>) => Promise<unknown>)(...args)
          })
        ).pipe(spanned(`${prefix}${name}`))
    ])
  ) as AsEffects<T>

const targetOf = (value: unknown): Target => {
  const { database, env, product, product_tag } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Target
  return { database, env, product, product_tag }
}

export const makeNamespaces = (
  registry: RegistryShape,
  defaults: ContextDefaults,
  service: Service
): {
  readonly calls: Namespaces
  /** For each connection, once it is open. */
  readonly attach: (connection: DatabaseConnection) => DatabaseConnection
} => {
  const processor = new TriggerProcessor()
  const unopened = (): Promise<DatabaseAccess> => Promise.reject(new Error("no connection"))
  const schema = (access: DatabaseAccess) => makeSchema(async () => access)
  const tables = (access: DatabaseAccess) => makeTableCalls(async () => access)
  return {
    calls: {
      ...lifted(makeTableCalls(unopened), "", ([first]) => service.handle(targetOf(first)), tables),
      schema: lifted(makeSchema(unopened), "schema.", () => service.handle({}), schema),
      migration: makeStoredMigrations(registry, defaults, service),
      action: makeActions(registry, defaults, service),
      triggers: makeTriggers(registry, defaults, processor, service)
    },
    attach: (connection) => {
      attachTriggers(connection, processor)
      return connection
    }
  }
}
