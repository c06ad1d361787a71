import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { mapAtMost, mustRun, root, runTool } from "./runTool.ts"
import { publicPackages, type WorkspacePackage } from "./workspace.ts"

export interface Packed extends WorkspacePackage {
  readonly tarball: string
}

/** Declarations of sources that are gone would be published too: `tsc -b` does not remove them. */
const removeStale = ({ directory }: WorkspacePackage) => {
  for (const file of globSync("dist/**/*.d.ts{,.map}", { cwd: directory })) {
    const source = file.replace(/^dist/, "src").replace(/\.d\.ts(\.map)?$/, ".ts")
    if (!existsSync(join(directory, source))) rmSync(join(directory, file))
  }
}

/** Packs every public package as it would be published. Wants `tsc -b` to have run. */
export const packAll = async (folder: string): Promise<ReadonlyArray<Packed>> =>
  mapAtMost(2, publicPackages(), async (one) => {
    removeStale(one)
    await mustRun("node", [join(root, "tools", "bundle.ts")], { cwd: one.directory })
    const tarball = join(folder, `${one.folder}.tgz`)
    await mustRun("pnpm", ["pack", "--silent", "--out", tarball], { cwd: one.directory })
    return { ...one, tarball }
  })

const bytesOf = (file: string) => {
  const bytes = readFileSync(file)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}

/** What `publint --strict` says of the tarballs. */
export const lintPackages = async (packed: ReadonlyArray<Packed>): Promise<Array<string>> => {
  const found = await mapAtMost(2, packed, async ({ manifest, tarball }) => {
    const { messages, pkg } = await publint({
      pack: { tarball: bytesOf(tarball) },
      strict: true,
      level: "warning"
    })
    return messages.map((message) => `${manifest.name}: ${formatMessage(message, pkg, { color: false })}`)
  })
  return found.flat()
}

/** Whether the types of every entry point are found and agree with the code. */
export const checkTypes = async (packed: ReadonlyArray<Packed>): Promise<Array<string>> => {
  const found = await mapAtMost(2, packed, async ({ manifest, tarball }) => {
    const { code, output } = await runTool("attw", [
      tarball,
      "--profile",
      "esm-only",
      "--no-emoji",
      "--format",
      "ascii"
    ])
    return code === 0 ? [] : [`${manifest.name}:\n${output.trim()}`]
  })
  return found.flat()
}

/** What exports a conformance suite needs its runner, which nobody else has to install. */
const runners = ["vitest", "@effect/vitest", "fast-check"]

/** Installs the tarballs into a new folder by npm, without scripts, as anyone would. */
export const cleanInstall = async (folder: string, packed: ReadonlyArray<Packed>): Promise<string> => {
  mkdirSync(folder)
  const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")
  const version = (name: string) =>
    new RegExp(`^ {2}"?${name.replace("/", "\\/")}"?: (\\S+)$`, "m").exec(catalog)?.[1] ?? "latest"
  const tarballs = Object.fromEntries(
    packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`])
  )
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: {
        ...tarballs,
        effect: version("effect"),
        ...Object.fromEntries(runners.map((name) => [name, version(name)]))
      },
      // Packages name each other by version: those are not on the registry yet.
      overrides: Object.fromEntries(Object.keys(tarballs).map((name) => [name, `$${name}`]))
    })
  )
  await mustRun("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    timeout: 300_000
  })
  return folder
}

/** Imports every entry point of every package, and asks `require()` for it too. */
export const importEverything = async (
  folder: string,
  packed: ReadonlyArray<Packed>
): Promise<Array<string>> => {
  const entries = packed.flatMap(({ manifest }) =>
    Object.keys(manifest.publishConfig?.exports ?? manifest.exports ?? {})
      .filter((path) => !path.endsWith(".json"))
      .map((path) => manifest.name + path.slice(1))
  )
  const found = await mapAtMost(2, entries, async (entry) => {
    const load = `const m = await import(${JSON.stringify(entry)}); if (Object.keys(m).length === 0 && !${JSON.stringify(entry)}.endsWith("/types")) throw new Error("exports nothing")`
    const require = `require(${JSON.stringify(entry)})`
    // A conformance suite only loads inside its runner.
    const sources = entry.endsWith("/testing")
      ? [["module", load]]
      : [
          ["module", load],
          ["commonjs", require]
        ]
    const problems: Array<string> = []
    for (const [type, source] of sources) {
      const { code, output } = await runTool("node", [`--input-type=${type}`, "-e", source ?? ""], {
        cwd: folder,
        timeout: 60_000
      })
      if (code !== 0)
        problems.push(`${entry} (${type}): ${output.trim().split("\n").slice(0, 12).join("\n")}`)
    }
    return problems
  })
  return found.flat()
}

const median = (values: ReadonlyArray<number>) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Milliseconds of a first import in a new process: medians of interleaved rounds. */
export const coldImport = async (folder: string, rounds = 7): Promise<string> => {
  const times: Record<string, Array<number>> = { "@ductape/sdk": [], effect: [] }
  for (let round = 0; round < rounds; round++)
    for (const [name, taken] of Object.entries(times)) {
      const source = `const t = performance.now(); await import(${JSON.stringify(name)}); console.log(performance.now() - t)`
      taken.push(
        Number((await mustRun("node", ["--input-type=module", "-e", source], { cwd: folder })).stdout)
      )
    }
  const [ours, barrel] = [median(times["@ductape/sdk"] ?? []), median(times["effect"] ?? [])]
  return `@ductape/sdk ${ours.toFixed(0)} ms, effect barrel ${barrel.toFixed(0)} ms, ${(ours / barrel).toFixed(2)}× (goal: at most 0.6×)`
}
