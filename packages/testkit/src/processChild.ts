import type { ProcessContext, ProcessMessage } from "./runProcesses.ts"

interface Start {
  readonly script: string
  readonly args: unknown
  readonly index: number
  readonly count: number
}

const send = (message: ProcessMessage) =>
  new Promise<void>((resolve, reject) => {
    process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })

// The parent is gone: nobody waits for the result.
process.on("disconnect", () => process.exit(1))

process.once("message", async ({ args, count, index, script }: Start) => {
  const context: ProcessContext = { index, count, report: (value) => send({ type: "report", value }) }
  try {
    const main = await import(script)
    await send({ type: "result", value: await main.default(args, context) })
    process.exit(0)
  } catch (cause) {
    await send({
      type: "failure",
      message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    })
    process.exit(1)
  }
})
