import type { Adapter } from "@ductape/core"

/**
 * The seam between the calls of `@ductape/databases` and a PostgreSQL, wherever it runs. An adapter
 * package implements {@link DatabaseDriver}; everything else (SQL, values, paging, includes, errors'
 * wording) is written once above it.
 *
 * Values cross it as text, in PostgreSQL's own spelling of each type: encoding and decoding are
 * above, so that two drivers cannot differ in them.
 */
export interface DatabaseDriver {
  /** `postgres`, `pglite`, as errors and spans name it. */
  readonly name: string
  readonly capabilities: ReadonlySet<DriverCapability>
  /** Opens nothing yet, or one connection: the first statement must fail if the server cannot be had. */
  readonly open: (options: DriverOptions) => Promise<DriverPool>
  /** What a failure of `open`, `query` or a transaction means. Never throws. */
  readonly classify: (cause: unknown) => DriverFault
}

/**
 * - `concurrent`: several statements at once. Without it, a transaction keeps everybody else waiting.
 * - `cancel`: a deadline or signal stops a statement that is running. Without it, it only ends waiting.
 * - `restart`: survives its server being stopped and started.
 */
export type DriverCapability = "concurrent" | "cancel" | "restart"

export interface DriverOptions {
  /** May hold a password: it must not leave the driver. */
  readonly url: string
  /** Most connections at once. Default: 10. */
  readonly max?: number | undefined
  /** Milliseconds to wait for a connection to open. Default: 10,000. */
  readonly connectTimeout?: number | undefined
  /** Milliseconds to wait for a free connection before `TIMEOUT`. Default: 30,000. */
  readonly acquireTimeout?: number | undefined
  /** PostgreSQL extensions that must be there (`vector`). */
  readonly extensions?: ReadonlyArray<string> | undefined
  /** Reads a value of the type with that OID from its text; types not in it stay text. */
  readonly decoders: ReadonlyMap<number, (text: string) => unknown>
}

export interface CallControl {
  /** When the call must have ended, in `performance.now()` milliseconds. */
  readonly deadline?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface StatementOptions extends CallControl {
  /** The same text will come again: prepare it and keep it. Default: false. */
  readonly prepare?: boolean | undefined
}

/**
 * A bound value: PostgreSQL's text for it, `null`, or, where the type is only known to the server
 * (`raw`), an object that is asked once it is known.
 */
export type Param = string | null | LateParam

export interface LateParam {
  /** @param oid of the parameter's type */
  readonly forType: (oid: number) => string
  readonly toString: () => string
}

export interface DriverResult {
  /** Plain objects, values decoded. */
  readonly rows: Array<Record<string, unknown>>
  /** Rows affected by a write, or returned by a read. */
  readonly count: number
  readonly fields: ReadonlyArray<{ readonly name: string; readonly type: number }>
}

export interface DriverSession {
  /**
   * Runs one statement. A deadline or signal that ends it rejects with a {@link DriverFault} no
   * later than 10 % past the deadline, whatever the server does.
   */
  readonly query: (
    text: string,
    params: ReadonlyArray<Param>,
    options?: StatementOptions
  ) => Promise<DriverResult>
}

export interface DriverPool extends DriverSession {
  /** `BEGIN` with `modes` (`ISOLATION LEVEL SERIALIZABLE READ ONLY`), on a connection kept until its end. */
  readonly begin: (modes: string, control: CallControl) => Promise<DriverTransaction>
  /** Waits for running statements, at most `timeout` milliseconds (default 5,000), then closes. */
  readonly close: (timeout?: number) => Promise<void>
  /** The driver's own object (`postgres.Sql`, `PGlite`). */
  readonly native: unknown
  /** A drizzle database over it. */
  readonly drizzle: (schema: Record<string, unknown> | undefined) => Promise<unknown>
  /** Open connections and callers waiting for one. */
  readonly stats: () => { readonly open: number; readonly busy: number; readonly waiting: number }
}

export interface DriverTransaction extends DriverSession {
  readonly commit: (control?: CallControl) => Promise<void>
  /** Never rejects; a connection that cannot be rolled back is thrown away. */
  readonly rollback: () => Promise<void>
  readonly native: unknown
  readonly drizzle: (schema: Record<string, unknown> | undefined) => Promise<unknown>
}

/**
 * What went wrong, in a driver's terms.
 *
 * - `sql`: the server refused the statement; nothing of it happened.
 * - `connect`: no connection could be opened; nothing was sent.
 * - `lost`: the connection broke.
 * - `timeout`, `aborted`: the call's deadline or signal; `busy`: no connection came free in time.
 * - `closed`: the pool is closed.
 */
export type DriverFaultKind = "sql" | "connect" | "lost" | "timeout" | "aborted" | "busy" | "closed" | "other"

export class DriverFault extends Error {
  override readonly name = "DriverFault"
  readonly kind: DriverFaultKind
  /** The statement may have reached the server, and its effect is not known. */
  readonly sent: boolean
  readonly sqlState: string | undefined
  /** Names that the server gave with the error, never values. */
  readonly names: {
    readonly schema?: string | undefined
    readonly table?: string | undefined
    readonly column?: string | undefined
    readonly constraint?: string | undefined
    /** What a `42703` or `42P01` says does not exist. */
    readonly missing?: string | undefined
    /** Character of the statement, from 1. */
    readonly position?: string | undefined
  }

  constructor(
    kind: DriverFaultKind,
    options: {
      readonly message?: string
      readonly sent?: boolean
      readonly sqlState?: string | undefined
      readonly names?: DriverFault["names"]
    } = {}
  ) {
    super(options.message ?? kind)
    this.kind = kind
    this.sent = options.sent ?? false
    this.sqlState = options.sqlState
    this.names = options.names ?? {}
  }
}

/** What `postgres()` and `pglite()` return. */
export type DatabaseAdapter = Adapter<"databases", DatabaseDriver>

const missingName = /^(?:relation|column|table|type|schema|function|operator class|constraint) "?([^"]+)"?/i

/**
 * The fault in an error that carries PostgreSQL's fields (`code`, `constraint_name`, …, in the
 * spelling of `postgres` or of `pg`). The server's message, detail and hint are left behind: they
 * quote values.
 */
export const sqlFault = (cause: object): DriverFault | undefined => {
  const fields = cause as Readonly<Record<string, unknown>>
  const code = fields["code"]
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return undefined
  const text = (...keys: ReadonlyArray<string>): string | undefined => {
    for (const key of keys) {
      const value = fields[key]
      if (typeof value === "string" && value !== "") return value
    }
    return undefined
  }
  const missing =
    code === "42703" || code === "42P01" ? missingName.exec(text("message") ?? "")?.[1] : undefined
  return new DriverFault("sql", {
    message: `PostgreSQL answered ${code}`,
    sqlState: code,
    names: {
      schema: text("schema_name", "schema"),
      table: text("table_name", "table"),
      column: text("column_name", "column"),
      constraint: text("constraint_name", "constraint"),
      missing,
      position: text("position")
    }
  })
}
