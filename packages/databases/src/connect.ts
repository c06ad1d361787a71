import { createHash } from "node:crypto"
import type { CallEnvironment } from "./calls.ts"
import { type ConnectionIdentity, DatabaseConnection } from "./DatabaseConnection.ts"
import type { DatabaseAdapter, DatabaseDriver, DriverOptions } from "./DatabaseDriver.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { type DatabaseHandle, makeHandle } from "./DatabaseHandle.ts"
import { faultToError } from "./faults.ts"
import { addHook } from "./hooks.ts"
import { saveHook } from "./presave/saveHook.ts"
import { decoders, type NumericMode } from "./sql/decode.ts"
import type { TypedHandle } from "./typed.ts"

export interface PoolOptions {
  /** Most connections at once. Default: 10. */
  readonly max?: number | undefined
  /** Milliseconds to wait for a connection to open. Default: 10,000. */
  readonly connectTimeout?: number | undefined
  /** Milliseconds to wait for a free connection. Default: 30,000. */
  readonly acquireTimeout?: number | undefined
  /** PostgreSQL extensions to have: `["vector"]`. */
  readonly extensions?: ReadonlyArray<string> | undefined
  /** `string`: int8 and numeric always come as text. Default: numbers where exact, else text. */
  readonly numericMode?: NumericMode | undefined
}

export interface OpenOptions extends PoolOptions {
  readonly driver: DatabaseDriver
  readonly url: string
  readonly identity: ConnectionIdentity
  /** Signs the cursors of `find({ after })`. Default: derived from the URL. */
  readonly cursorKey?: Uint8Array | undefined
}

/** Opens a pool and makes sure that the database answers. @throws {DatabaseError} */
export const openConnection = async (options: OpenOptions): Promise<DatabaseConnection> => {
  const { driver, identity } = options
  const numericMode = options.numericMode ?? "number"
  if (numericMode !== "number" && numericMode !== "string") {
    throw invalid("numericMode: expected 'number' or 'string'.", "numericMode")
  }
  const settings: DriverOptions = {
    url: options.url,
    max: options.max,
    connectTimeout: options.connectTimeout,
    acquireTimeout: options.acquireTimeout,
    extensions: options.extensions,
    decoders: decoders(numericMode)
  }
  try {
    const pool = await driver.open(settings)
    const connection = new DatabaseConnection({
      identity,
      driver,
      pool,
      numericMode,
      cursorKey: options.cursorKey ?? createHash("sha256").update(`ductape cursor ${options.url}`).digest()
    })
    try {
      const started = performance.now()
      const { rows } = await pool.query("SELECT current_setting('server_version') AS version", [])
      connection.latency = performance.now() - started
      addHook(connection, saveHook(connection))
      connection.version = `PostgreSQL ${String(rows[0]?.["version"])}`
      return connection
    } catch (cause) {
      await pool.close(0)
      throw cause
    }
  } catch (cause) {
    if (cause instanceof DatabaseError) throw cause
    throw faultToError(driver.classify(cause), { database: identity.database, write: false })
  }
}

export interface ConnectOptions extends PoolOptions {
  /** What `postgres()` or `pglite()` returned. */
  readonly adapter: DatabaseAdapter
  /** `postgresql://user:password@host:5432/database`, `pglite://memory`, `pglite:///folder`. */
  readonly url: string
  /** How errors and spans call it. Default: `database`. */
  readonly tag?: string | undefined
  /** A drizzle schema, for types and `handle.drizzle`. */
  readonly schema?: Record<string, unknown> | undefined
  readonly environment?: CallEnvironment | undefined
}

/**
 * A handle without a workspace.
 *
 * @example
 * const db = await connectDatabase({ adapter: pglite(), url: "pglite://memory" })
 * await db.find({ table: "users", where: { status: "active" } })
 *
 * @throws {DatabaseError} `CONNECTION_ERROR`, `VALIDATION_ERROR`
 */
export function connectDatabase<S extends Record<string, unknown>>(
  options: ConnectOptions & { readonly schema: S }
): Promise<TypedHandle<S>>
export function connectDatabase(options: ConnectOptions): Promise<DatabaseHandle>
export async function connectDatabase(options: ConnectOptions): Promise<unknown> {
  const connection = await openConnection({
    ...options,
    driver: options.adapter.make,
    identity: { product: undefined, env: undefined, database: options.tag ?? "database" }
  })
  return makeHandle(connection, options.environment ?? {}, options.schema)
}
