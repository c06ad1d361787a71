import type { DriverFault } from "./DatabaseDriver.ts"
import { DatabaseError, type DatabaseErrorCode } from "./DatabaseError.ts"

/** Where a fault happened, for the words of its error. */
export interface FaultContext {
  readonly database?: string | undefined
  readonly table?: string | undefined
  /** The statement may change something. */
  readonly write: boolean
}

const states: Readonly<Record<string, DatabaseErrorCode>> = {
  "23505": "UNIQUE_VIOLATION",
  "23P01": "UNIQUE_VIOLATION",
  "23503": "FOREIGN_KEY_VIOLATION",
  "23001": "FOREIGN_KEY_VIOLATION",
  "23502": "NOT_NULL_VIOLATION",
  "23514": "CHECK_VIOLATION",
  "42P07": "TABLE_EXISTS",
  "42P01": "TABLE_NOT_FOUND",
  "42703": "COLUMN_NOT_FOUND",
  "42501": "PERMISSION_DENIED",
  "28000": "CONNECTION_ERROR",
  "28P01": "CONNECTION_ERROR",
  "3D000": "CONNECTION_ERROR",
  "53300": "CONNECTION_ERROR",
  "57P03": "CONNECTION_ERROR",
  "40P01": "DEADLOCK",
  "40001": "SERIALIZATION_FAILURE",
  "57014": "TIMEOUT",
  "25P03": "TIMEOUT",
  "25P04": "TIMEOUT",
  "57P01": "CONNECTION_LOST",
  "57P02": "CONNECTION_LOST",
  "57P05": "CONNECTION_LOST",
  "55P03": "TIMEOUT",
  "55000": "QUERY_ERROR"
}

/** DDL and names that do not fit: what `SCHEMA_ERROR` stands for besides its own codes. */
const schemaStates = new Set([
  "42P10",
  "42701",
  "42710",
  "42P06",
  "42P16",
  "42704",
  "42P17",
  "42830",
  "42611",
  "42P15",
  "2BP01",
  "3F000",
  "42804",
  "42939",
  "42602",
  "42622"
])

const codeOf = (state: string): DatabaseErrorCode => {
  const known = states[state]
  if (known !== undefined) return known
  if (schemaStates.has(state)) return "SCHEMA_ERROR"
  if (state.startsWith("25")) return "TRANSACTION_ERROR"
  if (state.startsWith("40")) return "SERIALIZATION_FAILURE"
  if (state !== "08P01" && state.startsWith("08")) return "CONNECTION_LOST"
  if (state.startsWith("28")) return "CONNECTION_ERROR"
  if (state.startsWith("3B")) return "TRANSACTION_ERROR"
  return "QUERY_ERROR"
}

/** Nothing of these can be cured by trying again. */
const final = new Set(["28000", "28P01", "3D000"])

const words: Partial<Record<DatabaseErrorCode, (n: DriverFault["names"], at: string) => string>> = {
  UNIQUE_VIOLATION: (n, at) =>
    `A row with the same key exists${at}${n.constraint ? ` (constraint '${n.constraint}')` : ""}.`,
  FOREIGN_KEY_VIOLATION: (n, at) =>
    `A row that this one refers to, or that refers to it, is in the way${at}${n.constraint ? ` (constraint '${n.constraint}')` : ""}.`,
  NOT_NULL_VIOLATION: (n, at) => `Column '${n.column ?? "?"}'${at} must not be null.`,
  CHECK_VIOLATION: (n, at) => `A value breaks the check${n.constraint ? ` '${n.constraint}'` : ""}${at}.`,
  TABLE_EXISTS: (n, at) =>
    `There is already a table or index of this name${n.missing ? ` ('${n.missing}')` : at}.`,
  TABLE_NOT_FOUND: (n, at) => `There is no table '${n.missing ?? n.table ?? "?"}'${n.missing ? "" : at}.`,
  COLUMN_NOT_FOUND: (n, at) => `There is no column '${n.missing ?? n.column ?? "?"}'${at}.`,
  SCHEMA_ERROR: (_n, at) => `The statement does not fit the tables as they are${at}.`,
  PERMISSION_DENIED: (_n, at) => `The database user may not do this${at}.`,
  DEADLOCK: () =>
    "The transaction was chosen to end a deadlock. Run it again, or give transaction() retries.",
  SERIALIZATION_FAILURE: () =>
    "The transaction met a concurrent one and was rolled back. Run it again, or give transaction() retries.",
  TIMEOUT: (_n, at) => `The server stopped the statement${at}.`,
  TRANSACTION_ERROR: () => "The transaction cannot go on.",
  CONNECTION_ERROR: () => "The server refused the connection.",
  CONNECTION_LOST: () => "The connection to the server broke."
}

