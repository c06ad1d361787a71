import { Ductape, type DuctapeError, type DuctapeOptions } from "@ductape/sdk"

/** What a run gives, or the code that it fails with. */
export default async (options: DuctapeOptions) => {
  await using ductape = new Ductape(options)
  return await ductape.api.run({ app: "echo", action: "get" }).catch(({ code }: DuctapeError) => code)
}
