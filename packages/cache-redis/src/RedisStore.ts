import {
  CacheError,
  type CacheListener,
  type CacheProvider,
  type CacheScope,
  type CacheStore,
  decodeKey,
  type Entry,
  encodeKey,
  scopeId
} from "@ductape/cache"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { decode, encode } from "./envelope.ts"
import { channelOf, Feed } from "./Feed.ts"
import { type Client, classify, RedisConnection } from "./RedisConnection.ts"
import * as scripts from "./scripts.ts"

export interface RedisOptions {
  /** Milliseconds until a command without an answer fails. Default: 2000. */
  readonly commandTimeout?: number | undefined
  /** Milliseconds for connecting. Default: 2000. */
  readonly connectTimeout?: number | undefined
}

/** Keys per batch of a listing or clearing. */
const batchSize = 200

const run = <A>(work: () => Promise<A>): Effect.Effect<A, CacheError> =>
  Effect.tryPromise({ try: work, catch: classify })

class RedisCommands {
  readonly connection: RedisConnection

  constructor(connection: RedisConnection) {
    this.connection = connection
  }

  async script(
    { hash, source }: scripts.Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string>
  ): Promise<number> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return Number(await this.connection.command(["EVALSHA", hash, ...rest]))
    } catch (cause) {
      if (!(cause instanceof Error) || !cause.message.startsWith("NOSCRIPT")) throw cause
      return Number(await this.connection.command(["EVAL", source, ...rest]))
    }
  }

  /** All keys of a pattern, once each, in batches. */
  async *scan(pattern: string): AsyncGenerator<ReadonlyArray<string>> {
    const seen = new Set<string>()
    let cursor = "0"
    do {
      const args = ["SCAN", cursor, "MATCH", pattern, "COUNT", "500"]
      const [next, found] = (await this.connection.command(args)) as [string, ReadonlyArray<string>]
      cursor = next
      const fresh = found.filter((key) => !seen.has(key))
      for (const key of fresh) seen.add(key)
      for (let at = 0; at < fresh.length; at += batchSize) yield fresh.slice(at, at + batchSize)
    } while (cursor !== "0")
  }
}

