import { Registry, type RegistryShape } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { Caches, type CachesOptions, type CachesShape } from "../src/index.ts"
import { steppingClock } from "../src/testing/index.ts"

export interface World {
  readonly caches: CachesShape
  readonly registry: RegistryShape
  /** Another client of the same workspace. */
  readonly another: (options?: CachesOptions) => Effect.Effect<CachesShape, never, Scope.Scope>
  readonly advance: (milliseconds: number) => void
  readonly now: () => number
  /** What was logged. */
  readonly logged: Array<string>
}

/** A product `shop` with environments dev and prd and a cache `fx`, in virtual time. */
export const world = (
  body: (world: World) => Effect.Effect<void, unknown, Scope.Scope>,
  options: CachesOptions = {}
): Promise<void> => {
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => {
    logged.push(Array.isArray(message) ? message.map(String).join(" ") : String(message))
  })
  const program = Effect.gen(function* () {
    const real = yield* Clock.Clock
    const time = steppingClock(real, Date.parse("2026-01-01T00:00:00Z"))
    const registry = yield* testWorkspace()
    yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
    const another = (more: CachesOptions = {}) =>
      Layer.build(
        Layer.fresh(Caches.layer({ product: "shop", env: "dev", ...options, ...more })).pipe(
          Layer.provide(Layer.succeed(Registry, registry))
        )
      ).pipe(Effect.map((context) => Context.get(context, Caches)))
    yield* Effect.gen(function* () {
      const caches = yield* another()
      yield* caches.create({ tag: "fx" })
      yield* body({ caches, registry, another, advance: time.advance, now: time.now, logged })
    }).pipe(Effect.provideService(Clock.Clock, time.clock))
  })
  return Effect.runPromise(
    Effect.scoped(program).pipe(Effect.provide(Logger.layer([logger]))) as Effect.Effect<void>
  )
}

/** The error that an effect has to fail with. */
export const failure = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.flip(effect), (error) => error as { readonly code: string; readonly message: string })

/** A loader that counts its calls and waits until it is told what to do. */
export const gatedLoader = <A>() => {
  const waiting: Array<{ readonly resolve: (value: A) => void; readonly reject: (error: unknown) => void }> =
    []
  let calls = 0
  return {
    calls: () => calls,
    load: () => {
      calls++
      return new Promise<A>((resolve, reject) => waiting.push({ resolve, reject }))
    },
    resolve: (value: A) => waiting.shift()?.resolve(value),
    reject: (error: unknown) => waiting.shift()?.reject(error)
  }
}
