import { Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as fc from "fast-check"
import { describe, it } from "vitest"
import type { CacheConfig } from "../CacheConfig.ts"
import { Caches, type CachesOptions } from "../Caches.ts"
import { CacheModel } from "./model.ts"
import { commands, type Real } from "./modelCommands.ts"
import { steppingClock } from "./support.ts"

export interface ModelSuiteOptions {
  /** What the clients are made with. */
  readonly caches: CachesOptions
  readonly config?: Omit<CacheConfig, "tag" | "name"> | undefined
  /** Clients that share the store and take turns. Default: 1. */
  readonly clients?: 1 | 2
  /** Random runs. Default: 100. */
  readonly runs?: number
  /** Commands of a run, at most. Default: 40. */
  readonly length?: number
  /** Milliseconds for all of it. Default: 120,000. */
  readonly timeout?: number
}

/**
 * Random calls to the whole service on one provider, in virtual time, each compared with a plain map:
 * edges of expiry, tags, grace, counters and comparisons at once. Beside `suite`, which tests the
 * provider alone.
 */
export const modelSuite = (name: string, options: ModelSuiteOptions): void => {
  const { caches, clients = 1, config = {}, length = 40, runs = 100, timeout = 120_000 } = options
  describe(`cache conformance: ${name}`, () => {
    it("behaves as a plain map with lifetimes, tags, grace, counters and comparisons", { timeout }, () => {
      const program = Effect.gen(function* () {
        const time = steppingClock(yield* Clock.Clock, 1_700_000_000_000)
        const registry = yield* testWorkspace()
        yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }] })
        const layer = Layer.fresh(Caches.layer({ product: "shop", env: "dev", ...caches })).pipe(
          Layer.provide(Layer.succeed(Registry, registry))
        )
        const built = yield* Effect.forEach(Array.from({ length: clients }), () =>
          Layer.build(layer).pipe(
            Effect.map((context) => Context.get(context, Caches)),
            Effect.provideService(Clock.Clock, time.clock)
          )
        )
        const [first] = built
        if (first === undefined) return
        const quiet = Context.make(References.MinimumLogLevel, "None")
        const run = Effect.runPromiseWith(Context.add(quiet, Clock.Clock, time.clock))
        let count = 0
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.commands(commands(), { maxCommands: length, size: "max" }), (steps) =>
              fc.asyncModelRun(async () => {
                const cache = `model-${count++}`
                await run(first.create({ tag: cache, ...config }))
                const real: Real = { cache, clients: built, advance: time.advance, run }
                return { model: new CacheModel(time.now), real }
              }, steps)
            ),
            { numRuns: runs, endOnFailure: false }
          )
        )
      })
      return Effect.runPromise(Effect.scoped(program))
    })
  })
}
