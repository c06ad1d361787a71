import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { mustRun, root, runTool } from "./runTool.ts"
import { workspacePackages } from "./workspace.ts"

/**
 * `npm run mutants [package…] [-- --only <words>]`: plants each bug of `packages/<package>/test/mutants.ts` in a copy of the repository and
 * expects the tests named there to fail. A mutant that survives shows a test that is not one.
 */
interface Mutant {
  readonly name: string
  /** The file to change: from the package's folder, or from the root when it starts with `packages/`. */
  readonly file: string
  /** Must occur exactly once. */
  readonly find: string
  readonly replace: string
  /** Test files that have to notice, named like `file`. */
  readonly tests: string | ReadonlyArray<string>
}

type Verdict = "caught" | "survived" | "broken"

interface Planned extends Mutant {
  readonly package: string
  readonly path: string
  readonly testPaths: ReadonlyArray<string>
}

const patience = 180_000

const fromRoot = (folder: string, path: string) =>
  path.startsWith("packages/") ? path : `packages/${folder}/${path}`

/** `node_modules` of the copy: the workspace's own packages lead to the copy, all else to the original. */
const linkModules = (from: string, to: string, copy: string) => {
  if (!existsSync(from)) return
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    if (name.startsWith(".")) continue
    const source = join(from, name)
    if (name.startsWith("@") && !isLink(source)) linkModules(source, join(to, name), copy)
    else {
      const target = realpathSync(source)
      const inside = relative(root, target)
      const own = inside.startsWith("packages") && !isAbsolute(inside)
      symlinkSync(own ? join(copy, inside) : target, join(to, name), "junction")
    }
  }
}

const isLink = (path: string) => {
  try {
    readlinkSync(path)
    return true
  } catch {
    return false
  }
}

const copyRepository = async (into: string) => {
  const { stdout } = await mustRun("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
  const files = stdout.split("\0").filter(Boolean)
  for (const file of files) {
    const source = join(root, file)
    if (!existsSync(source)) continue
    mkdirSync(dirname(join(into, file)), { recursive: true })
    cpSync(source, join(into, file))
  }
  for (const file of files.filter((file) => basename(file) === "package.json")) {
    const modules = join(dirname(file), "node_modules")
    linkModules(join(root, modules), join(into, modules), into)
  }
}

interface VitestReport {
  readonly numFailedTests: number
  readonly numPassedTests: number
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly message: string }>
}

const runTests = async (copy: string, tests: ReadonlyArray<string>) => {
  const outputFile = join(copy, "report.json")
  rmSync(outputFile, { force: true })
  const { code, output } = await runTool(
    "vitest",
    ["run", ...tests, "--bail", "1", "--reporter=json", `--outputFile=${outputFile}`],
    { cwd: copy, timeout: patience }
  )
  const report: VitestReport | undefined = existsSync(outputFile)
    ? JSON.parse(readFileSync(outputFile, "utf8"))
    : undefined
  return { code, output, report }
}

const unparsable = /Transform failed|SyntaxError|Parse (failure|error)|PARSE_ERROR|Unexpected token/

const plant = async (copy: string, mutant: Planned): Promise<{ verdict: Verdict; why?: string }> => {
  const file = join(copy, mutant.path)
  if (!existsSync(file)) return { verdict: "broken", why: `${mutant.path} is not there` }
  const original = readFileSync(file, "utf8")
  const found = original.split(mutant.find).length - 1
  if (found !== 1) return { verdict: "broken", why: `"find" occurs ${found} times in ${mutant.path}` }
  writeFileSync(
    file,
    original.replace(mutant.find, () => mutant.replace)
  )
  try {
    const { code, output, report } = await runTests(copy, mutant.testPaths)
    if (code === 0) return { verdict: "survived" }
    const messages = report?.testResults.map(({ message }) => message).join("\n") ?? output
    if (report?.numFailedTests === 0 && unparsable.test(messages))
      return { verdict: "broken", why: messages.slice(0, 500) }
    return report === undefined ? { verdict: "caught", why: "the tests did not end" } : { verdict: "caught" }
  } finally {
    writeFileSync(file, original)
  }
}

const load = async (wanted: ReadonlyArray<string>): Promise<ReadonlyArray<Planned>> => {
  const planned: Array<Planned> = []
  for (const { directory, folder } of workspacePackages()) {
    const list = join(directory, "test", "mutants.ts")
    if (!existsSync(list) || (wanted.length > 0 && !wanted.includes(folder))) continue
    const { default: mutants }: { default: ReadonlyArray<Mutant> } = await import(pathToFileURL(list).href)
    for (const mutant of mutants)
      planned.push({
        ...mutant,
        package: folder,
        path: fromRoot(folder, mutant.file),
        testPaths: [mutant.tests].flat().map((path) => fromRoot(folder, path))
      })
  }
  return planned
}

const main = async () => {
  const args = process.argv.slice(2)
  const at = args.indexOf("--only")
  const only = at === -1 ? undefined : args.slice(at + 1).join(" ")
  const packages = (at === -1 ? args : args.slice(0, at)).filter((word) => word !== "--")
  const mutants = (await load(packages)).filter(({ name }) => only === undefined || name.includes(only))
  if (mutants.length === 0)
    throw new Error(`no mutants${packages.length > 0 ? ` in ${packages.join(", ")}` : ""}`)
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "ductape-mutants-")))
  const unsound: Array<string> = []
  try {
    const copies = [1, 2].map((number) => resolve(scratch, String(number)))
    await Promise.all(copies.map(copyRepository))
    const groups = [
      ...new Map(mutants.map((mutant) => [mutant.testPaths.join(" "), mutant.testPaths])).values()
    ]
    const queueOf = <A>(items: ReadonlyArray<A>, work: (copy: string, item: A) => Promise<void>) => {
      const queue = items.values()
      return Promise.all(
        copies.map(async (copy) => {
          for (const item of queue) await work(copy, item)
        })
      )
    }
    // A test that fails anyway, or runs nothing, catches nothing.
    await queueOf(groups, async (copy, tests) => {
      const { code, output, report } = await runTests(copy, tests)
      if (code !== 0 || (report?.numPassedTests ?? 0) === 0)
        unsound.push(`${tests.join(" ")} does not pass without a mutant:\n${output.trim().slice(-2_000)}`)
    })
    if (unsound.length > 0) throw new Error(unsound.join("\n"))
    const count: Record<Verdict, number> = { caught: 0, survived: 0, broken: 0 }
    await queueOf(mutants, async (copy, mutant) => {
      const started = performance.now()
      const { verdict, why } = await plant(copy, mutant)
      count[verdict]++
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const mark = verdict === "caught" ? "✓" : "✗"
      process.stdout.write(
        `${mark} ${mutant.package}: ${mutant.name}: ${verdict}${why === undefined ? "" : `, ${why}`} (${seconds} s)\n`
      )
    })
    process.stdout.write(
      `${mutants.length} mutants: ${count.caught} caught, ${count.survived} survived, ${count.broken} broken\n`
    )
    process.exitCode = count.caught === mutants.length ? 0 : 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

await main().catch((cause: unknown) => {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
  process.exitCode = 1
})
