import { Caches, type CachesShape } from "@ductape/cache"
import { openRegistry, Registry, SqliteStore } from "@ductape/registry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { redis } from "../../src/index.ts"

export interface Place {
  readonly file: string
  readonly accessKey: string
  readonly redisUrl?: string
}

/** Runs `body` with a client of its own of a workspace that other processes have open too. */
export const withClient = <A>(
  { accessKey, file, redisUrl }: Place,
  body: (caches: CachesShape) => Effect.Effect<A, unknown>
): Promise<A> => {
  const program = Effect.gen(function* () {
    const registry = yield* openRegistry(yield* SqliteStore.make(file), { accessKey })
    const layer = Caches.layer({
      product: "shop",
      env: "dev",
      redisUrl,
      adapters: [redis()],
      lease: { ttl: 2_000 }
    })
    const context = yield* Layer.build(layer.pipe(Layer.provide(Layer.succeed(Registry, registry))))
    return yield* body(Context.get(context, Caches))
  })
  return Effect.runPromise(Effect.scoped(program) as Effect.Effect<A>)
}
