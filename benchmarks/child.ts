import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Suite, Tools } from "./suite.ts"

/** Measures one contender: `main.ts` starts a new process of this for every round. */
export interface Job {
  /** URL of the suite's module. */
  readonly suite: string
  readonly group: string
  readonly contender: string
  readonly context: Readonly<Record<string, unknown>>
  /** Where the contender's packages are installed. */
  readonly folder?: string
}

process.once("message", async ({ contender, context, folder, group, suite }: Job) => {
  try {
    const loaded: { default: Suite } = await import(suite)
    const found = loaded.default.groups.find(({ name }) => name === group)
    const one = [found?.ours, ...(found?.peers ?? [])].find((candidate) => candidate?.name === contender)
    if (one === undefined) throw new Error(`no ${contender} in ${group}`)
    const load: Tools["load"] = async (name) => {
      if (folder === undefined) return import(name)
      const loader = await import(pathToFileURL(join(folder, "load.js")).href)
      return loader.default(name)
    }
    process.send?.({ measures: await one.run({ context, load }) }, () => process.exit(0))
  } catch (cause) {
    process.send?.({ problem: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }, () =>
      process.exit(1)
    )
  }
})
