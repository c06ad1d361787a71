import { BoundCalls } from "../BoundCalls.ts"
import type { DatabaseConnection, Scope } from "../DatabaseConnection.ts"
import type { WriteEvent, WriteHook, WriteOperation } from "../hooks.ts"
import type { DeleteInput, InsertInput, Row, Target, UpdateInput, UpsertInput } from "../types.ts"
import { pickColumns } from "../write/returning.ts"
import { asksForPrevious } from "./condition.ts"
import { type TriggerContext, TriggerEvent, type TriggerEventName } from "./Trigger.ts"
import type { Firing, TriggerProcessor } from "./TriggerProcessor.ts"

type Kind = "insert" | "update" | "delete"

const eventOf: Readonly<Record<"before" | "after", Readonly<Record<Kind, TriggerEventName>>>> = {
  before: {
    insert: TriggerEvent.BEFORE_INSERT,
    update: TriggerEvent.BEFORE_UPDATE,
    delete: TriggerEvent.BEFORE_DELETE
  },
  after: {
    insert: TriggerEvent.AFTER_INSERT,
    update: TriggerEvent.AFTER_UPDATE,
    delete: TriggerEvent.AFTER_DELETE
  }
}

/** An upsert inserts some rows and updates others. */
const kindsOf = (operation: WriteOperation, input: Target): ReadonlyArray<Kind> => {
  if (operation === "upsert") return ["insert", "update"]
  if (operation !== "insert") return [operation]
  return (input as InsertInput).onConflict?.action === "update" ? ["insert", "update"] : ["insert"]
}

const keyText = (row: Row, columns: ReadonlyArray<string>): string =>
  JSON.stringify(
    columns.map((column) => {
      const value = row[column]
      return value instanceof Date ? value.toISOString() : String(value ?? null)
    })
  )

interface Notes {
  /** What the caller asked to get back. */
  readonly returning: InsertInput["returning"]
  readonly key: ReadonlyArray<string>
  /** Rows as they were, by key. */
  readonly previous: ReadonlyMap<string, Row>
  readonly later: Array<() => void>
}

const rowsOf = (input: InsertInput | UpsertInput): ReadonlyArray<Row> => {
  const rows = input.records ?? input.data ?? []
  return Array.isArray(rows) ? (rows as ReadonlyArray<Row>) : [rows as Row]
}

/** Rows that conflict with those given, as they are: these will be updated. */
const conflicting = async (
  calls: BoundCalls,
  table: string,
  key: ReadonlyArray<string>,
  rows: ReadonlyArray<Row>
): Promise<ReadonlyArray<Row>> => {
  const found: Array<Row> = []
  const whole = rows.filter((row) => key.every((column) => row[column] !== undefined && row[column] !== null))
  for (let from = 0; from < whole.length; from += 500) {
    const part = whole.slice(from, from + 500)
    const [column = ""] = key
    const where =
      key.length === 1
        ? { [column]: { $in: part.map((row) => row[column]) } }
        : { $or: part.map((row) => pickColumns(row, key)) }
    found.push(...(await calls.find({ table, where, count: false })).records)
  }
  return found
}

const isOperator = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).some((key) => key.startsWith("$"))

const plainChanges = (data: Row): Row =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined && !isOperator(value)))

