import { ductapeLayer } from "./DuctapeLayer.ts"
import type { DuctapeOptions } from "./DuctapeOptions.ts"
import { checkOptions } from "./DuctapeOptions.ts"
import { cachesNamespace } from "./namespaces/cachesNamespace.ts"
import { Runner } from "./Runner.ts"

type CachesNamespace = ReturnType<typeof cachesNamespace>

export interface CacheService extends CachesNamespace {}

/**
 * `ductape.caches` alone.
 *
 * @example
 * const caches = new CacheService({ accessKey, product: "shop", env: "dev" })
 * await caches.set({ cache: "fx", key: "eur", value: 1.08, ttl: 600 })
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor assigns every method of the namespace
export class CacheService implements AsyncDisposable {
  readonly #runner: Runner<never>

  constructor(options: DuctapeOptions) {
    const runner = new Runner(ductapeLayer(checkOptions(options)))
    Object.assign(this, cachesNamespace(runner))
    this.#runner = runner
  }

  /** Closes the store and all connections. Idempotent. */
  close(): Promise<void> {
    return this.#runner.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
