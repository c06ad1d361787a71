import { readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { madeOnce } from "./postgresBinaries.ts"

/** Where `@ductape/embedded` looks for the cluster that databases in memory start from. */
export const templateVariable = "DUCTAPE_EMBEDDED_TEMPLATE"

/** An empty embedded cluster, made once per version: `initdb` takes two seconds of every start otherwise. */
export const embeddedTemplate = async (): Promise<string> => {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite")
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8"))
  const folder = await madeOnce(`pglite-${version}`, async (directory) => {
    const { PGlite } = await import("@electric-sql/pglite")
    await using engine = await PGlite.create()
    const dump = await engine.dumpDataDir("none")
    await mkdir(directory)
    await writeFile(join(directory, "empty.tar"), Buffer.from(await dump.arrayBuffer()))
  })
  return join(folder, "empty.tar")
}
