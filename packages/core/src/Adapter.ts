import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { defineError } from "./DuctapeError.ts"

/** The package of an adapter is missing, broken, or not an adapter. */
export class AdapterError extends defineError("AdapterError", {
  ADAPTER_MISSING: { status: 501 },
  ADAPTER_INVALID: { status: 500 },
  UNSUPPORTED_OPERATION: { status: 501 }
}) {}

/**
 * A plugin: what an adapter package's factory (`postgres()`, `redis()`) returns, and what goes into
 * `new Ductape({ adapters: […] })`.
 *
 * - `capability`: `registry`, `databases`, `graph`, `vector`, `cache`, …
 * - `type`: the name that a definition refers to it by (`postgresql`, `redis`).
 * - `schemes`: URL schemes that it opens, without `:` (`postgres`, `postgresql`).
 * - `make`: what the capability's contract asks for; each capability says its type.
 */
export interface Adapter<Capability extends string = string, Make = unknown> {
  readonly capability: Capability
  readonly type: string
  readonly schemes?: ReadonlyArray<string>
  readonly make: Make
}

/** Where the adapter of a type is found when none was passed: a package and its export. */
export interface AdapterPackage {
  readonly package: string
  /** A function without arguments that returns the {@link Adapter}. */
  readonly export: string
  /** `() => import("@ductape/databases-postgres")`, written out so that bundlers see it. */
  readonly load: () => Promise<unknown>
}

const isMissing = (cause: unknown): boolean =>
  typeof cause === "object" &&
  cause !== null &&
  "code" in cause &&
  (cause.code === "ERR_MODULE_NOT_FOUND" || cause.code === "MODULE_NOT_FOUND")

/** Imports an adapter's package on first use. */
export const loadAdapter = (wanted: AdapterPackage): Effect.Effect<Adapter, AdapterError> =>
  Effect.tryPromise({
    try: () => wanted.load(),
    catch: (cause) =>
      isMissing(cause)
        ? new AdapterError({
            code: "ADAPTER_MISSING",
            message: `This needs ${wanted.package}. Install it: npm install ${wanted.package}`,
            details: { package: wanted.package },
            cause
          })
        : new AdapterError({
            code: "ADAPTER_INVALID",
            message: `${wanted.package} could not be loaded.`,
            details: { package: wanted.package },
            cause
          })
  }).pipe(
    Effect.flatMap((module) => {
      const make = (module as Record<string, unknown>)[wanted.export]
      return typeof make === "function"
        ? Effect.succeed(make() as Adapter)
        : Effect.fail(
            new AdapterError({
              code: "ADAPTER_INVALID",
              message: `${wanted.package} exports no '${wanted.export}'. Is its version the same as that of the other @ductape packages?`,
              details: { package: wanted.package, export: wanted.export }
            })
          )
    })
  )

/** A layer whose requirements are met, as adapters hand them over. */
export type AdapterLayer<Service, E = never> = Layer.Layer<Service, E>
