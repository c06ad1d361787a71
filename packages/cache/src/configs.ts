import type { ContextError } from "@ductape/core"
import type { RegistryError } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type CacheFailure, cacheNotFound } from "./Bindings.ts"
import { type CacheConfig, readConfig, readPatch, type StoredCacheConfig } from "./CacheConfig.ts"
import { CacheError, invalid } from "./CacheError.ts"
import { attempt, call, type Desk, productOf } from "./Desk.ts"
import { Lost } from "./Health.ts"

export interface ProductInput {
  readonly product?: string | undefined
  readonly product_tag?: string | undefined
}

export interface CacheConfigs {
  /** Fails with `CACHE_EXISTS`, `VALIDATION_ERROR`. `name` defaults to the tag. */
  readonly create: (
    config: Omit<CacheConfig, "name"> & { readonly name?: string } & ProductInput
  ) => Effect.Effect<StoredCacheConfig, CacheFailure>
  /** Values are cleared first if the type, a server or `encrypt` changes. Fails with `CACHE_NOT_FOUND`. */
  readonly update: (
    input: ProductInput & { readonly tag: string; readonly patch: Partial<Omit<CacheConfig, "tag">> }
  ) => Effect.Effect<StoredCacheConfig, CacheFailure>
  /** Fails with `CACHE_NOT_FOUND`. */
  readonly fetch: (
    input: ProductInput & { readonly tag: string }
  ) => Effect.Effect<StoredCacheConfig, CacheFailure>
  readonly fetchAll: (input?: ProductInput) => Effect.Effect<ReadonlyArray<StoredCacheConfig>, CacheFailure>
  /** Clears its values first. `false` if there was none. */
  readonly delete: (input: ProductInput & { readonly tag: string }) => Effect.Effect<boolean, CacheFailure>
}

/** Milliseconds that clearing may take when a definition goes; the provider may be gone already. */
const clearingTime = 5_000

const named = (product: string, tag: string) => (error: RegistryError) => {
  if (error.code === "NOT_FOUND") return cacheNotFound(product, tag)
  if (error.code !== "ALREADY_EXISTS") return error
  return new CacheError({
    code: "CACHE_EXISTS",
    message: `Product '${product}' already has a cache '${tag}'. Change it with caches.update.`,
    details: { product, cache: tag }
  })
}

const tagOf = (tag: unknown): Effect.Effect<string, CacheError> =>
  typeof tag === "string" && tag !== ""
    ? Effect.succeed(tag)
    : Effect.fail(invalid("tag", "must be a non-empty string"))

const startsEmpty = (old: CacheConfig, next: CacheConfig): boolean =>
  old.type !== next.type ||
  (old.encrypt ?? false) !== (next.encrypt ?? false) ||
  JSON.stringify(old.envs ?? []) !== JSON.stringify(next.envs ?? [])

export const makeConfigs = (desk: Desk): CacheConfigs => {
  const { configs, forget } = desk.bindings
  const changing = <A, E>(effect: Effect.Effect<A, E>) => Effect.ensuring(effect, Effect.sync(forget))

  const checkEnvs = (
    input: ProductInput,
    envs: CacheConfig["envs"]
  ): Effect.Effect<string, CacheError | ContextError | RegistryError> =>
    Effect.gen(function* () {
      const product = yield* productOf(desk, input)
      const unknown = envs?.find(({ slug }) => !product.envs.some((env) => env.slug === slug))
      if (unknown !== undefined) {
        return yield* invalid("envs", `names '${unknown.slug}', which is no environment of '${product.tag}'`)
      }
      return product.tag
    })

  /** In every environment; a server that is gone does not keep its cache from being changed. */
  const clearEverywhere = (product: string, tag: string) =>
    Effect.gen(function* () {
      const { envs } = yield* desk.registry.products.fetch(product)
      yield* Effect.forEach(
        envs.filter((env) => env.active),
        (env) =>
          Effect.gen(function* () {
            const binding = yield* desk.bindings.resolve({ product, env: env.slug }, tag)
            const now = yield* Clock.currentTimeMillis
            const asked = binding.health.tolerate(binding.store.clear({ now }), clearingTime)
            const cleared = yield* desk.through.changing(binding.address(""), true, asked)
            if (cleared === Lost)
              yield* Effect.logWarning(`The values of cache '${tag}' could not be cleared.`)
          }).pipe(
            Effect.catch(() => Effect.logWarning(`The values of cache '${tag}' could not be cleared.`))
          ),
        { discard: true, concurrency: 4 }
      )
    })

  return {
    create: (config) =>
      call(
        "create",
        config,
        Effect.gen(function* () {
          const value = yield* attempt(() => readConfig(config))
          const product = yield* checkEnvs(config, value.envs)
          return yield* changing(Effect.mapError(configs.create(product, value), named(product, value.tag)))
        })
      ),
    update: ({ patch, tag: given, ...input }) =>
      call(
        "update",
        input,
        Effect.gen(function* () {
          const tag = yield* tagOf(given)
          const change = yield* attempt(() => readPatch(patch))
          const product = yield* checkEnvs(input, change.envs)
          const old = yield* Effect.mapError(configs.fetch(product, tag), named(product, tag))
          if (startsEmpty(old, { ...old, ...change })) yield* clearEverywhere(product, tag)
          const updated = configs.update(product, tag, (current) => ({ ...current, ...change }))
          return yield* changing(Effect.mapError(updated, named(product, tag)))
        })
      ),
    fetch: (input) =>
      call(
        "fetch",
        input,
        Effect.gen(function* () {
          const tag = yield* tagOf(input.tag)
          const { tag: product } = yield* productOf(desk, input)
          return yield* Effect.mapError(configs.fetch(product, tag), named(product, tag))
        })
      ),
    fetchAll: (input = {}) =>
      call(
        "fetchAll",
        input,
        Effect.flatMap(productOf(desk, input), ({ tag }) => configs.fetchAll(tag))
      ),
    delete: (input) =>
      call(
        "delete",
        input,
        Effect.gen(function* () {
          const tag = yield* tagOf(input.tag)
          const { tag: product } = yield* productOf(desk, input)
          const known = yield* Effect.result(configs.fetch(product, tag))
          if (known._tag === "Failure") {
            if (known.failure.code === "NOT_FOUND") return false
            return yield* known.failure
          }
          yield* clearEverywhere(product, tag)
          return yield* changing(configs.delete(product, tag))
        })
      )
  }
}
