import { CredentialBook } from "@ductape/api"
import { Caches } from "@ductape/cache"
import type { DuctapeError } from "@ductape/core"
import { Registry } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type DuctapeServices, ductapeLayer } from "./DuctapeLayer.ts"
import { checkOptions, type DuctapeOptions } from "./DuctapeOptions.ts"
import { accessKeysNamespace } from "./namespaces/accessKeysNamespace.ts"
import { apiNamespace } from "./namespaces/apiNamespace.ts"
import { appNamespace } from "./namespaces/appNamespace.ts"
import { authNamespace } from "./namespaces/authNamespace.ts"
import { cachesNamespace } from "./namespaces/cachesNamespace.ts"
import { databasesNamespace } from "./namespaces/databasesNamespace.ts"
import { productNamespace } from "./namespaces/productNamespace.ts"
import { secretsNamespace } from "./namespaces/secretsNamespace.ts"
import { sessionsNamespace } from "./namespaces/sessionsNamespace.ts"
import { Runner } from "./Runner.ts"

/**
 * One client for everything a backend talks to. The constructor is synchronous and does no I/O; the
 * workspace opens at the first awaited call, once for concurrent callers.
 *
 * @example
 * const ductape = new Ductape({ accessKey, product: "shop", env: "dev" })
 * const charge = await ductape.api.run({
 *   app: "stripe", action: "create-charge", input: { amount: 1000, currency: "usd" }
 * })
 * await ductape.close()
 */
export class Ductape implements AsyncDisposable {
  readonly #runner: Runner<DuctapeServices>
  readonly api: ReturnType<typeof apiNamespace>
  readonly app: ReturnType<typeof appNamespace>["namespace"]
  readonly product: ReturnType<typeof productNamespace>
  readonly auth: ReturnType<typeof authNamespace>
  readonly accessKeys: ReturnType<typeof accessKeysNamespace>
  readonly secrets: ReturnType<typeof secretsNamespace>
  readonly sessions: ReturnType<typeof sessionsNamespace>
  readonly caches: ReturnType<typeof cachesNamespace>
  readonly databases: ReturnType<typeof databasesNamespace>

  /** @throws {RegistryError} `CREDENTIALS_MISSING`, `CREDENTIALS_UNSUPPORTED`, `VALIDATION_ERROR` */
  constructor(options: DuctapeOptions) {
    const checked = checkOptions(options)
    const credentials = new CredentialBook(checked.defaults)
    const runner = new Runner(ductapeLayer(checked, credentials))
    const app = appNamespace(runner)
    this.#runner = runner
    this.api = apiNamespace(runner, credentials, app.owner)
    this.app = app.namespace
    this.product = productNamespace(runner, checked.defaults.product, checked.logger)
    this.auth = authNamespace(runner)
    this.accessKeys = accessKeysNamespace(runner)
    this.secrets = secretsNamespace(runner)
    this.sessions = sessionsNamespace(runner)
    this.caches = cachesNamespace(runner)
    this.databases = databasesNamespace(runner, this)
  }

  /** Every service as a layer, for programs written in Effect. */
  static layer(options: DuctapeOptions): Layer.Layer<DuctapeServices, DuctapeError> {
    return ductapeLayer(checkOptions(options))
  }

  get action(): Ductape["api"] {
    return this.api
  }
  get actions(): Ductape["api"] {
    return this.api
  }
  get apps(): Ductape["app"] {
    return this.app
  }
  get products(): Ductape["product"] {
    return this.product
  }
  get secret(): Ductape["secrets"] {
    return this.secrets
  }
  get session(): Ductape["sessions"] {
    return this.sessions
  }
  get cache(): Ductape["caches"] {
    return this.caches
  }
  get database(): Ductape["databases"] {
    return this.databases
  }

  /** Opens the workspace now. Fails with `ACCESS_KEY_INVALID`, `WORKSPACE_NOT_FOUND`, `WORKSPACE_MISMATCH`. */
  init(): Promise<void> {
    return this.#runner.use(Registry, () => Effect.void)
  }

  /** Connects to Redis now, if caches use it. */
  monitor(): Promise<void> {
    return this.#runner.use(Caches, (_) => _.monitor)
  }

  /**
   * Ends running calls with `CLIENT_CLOSED` (statements of databases may end first) and closes the store
   * and all connections. Idempotent.
   */
  close(): Promise<void> {
    return this.#runner.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
