import { connectDatabase } from "@ductape/databases"
import { runOracle } from "@ductape/databases/testing"
import { describe, it } from "vitest"
import { pglite } from "../src/index.ts"

describe("databases oracle: pglite", () => {
  it("answers 5,000 generated finds as the filter evaluated in JavaScript does", async () => {
    await using db = await connectDatabase({ adapter: pglite(), url: "pglite://memory" })
    await runOracle(db, { seed: 20_260, cases: 5000 })
  }, 240_000)
})
