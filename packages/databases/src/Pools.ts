import { openConnection, type PoolOptions } from "./connect.ts"
import type { ConnectionIdentity, DatabaseConnection } from "./DatabaseConnection.ts"
import { schemeOf } from "./DatabaseDef.ts"
import type { DatabaseAdapter } from "./DatabaseDriver.ts"
import { DatabaseError } from "./DatabaseError.ts"

interface Entry {
  readonly identity: ConnectionIdentity
  readonly opening: Promise<DatabaseConnection>
  opened: DatabaseConnection | undefined
}

const keyOf = ({ database, env, product }: ConnectionIdentity): string =>
  `${product ?? ""}\0${env ?? ""}\0${database}`

/** What opens URLs of these schemes. */
const packages: Readonly<Record<string, string>> = {
  postgresql: "@ductape/databases-postgres",
  postgres: "@ductape/databases-postgres",
  pglite: "@ductape/databases-pglite"
}

/** Where the adapter of a URL comes from. */
export type FindAdapter = (scheme: string) => Promise<DatabaseAdapter | undefined>

/** One pool for each product, environment and database, opened once for concurrent callers. */
export class Pools {
  readonly #entries = new Map<string, Entry>()
  readonly #adapter: FindAdapter
  #closed = false

  constructor(adapter: FindAdapter) {
    this.#adapter = adapter
  }

  /** Without waiting, if it is open. */
  known(identity: ConnectionIdentity): DatabaseConnection | undefined {
    const opened = this.#entries.get(keyOf(identity))?.opened
    return opened?.closed === false ? opened : undefined
  }

  /** A failure is not kept: the next call tries again. */
  open(
    identity: ConnectionIdentity,
    url: () => Promise<string>,
    options: PoolOptions & { readonly cursorKey?: Uint8Array | undefined } = {}
  ): Promise<DatabaseConnection> {
    const key = keyOf(identity)
    const known = this.#entries.get(key)
    if (known !== undefined && known.opened?.closed !== true) return known.opening
    if (this.#closed) {
      return Promise.reject(
        new DatabaseError({
          code: "CONNECTION_ERROR",
          message: "The databases were closed.",
          retryable: false
        })
      )
    }
    const entry: Entry = { identity, opening: this.#start(identity, url, options), opened: undefined }
    this.#entries.set(key, entry)
    entry.opening.then(
      (connection) => {
        entry.opened = connection
        if (this.#closed) void connection.close(0)
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      }
    )
    return entry.opening
  }

  async #start(
    identity: ConnectionIdentity,
    url: () => Promise<string>,
    options: PoolOptions & { readonly cursorKey?: Uint8Array | undefined }
  ): Promise<DatabaseConnection> {
    const address = await url()
    const driver = await this.driver(address, identity)
    return openConnection({ ...options, driver, url: address, identity })
  }

  /** @throws `UNSUPPORTED_OPERATION`, `ADAPTER_MISSING` */
  async driver(url: string, identity: ConnectionIdentity) {
    const scheme = schemeOf(url)
    if (scheme === undefined) {
      throw new DatabaseError({
        code: "VALIDATION_ERROR",
        message: `The connection_url of database '${identity.database}' in environment '${identity.env}' is no URL. Set it with databases.update.`,
        database: identity.database
      })
    }
    const adapter = await this.#adapter(scheme)
    const missing = packages[scheme]
    if (adapter === undefined && missing !== undefined) {
      throw new DatabaseError({
        code: "ADAPTER_MISSING",
        message: `This needs ${missing}. Install it (npm install ${missing}) and pass its adapter in 'adapters'.`,
        database: identity.database,
        details: { package: missing }
      })
    }
    if (adapter === undefined) {
      throw new DatabaseError({
        code: "UNSUPPORTED_OPERATION",
        message: `Databases of type ${scheme} can be registered, but not connected to yet. PostgreSQL (postgresql://) and embedded PostgreSQL (pglite://) can.`,
        database: identity.database
      })
    }
    return adapter.make
  }

  /** Closes the pools that `which` chooses; calls under way may end, for five seconds. */
  async close(which: (identity: ConnectionIdentity) => boolean = () => true): Promise<void> {
    const closing: Array<Promise<void>> = []
    for (const [key, entry] of this.#entries) {
      if (!which(entry.identity)) continue
      this.#entries.delete(key)
      closing.push(
        entry.opening.then(
          (connection) => connection.close(),
          () => undefined
        )
      )
    }
    await Promise.all(closing)
  }

  /** Closes everything and opens nothing more. */
  async shutDown(): Promise<void> {
    this.#closed = true
    await this.close()
  }
}
