import { foreignArrays, readForeignArrays, type Scope } from "../DatabaseConnection.ts"
import type { DriverTransaction, Param } from "../DatabaseDriver.ts"
import { invalid } from "../DatabaseError.ts"
import type { FindInput, Row } from "../types.ts"
import { prepareFind, readFind } from "./find.ts"
import { fetchIncludes } from "./include.ts"

let serial = 0

/** Where the cursor lives, and how it is let go. */
interface Source {
  readonly fetch: (sql: string) => Promise<Array<Row>>
  readonly close: () => Promise<void>
}

const open = async (
  scope: Scope,
  name: string,
  text: string,
  params: ReadonlyArray<Param>
): Promise<Source> => {
  const { connection, control } = scope
  const run = async (on: Scope, sql: string, bound: ReadonlyArray<Param> = []): Promise<Array<Row>> =>
    (await connection.run(on, sql, bound, {})).rows
  if (scope.transaction !== undefined) {
    await run(scope, `DECLARE ${name} NO SCROLL CURSOR FOR ${text}`, params)
    return {
      fetch: (sql) => run(scope, sql),
      close: async () => {
        if (scope.transaction?.isActive() === true) await run(scope, `CLOSE ${name}`).catch(() => undefined)
      }
    }
  }
  if (!connection.concurrent) {
    // The only connection must not be kept in a transaction, so the rows are set aside on the engine's disk.
    await run(scope, `DECLARE ${name} NO SCROLL CURSOR WITH HOLD FOR ${text}`, params)
    return {
      fetch: (sql) => run(scope, sql),
      close: async () => {
        await run({ connection }, `CLOSE ${name}`).catch(() => undefined)
      }
    }
  }
  let transaction: DriverTransaction
  try {
    transaction = await connection.pool.begin("READ ONLY", control ?? {})
  } catch (cause) {
    throw connection.error(cause, {})
  }
  const query = async (sql: string, bound: ReadonlyArray<Param> = []): Promise<Array<Row>> => {
    try {
      return (await transaction.query(sql, bound, control ?? {})).rows
    } catch (cause) {
      throw connection.error(cause, {})
    }
  }
  try {
    await query(`DECLARE ${name} NO SCROLL CURSOR FOR ${text}`, params)
  } catch (cause) {
    await transaction.rollback()
    throw cause
  }
  return { fetch: (sql) => query(sql), close: () => transaction.rollback() }
}

/**
 * The rows of a find, fetched `batch` at a time (default 1,000) as they are consumed.
 *
 * Nothing is opened before the first `next()`. The cursor is closed at the end, on `break`, on a
 * throw, and when the signal aborts or the timeout passes.
 */
export const streamFind = (
  bound: Scope,
  input: FindInput & { readonly batch?: number }
): AsyncIterableIterator<Row> => {
  const { batch = 1000, signal, timeout, ...rest } = input
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > 100_000) {
    throw invalid("batch: expected a whole number between 1 and 100,000.", "batch")
  }
  if (rest.after !== undefined) throw invalid("after: a stream needs no pages; leave 'after' out.", "after")
  if (input.cache !== undefined) throw invalid("cache: a stream cannot be cached.", "cache")
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0)) {
    throw invalid("timeout: expected milliseconds, more than 0.", "timeout")
  }
  const query = readFind({ ...rest, count: false })
  return rows(bound, query, batch, signal, timeout)
}

async function* rows(
  bound: Scope,
  query: ReturnType<typeof readFind>,
  batch: number,
  signal: AbortSignal | undefined,
  timeout: number | undefined
): AsyncGenerator<Row, undefined> {
  const { connection } = bound
  const scope: Scope = {
    ...bound,
    control: { signal, deadline: timeout === undefined ? undefined : performance.now() + timeout }
  }
  const name = `ductape_cursor_${++serial}`
  const [source, plan, includes, arrays] = await connection.withTable(scope, query.name, async (table) => {
    const prepared = await prepareFind(scope, table, query)
    return [
      await open(scope, name, prepared.plan.compiled.text, prepared.params),
      prepared.plan,
      prepared.includes,
      foreignArrays(table, query.select ?? table.columns.keys())
    ] as const
  })
  try {
    for (;;) {
      const chunk = await source.fetch(`FETCH FORWARD ${batch} FROM ${name}`)
      if (arrays.length > 0) readForeignArrays(chunk, arrays)
      if (includes.length > 0) await fetchIncludes(scope, includes, chunk)
      for (const row of chunk) {
        for (const column of plan.hidden) delete row[column]
        yield row
      }
      const last = chunk.length < batch
      // Young garbage that something old still points to grows old itself: nothing keeps these rows.
      chunk.length = 0
      if (last) return undefined
    }
  } finally {
    await source.close()
  }
}
