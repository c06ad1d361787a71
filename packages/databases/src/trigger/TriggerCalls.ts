import type { ContextDefaults } from "@ductape/core"
import type { RecordMeta, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { attempt, promised, spanned, storedDefinitions } from "../action/StoredDefinitions.ts"
import { BoundCalls } from "../BoundCalls.ts"
import type { DatabaseConnection } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import type { DatabaseHandle } from "../DatabaseHandle.ts"
import type { Failure } from "../Failure.ts"
import { addHook } from "../hooks.ts"
import { quoteTable } from "../sql/identifier.ts"
import type { Target } from "../types.ts"
import type { DuctapeInstance } from "./executors.ts"
import type { StoredTriggerDef, TriggerContext, TriggerDef, TriggerEventName } from "./Trigger.ts"
import { checkTrigger, TriggerProcessor } from "./TriggerProcessor.ts"
import { triggerHook } from "./triggerHook.ts"

type Result<A> = Effect.Effect<A, Failure>

const attached = new WeakMap<DatabaseConnection, TriggerProcessor>()

/** Lets the processor see the writes of the connection, once. */
export const attachTriggers = (connection: DatabaseConnection, processor: TriggerProcessor): void => {
  if (attached.has(connection)) return
  attached.set(connection, processor)
  addHook(connection, triggerHook(connection, processor))
}

/** That of the service that opened the connection, or one of its own. */
export const processorOf = (connection: DatabaseConnection): TriggerProcessor => {
  const known = attached.get(connection)
  if (known !== undefined) return known
  const made = new TriggerProcessor()
  attachTriggers(connection, made)
  return made
}

/** What an event by hand needs; the rest is filled in. */
export type TriggerInput = Pick<TriggerContext, "table" | "record"> &
  Partial<Pick<TriggerContext, "previousRecord" | "user" | "operation">>

/** Triggers in memory. */
export interface TriggerRegistry {
  /** `*`: every table. Replaces one of the same name. @throws `VALIDATION_ERROR` */
  readonly register: (table: string, def: TriggerDef) => void
  readonly unregister: (table: string, name: string) => boolean
  readonly getTriggersForEvent: (table: string, event: TriggerEventName) => ReadonlyArray<TriggerDef>
  readonly setDuctapeInstance: (ductape: DuctapeInstance) => void
  /** `config.onError`, `config.log`, own executors, and waiting for what runs later. */
  readonly getProcessor: () => TriggerProcessor
}

const registryOf = (processor: TriggerProcessor): TriggerRegistry => ({
  register: (table, def) => processor.register(table, def),
  unregister: (table, name) => processor.unregister(table, name),
  getTriggersForEvent: (table, event) => processor.getTriggersForEvent(table, event),
  setDuctapeInstance: (ductape) => processor.setDuctapeInstance(ductape),
  getProcessor: () => processor
})

const executeOn = (
  connection: DatabaseConnection,
  processor: TriggerProcessor,
  event: TriggerEventName,
  input: TriggerInput
): Promise<void> => {
  const calls = new BoundCalls({ connection }, {})
  const operation =
    input.operation ??
    (/(insert|update|delete)$/i.exec(event)?.[0].toLowerCase() as "insert" | undefined) ??
    "update"
  const context: TriggerContext = {
    ...input,
    event,
    operation,
    database: connection.identity.database,
    env: connection.identity.env,
    timestamp: new Date().toISOString()
  }
  return processor.execute(event, context, { calls, laterCalls: calls, later: (run) => run() })
}

/** Of one handle. */
export interface HandleTriggers extends TriggerRegistry {
  /** Fires an event by hand. @throws `TRIGGER_ERROR` */
  readonly execute: (event: TriggerEventName, input: TriggerInput) => Promise<void>
}

export const handleTriggers = (connection: DatabaseConnection): HandleTriggers => {
  const processor = processorOf(connection)
  return {
    ...registryOf(processor),
    execute: (event, input) => executeOn(connection, processor, event, input)
  }
}

export type StoredTrigger = StoredTriggerDef & RecordMeta

export interface TriggerDefInput extends Omit<StoredTriggerDef, "name"> {
  readonly name?: string | undefined
  readonly product?: string | undefined
}

/** Of the service: stored triggers, and those in memory, which all its databases share. */
export interface TriggerCalls extends TriggerRegistry {
  /** Stored, not yet in memory: see `load`. Fails with `ALREADY_EXISTS`, `VALIDATION_ERROR`. */
  readonly create: (def: TriggerDefInput) => Result<StoredTrigger>
  /** What is not named stays. */
  readonly update: (tag: string, patch: Partial<Omit<TriggerDefInput, "tag">>) => Result<StoredTrigger>
  readonly fetch: (tag: string, product?: string) => Result<StoredTrigger>
  readonly fetchAll: (product?: string) => Result<ReadonlyArray<StoredTrigger>>
  readonly delete: (tag: string, product?: string) => Result<{ readonly deleted: true }>
  /** Takes the stored triggers of the product into memory, in place of those loaded before. */
  readonly load: (product?: string) => Result<{ readonly loaded: number }>
  /** Fires an event by hand, on the active database or that of `target`. Fails with `TRIGGER_ERROR`. */
  readonly execute: (event: TriggerEventName, input: TriggerInput & Target) => Result<void>
}

const readTrigger = (input: TriggerDefInput): StoredTriggerDef => {
  const { product: _, ...rest } = input
  const def: StoredTriggerDef = { ...rest, name: input.name ?? input.tag }
  checkTrigger(def)
  if (!Array.isArray(def.tables) || def.tables.length === 0)
    throw invalid("trigger.tables: expected a list.", "tables")
  for (const table of def.tables) if (table !== "*") quoteTable(table, "tables")
  for (const [i, action] of def.actions.entries()) {
    if (action.type === "custom") {
      throw invalid(
        `trigger.actions[${i}]: a function cannot be stored; register it in memory.`,
        `actions[${i}]`
      )
    }
  }
  return def
}

export const makeTriggers = (
  registry: RegistryShape,
  defaults: ContextDefaults,
  processor: TriggerProcessor,
  service: {
    readonly handle: (target: Target) => Result<DatabaseHandle>
    readonly getCurrentContext: () => { readonly product: string } | null
  }
): TriggerCalls => {
  const stored = storedDefinitions<StoredTriggerDef>(registry, defaults, "trigger")
  const productOf = (given: string | undefined): string | undefined =>
    given ?? service.getCurrentContext()?.product
  return {
    ...registryOf(processor),
    create: (def) =>
      Effect.flatMap(
        attempt(() => readTrigger(def)),
        (trigger) => stored.create(productOf(def.product), trigger)
      ).pipe(spanned("triggers.create")),
    update: (tag, { product, ...patch }) =>
      Effect.flatMap(
        stored.fetch(productOf(product), tag),
        ({ _id, createdAt, updatedAt, workspace_id, ...old }) => {
          const next = (base: StoredTriggerDef): StoredTriggerDef => readTrigger({ ...base, ...patch, tag })
          return Effect.flatMap(
            attempt(() => next(old)),
            () => stored.update(productOf(product), tag, next)
          )
        }
      ).pipe(spanned("triggers.update")),
    fetch: (tag, product) => stored.fetch(productOf(product), tag).pipe(spanned("triggers.fetch")),
    fetchAll: (product) => stored.fetchAll(productOf(product)).pipe(spanned("triggers.fetchAll")),
    delete: (tag, product) => stored.delete(productOf(product), tag).pipe(spanned("triggers.delete")),
    load: (product) =>
      Effect.flatMap(stored.fetchAll(productOf(product)), (triggers) =>
        attempt(() => {
          processor.replaceStored(triggers)
          return { loaded: triggers.length }
        })
      ).pipe(spanned("triggers.load")),
    execute: (event, input) =>
      Effect.flatMap(service.handle(input), (handle) => {
        const { operation, previousRecord, record, table, user } = input
        const given: TriggerInput = {
          table,
          record,
          ...(operation === undefined ? {} : { operation }),
          ...(previousRecord === undefined ? {} : { previousRecord }),
          ...(user === undefined ? {} : { user })
        }
        return promised(() => executeOn(handle.scope.connection, processor, event, given))
      }).pipe(spanned("triggers.execute"))
  }
}
