import { ductapeLayer } from "./DuctapeLayer.ts"
import type { DuctapeOptions } from "./DuctapeOptions.ts"
import { checkOptions } from "./DuctapeOptions.ts"
import { databasesNamespace } from "./namespaces/databasesNamespace.ts"
import { Runner } from "./Runner.ts"

type DatabasesNamespace = ReturnType<typeof databasesNamespace>

export interface DatabaseService extends DatabasesNamespace {}

/**
 * `ductape.databases` alone. Without a workspace, `connectDatabase` of `@ductape/databases` opens a URL.
 *
 * @example
 * await using databases = new DatabaseService({ accessKey, product: "shop", env: "dev" })
 * const users = await databases.connect({ database: "users-db" })
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor assigns every method of the namespace
export class DatabaseService implements AsyncDisposable {
  readonly #runner: Runner<never>

  constructor(options: DuctapeOptions) {
    const runner = new Runner(ductapeLayer(checkOptions(options)))
    Object.assign(this, databasesNamespace(runner, this))
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
