import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { DatabaseAccess } from "../DatabaseHandle.ts"
import type { Transaction } from "../Transaction.ts"
import {
  type Applied,
  addHistory,
  ensureHistory,
  extended,
  type HistoryEntry,
  type Journal,
  type RecordedInverse,
  readHistory,
  readJournals,
  removeHistory,
  removeJournal,
  writeJournal
} from "./history.ts"
import { inverseOf, readInverse } from "./inverse.ts"
import { withLock } from "./lock.ts"
import { canonicalJson, checksumOf, type Migration, readMigration, readMigrations } from "./Migration.ts"
import type { MigrationOptions, MigrationStatus, RollbackResult, RunResult } from "./MigrationResults.ts"
import { isTransactional, prefixOf, runAgain, type Step, stepsOf } from "./steps.ts"

interface Work {
  readonly migration: Migration
  readonly direction: "up" | "down"
  readonly steps: ReadonlyArray<Step>
  /** What to do in the transaction that ends it. */
  readonly finish: (transaction: Transaction, inverse: RecordedInverse) => Promise<void>
  readonly journal: Journal | undefined
  readonly report: (step: number, done: boolean) => void
  readonly signal: AbortSignal | undefined
}

const nothing: RecordedInverse = { ops: [] }

/**
 * Applies migrations to one database and takes them back.
 *
 * Each runs in one transaction, with its entry in `_ductape_migrations`: it is applied whole or not at
 * all. With `transactional: false`, or a statement that PostgreSQL refuses in a transaction (CREATE
 * INDEX CONCURRENTLY), every statement is a step of its own, noted in `_ductape_migration_steps`, and a
 * run that was cut off goes on where it stopped. One run at a time: an advisory lock keeps others waiting.
 *
 * @example
 * const engine = new MigrationEngine(handle.getAdapter())
 * await engine.run(migrations)
 */
export class MigrationEngine {
  readonly #access: DatabaseAccess

  constructor(access: DatabaseAccess) {
    this.#access = access
  }

  /** Applies one migration; `applied` is false if it had been before. @throws as {@link run} */
  async up(migration: Migration, options: MigrationOptions = {}): Promise<{ tag: string; applied: boolean }> {
    const { applied } = await this.run([migration], options)
    return { tag: migration.tag, applied: applied.length > 0 }
  }

