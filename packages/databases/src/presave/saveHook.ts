import type { DatabaseConnection, Scope } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import type { WriteEvent, WriteHook } from "../hooks.ts"
import type { Table } from "../sql/Catalogue.ts"
import type { InsertInput, Row, Target, UpdateInput, UpsertInput } from "../types.ts"
import { runPreSave } from "./runPreSave.ts"

type SaveInput = InsertInput | UpsertInput | UpdateInput

/** The column that tells when a row was last written: of `timestamps`, or made like it. */
const keptColumn = "updated_at"

const isKept = (table: Table | undefined): boolean => {
  const column = table?.columns.get(keptColumn)
  return column?.kind === "timestamp" && column.hasDefault
}

const hasConflict = (operation: WriteEvent["operation"], input: Target): boolean =>
  operation === "upsert" || (input as InsertInput).onConflict?.action === "update"

const changesRows = (operation: WriteEvent["operation"], input: Target): boolean =>
  operation === "update" || hasConflict(operation, input)

const rowsOf = (input: InsertInput | UpsertInput): ReadonlyArray<Row> => {
  const rows = input.records ?? input.data
  if (typeof rows !== "object" || rows === null) {
    throw invalid("records: expected a record, or a list of them.", "records")
  }
  return Array.isArray(rows) ? (rows as ReadonlyArray<Row>) : [rows as Row]
}

const withRows = <I extends InsertInput | UpsertInput>(input: I, records: ReadonlyArray<Row>): I => {
  const { data: _, ...rest } = input
  return { ...rest, records } as I
}

const preSave = async (event: WriteEvent): Promise<void> => {
  const input = event.input as SaveInput
  const ops = input.preSave
  if (ops === undefined) return
  const config = input.preSaveConfig
  if (event.operation === "update") {
    const { data } = input as UpdateInput
    const [saved = data] = await runPreSave([data], ops, config, true, () => "data")
    event.input = { ...input, data: saved } as UpdateInput
    return
  }
  const insert = input as InsertInput
  event.input = withRows(insert, await runPreSave(rowsOf(insert), ops, config))
}

const touch = (event: WriteEvent): void => {
  if (event.operation === "update") {
    const input = event.input as UpdateInput
    if (typeof input.data !== "object" || input.data === null) return
    // Empty data is an error of the call's own.
    if (Object.keys(input.data).length === 0 || Object.hasOwn(input.data, keptColumn)) return
    event.input = { ...input, data: { ...input.data, [keptColumn]: { $currentDate: true } } }
    return
  }
  const input = event.input as InsertInput & UpsertInput
  const now = new Date()
  const records = rowsOf(input).map((row) => ({ ...row, [keptColumn]: row[keptColumn] ?? now }))
  const named = (columns: ReadonlyArray<string>): ReadonlyArray<string> => [
    ...new Set([...columns, keptColumn])
  ]
  const saved: InsertInput & UpsertInput = withRows(input, records)
  event.input =
    event.operation === "upsert"
      ? {
          ...saved,
          ...(input.updateColumns === undefined ? {} : { updateColumns: named(input.updateColumns) })
        }
      : {
          ...saved,
          ...(input.onConflict?.update === undefined
            ? {}
            : { onConflict: { ...input.onConflict, update: named(input.onConflict.update) } })
        }
}

/** Runs `preSave` operations, and keeps `updated_at` up to date where a table has it with a default. */
export const saveHook = (connection: DatabaseConnection): WriteHook => ({
  wants: (operation, table, input) => {
    if (operation === "delete") return false
    if ((input as SaveInput).preSave !== undefined) return true
    if (!changesRows(operation, input)) return false
    const known = connection.catalogue.peek(table)
    return known === undefined || isKept(known)
  },
  before: async (event: WriteEvent, scope: Scope) => {
    await preSave(event)
    if (!changesRows(event.operation, event.input)) return
    const table =
      connection.catalogue.peek(event.table) ??
      (await connection.catalogue.find(event.table, (text, params) =>
        connection.run(scope, text, params, { table: event.table })
      ))
    if (isKept(table)) touch(event)
  }
})
