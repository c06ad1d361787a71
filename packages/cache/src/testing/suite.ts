import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { describe, it } from "vitest"
import type { CacheCapability } from "../CacheStore.ts"
import { changes } from "./storeChanges.ts"
import { leases, sharing, watching } from "./storeSharing.ts"
import { values } from "./storeValues.ts"
import { newScope, type OpenProvider, openStore, type StoreTests } from "./support.ts"

export interface SuiteOptions {
  /** Opens the same server or, in memory, an empty provider. Called several times. */
  readonly open: OpenProvider
  /** What the adapter's package says that it can. */
  readonly capabilities: ReadonlyArray<CacheCapability>
}

/**
 * What every provider of caches has to do. Call it in a file named `…conformance….test.ts`, with a name
 * of the form `adapter (server)`.
 *
 * @example
 * suite("valkey (Valkey 8.1)", { open: valkeyProvider(url), capabilities: ["enumerate", "shared"] })
 */
export const suite = (name: string, { capabilities, open }: SuiteOptions): void => {
  describe(`cache conformance: ${name}`, () => {
    it("declares exactly what its package claims", () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const provider = yield* open
            assert.deepEqual(new Set(provider.capabilities), new Set(capabilities))
            const store = openStore(provider, newScope())
            assert.equal(store.lease !== undefined, capabilities.includes("lease"))
            assert.equal(provider.watch !== undefined, capabilities.includes("watch"))
            yield* provider.connect
          })
        )
      ))

    const tests: StoreTests = {
      ...values,
      ...changes,
      ...(capabilities.includes("shared") ? sharing : {}),
      ...(capabilities.includes("lease") ? leases : {}),
      ...(capabilities.includes("watch") ? watching : {})
    }
    for (const [title, body] of Object.entries(tests)) {
      it(title, () =>
        Effect.runPromise(
          Effect.scoped(
            Effect.gen(function* () {
              const provider = yield* open
              const scope = newScope()
              yield* body({ store: openStore(provider, scope), provider, scope, open })
            })
          ) as Effect.Effect<void>
        )
      )
    }
  })
}
