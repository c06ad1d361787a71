export type { HistoryEntry } from "./history.ts"
export { canonicalJson, type Migration, MigrationHelpers, readMigration } from "./Migration.ts"
export { MigrationBuilder, migration } from "./MigrationBuilder.ts"
export type { MigrationCalls } from "./MigrationCalls.ts"
export {
  MigrationEngine,
  type MigrationOptions,
  type MigrationProgress,
  type MigrationStatus,
  type PlannedStatements,
  type RollbackResult,
  type RunResult
} from "./MigrationEngine.ts"
export type * from "./Op.ts"
export type { ServiceMigrationCalls, StoredMigration } from "./StoredMigrations.ts"
