import type { ProcessContext } from "@ductape/testkit"
import { postgres } from "../../../databases-postgres/src/index.ts"
import { connectDatabase, type Migration, MigrationEngine } from "../../src/index.ts"

/** Runs a migration and stands still before the given statement, for the test to kill it there. */
export default async (
  {
    migration,
    stopAt,
    url
  }: { readonly url: string; readonly migration: Migration; readonly stopAt: number },
  { report }: ProcessContext
): Promise<string> => {
  const db = await connectDatabase({ adapter: postgres(), url })
  const hold = new Int32Array(new SharedArrayBuffer(4))
  await report("open")
  await new MigrationEngine(db.getAdapter()).run([migration], {
    onProgress: ({ done, step }) => {
      if (done || step !== stopAt) return
      // Synchronous, so that nothing more is sent; the report of the statement before has gone out.
      Atomics.wait(hold, 0, 0)
    }
  })
  return "done"
}
