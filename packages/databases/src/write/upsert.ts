import type { Scope } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { readColumns, tableName } from "../input.ts"
import { UpsertedResult } from "../results.ts"
import type { UpsertInput } from "../types.ts"
import { runInsert } from "./insert.ts"
import { readReturning } from "./returning.ts"
import { readRows } from "./rows.ts"

/** Older form: the keys as a filter of plain values. */
const keysOf = (input: UpsertInput & { readonly where?: unknown }): ReadonlyArray<string> | undefined => {
  const keys = input.conflictKeys ?? input.conflictColumns
  if (keys !== undefined) return keys
  return typeof input.where === "object" && input.where !== null ? Object.keys(input.where) : undefined
}

export const upsert = async (scope: Scope, input: UpsertInput): Promise<UpsertedResult> => {
  const name = tableName(input)
  const rows = readRows(input)
  const keys = keysOf(input)
  if (keys === undefined)
    throw invalid("conflictKeys: missing. Name the columns that tell rows apart.", "conflictKeys")
  const columns = readColumns(keys, "conflictKeys")
  const update =
    input.updateColumns === undefined ? undefined : readColumns(input.updateColumns, "updateColumns")
  if (rows.length === 0) return new UpsertedResult([], 0, "updated")
  const written = await scope.connection.withTable(scope, name, (table) =>
    runInsert(scope, table, {
      name,
      rows,
      returning: readReturning(input.returning),
      conflict: { columns, action: "update", update },
      mark: true,
      onProgress: input.onProgress
    })
  )
  const { count, inserted } = written
  return new UpsertedResult(
    written.records,
    count,
    inserted === count && count > 0 ? "inserted" : inserted === 0 ? "updated" : "mixed"
  )
}
