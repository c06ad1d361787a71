import { defineError, type ErrorFields } from "@ductape/core"

const Base = defineError("DatabaseError", {
  UNIQUE_VIOLATION: { status: 409 },
  FOREIGN_KEY_VIOLATION: { status: 409 },
  NOT_NULL_VIOLATION: { status: 400 },
  CHECK_VIOLATION: { status: 400 },
  TABLE_EXISTS: { status: 409 },
  TABLE_NOT_FOUND: { status: 404 },
  COLUMN_NOT_FOUND: { status: 400 },
  SCHEMA_ERROR: { status: 400 },
  PERMISSION_DENIED: { status: 403 },
  QUERY_ERROR: { status: 400 },
  DEADLOCK: { status: 409, retryable: true },
  SERIALIZATION_FAILURE: { status: 409, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
  /** The call's `signal` was aborted. */
  ABORTED: { status: 499 },
  TRANSACTION_ERROR: { status: 409 },
  CONNECTION_ERROR: { status: 503, retryable: true },
  CONNECTION_LOST: { status: 503, retryable: true },
  VALIDATION_ERROR: { status: 400 },
  CONTEXT_MISSING: { status: 400 },
  NOT_FOUND: { status: 404 },
  ALREADY_EXISTS: { status: 409 },
  UNSUPPORTED_OPERATION: { status: 501 },
  ADAPTER_MISSING: { status: 501 },
  MIGRATION_ERROR: { status: 500 },
  CHECKSUM_MISMATCH: { status: 409 },
  TRIGGER_ERROR: { status: 500 }
})

export type DatabaseErrorCode = (typeof Base.codes)[number]

export interface DatabaseErrorFields extends ErrorFields<DatabaseErrorCode> {
  /** Tag of the database. */
  readonly database?: string | undefined
  readonly table?: string | undefined
  readonly columns?: ReadonlyArray<string> | undefined
  readonly constraint?: string | undefined
  /** The five characters that PostgreSQL answered with. */
  readonly sqlState?: string | undefined
}

/**
 * A call on a database failed. `type` is `code`; `retryable` says whether the same call may succeed
 * later as it is. Messages and details hold no URL and no bound value.
 *
 * A write that may or may not have happened (the connection broke, or the deadline passed, after it
 * was sent) has `details.outcome === "unknown"` and is not `retryable`: only the caller knows whether
 * doing it twice is harmless.
 */
export class DatabaseError extends Base {
  readonly database: string | undefined
  readonly table: string | undefined
  readonly columns: ReadonlyArray<string> | undefined
  readonly constraint: string | undefined
  readonly sqlState: string | undefined

  constructor(fields: DatabaseErrorFields) {
    super(fields)
    this.database = fields.database
    this.table = fields.table
    this.columns = fields.columns
    this.constraint = fields.constraint
    this.sqlState = fields.sqlState
  }

  get type(): DatabaseErrorCode {
    return this.code
  }

  override toJSON(): unknown {
    const { database, table, columns, constraint, sqlState } = this
    return {
      ...(super.toJSON() as object),
      type: this.code,
      ...(database === undefined ? {} : { database }),
      ...(table === undefined ? {} : { table }),
      ...(columns === undefined ? {} : { columns }),
      ...(constraint === undefined ? {} : { constraint }),
      ...(sqlState === undefined ? {} : { sqlState })
    }
  }
}

/** Every `type` of {@link DatabaseError}, for comparisons: `error.type === DatabaseErrorType.DEADLOCK`. */
export const DatabaseErrorType = {
  ...(Object.fromEntries(Base.codes.map((code) => [code, code])) as {
    readonly [C in DatabaseErrorCode]: C
  }),
  NOT_SUPPORTED: "UNSUPPORTED_OPERATION"
} as const

/** Bad input, told before anything is sent. `path` names where in the input. */
export const invalid = (
  message: string,
  path?: string,
  more: Partial<DatabaseErrorFields> = {}
): DatabaseError =>
  new DatabaseError({
    ...more,
    code: "VALIDATION_ERROR",
    message,
    ...(path === undefined ? {} : { details: [{ path, message }] })
  })
