import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname, join, relative } from "node:path"
import { root, runTool } from "./runTool.ts"
import { workspacePackages } from "./workspace.ts"

interface Line {
  readonly text: string
  /** Of the page, from 1. */
  readonly number: number
}

interface Block {
  readonly lines: ReadonlyArray<Line>
  /** What follows `ts` after the fence. */
  readonly info: string
  readonly number: number
}

/** The fenced TypeScript blocks of a page. */
export const blocksOf = (page: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { fence: string; indent: number; block: (Block & { lines: Array<Line> }) | undefined } | undefined
  for (const [index, text] of page.split(/\r?\n/).entries()) {
    const number = index + 1
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(text)
    if (open === undefined) {
      if (fence === null) continue
      const wanted = /^(ts|typescript|mts)$/i.test(fence[3] ?? "")
      const block = wanted ? { lines: [], info: (fence[4] ?? "").trim(), number } : undefined
      open = { fence: fence[2] ?? "```", indent: fence[1]?.length ?? 0, block }
      if (block !== undefined) blocks.push(block)
    } else if (fence !== null && fence[3] === "" && (fence[2] ?? "").startsWith(open.fence)) open = undefined
    else open.block?.lines.push({ text: text.slice(Math.min(open.indent, text.search(/\S|$/))), number })
  }
  return blocks
}

const importStatement = /^import\s[\s\S]*?["'][^"']+["'];?\s*$/

