import { globSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import type { Manifest } from "./workspace.ts"

/**
 * Second half of a package's build, run in its folder: one module per entry point of `exports`, and one
 * per part that is loaded on first use. A process then opens a few files instead of hundreds, which is
 * half of a cold import. Dependencies and the workspace's other packages stay imports; types come from
 * `tsc -b`. Nothing is minified: what is published can be read and stepped through.
 */
const directory = process.cwd()
const { exports = {} }: Manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))
const entries = Object.values(exports).filter((path) => path.endsWith(".ts"))

for (const file of globSync("dist/**/*.{js,js.map}", { cwd: directory })) rmSync(join(directory, file))
const bundle = await rolldown({
  cwd: directory,
  input: Object.fromEntries(
    entries.map((path) => [path.replace(/^\.\/src\//, "").replace(/\.ts$/, ""), path])
  ),
  external: (id) => !id.startsWith(".") && !id.startsWith(directory),
  platform: "node"
})
await bundle.write({
  dir: "dist",
  format: "es",
  sourcemap: true,
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js"
})
await bundle.close()
