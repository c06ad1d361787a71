import { assert, describe, it } from "vitest"
import { aggregates } from "./aggregates.ts"
import { filterRows } from "./filterRows.ts"
import { includes } from "./includes.ts"
import { migrationCases } from "./migrationCases.ts"
import { reading } from "./reading.ts"
import { type SuiteOptions, suiteContext } from "./SuiteContext.ts"
import { schemaCases } from "./schemaCases.ts"
import { transactions } from "./transactions.ts"
import { typesAndErrors } from "./typesAndErrors.ts"
import { updateOperators } from "./updateOperators.ts"
import { writing } from "./writing.ts"

export { type OracleOptions, runOracle } from "./oracle.ts"
export type { SuiteOptions } from "./SuiteContext.ts"

/**
 * What every driver of `@ductape/databases` has to do. Call it in a test file of the adapter, once
 * for each server version that it supports.
 *
 * @example
 * suite({
 *   adapter: "postgres",
 *   server: "PostgreSQL 18",
 *   capabilities: ["concurrent", "cancel", "restart"],
 *   open: () => connectDatabase({ adapter: postgres(), url })
 * })
 */
export const suite = (options: SuiteOptions): void => {
  describe(`databases conformance: ${options.adapter} (${options.server})`, () => {
    const context = suiteContext(options)
    it("declares exactly what its package claims", () => {
      assert.sameMembers([...context.db().getAdapter().capabilities], [...options.capabilities])
    })
    it("knows its version and latency", () => {
      assert.match(context.db().version ?? "", /^PostgreSQL \d+/)
      assert.isAbove(context.db().latency ?? 0, 0)
      assert.isTrue(context.db().connected)
    })
    filterRows(context)
    reading(context)
    includes(context)
    writing(context)
    updateOperators(context)
    aggregates(context)
    transactions(context)
    typesAndErrors(context)
    schemaCases(context)
    migrationCases(context)
  })
}
