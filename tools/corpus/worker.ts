import { parentPort } from "node:worker_threads"
import { checkDocument, importDocument } from "./checkDocument.ts"
import type { FromWorker, ToWorker } from "./messages.ts"

const port = parentPort
const send = (message: FromWorker): void => port?.postMessage(message)

port?.on("message", async ({ file }: ToWorker) => {
  const imported = await importDocument(file)
  if ("code" in imported) {
    send({ kind: "refused", ...imported })
    return
  }
  const { plan, milliseconds } = imported
  send({
    kind: "imported",
    milliseconds,
    actions: plan.actions.length,
    skipped: plan.skipped.map(({ reason }) => reason),
    bytes: plan.actions.reduce((sum, action) => sum + JSON.stringify(action).length, 0)
  })
  send({ kind: "checked", counts: checkDocument(file, imported) })
})

send({ kind: "ready" })
