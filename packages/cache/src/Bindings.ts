import {
  AdapterError,
  type AdapterPackage,
  type ContextError,
  loadAdapter,
  type ResolvedContext,
  type SessionCallError
} from "@ductape/core"
import type { RegistryError, RegistryShape, ResourceRepository, SecretError } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type CacheConfig, cacheKind, defaultMaxEntries, type StoredCacheConfig } from "./CacheConfig.ts"
import { CacheError } from "./CacheError.ts"
import {
  type CacheAdapter,
  type CacheProvider,
  type CacheScope,
  type CacheStore,
  type CacheSync,
  encodeKey,
  scopeId
} from "./CacheStore.ts"
import { connectionUrl } from "./connectionUrl.ts"
import { Health } from "./Health.ts"
import { memoryProvider } from "./MemoryStore.ts"
import { makeSealer, type Sealer } from "./Sealer.ts"
import { tieredStore } from "./TieredStore.ts"

/** Everything that a call can fail with, but for the error of a loader. */
export type CacheFailure =
  | CacheError
  | RegistryError
  | ContextError
  | SecretError
  | AdapterError
  /** Of a call with `session`. */
  | SessionCallError

export interface CachesOptions {
  /** The server of caches without an own one: `redis://` or `rediss://`. Without it they are in memory. */
  readonly redisUrl?: string | undefined
  /** Adapters for `type`s other than `in-memory`: `[redis()]`. */
  readonly adapters?: ReadonlyArray<CacheAdapter> | undefined
  /** Where an adapter that was not passed is imported from, by type. */
  readonly packages?: Readonly<Record<string, AdapterPackage>> | undefined
  /** Defaults of every call. */
  readonly product?: string | undefined
  readonly env?: string | undefined
}

/** One cache in one environment, ready for use. */
export interface Binding {
  /** Of the registry when it was made. */
  readonly revision: number
  readonly scope: CacheScope
  readonly config: StoredCacheConfig
  readonly store: CacheStore
  readonly provider: CacheProvider
  readonly sync: CacheSync | undefined
  readonly health: Health
  readonly sealer: Sealer | undefined
  /** Tells this entry from all others. */
  readonly address: (key: string) => string
}

export interface Bindings {
  readonly configs: ResourceRepository<CacheConfig>
  readonly resolve: (context: ResolvedContext, tag: string) => Effect.Effect<Binding, CacheFailure>
  /** Without waiting, if it is known and nothing has changed as far as is known for 50 ms. */
  readonly known: (product: string, env: string, tag: string) => Binding | undefined
  /** A definition was changed here: what is known is old. */
  readonly forget: () => void
  /** Connects to the client's own server and to every other one that was used. */
  readonly connect: Effect.Effect<void, CacheFailure>
  /** The servers in use, with the drivers' own clients. */
  readonly providers: () => ReadonlyArray<CacheProvider>
}

/** Milliseconds, and calls, without asking for the revision: even that costs more than a hit. */
const trustedFor = 50
const trustedCalls = 1_000

interface Upstream {
  /** Tells servers apart; may hold credentials. */
  readonly id: string
  readonly provider: CacheProvider
  readonly health: Health
}

export const cacheNotFound = (product: string, tag: string): CacheError =>
  new CacheError({
    code: "CACHE_NOT_FOUND",
    message: `No cache '${tag}' in product '${product}'. Create it with caches.create({ product, tag, name }).`,
    details: { product, cache: tag }
  })

const adapterMissing = (type: string): AdapterError =>
  new AdapterError({
    code: "ADAPTER_MISSING",
    message:
      type === "redis"
        ? "This cache needs @ductape/cache-redis. Install it and pass it on: npm install @ductape/cache-redis, adapters: [redis()]."
        : `No adapter for caches of type '${type}'. Pass the one that has this type in adapters: […].`,
    details: { type }
  })

