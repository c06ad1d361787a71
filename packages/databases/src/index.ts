export * from "./action/index.ts"
export { BoundCalls } from "./BoundCalls.ts"
export type { CallEnvironment, CallSpan } from "./calls.ts"
export * from "./connect.ts"
export type { ConnectionIdentity, Scope } from "./DatabaseConnection.ts"
export type {
  DatabaseDef,
  DatabaseEnv,
  DatabaseInput,
  DatabasePatch,
  DatabaseType,
  StoredDatabase
} from "./DatabaseDef.ts"
export * from "./DatabaseDriver.ts"
export {
  DatabaseError,
  type DatabaseErrorCode,
  type DatabaseErrorFields,
  DatabaseErrorType
} from "./DatabaseError.ts"
export { type DatabaseAccess, DatabaseHandle } from "./DatabaseHandle.ts"
export { Databases } from "./Databases.ts"
export type {
  ConnectInput,
  ConnectionTest,
  DatabasesOptions,
  DatabasesShape,
  RowCalls,
  RowMethod
} from "./DatabasesShape.ts"
export type { Failure as DatabaseFailure } from "./Failure.ts"
export type { WriteEvent, WriteHook, WriteOperation } from "./hooks.ts"
export * from "./migration/index.ts"
export type { RawCall } from "./nativeRaw.ts"
export * from "./presave/index.ts"
export type { RegistryCalls } from "./registryCalls.ts"
export * from "./results.ts"
export * from "./schema/index.ts"
export type { Column, ColumnType, ForeignKey, Table } from "./sql/Catalogue.ts"
export type { NumericMode } from "./sql/decode.ts"
export { Savepoint, Transaction } from "./Transaction.ts"
export type { TransactionStatus } from "./TransactionState.ts"
export * from "./trigger/index.ts"
export type {
  DrizzleOf,
  NewRowOf,
  RowOf,
  SchemaTables,
  TypedCalls,
  TypedHandle,
  TypedTransaction,
  WhereOf
} from "./typed.ts"
export * from "./types.ts"
