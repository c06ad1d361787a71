import { loadModule } from "libpg-query"
import { assert, describe, it } from "vitest"
import { runInjection } from "./injection.ts"

describe("injection", () => {
  it("5,000 hostile names and values never change what a statement is", async () => {
    await loadModule()
    const { refused, sent } = await runInjection(5000, 42)
    assert.isAbove(sent, 1000)
    assert.isAbove(refused, 100)
  }, 120_000)
})
