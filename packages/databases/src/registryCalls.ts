import type { ContextDefaults } from "@ductape/core"
import type { RegistryError, RegistryShape, ResourceRepository } from "@ductape/registry"
import * as Effect from "effect/Effect"
import {
  type DatabaseDef,
  type DatabaseInput,
  type DatabasePatch,
  masked,
  notFound,
  patched,
  readDef,
  type StoredDatabase
} from "./DatabaseDef.ts"
import { DatabaseError } from "./DatabaseError.ts"
import { type Failure, isFailure } from "./Failure.ts"

type Result<A> = Effect.Effect<A, Failure>

/** Definitions of databases. */
export interface RegistryCalls {
  /** Opens no connection. Fails with `ALREADY_EXISTS`, `VALIDATION_ERROR`. */
  readonly create: (def: DatabaseInput) => Result<StoredDatabase>
  readonly register: (product: string, def: DatabaseInput) => Result<StoredDatabase>
  /** Passwords in URLs are masked. Fails with `NOT_FOUND`. */
  readonly fetch: {
    (tag: string): Result<StoredDatabase>
    (product: string, tag: string): Result<StoredDatabase>
  }
  readonly fetchAll: (product?: string) => Result<ReadonlyArray<StoredDatabase>>
  /** The same as `fetchAll`. */
  readonly list: (product?: string) => Result<ReadonlyArray<StoredDatabase>>
  /** Environments merge by slug; open connections of the database are closed. */
  readonly update: {
    (tag: string, patch: DatabasePatch): Result<StoredDatabase>
    (product: string, tag: string, patch: DatabasePatch): Result<StoredDatabase>
  }
  readonly updateDatabase: RegistryCalls["update"]
  readonly delete: {
    (tag: string): Result<{ readonly deleted: true }>
    (product: string, tag: string): Result<{ readonly deleted: true }>
  }
  readonly deleteDatabase: RegistryCalls["delete"]
}

const attempt = <A>(run: () => A): Effect.Effect<A, Failure> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (cause) {
      return isFailure(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })

export const makeRegistryCalls = (
  registry: RegistryShape,
  definitions: ResourceRepository<DatabaseDef>,
  defaults: ContextDefaults,
  /** The definition changed: what is open by the old one must go. */
  changed: (product: string, tag: string) => Promise<void>
): RegistryCalls => {
  const productOf = (given: string | undefined): Effect.Effect<string, Failure> => {
    const product = given ?? defaults.product
    return product === undefined
      ? Effect.fail(
          new DatabaseError({
            code: "CONTEXT_MISSING",
            message:
              "No 'product' for this call. Set it once on new Ductape({ accessKey, product, env }), or pass it.",
            details: { field: "product" }
          })
        )
      : Effect.succeed(product)
  }

  const named =
    (product: string, tag: string) =>
    (error: RegistryError): Failure => {
      if (error.code === "NOT_FOUND") return notFound(product, tag)
      if (error.code !== "ALREADY_EXISTS") return error
      return new DatabaseError({
        code: "ALREADY_EXISTS",
        message: `Product '${product}' already has a database '${tag}'. Change it with databases.update.`,
        database: tag,
        details: { product, database: tag }
      })
    }

  const checkEnvs = (product: string, def: DatabaseDef): Effect.Effect<void, Failure> =>
    Effect.flatMap(registry.products.fetch(product), ({ envs }) => {
      const unknown = def.envs.find(({ slug }) => !envs.some((env) => env.slug === slug))
      return unknown === undefined
        ? Effect.void
        : Effect.fail(
            new DatabaseError({
              code: "VALIDATION_ERROR",
              message: `envs: '${unknown.slug}' is no environment of product '${product}'.`,
              details: [{ path: "envs", message: "unknown environment" }]
            })
          )
    })

  const spanned =
    (name: string) =>
    <A>(effect: Result<A>): Result<A> =>
      Effect.withSpan(effect, `Databases.${name}`, { captureStackTrace: false })

  const create = (def: DatabaseInput): Result<StoredDatabase> =>
    Effect.gen(function* () {
      const value = yield* attempt(() => readDef(def))
      const product = yield* productOf(def.product ?? def.product_tag)
      yield* checkEnvs(product, value)
      return masked(yield* Effect.mapError(definitions.create(product, value), named(product, value.tag)))
    }).pipe(spanned("create"))

  const fetch = (...args: ReadonlyArray<string>): Result<StoredDatabase> =>
    Effect.gen(function* () {
      const [first, second] = args
      const product = yield* productOf(second === undefined ? undefined : first)
      const tag = second ?? first ?? ""
      return masked(yield* Effect.mapError(definitions.fetch(product, tag), named(product, tag)))
    }).pipe(spanned("fetch"))

  const fetchAll = (given?: string): Result<ReadonlyArray<StoredDatabase>> =>
    Effect.gen(function* () {
      const product = yield* productOf(given)
      return (yield* definitions.fetchAll(product)).map(masked)
    }).pipe(spanned("fetchAll"))

  const update = (...args: ReadonlyArray<unknown>): Result<StoredDatabase> =>
    Effect.gen(function* () {
      const [given, tag, patch] = (args.length > 2 ? args : [undefined, ...args]) as [
        string | undefined,
        string,
        DatabasePatch
      ]
      const product = yield* productOf(given)
      const old = yield* Effect.mapError(definitions.fetch(product, tag), named(product, tag))
      yield* Effect.flatMap(
        attempt(() => patched(old, patch)),
        (next) => checkEnvs(product, next)
      )
      const next = yield* Effect.mapError(
        definitions.update(product, tag, (current) => patched(current, patch)),
        named(product, tag)
      )
      yield* Effect.promise(() => changed(product, tag))
      return masked(next)
    }).pipe(spanned("update"))

  const remove = (...args: ReadonlyArray<string>): Result<{ readonly deleted: true }> =>
    Effect.gen(function* () {
      const [first, second] = args
      const product = yield* productOf(second === undefined ? undefined : first)
      const tag = second ?? first ?? ""
      const deleted = yield* Effect.mapError(definitions.delete(product, tag), named(product, tag))
      if (!deleted) return yield* notFound(product, tag)
      yield* Effect.promise(() => changed(product, tag))
      return { deleted: true as const }
    }).pipe(spanned("delete"))

  return {
    create,
    register: (product, def) => create({ ...def, product }),
    fetch: fetch as RegistryCalls["fetch"],
    fetchAll,
    list: fetchAll,
    update: update as RegistryCalls["update"],
    updateDatabase: update as RegistryCalls["update"],
    delete: remove as RegistryCalls["delete"],
    deleteDatabase: remove as RegistryCalls["delete"]
  }
}
