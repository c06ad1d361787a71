import { type CacheListener, type CacheScope, decodeKey, scopeId } from "@ductape/cache"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Client, type ConnectionOptions, RedisConnection } from "./RedisConnection.ts"

export const channelOf = (scope: CacheScope): string => `dtc:${scopeId(scope)}`

interface Watch {
  readonly channel: string
  readonly listener: CacheListener
  /** On which connection it is subscribed. */
  client: Client | undefined
}

/** Milliseconds between two questions whether the connection still carries anything. */
const beat = 1_000
/** Milliseconds without an answer after which changes may have been missed. */
const patience = 3_000

/** Tells of changes to entries, over a connection of its own. */
export class Feed {
  readonly #connection: RedisConnection
  readonly #watches = new Set<Watch>()
  readonly #beats: NodeJS.Timeout
  #client: Client | undefined
  #heard = 0
  #asking = false

  constructor(options: Pick<ConnectionOptions, "url" | "commandTimeout" | "connectTimeout">) {
    this.#connection = new RedisConnection({
      ...options,
      prepare: async (client) => {
        // One that is added meanwhile is visited too.
        for (const watch of this.#watches) await this.#subscribe(client, watch)
        this.#client = client
        this.#heard = performance.now()
        for (const watch of this.#watches) this.#subscribed(client, watch)
      },
      lost: () => this.#lost()
    })
    this.#beats = setInterval(() => this.#beat(), beat).unref()
  }

  watch(
    scope: CacheScope,
    listener: CacheListener
  ): Effect.Effect<{ readonly live: () => boolean }, never, Scope.Scope> {
    const watch: Watch = { channel: channelOf(scope), listener, client: undefined }
    return Effect.acquireRelease(
      Effect.sync(() => {
        this.#watches.add(watch)
        const client = this.#client
        if (client === undefined) this.#connection.connect().catch(() => undefined)
        else {
          this.#subscribe(client, watch).then(
            () => this.#subscribed(client, watch),
            () => undefined
          )
        }
        return { live: () => this.#live(watch) }
      }),
      () =>
        Effect.sync(() => {
          this.#watches.delete(watch)
          watch.client = undefined
        })
    )
  }

  close(): void {
    clearInterval(this.#beats)
    this.#lost()
    this.#connection.close()
  }

  #live(watch: Watch): boolean {
    return (
      watch.client !== undefined &&
      watch.client === this.#client &&
      performance.now() - this.#heard < patience
    )
  }

  async #subscribe(client: Client, watch: Watch): Promise<void> {
    await client.subscribe(watch.channel, (message) => this.#tell(watch, message))
  }

  /** From now on nothing is missed; what was missed before is forgotten. */
  #subscribed(client: Client, watch: Watch): void {
    if (!this.#watches.has(watch)) return
    watch.listener.flushed()
    watch.client = client
  }

  #tell(watch: Watch, message: string): void {
    this.#heard = performance.now()
    if (!this.#watches.has(watch)) return
    const [kind, revision, key] = message.split(":")
    if (kind !== "w" || key === undefined) watch.listener.flushed()
    else watch.listener.changed(decodeKey(key), revision === undefined || revision === "" ? null : revision)
  }

  #lost(): void {
    this.#client = undefined
    for (const watch of this.#watches) {
      watch.client = undefined
      watch.listener.flushed()
    }
  }

  /** A silent connection is asked; one that does not answer is given up, and dialed again. */
  #beat(): void {
    if (this.#client === undefined || this.#asking) return
    this.#asking = true
    const asked = this.#connection.command(["PING"])
    asked.then(
      () => {
        this.#asking = false
        this.#heard = performance.now()
      },
      () => {
        this.#asking = false
      }
    )
  }
}
