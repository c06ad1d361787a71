import { CacheError } from "@ductape/cache"
import type { RedisClientType } from "@redis/client"

/** A client without modules, functions or scripts of its own. */
export type Client = RedisClientType<
  Record<string, never>,
  Record<string, never>,
  Record<string, never>,
  2,
  Record<string, never>
>

export interface ConnectionOptions {
  readonly url: string
  /** Milliseconds until a command without an answer fails, and its connection is given up. */
  readonly commandTimeout: number
  /** Milliseconds for dialing, until the server has answered a PING. */
  readonly connectTimeout: number
  /** Called with each new connection before it is used; a failure gives it up. */
  readonly prepare?: (client: Client) => Promise<void>
  /** The connection is gone. */
  readonly lost?: () => void
}

/** A command without an answer yet. */
interface Waiting {
  readonly client: Client
  readonly due: number
  readonly reject: (cause: CacheError) => void
}

const firstPause = 50
const lastPause = 2_000

const closed = (): CacheError =>
  new CacheError({
    code: "CONNECTION_ERROR",
    message: "the connection to Redis was closed",
    retryable: false
  })

const lost = (): CacheError =>
  new CacheError({ code: "CONNECTION_ERROR", message: "the connection to Redis was lost" })

const unanswered = (): CacheError =>
  new CacheError({ code: "TIMEOUT", message: "Redis did not answer in time" })

/** Redis errors start with a word in capitals; the rest may quote what was sent, so it is left out. */
const refusal = /^([A-Z]{2,})\b/

/**
 * The only place that knows the driver's failures. What it says has no address, credential, key or
 * value: nothing of the original's text but its code.
 */
export const classify = (cause: unknown): CacheError => {
  if (cause instanceof CacheError) return cause
  const named = cause as { readonly code?: unknown; readonly name?: unknown; readonly message?: unknown }
  const message = typeof named?.message === "string" ? named.message : ""
  const word = refusal.exec(message)?.[1]
  if (word === "NOAUTH" || word === "WRONGPASS" || word === "NOPERM") {
    return new CacheError({
      code: "CONNECTION_ERROR",
      retryable: false,
      message: `Redis refused the credentials of its URL (${word})`
    })
  }
  if (word === "LOADING" || word === "BUSY" || word === "MASTERDOWN" || word === "TRYAGAIN") {
    return new CacheError({ code: "CONNECTION_ERROR", message: `Redis cannot answer yet (${word})` })
  }
  const code =
    typeof named?.code === "string" && /^[A-Z0-9_]{1,40}$/.test(named.code) ? named.code : undefined
  if (word !== undefined && code === undefined) {
    return new CacheError({ code: "STORE_FAILED", message: `Redis refused the command (${word})` })
  }
  const kind = typeof named?.name === "string" && /^\w{1,40}$/.test(named.name) ? named.name : "Error"
  return new CacheError({
    code: "CONNECTION_ERROR",
    message: `Redis could not be reached (${code ?? kind})`
  })
}

/** Fails after `ms`. */
const within = <A>(promise: Promise<A>, ms: number): Promise<A> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unanswered()), ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (cause: unknown) => {
        clearTimeout(timer)
        reject(cause)
      }
    )
  })

/**
 * One connection, dialed on first use and again whenever it is lost, with growing pauses. Commands wait
 * for a dial that follows a working connection; while the server stays away they fail at once. A
 * command without an answer gives the connection up: whatever follows on it would wait as long.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions
  #client: Client | undefined
  #dialing: Promise<Client> | undefined
  #failure: CacheError | undefined
  #redial: NodeJS.Timeout | undefined
  #pause = firstPause
  #closed = false
  readonly #waiting = new Set<Waiting>()
  #watch: NodeJS.Timeout | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get client(): Client | undefined {
    return this.#client
  }

  /** Dials unless it is connected; waits for it. */
  connect(): Promise<Client> {
    if (this.#closed) return Promise.reject(closed())
    if (this.#client !== undefined) return Promise.resolve(this.#client)
    return this.#dialing ?? this.#dial()
  }

  /** @throws {CacheError} */
  command(args: ReadonlyArray<string>): Promise<unknown> {
    const client = this.#client
    if (client !== undefined) return this.#send(client, args)
    if (this.#closed) return Promise.reject(closed())
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return this.connect().then((connected) => this.#send(connected, args))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#redial)
    clearTimeout(this.#watch)
    const client = this.#client
    this.#client = undefined
    client?.destroy()
  }

  #send(client: Client, args: ReadonlyArray<string>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const command: Waiting = { client, due: performance.now() + this.#options.commandTimeout, reject }
      this.#waiting.add(command)
      this.#watch ??= setTimeout(() => this.#giveUpLate(), this.#options.commandTimeout)
      client.sendCommand<unknown>(args).then(
        (reply) => {
          this.#waiting.delete(command)
          resolve(reply)
        },
        (cause: unknown) => {
          this.#waiting.delete(command)
          reject(cause)
        }
      )
    })
  }

  /** Commands wait in the order of their deadlines, so one timer for the oldest serves them all. */
  #giveUpLate(): void {
    this.#watch = undefined
    const now = performance.now()
    for (const command of this.#waiting) {
      if (command.due > now) {
        this.#watch = setTimeout(() => this.#giveUpLate(), Math.ceil(command.due - now))
        return
      }
      this.#waiting.delete(command)
      command.reject(unanswered())
      this.#drop(command.client)
    }
  }

  #dial(): Promise<Client> {
    const dialing = this.#open().then(
      (client) => {
        this.#dialing = undefined
        if (this.#closed || !client.isReady) {
          if (client.isOpen) client.destroy()
          return this.#failed(this.#closed ? closed() : lost())
        }
        this.#failure = undefined
        this.#pause = firstPause
        this.#client = client
        return client
      },
      (cause: unknown) => {
        this.#dialing = undefined
        return this.#failed(classify(cause))
      }
    )
    this.#dialing = dialing
    return dialing
  }

  #failed(failure: CacheError): never {
    this.#failure = failure
    this.#options.lost?.()
    this.#dialLater()
    throw failure
  }

  async #open(): Promise<Client> {
    const { url, connectTimeout, prepare } = this.#options
    const { createClient } = await import("@redis/client")
    const client: Client = createClient({
      url,
      RESP: 2,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
      socket: { reconnectStrategy: false, connectTimeout }
    }) as unknown as Client
    // Dialing and every command have a timer of their own: an idle connection keeps no process alive.
    client.unref()
    // Without a listener an error would end the process; the commands under way fail by themselves.
    client.on("error", () => this.#drop(client))
    client.on("end", () => this.#drop(client))
    const ready = async () => {
      await client.connect()
      await client.ping()
      await prepare?.(client)
    }
    try {
      await within(ready(), connectTimeout)
    } catch (cause) {
      if (client.isOpen) client.destroy()
      throw cause
    }
    return client
  }

  #drop(client: Client): void {
    if (client.isOpen) client.destroy()
    if (this.#client !== client) return
    this.#client = undefined
    this.#options.lost?.()
    if (!this.#closed) this.#dial().catch(() => undefined)
  }

  #dialLater(): void {
    if (this.#closed) return
    clearTimeout(this.#redial)
    const pause = this.#pause * (0.5 + Math.random() / 2)
    this.#pause = Math.min(lastPause, this.#pause * 2)
    this.#redial = setTimeout(() => this.#dial().catch(() => undefined), pause).unref()
  }
}
