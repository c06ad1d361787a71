import { CallCache } from "@ductape/core"
import { Registry } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CachesOptions as BindingsOptions, type CacheFailure, makeBindings } from "./Bindings.ts"
import { type CacheCalls, makeCalls } from "./calls.ts"
import { type CacheConfigs, makeConfigs } from "./configs.ts"
import type { Desk } from "./Desk.ts"
import { type CacheListing, makeListing } from "./listing.ts"
import { type LeaseOptions, ReadThrough } from "./ReadThrough.ts"
import { type CacheReads, makeReads } from "./reads.ts"
import { type CacheWrites, makeWrites } from "./writes.ts"

export interface CachesOptions extends BindingsOptions {
  /** How processes take turns at loading. */
  readonly lease?: LeaseOptions | undefined
}

/** Everything that `ductape.caches` does. */
export interface CachesShape extends CacheConfigs, CacheReads, CacheWrites, CacheListing {
  /** The same as `clear`. */
  readonly del: CacheWrites["clear"]
  /** The same as `values`. */
  readonly fetchRemote: CacheListing["values"]
  /** The same as `fetchAll`. */
  readonly list: CacheConfigs["fetchAll"]
  /** Connects to Redis now instead of at the first call. */
  readonly monitor: Effect.Effect<void, CacheFailure>
  /** The drivers' own clients, for the servers in use: `[{ name: "redis", raw }]`. */
  readonly raw: () => ReadonlyArray<{ readonly name: string; readonly raw: unknown }>
  /** What other capabilities cache their calls with. */
  readonly calls: CacheCalls
}

/**
 * The caches of a workspace's products: configurations, values, read-through.
 *
 * @example
 * const rates = yield* (yield* Caches).get({
 *   cache: "fx", key: "eur", ttl: 600, fallback: () => loadRates("EUR")
 * })
 */
export class Caches extends Context.Service<Caches, CachesShape>()("@ductape/cache/Caches") {
  /** Also gives `api.run` and data reads their `cache` option. Closes its connections with its scope. */
  static layer(options: CachesOptions = {}): Layer.Layer<Caches, never, Registry> {
    const caches = Layer.effect(Caches, make(options))
    const calls = Layer.effect(
      CallCache,
      Effect.map(Caches, (service) => service.calls)
    )
    return Layer.provideMerge(calls, caches)
  }
}

const make = (options: CachesOptions) =>
  Effect.gen(function* () {
    const registry = yield* Registry
    const clock = yield* Clock.Clock
    const scope = yield* Effect.scope
    const bindings = yield* makeBindings(registry, options)
    const desk: Desk = { registry, bindings, options, through: new ReadThrough(scope, options.lease) }
    const configs = makeConfigs(desk)
    const now = () => clock.currentTimeMillisUnsafe()
    const reads = makeReads(desk, now)
    const writes = makeWrites(desk, now)
    const listing = makeListing(desk)
    return Caches.of({
      ...configs,
      ...reads,
      ...writes,
      ...listing,
      del: writes.clear,
      fetchRemote: listing.values,
      list: configs.fetchAll,
      monitor: Effect.withSpan(bindings.connect, "Caches.monitor"),
      raw: () => bindings.providers().map((provider) => ({ name: provider.name, raw: provider.raw() })),
      calls: makeCalls(desk)
    })
  })