const transactionWords: Readonly<Record<string, string>> = {
  "25P02":
    "An earlier statement of this transaction failed, so PostgreSQL refuses the rest of it. Use savepoint() around statements that may fail, or begin with statementSavepoints: true.",
  "25006": "The transaction is read-only; a write is refused."
}

const connectionWords: Readonly<Record<string, string>> = {
  "28000": "The server refused this user. Check user and password of the connection_url.",
  "28P01": "The server refused the password. Check user and password of the connection_url.",
  "3D000": "There is no database of that name on the server. Check the path of the connection_url.",
  "53300": "The server has no connection left. Lower `max`, or raise max_connections.",
  "57P03": "The server is starting up or shutting down."
}

/** The error that a caller gets for a fault of the driver. */
export const faultToError = (fault: DriverFault, context: FaultContext): DatabaseError => {
  const { database, table } = context
  const unknown = context.write && fault.sent
  const at = table === undefined ? "" : ` in table '${table}'`
  const where = { database, table: fault.names.table ?? table }
  const outcome = unknown
    ? { retryable: false, details: { outcome: "unknown" as const } }
    : context.write
      ? { details: { outcome: "none" as const } }
      : {}
  const doubt = unknown ? " Whether the write happened is unknown; it is not repeated." : ""
  switch (fault.kind) {
    case "sql": {
      const state = fault.sqlState ?? "XX000"
      const code = codeOf(state)
      const lost = code === "CONNECTION_LOST"
      const message =
        transactionWords[state] ??
        connectionWords[state] ??
        words[code]?.(fault.names, at) ??
        `PostgreSQL refused the statement${at}${fault.names.position ? `, near character ${fault.names.position}` : ""}.`
      return new DatabaseError({
        ...where,
        code,
        message: `${message} (SQLSTATE ${state})${lost ? doubt : ""}`,
        sqlState: state,
        constraint: fault.names.constraint,
        ...(fault.names.column === undefined ? {} : { columns: [fault.names.column] }),
        ...(final.has(state) ? { retryable: false } : {}),
        ...(lost ? outcome : {}),
        cause: fault
      })
    }
    case "connect":
      return new DatabaseError({
        ...where,
        code: "CONNECTION_ERROR",
        message: `No connection${database === undefined ? "" : ` to database '${database}'`} could be opened: ${fault.message}.`,
        sqlState: fault.sqlState,
        cause: fault
      })
    case "lost":
      return new DatabaseError({
        ...where,
        code: "CONNECTION_LOST",
        message: `The connection${database === undefined ? "" : ` to database '${database}'`} broke.${doubt}`,
        ...outcome,
        cause: fault
      })
    case "timeout":
      return new DatabaseError({
        ...where,
        code: "TIMEOUT",
        message: `The call did not end within its timeout${at}.${doubt}`,
        ...outcome,
        cause: fault
      })
    case "busy":
      return new DatabaseError({
        ...where,
        code: "TIMEOUT",
        message:
          "No connection of the pool came free in time. Raise `max`, or hold transactions for less long.",
        ...(context.write ? { details: { outcome: "none" } } : {}),
        cause: fault
      })
    case "aborted":
      return new DatabaseError({
        ...where,
        code: "ABORTED",
        message: `The call was aborted by its signal${at}.${doubt}`,
        ...outcome,
        cause: fault
      })
    case "closed":
      return new DatabaseError({
        ...where,
        code: "CONNECTION_ERROR",
        message: `The connection${database === undefined ? "" : ` to database '${database}'`} was closed. Connect again.`,
        retryable: false,
        cause: fault
      })
    case "other":
      return new DatabaseError({
        ...where,
        code: "QUERY_ERROR",
        message: `The driver failed${at}: ${fault.message}.${doubt}`,
        ...outcome,
        cause: fault
      })
  }
}
