import { Ductape, type DuctapeOptions } from "@ductape/sdk"

/** Changes what another process runs. */
export default async (options: DuctapeOptions) => {
  await using ductape = new Ductape(options)
  await ductape.api.update("echo", "get", { resource: "/new" })
}
