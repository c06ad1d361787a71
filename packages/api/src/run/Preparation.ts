import type { ResolvedContext } from "@ductape/core"
import type { ConnectionLimits, RegistryShape, ResolvedConnection, StoredAction } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { CredentialBook } from "../credentials/CredentialBook.ts"
import { ambientCredentials, placeDefinitions } from "../credentials/definitions.ts"
import type { OAuthEntry } from "../credentials/OAuthManager.ts"
import { ConnectionGate } from "../http/ConnectionGate.ts"
import type { RunFailure } from "../RunFailure.ts"
import type { Placement } from "../request/Placement.ts"
import { compileAction, type RequestPlan } from "../request/RequestPlan.ts"
import { attempt } from "./attempt.ts"

/** An action of a connection in one environment, compiled, with what every run of it needs. */
export class Prepared {
  readonly connection: ResolvedConnection
  readonly plan: RequestPlan
  /** Names that credentials may have been set under, most specific first. */
  readonly names: ReadonlyArray<string>
  readonly gate: ConnectionGate | undefined
  #ambient: { readonly version: number; readonly placement: Placement } | undefined
  #oauth:
    | { readonly entry: OAuthEntry; readonly generation: number; readonly placement: Placement }
    | undefined

  constructor(
    connection: ResolvedConnection,
    plan: RequestPlan,
    names: ReadonlyArray<string>,
    gate: ConnectionGate | undefined
  ) {
    this.connection = connection
    this.plan = plan
    this.names = names
    this.gate = gate
  }

  /** Credentials from `config()` and from the connection. */
  ambient(book: CredentialBook): Placement {
    if (this.#ambient?.version !== book.version) {
      const { env, product } = this.connection.context
      const config = book.find(product, env, this.names)
      this.#ambient = {
        version: book.version,
        placement: ambientCredentials(this.plan, this.connection, config)
      }
    }
    return this.#ambient.placement
  }

  /** Credentials of the entry's current tokens. */
  oauth(entry: OAuthEntry): Placement {
    const kept = this.#oauth
    if (kept?.entry === entry && kept.generation === entry.generation) return kept.placement
    const placement = placeDefinitions(this.plan, entry.credentials(), true)
    this.#oauth = { entry, generation: entry.generation, placement }
    return placement
  }
}

const sameLimits = (a: ConnectionLimits, b: ConnectionLimits): boolean =>
  a.concurrency === b.concurrency && a.perSecond === b.perSecond

/** Compiles what runs ask for, once per revision of the definitions. */
export class Preparation {
  readonly #registry: RegistryShape
  readonly #plans = new WeakMap<StoredAction, WeakMap<ResolvedConnection, Prepared>>()
  readonly #gates = new Map<string, ConnectionGate>()

  constructor(registry: RegistryShape) {
    this.#registry = registry
  }

  /** What is compiled already and still holds; without waiting, I/O or an Effect. */
  kept(context: ResolvedContext, app: string, actionTag: string): Prepared | undefined {
    const { kept } = this.#registry
    const connection = kept.connection(context, app)
    const action = connection === undefined ? undefined : kept.action(connection.app.tag, actionTag)
    return connection === undefined || action === undefined
      ? undefined
      : this.#plans.get(action)?.get(connection)
  }

  prepare(context: ResolvedContext, app: string, actionTag: string): Effect.Effect<Prepared, RunFailure> {
    return Effect.flatMap(this.#registry.connection(context, app), (connection) =>
      Effect.flatMap(this.#registry.actions.fetch(connection.app.tag, actionTag), (action) =>
        attempt(() => this.#plans.get(action)?.get(connection) ?? this.#compile(connection, action))
      )
    )
  }

  #compile(connection: ResolvedConnection, action: StoredAction): Prepared {
    const plan = compileAction(action, {
      baseUrl: connection.baseUrl,
      requestType: connection.requestType,
      app: connection.accessTag
    })
    const own = this.#registry.workspace.tag
    const tags = new Set([connection.accessTag, connection.app.tag])
    const names = [...tags].flatMap((tag) => [tag, `${own}:${tag}`])
    const prepared = new Prepared(connection, plan, names, this.#gateOf(connection))
    let byConnection = this.#plans.get(action)
    if (byConnection === undefined) {
      byConnection = new WeakMap()
      this.#plans.set(action, byConnection)
    }
    byConnection.set(connection, prepared)
    return prepared
  }

  /** One per connection and environment, kept over changes of anything but the limits. */
  #gateOf({ accessTag, context, limits }: ResolvedConnection): ConnectionGate | undefined {
    const key = `${context.product}\0${context.env}\0${accessTag}`
    if (limits === undefined || (limits.concurrency === undefined && limits.perSecond === undefined)) {
      this.#gates.delete(key)
      return undefined
    }
    const known = this.#gates.get(key)
    if (known !== undefined && sameLimits(known.limits, limits)) return known
    const gate = new ConnectionGate(limits)
    this.#gates.set(key, gate)
    return gate
  }
}
