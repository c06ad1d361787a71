import type { DatabaseConnection, Scope } from "./DatabaseConnection.ts"
import type { DeleteInput, InsertInput, Row, Target, UpdateInput, UpsertInput } from "./types.ts"

export type WriteOperation = "insert" | "upsert" | "update" | "delete"

/** A write about to happen, or just done. `before` hooks may replace `input`. */
export interface WriteEvent {
  readonly operation: WriteOperation
  readonly table: string
  input: InsertInput | UpsertInput | UpdateInput | DeleteInput
  /** After: what the call returns. */
  result?: { readonly records: ReadonlyArray<Row>; readonly count: number } | undefined
  /** For what a hook's `before` wants its `after` to know. */
  readonly notes: Map<unknown, unknown>
}

/**
 * Seen by every `insert`, `upsert`, `update` and `delete` of a connection, in the order in which they
 * were added; raw statements pass by. Pre-save operations and triggers are hooks.
 */
export interface WriteHook {
  /** Whether the hook wants to see writes of this kind at all; asked for each call. */
  readonly wants: (operation: WriteOperation, table: string, input: Target) => boolean
  /** May replace `event.input`; a rejection ends the call before anything is sent. */
  readonly before?: (event: WriteEvent, scope: Scope) => Promise<void> | void
  /** In a transaction a rejection fails the call. */
  readonly after?: (event: WriteEvent, scope: Scope) => Promise<void> | void
}

type WriteInput = WriteEvent["input"]

/** Runs a write with the hooks that want it around it. */
export const withHooks = <
  I extends WriteInput,
  A extends { readonly records: ReadonlyArray<Row>; readonly count: number }
>(
  operation: WriteOperation,
  table: string,
  scope: Scope,
  input: I,
  write: (scope: Scope, input: I) => Promise<A>
): Promise<A> => {
  const { hooks } = scope.connection
  if (hooks.length === 0) return write(scope, input)
  const wanting = hooks.filter((hook) => hook.wants(operation, table, input))
  return wanting.length === 0 ? write(scope, input) : run(wanting, operation, table, scope, input, write)
}

const run = async <
  I extends WriteInput,
  A extends { readonly records: ReadonlyArray<Row>; readonly count: number }
>(
  hooks: ReadonlyArray<WriteHook>,
  operation: WriteOperation,
  table: string,
  scope: Scope,
  input: I,
  write: (scope: Scope, input: I) => Promise<A>
): Promise<A> => {
  const event: WriteEvent = { operation, table, input, notes: new Map() }
  for (const hook of hooks) await hook.before?.(event, scope)
  const result = await write(scope, event.input as I)
  event.result = result
  for (const hook of hooks) await hook.after?.(event, scope)
  return result
}

/** Adds a hook and returns what takes it away again. */
export const addHook = (connection: DatabaseConnection, hook: WriteHook): (() => void) => {
  connection.hooks.push(hook)
  return () => {
    const at = connection.hooks.indexOf(hook)
    if (at >= 0) connection.hooks.splice(at, 1)
  }
}
