import type { Scope } from "../DatabaseConnection.ts"
import { bindOr, foreignArrays, readForeignArrays } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { tableName } from "../input.ts"
import { SaveResult } from "../results.ts"
import { columnOf, filterSql } from "../sql/filterSql.ts"
import { isIdentifier } from "../sql/identifier.ts"
import { StatementBuilder } from "../sql/Statement.ts"
import type { UpdateInput } from "../types.ts"
import { readTarget } from "./delete.ts"
import { type Change, changeSql, readChange } from "./operators.ts"
import { readReturning, returningSql } from "./returning.ts"
import { kindOfValue } from "./values.ts"

const readChanges = (data: unknown): ReadonlyArray<Change> => {
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    throw invalid("data: expected an object of columns and values.", "data")
  }
  const changes: Array<Change> = []
  for (const [column, value] of Object.entries(data)) {
    if (value === undefined) continue
    if (!isIdentifier(column)) {
      throw invalid(
        String(column).startsWith("$")
          ? `data: '$…' operators go inside a column: { views: { $inc: 1 } }.`
          : "data: a key is not the name of a column.",
        "data"
      )
    }
    changes.push(readChange(column, value))
  }
  if (changes.length === 0) throw invalid("data: empty. Say what to change.", "data")
  return changes
}

export const update = async (scope: Scope, input: UpdateInput): Promise<SaveResult> => {
  const name = tableName(input)
  const changes = readChanges(input.data)
  const where = readTarget(input)
  const returning = readReturning(input.returning)
  const { connection } = scope
  const shape = changes.map((change) => `${change.column}:${change.operator}${kindOfValue(change)}`).join(" ")
  const values = [...where.values, ...changes.map((change) => change.value)]
  return connection.withTable(scope, name, async (table) => {
    const { params, plan } = bindOr(
      (wide) =>
        connection.plan(
          `update ${name} ${shape} ${where.key} ${String(returning)}${wide ? " wide" : ""}`,
          () => {
            const statement = new StatementBuilder()
            const condition = filterSql({ table, prefix: "", statement, wide }, where.filter)
            const set = changes.map((change) => {
              const column = columnOf(table, change.column, "data")
              return `"${change.column}" = ${changeSql(column, change, statement)}`
            })
            const tail = condition === "TRUE" ? "" : ` WHERE ${condition}`
            return {
              compiled: statement.done(
                `UPDATE ${table.sql} SET ${set.join(", ")}${tail}${returningSql(table, returning)}`
              )
            }
          }
        ),
      values
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