/** Fires the processor's triggers on the writes of a connection. */
export const triggerHook = (connection: DatabaseConnection, processor: TriggerProcessor): WriteHook => {
  const wanted = (when: "before" | "after", table: string, kinds: ReadonlyArray<Kind>) =>
    kinds.flatMap((kind) => processor.getTriggersForEvent(table, eventOf[when][kind]))

  const contextOf = (
    event: WriteEvent,
    name: TriggerEventName,
    record: Row,
    previousRecord: Row | undefined,
    scope: Scope
  ): TriggerContext => ({
    event: name,
    table: event.table,
    database: connection.identity.database,
    env: connection.identity.env,
    timestamp: new Date().toISOString(),
    operation: event.operation,
    record,
    ...(previousRecord === undefined ? {} : { previousRecord }),
    ...(scope.user === undefined ? {} : { user: { id: scope.user } })
  })

  const firingOf = (scope: Scope, later: Firing["later"]): Firing => ({
    calls: new BoundCalls(withoutControl(scope), {}),
    laterCalls: new BoundCalls({ connection }, {}),
    later
  })

  const before = async (event: WriteEvent, scope: Scope): Promise<void> => {
    const { operation, table } = event
    const kinds = kindsOf(operation, event.input)
    const first = wanted("before", table, kinds)
    const last = wanted("after", table, kinds)
    const calls = new BoundCalls(withoutControl(scope), {})
    const known = await connection.table(scope, table)
    const input = event.input as InsertInput & UpsertInput & UpdateInput & DeleteInput
    const conflict = input.conflictKeys ?? input.conflictColumns ?? input.onConflict?.columns
    const key = operation === "update" || operation === "delete" ? known.primaryKey : (conflict ?? [])
    let old: ReadonlyArray<Row> = []
    if (operation === "update" || operation === "delete") {
      const needed = first.length > 0 || (operation === "update" && last.some(asksForPrevious))
      if (needed && (input.all === true || input.where !== undefined)) {
        old = (await calls.find({ table, where: input.where, count: false })).records
      }
    } else if (kinds.length > 1) old = await conflicting(calls, table, key, rowsOf(input))
    const previous = new Map(old.map((row) => [keyText(row, key), row]))
    const later: Array<() => void> = []
    const notes: Notes = { returning: input.returning, key, previous, later }
    event.notes.set(processor, notes)
    if (first.length > 0) {
      const firing = firingOf(scope, (run) => later.push(run))
      const fire = (kind: Kind, record: Row, was: Row | undefined): Promise<void> => {
        const name = eventOf.before[kind]
        return processor.execute(name, contextOf(event, name, record, was, scope), firing)
      }
      if (operation === "delete") for (const row of old) await fire("delete", row, row)
      else if (operation === "update") {
        for (const row of old) await fire("update", { ...row, ...plainChanges(input.data) }, row)
      } else {
        for (const row of rowsOf(input)) {
          const was = previous.get(keyText(row, key))
          await fire(
            was === undefined ? "insert" : "update",
            was === undefined ? row : { ...was, ...row },
            was
          )
        }
      }
    }
    if (last.length > 0) event.input = { ...event.input, returning: true }
  }

  const after = async (event: WriteEvent, scope: Scope): Promise<void> => {
    const notes = event.notes.get(processor) as Notes | undefined
    if (notes === undefined) return
    const later = (run: () => void): void => {
      if (scope.transaction === undefined) run()
      else scope.transaction.afterCommit.push(run)
    }
    for (const run of notes.later) later(run)
    const kinds = kindsOf(event.operation, event.input)
    if (wanted("after", event.table, kinds).length === 0) return
    const result = event.result as unknown as { readonly records: Array<Row> }
    const written = [...result.records]
    giveBack(result.records, notes.returning)
    const firing = firingOf(scope, later)
    for (const record of written) {
      const was = event.operation === "delete" ? record : notes.previous.get(keyText(record, notes.key))
      const upserted = event.operation === "upsert" || event.operation === "insert"
      const kind: Kind = upserted ? (was === undefined ? "insert" : "update") : (event.operation as Kind)
      const name = eventOf.after[kind]
      const context = contextOf(event, name, record, was, scope)
      try {
        await processor.execute(name, context, firing)
      } catch (error) {
        // The row is written: only a transaction can still take it back.
        if (scope.transaction !== undefined) throw error
        const { action, trigger } = ((error as { readonly details?: unknown }).details ?? {}) as {
          readonly action?: string
          readonly trigger?: string
        }
        processor.report({ error, trigger: trigger ?? "", action: action ?? "", context })
      }
    }
  }

  return {
    wants: (operation, table, input) => {
      if (processor.isEmpty) return false
      const kinds = kindsOf(operation, input)
      return wanted("before", table, kinds).length > 0 || wanted("after", table, kinds).length > 0
    },
    before,
    after
  }
}

/** The deadline of the write is not that of its triggers' calls. */
const withoutControl = ({ connection, transaction, user }: Scope): Scope => ({
  connection,
  transaction,
  user
})

/** Leaves in the result what the caller asked for. */
const giveBack = (records: Array<Row>, returning: InsertInput["returning"]): void => {
  if (returning === true) return
  if (Array.isArray(returning)) {
    for (const [i, record] of records.entries())
      records[i] = pickColumns(record, returning as ReadonlyArray<string>)
  } else records.length = 0
}
