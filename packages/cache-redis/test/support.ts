import { Caches, type CachesOptions, type CachesShape } from "@ductape/cache"
import { Registry, type RegistryShape } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { redis } from "../src/index.ts"

/** A client of the workspace, closed with the scope. */
export const clientOf = (
  registry: RegistryShape,
  options: CachesOptions
): Effect.Effect<CachesShape, never, Scope.Scope> =>
  Layer.build(
    Layer.fresh(Caches.layer({ product: "shop", env: "dev", adapters: [redis()], ...options })).pipe(
      Layer.provide(Layer.succeed(Registry, registry))
    )
  ).pipe(Effect.map((context) => Context.get(context, Caches)))

export interface World {
  readonly registry: RegistryShape
  readonly client: (options?: CachesOptions) => Effect.Effect<CachesShape, never, Scope.Scope>
  readonly logged: Array<string>
}

/** A product `shop` with a cache `fx` and a cache `tier` with a memory tier. */
export const world = (
  redisUrl: string,
  body: (world: World) => Effect.Effect<void, unknown, Scope.Scope>
): Promise<void> => {
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => {
    logged.push(Array.isArray(message) ? message.map(String).join(" ") : String(message))
  })
  const program = Effect.gen(function* () {
    const registry = yield* testWorkspace()
    yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
    const client = (options: CachesOptions = {}) => clientOf(registry, { redisUrl, ...options })
    const first = yield* client()
    yield* first.create({ tag: "fx" })
    yield* first.create({ tag: "tier", memory_tier: true })
    yield* body({ registry, client, logged })
  })
  return Effect.runPromise(
    Effect.scoped(program).pipe(Effect.provide(Logger.layer([logger]))) as Effect.Effect<void>
  )
}

export const failure = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.flip(effect), (error) => error as { readonly code: string; readonly message: string })
