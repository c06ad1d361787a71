import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { RegistryError } from "../RegistryError.ts"
import { RegistryStore, type RegistryStoreShape } from "../RegistryStore.ts"
import { changes } from "./suiteChanges.ts"
import { concurrency } from "./suiteConcurrency.ts"
import { reading } from "./suiteReading.ts"
import { type StoreTests, values } from "./suiteSupport.ts"

export interface StoreSuiteOptions {
  /** Opens the same storage once more, as another process would. */
  readonly reopen?: () => Effect.Effect<RegistryStoreShape, RegistryError, Scope.Scope>
}

/**
 * What every store of a workspace has to do. Call it in a test file, with a layer that opens an
 * empty store.
 *
 * @example
 * suite("MyStore", MyStore.layer({ url }), { reopen: () => MyStore.make({ url }) })
 */
export const suite = <E>(
  name: string,
  layer: Layer.Layer<RegistryStore, E>,
  options: StoreSuiteOptions = {}
): void => {
  it.layer(layer, { timeout: "60 seconds" })(`RegistryStore conformance: ${name}`, (test) => {
    const all: StoreTests = { ...reading, ...changes, ...concurrency }

    test.effect("a new store is empty, and its revision is 0", () =>
      Effect.gen(function* () {
        const store = yield* RegistryStore
        assert.strictEqual(yield* store.revision, 0)
        assert.deepStrictEqual(yield* store.list({ kind: "product" }), [])
      })
    )

    for (const [title, body] of Object.entries(all)) {
      test.effect(title, () => Effect.flatMap(RegistryStore, body), 20_000)
    }

    const { reopen } = options
    if (reopen === undefined) return

    test.effect("what one connection wrote, another one sees at once, conflicts included", () =>
      Effect.gen(function* () {
        const one = yield* RegistryStore
        const two = yield* reopen()
        const seen = two.sync?.changes()
        const revision = yield* two.revision
        yield* one.write([{ op: "put", kind: "reopen", key: "a", value: '"1"', expect: "absent" }], {
          definitions: true
        })
        assert.deepStrictEqual(values(yield* two.list({ kind: "reopen" })), ['"1"'])
        assert.strictEqual(yield* two.revision, revision + 1)
        if (two.sync !== undefined) {
          assert.notStrictEqual(two.sync.changes(), seen)
          assert.strictEqual(two.sync.get("reopen", "a")?.value, '"1"')
        }
        yield* two.write([{ op: "put", kind: "reopen", key: "a", value: '"2"', expect: 1 }], {
          definitions: false
        })
        const error = yield* Effect.flip(
          one.write([{ op: "put", kind: "reopen", key: "a", value: '"3"', expect: 1 }], {
            definitions: false
          })
        )
        assert.strictEqual(error.code, "WRITE_CONFLICT")
        assert.isTrue(yield* one.acquireLease("reopen", "one", 60_000))
        assert.isFalse(yield* two.acquireLease("reopen", "two", 60_000))
      })
    )
  })
}
