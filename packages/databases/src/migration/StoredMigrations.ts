import type { ContextDefaults } from "@ductape/core"
import type { RecordMeta, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { attempt, promised, spanned, storedDefinitions } from "../action/StoredDefinitions.ts"
import { invalid } from "../DatabaseError.ts"
import type { DatabaseHandle } from "../DatabaseHandle.ts"
import type { Failure } from "../Failure.ts"
import type { Target } from "../types.ts"
import type { HistoryEntry } from "./history.ts"
import { type Migration, readMigration } from "./Migration.ts"
import { MigrationEngine } from "./MigrationEngine.ts"
import type { MigrationOptions, MigrationStatus, RollbackResult, RunResult } from "./MigrationResults.ts"

type Result<A> = Effect.Effect<A, Failure>

/** A migration kept in the workspace, for one database. */
export interface StoredMigration extends Migration, RecordMeta {
  readonly database: string
}

type Where = Pick<Target, "product" | "env" | "database">
type Which = Pick<Target, "product" | "database">

/** `databases.migration`: on the active connection, or that of `database`. */
export interface ServiceMigrationCalls {
  /** Without a list: the stored ones of the database, by tag. */
  readonly run: (
    migrations?: ReadonlyArray<Migration>,
    options?: MigrationOptions & Where
  ) => Result<RunResult>
  readonly rollback: (
    migrations?: ReadonlyArray<Migration>,
    n?: number,
    options?: MigrationOptions & Where
  ) => Result<RollbackResult>
  readonly history: (where?: Where) => Result<ReadonlyArray<HistoryEntry>>
  readonly status: (migrations?: ReadonlyArray<Migration>, where?: Where) => Result<MigrationStatus>
  readonly create: (migration: Migration & Which) => Result<StoredMigration>
  /** What is not named stays. Databases that have applied it will say `CHECKSUM_MISMATCH`. */
  readonly update: (
    tag: string,
    patch: Partial<Omit<Migration, "tag">>,
    which?: Which
  ) => Result<StoredMigration>
  readonly fetch: (tag: string, which?: Which) => Result<StoredMigration>
  /** By tag. */
  readonly list: (which?: Which) => Result<ReadonlyArray<StoredMigration>>
  readonly delete: (tag: string, which?: Which) => Result<{ readonly deleted: true }>
}

interface Kept {
  /** `database:migration`, since two databases may have migrations of one tag. */
  readonly tag: string
  readonly database: string
  readonly migration: Migration
}

export const makeStoredMigrations = (
  registry: RegistryShape,
  defaults: ContextDefaults,
  service: {
    readonly handle: (target: Target) => Result<DatabaseHandle>
    readonly getCurrentContext: () => { readonly product: string; readonly database: string } | null
  }
): ServiceMigrationCalls => {
  const stored = storedDefinitions<Kept>(registry, defaults, "migration")
  const productOf = (which: Which | undefined): string | undefined =>
    which?.product ?? service.getCurrentContext()?.product
  const databaseOf = (which: Which | undefined): Result<string> =>
    attempt(() => {
      const database = which?.database ?? service.getCurrentContext()?.database
      if (database === undefined) throw invalid("database: missing. Connect first, or name it.", "database")
      return database
    })
  const shown = ({ database, migration, tag: _, ...meta }: Kept & RecordMeta): StoredMigration => ({
    ...migration,
    ...meta,
    database
  })
  const on = <A>(
    name: string,
    where: Where | undefined,
    run: (engine: MigrationEngine) => Promise<A>
  ): Result<A> =>
    Effect.flatMap(
      service.handle({ product: where?.product, env: where?.env, database: where?.database }),
      (handle) => promised(() => run(new MigrationEngine(handle.getAdapter())))
    ).pipe(spanned(`migration.${name}`))

  const all = (which: Which | undefined): Result<ReadonlyArray<Kept & RecordMeta>> =>
    Effect.flatMap(databaseOf(which), (database) =>
      Effect.map(stored.fetchAll(productOf(which)), (list) =>
        list.filter((one) => one.database === database).sort((a, b) => (a.tag < b.tag ? -1 : 1))
      )
    )
  const listOr = (
    migrations: ReadonlyArray<Migration> | undefined,
    which: Which | undefined
  ): Result<ReadonlyArray<Migration>> =>
    migrations === undefined
      ? Effect.map(all(which), (list) => list.map(({ migration }) => migration))
      : Effect.succeed(migrations)

  return {
    run: (migrations, options) =>
      Effect.flatMap(listOr(migrations, options), (list) =>
        on("run", options, (engine) => engine.run(list, options))
      ),
    rollback: (migrations, n, options) =>
      Effect.flatMap(listOr(migrations ?? [], options), (list) =>
        on("rollback", options, (engine) => engine.rollback(list, n, options))
      ),
    history: (where) => on("history", where, (engine) => engine.getHistory()),
    status: (migrations, where) =>
      Effect.flatMap(listOr(migrations, where), (list) =>
        on("status", where, (engine) => engine.getStatus({ definedMigrations: list }))
      ),
    create: ({ database, product, ...given }) =>
      Effect.flatMap(databaseOf({ database }), (tag) =>
        Effect.flatMap(
          attempt(() => readMigration(given)),
          (migration) =>
            Effect.map(
              stored.create(productOf({ product }), {
                tag: `${tag}:${migration.tag}`,
                database: tag,
                migration
              }),
              shown
            )
        )
      ).pipe(spanned("migration.create")),
    update: (tag, patch, which) =>
      Effect.flatMap(databaseOf(which), (database) => {
        const full = `${database}:${tag}`
        const next = (old: Kept): Kept => ({
          ...old,
          migration: readMigration({ ...old.migration, ...patch, tag })
        })
        return Effect.flatMap(stored.fetch(productOf(which), full), (old) =>
          Effect.flatMap(
            attempt(() => next(old)),
            () => Effect.map(stored.update(productOf(which), full, next), shown)
          )
        )
      }).pipe(spanned("migration.update")),
    fetch: (tag, which) =>
      Effect.flatMap(databaseOf(which), (database) =>
        Effect.map(stored.fetch(productOf(which), `${database}:${tag}`), shown)
      ).pipe(spanned("migration.fetch")),
    list: (which) => Effect.map(all(which), (list) => list.map(shown)).pipe(spanned("migration.list")),
    delete: (tag, which) =>
      Effect.flatMap(databaseOf(which), (database) =>
        stored.delete(productOf(which), `${database}:${tag}`)
      ).pipe(spanned("migration.delete"))
  }
}
