import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { root } from "./runTool.ts"
import { workspacePackages } from "./workspace.ts"

/**
 * Imports of published code point one way: adapter → capability → registry → core. The role of a package
 * follows from its folder's name, so a new one needs no entry here: `cache-redis` is an adapter because
 * there is a `cache`.
 */
type Role = "core" | "registry" | "capability" | "embedded" | "adapter" | "top" | "testkit"

const named: Readonly<Record<string, Role>> = {
  core: "core",
  registry: "registry",
  embedded: "embedded",
  sdk: "top",
  cli: "top",
  nestjs: "top",
  "ductape-sdk": "top",
  testkit: "testkit"
}

/** The capability (or the registry) that an adapter is for. */
const baseOf = (folder: string, folders: ReadonlySet<string>): string | undefined => {
  const prefix = folder.slice(0, folder.indexOf("-"))
  return folder.includes("-") && folders.has(prefix) ? prefix : undefined
}

const roleOf = (folder: string, folders: ReadonlySet<string>): Role =>
  named[folder] ?? (baseOf(folder, folders) === undefined ? "capability" : "adapter")

/** Why `from` may not import `to`, or undefined when it may. */
export const refusal = (from: string, to: string, folders: ReadonlySet<string>): string | undefined => {
  if (from === to) return undefined
  const [source, target] = [roleOf(from, folders), roleOf(to, folders)]
  if (target === "testkit") return "only tests import the testkit"
  if (source === "top")
    return target === "top" && from === "sdk" ? "the sdk is below the cli and nestjs" : undefined
  if (target === "core") return undefined
  if (target === "adapter") return "only sdk, cli, nestjs and examples import an adapter"
  if (target === "top") return "nothing below them imports sdk, cli or nestjs"
  if (source === "adapter") {
    if (target === "capability" && baseOf(from, folders) !== to)
      return "an adapter imports its own capability only"
    return undefined
  }
  if (source === "capability") {
    if (target === "capability") return "a capability never imports another one: they meet through core"
    return target === "registry" ? undefined : "only adapters import the embedded database"
  }
  return `${source} imports nothing above it`
}

const imports = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"'\n]+)["']/g

/** Comments may show imports; strings that matter here hold no comment marks. */
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ""))

/** Every import of published code that points the wrong way, as `file:line: what and why`. */
export const importViolations = (base = root): Array<string> => {
  const packages = workspacePackages(base)
  const folders = new Set(packages.map(({ folder }) => folder))
  const folderOf = new Map(packages.map(({ folder, manifest }) => [manifest.name, folder]))
  const found: Array<string> = []
  for (const { directory, folder } of packages) {
    const source = join(directory, "src")
    if (!existsSync(source)) continue
    for (const name of globSync("**/*.ts", { cwd: source }).sort()) {
      const file = join(source, name)
      const text = withoutComments(readFileSync(file, "utf8"))
      for (const match of text.matchAll(imports)) {
        const specifier = match[1] ?? ""
        const line = text.slice(0, match.index).split("\n").length
        const report = (why: string) =>
          found.push(`${relative(base, file).split(sep).join("/")}:${line}: imports ${specifier}: ${why}`)
        if (specifier === "effect" && folder !== "testkit")
          report('name the module ("effect/Effect"): the barrel triples the cold import')
        if (specifier.startsWith(".")) {
          const target = resolve(dirname(file), specifier)
          if (!target.startsWith(source + sep)) report("a relative import stays in its own src")
          continue
        }
        const to = folderOf.get(
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/")
        )
        if (to === undefined) continue
        const why = refusal(folder, to, folders)
        if (why !== undefined) report(why)
      }
    }
  }
  return found
}
