import type { HistoryEntry } from "./history.ts"
import type { Migration } from "./Migration.ts"

/** Told before each statement, and once a migration is done. */
export interface MigrationProgress {
  readonly tag: string
  readonly direction: "up" | "down"
  /** Of this run, from 1. */
  readonly migration: number
  readonly migrations: number
  /** Statements done so far, of how many. */
  readonly step: number
  readonly steps: number
  readonly done: boolean
}

export interface MigrationOptions {
  /** Return the statements and change nothing. */
  readonly dryRun?: boolean | undefined
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined
  /** Milliseconds to wait for another run to end. Default: 60,000. */
  readonly lockTimeout?: number | undefined
  /** Stops before the next statement, and ends the one that runs where the driver can. */
  readonly signal?: AbortSignal | undefined
}

export interface PlannedStatements {
  readonly tag: string
  readonly statements: ReadonlyArray<string>
}

export interface RunResult {
  /** Tags, in the order in which they ran (in a dry run: would run). */
  readonly applied: ReadonlyArray<string>
  /** Tags that had been applied before. */
  readonly skipped: ReadonlyArray<string>
  readonly dryRun: boolean
  readonly statements: ReadonlyArray<PlannedStatements>
}

export interface RollbackResult {
  /** Newest first. */
  readonly rolledBack: ReadonlyArray<string>
  readonly dryRun: boolean
  readonly statements: ReadonlyArray<PlannedStatements>
}

export interface MigrationStatus {
  /** Of the migrations that were given. */
  readonly total: number
  readonly completed: number
  readonly pending: number
  readonly pendingMigrations: ReadonlyArray<Migration>
  readonly lastApplied: HistoryEntry | null
  /** Tags of those that were changed after they had been applied. */
  readonly mismatched: ReadonlyArray<string>
  /** Tags of those that stopped in the middle: run, or roll back, again. */
  readonly interrupted: ReadonlyArray<string>
}
