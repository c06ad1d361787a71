import { assert, describe, it } from "vitest"
import { runProcesses } from "../src/index.ts"

const script = new URL("./greeter.ts", import.meta.url)

describe("runProcesses", () => {
  it("runs each in a process of its own and gives the results in order", async () => {
    const pids = new Set<unknown>()
    const results = await runProcesses(
      script,
      3,
      { mode: "return" },
      {
        onReport: (value) => pids.add(JSON.stringify(value))
      }
    )
    assert.deepStrictEqual(results, [
      { index: 0, count: 3 },
      { index: 1, count: 3 },
      { index: 2, count: 3 }
    ])
    assert.strictEqual(pids.size, 3)
  })

  it("kills one, and still gives the others' results", async () => {
    const running = runProcesses(
      script,
      2,
      { mode: "stay" },
      {
        onReport: (_, index) => running.kill(index)
      }
    )
    assert.deepStrictEqual(await running, [undefined, undefined])
  })

  it.each([
    ["fail", /process 1 failed: Error: one fails/],
    ["exit", /process 1 ended with 3/]
  ])("rejects when one does not return (%s), and leaves none behind", async (mode, message) => {
    const running = runProcesses(script, 2, { mode })
    const error = await running.then(
      () => undefined,
      (cause: Error) => cause
    )
    assert.match(error?.message ?? "", message)
    const alive = (pid: number) => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    while (running.pids.some(alive)) await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
