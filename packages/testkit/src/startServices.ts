import { type PostgresSource, postgresBinaries } from "./postgresBinaries.ts"
import { startPostgres } from "./postgresServer.ts"
import { redisVersion, startRedis } from "./redisServer.ts"

export type ServiceName = "postgres" | "systemPostgres" | "redis"
export const serviceNames: ReadonlyArray<ServiceName> = ["postgres", "systemPostgres", "redis"]

/** URLs of the services that run, and for the others why not and how to get them. */
export interface Services {
  readonly postgres?: string
  readonly systemPostgres?: string
  readonly redis?: string
  readonly missing: Readonly<Record<string, string>>
}

type Started =
  | { readonly url: string; readonly version: string; readonly stop: () => Promise<void> }
  | { readonly missing: string }

const postgres = async (source: PostgresSource): Promise<Started> => {
  const binaries = await postgresBinaries(source)
  if (typeof binaries === "string") return { missing: binaries }
  const server = await startPostgres({ source })
  return { url: server.url, version: `PostgreSQL ${binaries.version}`, stop: server.stop }
}

const redis = async (): Promise<Started> => {
  const given = process.env["REDIS_URL"]
  if (given !== undefined) return { url: given, version: "Redis of REDIS_URL", stop: async () => {} }
  const version = redisVersion()
  if (version === undefined)
    return { missing: "no redis-server on the PATH: apt-get install redis-server, or set REDIS_URL" }
  const server = await startRedis()
  return { url: server.url, version: `Redis ${version}`, stop: server.stop }
}

const starters: Readonly<Record<ServiceName, () => Promise<Started>>> = {
  postgres: () => postgres("npm"),
  systemPostgres: () => postgres("system"),
  redis
}

export interface RunningServices extends AsyncDisposable {
  readonly services: Services
  /** One line per service: its version, or why it is missing and how to get it. */
  readonly report: ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

/** Starts services side by side. One that cannot be had is in `missing`; it is never an error here. */
export const startServices = async (names: Iterable<ServiceName>): Promise<RunningServices> => {
  const wanted = [...new Set(names)]
  const started = await Promise.all(
    wanted.map((name) =>
      starters[name]().catch(
        (cause: unknown): Started => ({ missing: cause instanceof Error ? cause.message : String(cause) })
      )
    )
  )
  const urls: { -readonly [N in ServiceName]?: string } = {}
  const missing: Record<string, string> = {}
  const report: Array<string> = []
  for (const [at, name] of wanted.entries()) {
    const one = started[at]
    if (one === undefined) continue
    if ("missing" in one) {
      missing[name] = one.missing
      report.push(`${name}: missing, its suites are skipped: ${one.missing}`)
    } else {
      urls[name] = one.url
      report.push(`${name}: ${one.version}`)
    }
  }
  const stop = async () => {
    await Promise.all(started.map((one) => ("stop" in one ? one.stop() : undefined)))
  }
  return { services: { ...urls, missing }, report, stop, [Symbol.asyncDispose]: stop }
}
