import type { DatabaseConnection } from "../DatabaseConnection.ts"
import { DatabaseError } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"

/** Any number will do, as long as every version of this library takes the same. */
const lockKey = "7236839217405561931"

const turns = new WeakMap<DatabaseConnection, Promise<unknown>>()

/** One after the other, where the process has the database to itself. */
const inProcess = async <A>(access: DatabaseAccess, run: () => Promise<A>): Promise<A> => {
  const before = turns.get(access.connection)
  const turn = (before ?? Promise.resolve()).then(run, run)
  turns.set(
    access.connection,
    turn.catch(() => undefined)
  )
  return turn
}

/**
 * Runs with the migration lock of the database: an advisory lock that a transaction of its own holds,
 * so that it goes with the connection if this process dies. Needs a second connection for the work.
 *
 * @throws `TIMEOUT` when another run keeps it longer than `patience` milliseconds
 */
export const withLock = async <A>(
  access: DatabaseAccess,
  patience: number,
  run: () => Promise<A>
): Promise<A> => {
  if (!access.capabilities.has("concurrent")) return inProcess(access, run)
  const holder = await access.begin({})
  try {
    const execute = (sql: string) => access.execute(sql, [], { transaction: holder })
    await execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    await execute(`SET LOCAL lock_timeout = ${Math.max(1, Math.round(patience))}`)
    await execute(`SELECT pg_catalog.pg_advisory_xact_lock(${lockKey})`).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseError) || cause.sqlState !== "55P03") throw cause
      throw new DatabaseError({
        code: "TIMEOUT",
        message: `Another run of migrations holds the lock of database '${access.identity.database}' for more than ${patience} ms. Try again when it is done, or give more lockTimeout.`,
        database: access.identity.database,
        sqlState: cause.sqlState,
        cause
      })
    })
    return await run()
  } finally {
    await holder.rollback()
  }
}