export const makeBindings = (
  registry: RegistryShape,
  options: CachesOptions
): Effect.Effect<Bindings, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lifetime = yield* Effect.scope
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const memory = yield* memoryProvider({ now })
    const nearTier = yield* memoryProvider({ now })
    const configs = registry.resources<CacheConfig>(cacheKind)
    const sealer = makeSealer(registry.keyring)
    const inMemory: Upstream = { id: "in-memory", provider: memory, health: new Health("memory") }
    const upstreams = new Map<string, Upstream>()
    const tiers = new Map<string, CacheStore>()
    const bindings = new Map<string, Map<string, Map<string, Binding>>>()
    const opening = Semaphore.makeUnsafe(1)
    let latest: Binding | undefined
    let latestProduct: string | undefined
    let current: number | undefined
    let trusted = 0
    let forgetting: NodeJS.Timeout | undefined
    yield* Effect.addFinalizer(() => Effect.sync(() => clearTimeout(forgetting)))

    const adapterOf = (type: string): Effect.Effect<CacheAdapter, AdapterError> => {
      const passed = options.adapters?.find((adapter) => adapter.type === type)
      if (passed !== undefined) return Effect.succeed(passed)
      const wanted = options.packages?.[type]
      if (wanted === undefined) return Effect.fail(adapterMissing(type))
      return Effect.map(loadAdapter(wanted), (adapter) => adapter as CacheAdapter)
    }

    const upstream = (type: string, url: string): Effect.Effect<Upstream, CacheFailure> => {
      const id = `${type} ${url}`
      return opening.withPermits(1)(
        Effect.suspend(() => {
          const known = upstreams.get(id)
          if (known !== undefined) return Effect.succeed(known)
          return Effect.gen(function* () {
            const adapter = yield* adapterOf(type)
            const provider = yield* Effect.provideService(adapter.make({ url }), Scope.Scope, lifetime)
            const made: Upstream = { id, provider, health: new Health(provider.name) }
            upstreams.set(id, made)
            return made
          })
        })
      )
    }

    const upstreamOf = (config: CacheConfig, scope: CacheScope): Effect.Effect<Upstream, CacheFailure> =>
      Effect.gen(function* () {
        const own = config.envs?.find((env) => env.slug === scope.env)?.connection_url
        const standard = own === undefined && options.redisUrl === undefined ? "in-memory" : "redis"
        const type = config.type ?? standard
        if (type === "in-memory") return inMemory
        if (own !== undefined) {
          const { env, product, cache } = scope
          return yield* upstream(type, yield* connectionUrl(registry, own, { env, product, cache }))
        }
        if (type !== "redis") return yield* upstream(type, "")
        if (options.redisUrl !== undefined) return yield* upstream(type, options.redisUrl)
        return yield* new CacheError({
          code: "VALIDATION_ERROR",
          message: `Cache '${scope.cache}' is of type 'redis' and has no server in environment '${scope.env}'. Give the client a redis_url, or the cache an entry in envs.`,
          details: { cache: scope.cache, env: scope.env }
        })
      })

    const tier = (
      { id, provider }: Upstream,
      config: CacheConfig,
      scope: CacheScope,
      far: CacheStore
    ): Effect.Effect<CacheStore, CacheError> =>
      Effect.suspend((): Effect.Effect<CacheStore, CacheError> => {
        const key = `${id} ${scopeId(scope)} ${config.max_entries}`
        const known = tiers.get(key)
        if (known !== undefined) return Effect.succeed(known)
        const { watch } = provider
        if (watch === undefined) {
          return Effect.fail(
            new CacheError({
              code: "CACHE_UNSUPPORTED",
              message: `Cache '${scope.cache}' wants memory_tier, and '${provider.name}' does not tell of changes by other processes.`,
              details: { cache: scope.cache, provider: provider.name }
            })
          )
        }
        const near = nearTier.entries(scope, config.max_entries ?? defaultMaxEntries)
        near.clear()
        return tieredStore(near, far, (listener) => watch(scope, listener), now).pipe(
          Effect.provideService(Scope.Scope, lifetime),
          Effect.tap((store) => Effect.sync(() => tiers.set(key, store)))
        )
      })

    const bind = (
      revision: number,
      scope: CacheScope,
      config: StoredCacheConfig
    ): Effect.Effect<Binding, CacheFailure> =>
      Effect.gen(function* () {
        const found = yield* upstreamOf(config, scope)
        const { provider, health } = found
        const maxEntries = config.max_entries ?? defaultMaxEntries
        const plain = provider.open(scope, { maxEntries })
        const layered = config.memory_tier === true && provider !== memory
        const store = layered ? yield* tier(found, config, scope, plain) : plain
        const prefix = scopeId(scope)
        return {
          revision,
          scope,
          config,
          store,
          provider,
          sync: store.sync,
          health,
          sealer: config.encrypt === true ? sealer : undefined,
          address: (key) => `${prefix}:${encodeKey(key)}`
        }
      })

    const trust = () => {
      trusted = trustedCalls
      forgetting ??= setTimeout(forget, trustedFor).unref()
    }
    const forget = () => {
      clearTimeout(forgetting)
      forgetting = undefined
      trusted = 0
    }

    const known = (product: string, env: string, tag: string): Binding | undefined => {
      if (trusted > 0) trusted--
      else {
        const revision = registry.knownRevision()
        if (revision === undefined) return undefined
        current = revision
        trust()
      }
      if (
        latest !== undefined &&
        latest.scope.cache === tag &&
        latestProduct === product &&
        latest.scope.env === env &&
        latest.revision === current
      ) {
        return latest
      }
      const found = bindings.get(product)?.get(env)?.get(tag)
      if (found === undefined || found.revision !== current) return undefined
      latest = found
      latestProduct = product
      return found
    }

    const keep = (product: string, binding: Binding): void => {
      const envs = bindings.get(product) ?? new Map<string, Map<string, Binding>>()
      bindings.set(product, envs)
      const caches = envs.get(binding.scope.env) ?? new Map<string, Binding>()
      envs.set(binding.scope.env, caches)
      caches.set(binding.scope.cache, binding)
    }

    const resolve = (context: ResolvedContext, tag: string): Effect.Effect<Binding, CacheFailure> =>
      Effect.gen(function* () {
        const revision = yield* registry.revision
        const old = bindings.get(context.product)?.get(context.env)?.get(tag)
        if (old?.revision === revision) return old
        const { product, env } = yield* registry.environment(context)
        const config = yield* Effect.mapError(configs.fetch(product.tag, tag), (error) =>
          error.code === "NOT_FOUND" ? cacheNotFound(product.tag, tag) : error
        )
        const scope = { workspace: registry.workspace.id, product: product.tag, env: env.slug, cache: tag }
        const binding = yield* bind(revision, scope, config)
        // What this process holds under another provider must not come back later.
        if (old !== undefined && old.provider === memory && binding.provider !== memory) {
          yield* old.store.clear({ now: now() })
        }
        keep(context.product, binding)
        return binding
      })

    return {
      configs,
      resolve,
      known,
      forget,
      connect: Effect.gen(function* () {
        if (options.redisUrl !== undefined) yield* upstream("redis", options.redisUrl)
        yield* Effect.forEach(upstreams.values(), ({ provider }) => provider.connect, {
          concurrency: "unbounded",
          discard: true
        })
      }),
      providers: () => Array.from(upstreams.values(), ({ provider }) => provider)
    }
  })
