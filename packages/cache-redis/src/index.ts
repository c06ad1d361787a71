import type { CacheAdapter } from "@ductape/cache"
import { type RedisOptions, redisProvider } from "./RedisStore.ts"

export { type RedisOptions, type RedisProvider, redisProvider } from "./RedisStore.ts"

/**
 * The adapter for caches of type `redis`.
 *
 * @example
 * Caches.layer({ redisUrl: "redis://localhost:6379", adapters: [redis()] })
 */
export const redis = (options: RedisOptions = {}): CacheAdapter => ({
  capability: "cache",
  type: "redis",
  schemes: ["redis", "rediss"],
  make: ({ url }) => redisProvider(url, options)
})
