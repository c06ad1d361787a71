import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describeService, freshDatabase } from "@ductape/testkit"
import { assert, it } from "vitest"

describeService("postgres", "A process with a PostgreSQL store", (server) => {
  it("ends by itself, the store not closed", async () => {
    const { url } = await freshDatabase(server)
    const program = fileURLToPath(new URL("./processes/readOnce.ts", import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program, url], { timeout: 60_000 })
    assert.strictEqual(stdout.trim(), "0")
  })
})
