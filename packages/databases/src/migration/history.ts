import type { DatabaseAccess } from "../DatabaseHandle.ts"
import type { Transaction } from "../Transaction.ts"
import type { Inverse } from "./inverse.ts"
import type { Migration } from "./Migration.ts"
import type { Op } from "./Op.ts"

/** One applied migration. */
export interface HistoryEntry {
  readonly tag: string
  readonly name: string
  readonly appliedAt: Date
  readonly checksum: string
  /** As it was when it ran. */
  readonly migration: Migration
}

/** With the way back that was read from the catalogue when it ran. */
export interface Applied extends HistoryEntry {
  readonly inverse: RecordedInverse
}

export interface RecordedInverse {
  /** In the order in which they are to run. */
  readonly ops: ReadonlyArray<Op>
  readonly irreversible?: string | undefined
}

/** How far a migration without a transaction has come. */
export interface Journal {
  readonly tag: string
  readonly direction: "up" | "down"
  /** Statements that are done, and the one that was begun last. */
  readonly done: number
  readonly begun: number
  /** Checksum of the statements that are done. */
  readonly prefix: string
  readonly inverse: RecordedInverse
}

export const historyTable = "_ductape_migrations"
export const journalTable = "_ductape_migration_steps"

const createHistory = [
  `CREATE TABLE IF NOT EXISTS "${historyTable}" (
  tag text PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  migration jsonb NOT NULL,
  inverse jsonb NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  position bigint GENERATED ALWAYS AS IDENTITY
)`,
  `CREATE TABLE IF NOT EXISTS "${journalTable}" (
  tag text PRIMARY KEY,
  direction text NOT NULL,
  done integer NOT NULL,
  begun integer NOT NULL,
  prefix text NOT NULL,
  inverse jsonb NOT NULL
)`
]

const exists = async (access: DatabaseAccess): Promise<boolean> => {
  const { rows } = await access.execute("SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there", [
    `"${historyTable}"`
  ])
  return rows[0]?.["there"] === true
}

/** To be called under the lock. */
export const ensureHistory = async (access: DatabaseAccess): Promise<void> => {
  if (await exists(access)) return
  await access.transaction({}, async (transaction) => {
    for (const sql of createHistory) await access.execute(sql, [], { transaction })
  })
}

/** Oldest first; empty where nothing was ever migrated. */
export const readHistory = async (access: DatabaseAccess): Promise<ReadonlyArray<Applied>> => {
  if (!(await exists(access))) return []
  const { rows } = await access.execute(
    `SELECT tag, name, checksum, migration, inverse, applied_at FROM "${historyTable}" ORDER BY position`
  )
  return rows.map((row) => ({
    tag: row["tag"] as string,
    name: row["name"] as string,
    checksum: row["checksum"] as string,
    appliedAt: row["applied_at"] as Date,
    migration: row["migration"] as Migration,
    inverse: row["inverse"] as RecordedInverse
  }))
}

export const addHistory = async (
  access: DatabaseAccess,
  transaction: Transaction,
  migration: Migration,
  checksum: string,
  inverse: RecordedInverse
): Promise<void> => {
  await access.execute(
    `INSERT INTO "${historyTable}" (tag, name, checksum, migration, inverse) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb)`,
    [migration.tag, migration.name, checksum, JSON.stringify(migration), JSON.stringify(inverse)],
    { transaction }
  )
}

export const removeHistory = async (
  access: DatabaseAccess,
  transaction: Transaction,
  tag: string
): Promise<void> => {
  await access.execute(`DELETE FROM "${historyTable}" WHERE tag = $1`, [tag], { transaction })
}

/** Migrations that stopped in the middle. */
export const readJournals = async (access: DatabaseAccess): Promise<ReadonlyMap<string, Journal>> => {
  if (!(await exists(access))) return new Map()
  const { rows } = await access.execute(
    `SELECT tag, direction, done, begun, prefix, inverse FROM "${journalTable}"`
  )
  return new Map(rows.map((row) => [row["tag"] as string, row as unknown as Journal]))
}

export const writeJournal = async (
  access: DatabaseAccess,
  journal: Journal,
  transaction?: Transaction
): Promise<void> => {
  const { begun, direction, done, inverse, prefix, tag } = journal
  await access.execute(
    `INSERT INTO "${journalTable}" (tag, direction, done, begun, prefix, inverse) VALUES ($1, $2, $3, $4, $5, $6::jsonb)
     ON CONFLICT (tag) DO UPDATE SET done = EXCLUDED.done, begun = EXCLUDED.begun, prefix = EXCLUDED.prefix, inverse = EXCLUDED.inverse`,
    [tag, direction, done, begun, prefix, JSON.stringify(inverse)],
    { transaction }
  )
}

export const removeJournal = async (
  access: DatabaseAccess,
  transaction: Transaction,
  tag: string
): Promise<void> => {
  await access.execute(`DELETE FROM "${journalTable}" WHERE tag = $1`, [tag], { transaction })
}

/** The way back with one more step undone first. */
export const extended = (before: RecordedInverse, inverse: Inverse): RecordedInverse =>
  "irreversible" in inverse
    ? { ops: before.ops, irreversible: before.irreversible ?? inverse.irreversible }
    : { ...before, ops: [...inverse.ops, ...before.ops] }