const openStore = (commands: RedisCommands, scope: CacheScope): CacheStore => {
  const id = scopeId(scope)
  const channel = channelOf(scope)
  const entryPrefix = `dt:${id}:`
  const leasePrefix = `dtl:${id}:`
  const tagPrefix = `dtt:${id}:`
  const entryKey = (key: string) => entryPrefix + encodeKey(key)
  const leaseKey = (key: string) => leasePrefix + encodeKey(key)
  const tagKey = (tag: string) => tagPrefix + encodeKey(tag)

  const write = (mode: "set" | "swap", guard: string, key: string, entry: Entry, now: number) => {
    const { head, createdAt, tail } = encode(entry)
    const member = encodeKey(key)
    const keys = [entryKey(key), leaseKey(key), ...entry.tags.map(tagKey)]
    const keep = entry.keptUntil === null ? "" : String(Math.max(1, entry.keptUntil - now))
    const score = entry.keptUntil === null ? "+inf" : String(entry.keptUntil)
    const announcement = `w:${entry.revision}:${member}`
    return run(async () => {
      const args = [
        mode,
        guard,
        head,
        createdAt,
        tail,
        keep,
        String(now),
        score,
        member,
        channel,
        announcement
      ]
      return (await commands.script(scripts.write, keys, args)) === 1
    })
  }

  const clearTag = async (tag: string, now: number): Promise<number> => {
    const set = tagKey(tag)
    const card = Number(await commands.connection.command(["ZCARD", set]))
    let alive = 0
    // As many rounds as there were members: what is added meanwhile was written after the clearing began.
    for (let round = 0; round * batchSize < card; round++) {
      const range = await commands.connection.command(["ZRANGE", set, "0", String(batchSize - 1)])
      const members = range as ReadonlyArray<string>
      if (members.length === 0) break
      const keys = members.flatMap((member) => [entryPrefix + member, leasePrefix + member])
      alive += await commands.script(
        scripts.removeTagged,
        [set, ...keys],
        [String(now), tag, channel, ...members]
      )
    }
    return alive
  }

  const clearAll = async (now: number): Promise<number> => {
    // Leases first: whoever loads now must not store what was read before the clearing.
    for await (const leases of commands.scan(`${leasePrefix}*`)) {
      await commands.connection.command(["UNLINK", ...leases])
    }
    let alive = 0
    for await (const keys of commands.scan(`${entryPrefix}*`)) {
      alive += await commands.script(scripts.removeMany, keys, [String(now)])
    }
    for await (const sets of commands.scan(`${tagPrefix}*`)) {
      await commands.connection.command(["UNLINK", ...sets])
    }
    await commands.connection.command(["PUBLISH", channel, "f"])
    return alive
  }

  const list = async () => {
    const listed: Array<{ readonly key: string; readonly entry: Entry }> = []
    for await (const keys of commands.scan(`${entryPrefix}*`)) {
      const found = (await commands.connection.command(["MGET", ...keys])) as ReadonlyArray<string | null>
      for (const [at, text] of found.entries()) {
        const entry = text === null ? undefined : decode(text)
        const key = keys[at]
        if (entry === undefined || key === undefined) continue
        listed.push({ key: decodeKey(key.slice(entryPrefix.length)), entry })
      }
    }
    return listed
  }

  return {
    get: (key) =>
      run(async () => {
        const text = await commands.connection.command(["GET", entryKey(key)])
        return typeof text === "string" ? decode(text) : undefined
      }),
    set: (key, entry, { now, lease }) => write("set", lease ?? "", key, entry, now),
    swap: (key, expected, entry, now) => write("swap", expected ?? "", key, entry, now),
    remove: (key, now) =>
      run(async () => {
        const args = [String(now), channel, `w::${encodeKey(key)}`]
        return (await commands.script(scripts.remove, [entryKey(key), leaseKey(key)], args)) === 1
      }),
    list: run(list),
    clear: ({ now, tag }) => run(() => (tag === undefined ? clearAll(now) : clearTag(tag, now))),
    lease: {
      acquire: (key, holder, { ttl, now, tags }) =>
        run(async () => {
          const args = [holder, String(ttl), String(now), String(now + ttl), encodeKey(key)]
          return (await commands.script(scripts.acquire, [leaseKey(key), ...tags.map(tagKey)], args)) === 1
        }),
      renew: (key, holder, ttl) =>
        run(async () => (await commands.script(scripts.renew, [leaseKey(key)], [holder, String(ttl)])) === 1),
      release: (key, holder) =>
        run(async () => void (await commands.script(scripts.release, [leaseKey(key)], [holder])))
    }
  }
}

export interface RedisProvider extends CacheProvider {
  /** The driver's client while it is connected. */
  readonly raw: () => Client | undefined
}

/** The scheme is checked here so that the driver never gets to quote a URL it cannot read. */
const checkUrl = (url: string): Effect.Effect<void, CacheError> => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed?.protocol === "redis:" || parsed?.protocol === "rediss:"
    ? Effect.void
    : Effect.fail(
        new CacheError({
          code: "VALIDATION_ERROR",
          message: "The connection URL of a Redis cache must start with redis:// or rediss://."
        })
      )
}

/**
 * One Redis server. Connects on first use, or by `connect`; a second connection carries invalidations
 * once a memory tier is used. Both close with the scope.
 */
export const redisProvider = (
  url: string,
  options: RedisOptions = {}
): Effect.Effect<RedisProvider, CacheError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkUrl(url)
    // Loaded before the first command, so that no command's time is spent on it.
    yield* run(() => import("@redis/client"))
    const dialing = {
      url,
      commandTimeout: options.commandTimeout ?? 2_000,
      connectTimeout: options.connectTimeout ?? 2_000
    }
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => new RedisConnection(dialing)),
      (opened) => Effect.sync(() => opened.close())
    )
    const commands = new RedisCommands(connection)
    let feed: Feed | undefined
    yield* Effect.addFinalizer(() => Effect.sync(() => feed?.close()))
    return {
      name: "redis",
      capabilities: new Set(["enumerate", "lease", "shared", "watch"] as const),
      open: (scope) => openStore(commands, scope),
      connect: run(async () => void (await connection.connect())),
      watch: (scope: CacheScope, listener: CacheListener) =>
        Effect.suspend(() => {
          feed ??= new Feed(dialing)
          return feed.watch(scope, listener)
        }),
      raw: () => connection.client
    }
  })