  /** Takes one migration back; `rolledBack` is false if it was not applied. @throws as {@link rollback} */
  async down(
    migration: Migration,
    options: MigrationOptions = {}
  ): Promise<{ tag: string; rolledBack: boolean }> {
    const given = readMigration(migration)
    const { rolledBack } = await this.#locked(options, (applied, journals) => {
      const entry = applied.find((one) => one.tag === given.tag)
      return this.#takeBack(entry === undefined ? [] : [entry], [given], journals, options)
    })
    return { tag: given.tag, rolledBack: rolledBack.length > 0 }
  }

  /**
   * Applies those that are not applied yet, in the order of the list, and stops at the first failure.
   *
   * @throws `CHECKSUM_MISMATCH` before anything runs; `MIGRATION_ERROR` with
   *   `details: { tag, step, applied, kept }`, the failure itself as `cause`
   */
  async run(migrations: ReadonlyArray<Migration>, options: MigrationOptions = {}): Promise<RunResult> {
    const list = readMigrations(migrations)
    // Written once before anything runs, so that bad input is told before any I/O.
    const target = this.#access.identity
    const plans = list.map((migration) => stepsOf(migration.up, target, `migration '${migration.tag}': up`))
    for (const migration of list) stepsOf(migration.down, target, `migration '${migration.tag}': down`)
    return this.#locked(options, async (history, journals) => {
      const byTag = new Map(history.map((entry) => [entry.tag, entry]))
      const skipped: Array<string> = []
      const pending: Array<readonly [Migration, ReadonlyArray<Step>]> = []
      for (const [i, migration] of list.entries()) {
        const known = byTag.get(migration.tag)
        const journal = journals.get(migration.tag)
        if (journal?.direction === "down") throw this.#interrupted(migration.tag, "rollback")
        if (known === undefined) {
          pending.push([migration, plans[i] ?? []])
          continue
        }
        if (known.checksum !== checksumOf(migration)) throw this.#mismatch(migration.tag)
        skipped.push(migration.tag)
      }
      const statements = pending.map(([{ tag }, steps]) => ({ tag, statements: steps.map(({ sql }) => sql) }))
      const applied: Array<string> = []
      if (options.dryRun === true) {
        return { applied: pending.map(([{ tag }]) => tag), skipped, dryRun: true, statements }
      }
      for (const [i, [migration, steps]] of pending.entries()) {
        await this.#perform(
          {
            migration,
            direction: "up",
            steps,
            journal: journals.get(migration.tag),
            signal: options.signal,
            report: this.#reporter(options, migration.tag, "up", i, pending.length, steps.length),
            finish: (transaction, inverse) =>
              addHistory(this.#access, transaction, migration, checksumOf(migration), inverse)
          },
          applied
        )
        applied.push(migration.tag)
      }
      return { applied, skipped, dryRun: false, statements }
    })
  }

  /**
   * Takes back the last `n` applied ones, newest first. Those that are not in the list are taken back
   * as the history has them.
   *
   * @throws `MIGRATION_ERROR` (`details` as for {@link run}, with `rolledBack`) also when there is no
   *   way back, before anything of that migration is touched; `CHECKSUM_MISMATCH`
   */
  async rollback(
    migrations: ReadonlyArray<Migration> = [],
    n = 1,
    options: MigrationOptions = {}
  ): Promise<RollbackResult> {
    if (!Number.isSafeInteger(n) || n < 1) throw invalid("n: expected a whole number, 1 or more.", "n")
    const list = readMigrations(migrations)
    return this.#locked(options, (history, journals) =>
      this.#takeBack(history.slice(-n).reverse(), list, journals, options)
    )
  }

  /** Oldest first. */
  async getHistory(): Promise<ReadonlyArray<HistoryEntry>> {
    const history = await readHistory(this.#access)
    return history.map(({ inverse: _, ...entry }) => entry)
  }

  async getStatus(input: { readonly definedMigrations: ReadonlyArray<Migration> }): Promise<MigrationStatus> {
    const list = readMigrations(input.definedMigrations)
    const history = await readHistory(this.#access)
    const journals = await readJournals(this.#access)
    const byTag = new Map(history.map((entry) => [entry.tag, entry]))
    const pendingMigrations = list.filter(({ tag }) => !byTag.has(tag))
    const mismatched = list.filter((migration) => {
      const known = byTag.get(migration.tag)
      return known !== undefined && known.checksum !== checksumOf(migration)
    })
    const last = history.at(-1)
    const { inverse: _, ...lastApplied } = last ?? { inverse: nothing }
    return {
      total: list.length,
      completed: list.length - pendingMigrations.length,
      pending: pendingMigrations.length,
      pendingMigrations,
      lastApplied: last === undefined ? null : (lastApplied as HistoryEntry),
      mismatched: mismatched.map(({ tag }) => tag),
      interrupted: [...journals.keys()]
    }
  }

  #locked<A>(
    options: MigrationOptions,
    run: (history: ReadonlyArray<Applied>, journals: ReadonlyMap<string, Journal>) => Promise<A>
  ): Promise<A> {
    const load = async (): Promise<A> =>
      run(await readHistory(this.#access), await readJournals(this.#access))
    if (options.dryRun === true) return load()
    return withLock(this.#access, options.lockTimeout ?? 60_000, async () => {
      await ensureHistory(this.#access)
      return load()
    })
  }

  async #takeBack(
    entries: ReadonlyArray<Applied>,
    list: ReadonlyArray<Migration>,
    journals: ReadonlyMap<string, Journal>,
    options: MigrationOptions
  ): Promise<RollbackResult> {
    for (const journal of journals.values()) {
      if (journal.direction === "up") throw this.#interrupted(journal.tag, "run")
    }
    const works = entries.map((entry) => {
      const given = list.find((one) => one.tag === entry.tag)
      if (given !== undefined && checksumOf(given) !== entry.checksum) throw this.#mismatch(entry.tag)
      return {
        entry,
        steps: stepsOf(this.#wayBack(entry), this.#access.identity, `migration '${entry.tag}': down`)
      }
    })
    const statements = works.map(({ entry, steps }) => ({
      tag: entry.tag,
      statements: steps.map(({ sql }) => sql)
    }))
    if (options.dryRun === true) {
      return { rolledBack: entries.map(({ tag }) => tag), dryRun: true, statements }
    }
    const rolledBack: Array<string> = []
    for (const [i, { entry, steps }] of works.entries()) {
      await this.#perform(
        {
          migration: entry.migration,
          direction: "down",
          steps,
          journal: journals.get(entry.tag),
          signal: options.signal,
          report: this.#reporter(options, entry.tag, "down", i, works.length, steps.length),
          finish: (transaction) => removeHistory(this.#access, transaction, entry.tag)
        },
        rolledBack
      )
      rolledBack.push(entry.tag)
    }
    return { rolledBack, dryRun: false, statements }
  }

  /** `down` as written; what the catalogue said, where it was left to us. @throws `MIGRATION_ERROR` */
  #wayBack({ inverse, migration }: Applied): Migration["down"] {
    const generated = inverseOf(migration.up)
    const own =
      migration.down.length > 0 &&
      (generated === undefined || canonicalJson(generated) !== canonicalJson(migration.down))
    if (own) return migration.down
    if (inverse.irreversible === undefined) return inverse.ops
    throw new DatabaseError({
      code: "MIGRATION_ERROR",
      message: `Migration '${migration.tag}' cannot be rolled back: ${inverse.irreversible}.`,
      database: this.#access.identity.database,
      details: { tag: migration.tag, direction: "down", kept: "all" }
    })
  }

  async #perform(work: Work, before: ReadonlyArray<string>): Promise<void> {
    const { migration, steps } = work
    const at = { step: 0 }
    const whole = work.journal === undefined && isTransactional(migration, steps)
    try {
      if (whole) await this.#whole(work, at)
      else await this.#stepwise(work, at)
    } catch (cause) {
      throw this.#failure(work, at.step, whole, before, cause)
    } finally {
      this.#access.invalidate()
    }
    work.report(steps.length, true)
  }

  /** All of it in one transaction. */
  async #whole(work: Work, at: { step: number }): Promise<void> {
    await this.#access.transaction({}, async (transaction) => {
      let inverse = nothing
      let skip = false
      for (const [i, step] of work.steps.entries()) {
        at.step = i
        work.report(i, false)
        if (step.first && work.direction === "up") {
          const found = await this.#inverse(step, transaction)
          inverse = extended(inverse, found.inverse)
          skip = found.skip
        }
        if (!skip) await this.#execute(step.sql, work, transaction)
      }
      await work.finish(transaction, inverse)
    })
  }

  /** Each statement for itself; those that may run in a transaction are noted in the same one. */
  async #stepwise(work: Work, at: { step: number }): Promise<void> {
    const { direction, migration, steps } = work
    const access = this.#access
    let journal = work.journal ?? {
      tag: migration.tag,
      direction,
      done: 0,
      begun: 0,
      prefix: prefixOf(steps, 0),
      inverse: nothing
    }
    if (prefixOf(steps, journal.done) !== journal.prefix) throw this.#mismatch(migration.tag)
    let skip = false
    for (let i = journal.done; i < steps.length; i++) {
      const step = steps[i] as Step
      at.step = i
      work.report(i, false)
      const again = journal.begun > i
      if (step.first && direction === "up" && !again) {
        const found = await access.transaction({}, (transaction) => this.#inverse(step, transaction))
        journal = { ...journal, inverse: extended(journal.inverse, found.inverse) }
        skip = found.skip
      }
      const done: Journal = { ...journal, done: i + 1, begun: i + 1, prefix: prefixOf(steps, i + 1) }
      if (step.alone && !skip) {
        journal = { ...journal, begun: i + 1 }
        await writeJournal(access, journal)
        if (again) await runAgain(access, step)
        else await this.#execute(step.sql, work)
        await writeJournal(access, done)
      } else {
        await access.transaction({}, async (transaction) => {
          if (!skip) await this.#execute(step.sql, work, transaction)
          await writeJournal(access, done, transaction)
        })
      }
      journal = done
    }
    await access.transaction({}, async (transaction) => {
      await work.finish(transaction, journal.inverse)
      await removeJournal(access, transaction, migration.tag)
    })
  }

  async #inverse(step: Step, transaction: Transaction) {
    const inverse = await readInverse(
      async (text, params) => (await this.#access.execute(text, params, { transaction })).rows,
      step.op,
      this.#access.identity
    )
    // Only a table that is there already, and may be, leaves nothing to undo.
    const skip = step.op.type === "createCollection" && "ops" in inverse && inverse.ops.length === 0
    return { inverse, skip }
  }

  async #execute(sql: string, work: Work, transaction?: Transaction): Promise<void> {
    const { signal } = work
    if (signal?.aborted === true) {
      throw new DatabaseError({ code: "ABORTED", message: "The run was aborted by its signal." })
    }
    // A scope given as a transaction has no signal of its own.
    await this.#access.execute(sql, [], { transaction, signal })
  }

  #reporter(
    { onProgress }: MigrationOptions,
    tag: string,
    direction: "up" | "down",
    index: number,
    migrations: number,
    steps: number
  ): Work["report"] {
    return (step, done) =>
      onProgress?.({ tag, direction, migration: index + 1, migrations, step, steps, done })
  }

  #failure(work: Work, step: number, whole: boolean, before: ReadonlyArray<string>, cause: unknown): unknown {
    if (cause instanceof DatabaseError && cause.code === "CHECKSUM_MISMATCH") return cause
    const { direction, migration, steps } = work
    const failed = steps[step]
    const known = cause instanceof DatabaseError ? cause : undefined
    const why = cause instanceof Error ? cause.message : "the callback failed."
    const kept = whole ? "none" : "before"
    const tail = whole
      ? "Nothing of it was kept."
      : "What was done before that step stays; the next run goes on from there."
    return new DatabaseError({
      code: "MIGRATION_ERROR",
      message: `Migration '${migration.tag}' failed at ${direction}[${failed?.at ?? 0}] (${failed?.op.type ?? "end"}): ${why} ${tail}`,
      database: this.#access.identity.database,
      retryable: known?.retryable ?? false,
      ...(known?.table === undefined ? {} : { table: known.table }),
      ...(known?.sqlState === undefined ? {} : { sqlState: known.sqlState }),
      details: {
        tag: migration.tag,
        direction,
        step: failed?.at ?? 0,
        operation: failed?.op.type,
        [direction === "up" ? "applied" : "rolledBack"]: [...before],
        kept,
        code: known?.code
      },
      cause
    })
  }

  #mismatch(tag: string): DatabaseError {
    return new DatabaseError({
      code: "CHECKSUM_MISMATCH",
      message: `Migration '${tag}' is not what was applied under this tag. Put it back as it was, and write a new migration for the change.`,
      database: this.#access.identity.database,
      details: { tag }
    })
  }

  #interrupted(tag: string, call: "run" | "rollback"): DatabaseError {
    return new DatabaseError({
      code: "MIGRATION_ERROR",
      message: `Migration '${tag}' stopped in the middle${call === "run" ? "" : " of its way back"}. Bring it to its end first: ${call} it again.`,
      database: this.#access.identity.database,
      details: { tag, direction: call === "run" ? "up" : "down", kept: "before" }
    })
  }
}