/** Takes what may only stand at the top of a module out of a block: imports and `declare`. */
const splitBlock = (lines: ReadonlyArray<Line>) => {
  const imports: Array<{ readonly text: string; readonly number: number }> = []
  const rest: Array<Line> = []
  const declarations: Array<Line> = []
  let pending: { text: string; number: number } | undefined
  let declaring = false
  for (const line of lines) {
    if (declaring || /^declare\s/.test(line.text)) {
      declarations.push(line)
      // A declaration of several lines ends with its bracket at the margin.
      declaring = declaring ? !/^[}\])]/.test(line.text) : /[{([]\s*$/.test(line.text)
      continue
    }
    if (pending !== undefined) pending.text += ` ${line.text.trim()}`
    else if (/^import[\s{*"']/.test(line.text))
      pending = { text: line.text.replace(/\s*\/\/.*$/, ""), number: line.number }
    else {
      rest.push(line)
      continue
    }
    if (importStatement.test(pending.text)) {
      imports.push(pending)
      pending = undefined
    }
  }
  return { imports, declarations, rest }
}

/** One import per bound name, so that blocks of one page may repeat each other's imports. */
const bindings = (statement: string): ReadonlyArray<readonly [name: string, text: string]> => {
  const match = /^import\s+(type\s+)?(?:([\s\S]*?)\s+from\s+)?(["'][^"']+["'])/.exec(statement)
  if (match === null) return [["", statement]]
  const [, type = "", clause, from] = match
  if (clause === undefined) return [[`import ${from}`, `import ${from}`]]
  const found: Array<readonly [string, string]> = []
  const named = /\{([\s\S]*)\}/.exec(clause)
  for (const entry of (named?.[1] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)) {
    const local =
      entry
        .split(/\s+as\s+/)
        .at(-1)
        ?.replace(/^type\s+/, "") ?? entry
    found.push([local, `import ${type}{ ${entry} } from ${from}`])
  }
  const whole = clause
    .replace(/\{[\s\S]*\}/, "")
    .replace(/,/g, "")
    .trim()
  const namespace = /^\*\s+as\s+(\S+)$/.exec(whole)
  if (whole !== "") found.push([namespace?.[1] ?? whole, `import ${type}${whole} from ${from}`])
  return found
}

export interface Module {
  readonly text: string
  /** For each line of the text, the page's line that it came from. */
  readonly origin: ReadonlyArray<number>
}

/**
 * One module of a page: the imports and ambient declarations of all its blocks, then each block nested in the one before it, so
 * that it sees what the page declared so far and may declare it anew.
 */
export const moduleOf = (blocks: ReadonlyArray<Block>): Module => {
  const lines: Array<Line> = []
  const bound = new Set<string>()
  const declared = new Set<string>()
  const bodies = blocks.map((block) => {
    const { declarations, imports, rest } = splitBlock(block.lines)
    for (const { number, text } of imports)
      for (const [name, own] of bindings(text))
        if (!bound.has(name)) {
          bound.add(name)
          lines.push({ text: own, number })
        }
    if (declarations.some(({ text }) => !declared.has(text))) lines.push(...declarations)
    for (const { text } of declarations) declared.add(text)
    return { number: block.number, rest }
  })
  for (const { number, rest } of bodies) {
    lines.push({ text: "{", number })
    for (const line of rest)
      lines.push({ number: line.number, text: line.text.replace(/^export (default )?(?=\S)/, "") })
  }
  const last = bodies.at(-1)?.number ?? 1
  lines.push({ text: `${"}".repeat(bodies.length)}\nexport {}`, number: last })
  return { text: `${lines.map(({ text }) => text).join("\n")}\n`, origin: lines.map(({ number }) => number) }
}

export interface Page {
  /** Relative to the root. */
  readonly path: string
  readonly text: string
}

/** Blocks that say they are not checked and do not say why. */
export const unexplained = (page: Page): Array<string> =>
  blocksOf(page.text)
    .filter(({ info }) => /^no-check\W*$/.test(info))
    .map(({ number }) => `${page.path}:${number}: say why after "no-check"`)

const documentation = (): ReadonlyArray<Page> =>
  [
    "README.md",
    "CONTRIBUTING.md",
    ...globSync("packages/*/README.md", { cwd: root }).sort(),
    ...globSync("docs/**/*.md", { cwd: root }).sort()
  ]
    .filter((path) => existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))

/** Everything that any package of the workspace depends on, importable from the examples. */
const linkDependencies = (folder: string) => {
  const link = (name: string, target: string) => {
    const at = join(folder, "node_modules", name)
    if (existsSync(at)) return
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(target, at, "junction")
  }
  for (const { directory, manifest } of workspacePackages()) link(manifest.name, directory)
  for (const home of [root, ...workspacePackages().map(({ directory }) => directory)]) {
    const modules = join(home, "node_modules")
    if (!existsSync(modules)) continue
    for (const name of readdirSync(modules).filter((name) => !name.startsWith(".")))
      if (name.startsWith("@"))
        for (const inner of readdirSync(join(modules, name)))
          link(`${name}/${inner}`, join(modules, name, inner))
      else link(name, join(modules, name))
  }
}

/** Type-checks pages; what is wrong comes back as `page:line: message`. */
export const checkPages = async (
  pages: ReadonlyArray<Page>
): Promise<{ blocks: number; problems: Array<string> }> => {
  const folder = mkdtempSync(join(root, "node_modules", ".docs-"))
  try {
    return await checkIn(folder, pages)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const checkIn = async (
  folder: string,
  pages: ReadonlyArray<Page>
): Promise<{ blocks: number; problems: Array<string> }> => {
  linkDependencies(folder)
  const problems = pages.flatMap(unexplained)
  const modules = new Map<string, { readonly page: Page; readonly module: Module }>()
  let count = 0
  for (const page of pages) {
    const blocks = blocksOf(page.text).filter(({ info }) => !info.startsWith("no-check"))
    if (blocks.length === 0) continue
    count += blocks.length
    const module = moduleOf(blocks)
    const name = `${page.path.replace(/[^A-Za-z0-9]+/g, "-")}.ts`
    modules.set(name, { page, module })
    writeFileSync(join(folder, name), module.text)
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n')
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: relative(folder, join(root, "tsconfig.base.json")),
      compilerOptions: {
        composite: false,
        incremental: false,
        declaration: false,
        emitDeclarationOnly: false,
        declarationMap: false,
        noEmit: true,
        noUnusedLocals: false,
        noUnusedParameters: false,
        preserveSymlinks: false
      },
      // With the packages' own declarations for libraries that have none.
      include: ["*.ts", relative(folder, join(root, "packages/*/src/**/*.d.ts"))]
    })
  )
  const { code, output } = await runTool("tsc", ["-p", folder, "--pretty", "false"], { cwd: folder })
  for (const line of output.split("\n")) {
    const error = /^(\S+\.ts)\((\d+),\d+\): (.*)$/.exec(line)
    const known = modules.get(error?.[1] ?? "")
    if (error !== null && known !== undefined)
      problems.push(`${known.page.path}:${known.module.origin[Number(error[2]) - 1] ?? "?"}: ${error[3]}`)
    else if (error !== null || /^\s+\S/.test(line)) problems.push(line)
  }
  if (code !== 0 && problems.length === 0) problems.push(output)
  return { blocks: count, problems }
}

export const checkDocumentation = () => checkPages(documentation())
