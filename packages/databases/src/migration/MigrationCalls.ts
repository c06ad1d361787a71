import type { DatabaseAccess } from "../DatabaseHandle.ts"
import type { HistoryEntry } from "./history.ts"
import type { Migration } from "./Migration.ts"
import { MigrationEngine } from "./MigrationEngine.ts"
import type { MigrationOptions, MigrationStatus, RollbackResult, RunResult } from "./MigrationResults.ts"

/** Migrations of one database; see {@link MigrationEngine}. */
export interface MigrationCalls {
  readonly run: (migrations: ReadonlyArray<Migration>, options?: MigrationOptions) => Promise<RunResult>
  /** The last `n`, newest first. Default: 1. */
  readonly rollback: (
    migrations?: ReadonlyArray<Migration>,
    n?: number,
    options?: MigrationOptions
  ) => Promise<RollbackResult>
  readonly history: () => Promise<ReadonlyArray<HistoryEntry>>
  readonly status: (migrations: ReadonlyArray<Migration>) => Promise<MigrationStatus>
}

export const makeMigrationCalls = (connect: () => Promise<DatabaseAccess>): MigrationCalls => {
  const engine = async (): Promise<MigrationEngine> => new MigrationEngine(await connect())
  return {
    run: async (migrations, options) => (await engine()).run(migrations, options),
    rollback: async (migrations, n, options) => (await engine()).rollback(migrations, n, options),
    history: async () => (await engine()).getHistory(),
    status: async (migrations) => (await engine()).getStatus({ definedMigrations: migrations })
  }
}
