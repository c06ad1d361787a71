import { createHash } from "node:crypto"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import { schemaPrefix } from "../schema/names.ts"
import type { Migration } from "./Migration.ts"
import type { Op } from "./Op.ts"
import { indexName, operationSql, type SqlTarget } from "./operationSql.ts"
import { concurrentIndex, runsAlone } from "./splitStatements.ts"

/** One statement of a migration. */
export interface Step {
  readonly sql: string
  readonly op: Op
  /** Place of the step that it comes from. */
  readonly at: number
  readonly first: boolean
  /** PostgreSQL refuses it inside a transaction. */
  readonly alone: boolean
}

export const stepsOf = (ops: ReadonlyArray<Op>, target: SqlTarget, where: string): ReadonlyArray<Step> =>
  ops.flatMap((op, at) =>
    operationSql(op, target, `${where}[${at}]`).map((sql, i) => ({
      sql,
      op,
      at,
      first: i === 0,
      alone: runsAlone(sql)
    }))
  )

/** Whether one transaction around all of it is wanted and possible. */
export const isTransactional = (migration: Migration, steps: ReadonlyArray<Step>): boolean =>
  migration.transactional !== false && !steps.some((step) => step.alone)

/** Tells whether statements that are done are still those of the migration. */
export const prefixOf = (steps: ReadonlyArray<Step>, count: number): string => {
  const hash = createHash("sha256")
  for (const step of steps.slice(0, count)) hash.update(step.sql).update("\0")
  return hash.digest("hex")
}

/**
 * Runs a statement that was begun before, perhaps to its end: an index that was left half built is
 * dropped first, one that is there is left alone. Anything else is run again.
 */
export const runAgain = async (access: DatabaseAccess, step: Step): Promise<void> => {
  const { op, sql } = step
  const index =
    op.type === "createIndex" ? `${schemaPrefix(op.collection)}"${indexName(op)}"` : concurrentIndex(sql)
  if (index !== undefined) {
    const { rows } = await access.execute(
      "SELECT i.indisvalid AS valid FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass($1)",
      [index]
    )
    const valid = rows[0]?.["valid"]
    if (valid === true) return
    if (valid === false) await access.execute(`DROP INDEX CONCURRENTLY ${index}`)
  }
  await access.execute(sql.replace(/^(\s*drop\s+index\s+concurrently\s+)(?!if\s+exists)/i, "$1IF EXISTS "))
}
