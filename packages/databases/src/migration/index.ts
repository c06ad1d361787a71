export type { HistoryEntry } from "./history.ts"
export { canonicalJson, type Migration, MigrationHelpers, readMigration } from "./Migration.ts"
export { MigrationBuilder, migration } from "./MigrationBuilder.ts"
export type { MigrationCalls } from "./MigrationCalls.ts"
export { MigrationEngine } from "./MigrationEngine.ts"
export type {
  MigrationOptions,
  MigrationProgress,
  MigrationStatus,
  PlannedStatements,
  RollbackResult,
  RunResult
} from "./MigrationResults.ts"
export type * from "./Op.ts"
export type { ServiceMigrationCalls, StoredMigration } from "./StoredMigrations.ts"
