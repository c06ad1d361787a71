import type { ContextDefaults } from "@ductape/core"
import type { RecordMeta, RegistryError, RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { DatabaseError } from "../DatabaseError.ts"
import { type Failure, isFailure } from "../Failure.ts"

type Result<A> = Effect.Effect<A, Failure>

/** Actions, triggers or migrations of a product, as the workspace keeps them. */
export interface StoredDefinitions<T extends { readonly tag: string }> {
  readonly create: (product: string | undefined, value: T) => Result<T & RecordMeta>
  readonly fetch: (product: string | undefined, tag: string) => Result<T & RecordMeta>
  readonly fetchAll: (product: string | undefined) => Result<ReadonlyArray<T & RecordMeta>>
  readonly update: (product: string | undefined, tag: string, change: (old: T) => T) => Result<T & RecordMeta>
  readonly delete: (product: string | undefined, tag: string) => Result<{ readonly deleted: true }>
}

/** Runs what may throw a typed error. */
export const attempt = <A>(run: () => A): Result<A> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (cause) {
      return isFailure(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })

/** A promise of this package: typed errors fail, anything else is a defect. */
export const promised = <A>(run: () => Promise<A>): Result<A> =>
  Effect.callback<A, Failure>((resume) => {
    run().then(
      (value) => resume(Effect.succeed(value)),
      (cause: unknown) => resume(isFailure(cause) ? Effect.fail(cause) : Effect.die(cause))
    )
  })

export const spanned =
  (name: string) =>
  <A>(effect: Result<A>): Result<A> =>
    Effect.withSpan(effect, `Databases.${name}`, { captureStackTrace: false })

/**
 * @param noun what errors call it: `action`
 */
export const storedDefinitions = <T extends { readonly tag: string }>(
  registry: RegistryShape,
  defaults: ContextDefaults,
  noun: "action" | "trigger" | "migration"
): StoredDefinitions<T> => {
  const records = registry.resources<T>({ kind: `database-${noun}`, sealed: false })

  const productOf = (given: string | undefined): Result<string> => {
    const product = given ?? defaults.product
    if (product !== undefined) return Effect.succeed(product)
    return Effect.fail(
      new DatabaseError({
        code: "CONTEXT_MISSING",
        message:
          "No 'product' for this call. Set it once on new Ductape({ accessKey, product, env }), or pass it.",
        details: { field: "product" }
      })
    )
  }

  const missing = (product: string, tag: string): DatabaseError =>
    new DatabaseError({
      code: "NOT_FOUND",
      message: `Product '${product}' has no database ${noun} '${tag}'. Create it with databases.${noun === "trigger" ? "triggers" : noun}.create.`,
      details: { product, [noun]: tag }
    })

  const named =
    (product: string, tag: string) =>
    (error: RegistryError): Failure => {
      if (error.code === "NOT_FOUND") return missing(product, tag)
      if (error.code !== "ALREADY_EXISTS") return error
      return new DatabaseError({
        code: "ALREADY_EXISTS",
        message: `Product '${product}' already has a database ${noun} '${tag}'. Update it, or choose another tag.`,
        details: { product, [noun]: tag }
      })
    }

  return {
    create: (given, value) =>
      Effect.flatMap(productOf(given), (product) =>
        Effect.mapError(records.create(product, value), named(product, value.tag))
      ),
    fetch: (given, tag) =>
      Effect.flatMap(productOf(given), (product) =>
        Effect.mapError(records.fetch(product, tag), named(product, tag))
      ),
    fetchAll: (given) => Effect.flatMap(productOf(given), (product) => records.fetchAll(product)),
    update: (given, tag, change) =>
      Effect.flatMap(productOf(given), (product) =>
        Effect.mapError(records.update(product, tag, change), named(product, tag))
      ),
    delete: (given, tag) =>
      Effect.flatMap(productOf(given), (product) =>
        Effect.flatMap(
          Effect.mapError(records.delete(product, tag), named(product, tag)),
          (deleted): Result<{ readonly deleted: true }> =>
            deleted ? Effect.succeed({ deleted: true }) : Effect.fail(missing(product, tag))
        )
      )
  }
}
