import type postgres from "postgres"

type RawRun = (
  sql: postgres.Sql,
  text: string,
  params: ReadonlyArray<unknown>
) => Promise<postgres.RowList<Array<postgres.Row>>>

/** Where drizzle's statements go. */
export interface DrizzleSource {
  readonly acquire: (
    text: string,
    params: ReadonlyArray<unknown>,
    raw: RawRun
  ) => Promise<postgres.RowList<Array<postgres.Row>>>
  readonly begin?: (run: (client: unknown) => Promise<unknown>) => Promise<unknown>
  readonly savepoints?: boolean
}

/**
 * drizzle reads dates and the like from text itself, and sets the client's parsers accordingly. This
 * stands between, so that the pool's connections keep theirs: values go to drizzle as `postgres` would
 * give them with drizzle's parsers.
 */
const readers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
  114: (text) => JSON.parse(text) as unknown,
  3802: (text) => JSON.parse(text) as unknown,
  17: (text) => Buffer.from(text.slice(2), "hex")
}

const parameter = (value: unknown): string | null => {
  if (value === null || value === undefined) return null
  if (typeof value === "string") return value
  if (typeof value === "boolean") return value ? "t" : "f"
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`
  if (Array.isArray(value)) {
    return `{${value.map((item) => (item === null ? "NULL" : Array.isArray(item) ? parameter(item) : `"${(parameter(item) ?? "").replace(/["\\]/g, "\\$&")}"`)).join(",")}}`
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

const rawRun: RawRun = async (sql, text, params) =>
  (await sql
    .unsafe(text, params.map(parameter) as Array<never>, { prepare: true })
    .raw()) as unknown as postgres.RowList<Array<postgres.Row>>

interface Columns {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: number }>
  readonly count: number
}

const readRow = (row: ReadonlyArray<Buffer | null>, columns: Columns["columns"]): Array<unknown> =>
  columns.map(({ type }, i) => {
    const cell = row[i]
    if (cell === null || cell === undefined) return null
    const text = cell.toString("utf8")
    return readers[type]?.(text) ?? text
  })

/** The part of `postgres` that drizzle calls. */
export const drizzleClient = (source: DrizzleSource): unknown => {
  let depth = 0
  const unsafe = (text: string, params: ReadonlyArray<unknown> = []) => {
    const rows = source.acquire(text, params, rawRun).then((result) => {
      const { columns, count } = result as unknown as Columns
      const values = (result as unknown as ReadonlyArray<ReadonlyArray<Buffer | null>>).map((row) =>
        readRow(row, columns)
      )
      return { columns, count, values }
    })
    const objects = () =>
      rows.then(({ columns, count, values }) =>
        Object.assign(
          values.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]))),
          { count, columns }
        )
      )
    rows.catch(() => undefined)
    return {
      values: () => rows.then(({ count, values }) => Object.assign(values, { count })),
      // biome-ignore lint/suspicious/noThenProperty: drizzle awaits what `unsafe` returns, as with postgres
      then: (...args: Parameters<Promise<unknown>["then"]>) => objects().then(...args)
    }
  }
  const client = {
    options: { parsers: {}, serializers: {} },
    unsafe,
    begin: (run: (client: unknown) => Promise<unknown>) =>
      source.begin === undefined ? savepoint(run) : source.begin(run),
    savepoint: (run: (client: unknown) => Promise<unknown>) => savepoint(run)
  }
  const savepoint = async (run: (client: unknown) => Promise<unknown>): Promise<unknown> => {
    const name = `ductape_drizzle_${++depth}`
    await unsafe(`SAVEPOINT ${name}`)
    try {
      const result = await run(client)
      await unsafe(`RELEASE SAVEPOINT ${name}`)
      return result
    } catch (cause) {
      await unsafe(`ROLLBACK TO SAVEPOINT ${name}`)
      throw cause
    }
  }
  return client
}
