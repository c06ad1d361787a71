import { connectDatabase } from "@ductape/databases"
import { runOracle } from "@ductape/databases/testing"
import { describeService, freshDatabase } from "@ductape/testkit"
import { it } from "vitest"
import { postgres } from "../src/index.ts"

describeService("postgres", "databases oracle: postgres", (url) => {
  it("answers 6,000 generated finds as the filter evaluated in JavaScript does", async () => {
    await using own = await freshDatabase(url)
    await using db = await connectDatabase({ adapter: postgres(), url: own.url })
    // Four at once: the pool is used as applications use it.
    await Promise.all([11, 12, 13, 14].map((seed) => runOracle(db, { seed, cases: 1500 })))
  }, 240_000)
})
