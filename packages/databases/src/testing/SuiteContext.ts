import { afterAll, assert, beforeAll } from "vitest"
import type { DriverCapability } from "../DatabaseDriver.ts"
import { DatabaseError, type DatabaseErrorCode } from "../DatabaseError.ts"
import type { DatabaseHandle } from "../DatabaseHandle.ts"

export interface SuiteOptions {
  /** Name of the adapter, as titles show it: `postgres`. */
  readonly adapter: string
  /** The server and its version: `PostgreSQL 18`. */
  readonly server: string
  /** A database of the suite's own, empty. The suite closes the handle. */
  readonly open: () => Promise<DatabaseHandle>
  /** What the driver declares, to be held to it. */
  readonly capabilities: ReadonlyArray<DriverCapability>
}

/** What each part of the suite works with. */
export interface SuiteContext {
  readonly db: () => DatabaseHandle
  readonly has: (capability: DriverCapability) => boolean
  /** Makes a table of its own from `columns` and returns its name. */
  readonly table: (columns: string, prefix?: string) => Promise<string>
  /** Runs SQL as written. */
  readonly sql: (text: string) => Promise<unknown>
}

export const suiteContext = (options: SuiteOptions): SuiteContext => {
  let handle: DatabaseHandle | undefined
  let serial = 0
  beforeAll(async () => {
    handle = await options.open()
  }, 120_000)
  afterAll(async () => {
    await handle?.close()
  })
  const db = (): DatabaseHandle => {
    if (handle === undefined) throw new Error("the database is not open")
    return handle
  }
  const sql = (text: string): Promise<unknown> => db().raw({ query: text })
  return {
    db,
    sql,
    has: (capability) => options.capabilities.includes(capability),
    table: async (columns, prefix = "t") => {
      const name = `${prefix}_${++serial}`
      await sql(`CREATE TABLE ${name} (${columns})`)
      return name
    }
  }
}

/** Fails unless the promise rejects with a `DatabaseError` of that code, which is returned. */
export const rejects = async (promise: Promise<unknown>, code: DatabaseErrorCode): Promise<DatabaseError> => {
  let error: unknown
  try {
    await promise
  } catch (cause) {
    error = cause
  }
  assert(error instanceof DatabaseError, `expected a DatabaseError ${code}, found ${String(error)}`)
  assert.strictEqual(error.code, code, error.message)
  return error
}
