import type { Scope } from "../DatabaseConnection.ts"
import { bindOr, foreignArrays, readForeignArrays } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { type ParsedFilter, readWhere, tableName } from "../input.ts"
import { SaveResult } from "../results.ts"
import { filterSql } from "../sql/filterSql.ts"
import { StatementBuilder } from "../sql/Statement.ts"
import type { DeleteInput, Where } from "../types.ts"
import { readReturning, returningSql } from "./returning.ts"

/** The rows that a write means; without a condition only if `all: true` says so. */
export const readTarget = (input: {
  readonly where?: Where | undefined
  readonly all?: true | undefined
}): ParsedFilter => {
  const where = readWhere(input.where)
  if (input.all !== undefined && input.all !== true) throw invalid("all: expected true, or nothing.", "all")
  if (where.filter.type === "all" && input.all !== true) {
    throw invalid(
      "where: missing or empty, which means every row. If that is meant, pass all: true.",
      "where"
    )
  }
  return where
}

export const deleteRows = async (scope: Scope, input: DeleteInput): Promise<SaveResult> => {
  const name = tableName(input)
  const where = readTarget(input)
  const returning = readReturning(input.returning)
  const { connection } = scope
  return connection.withTable(scope, name, async (table) => {
    const { params, plan } = bindOr(
      (wide) =>
        connection.plan(`delete ${name} ${where.key} ${String(returning)}${wide ? " wide" : ""}`, () => {
          const statement = new StatementBuilder()
          const condition = filterSql({ table, prefix: "", statement, wide }, where.filter)
          const tail = condition === "TRUE" ? "" : ` WHERE ${condition}`
          return {
            compiled: statement.done(`DELETE FROM ${table.sql}${tail}${returningSql(table, returning)}`)
          }
        }),
      where.values
    )
    const { count, rows } = await connection.run(scope, plan.compiled.text, params, {
      prepare: true,
      write: true,
      table: name
    })
    if (returning === undefined) return new SaveResult([], count)
    readForeignArrays(rows, foreignArrays(table, returning === "*" ? table.columns.keys() : returning))
    return new SaveResult(rows, count)
  })
}
