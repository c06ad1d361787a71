import {
  type Action,
  type ConnectionEnvInput,
  Registry,
  type RegistryShape,
  type RegistryStoreShape
} from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import type { TestHttpServer } from "@ductape/testkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Api, type ApiOptions, type ApiShape } from "../src/index.ts"

export interface Workspace extends AsyncDisposable {
  readonly api: ApiShape
  readonly registry: RegistryShape
  readonly close: () => Promise<void>
}

export interface WorkspaceOptions extends ApiOptions {
  readonly url: string
  readonly actions?: ReadonlyArray<Action>
  readonly env?: Partial<ConnectionEnvInput>
  readonly store?: RegistryStoreShape
  /** Runs before the service is opened. */
  readonly setup?: (registry: RegistryShape) => Effect.Effect<unknown, unknown>
}

export const context = { product: "shop", env: "prd" } as const

/** A product `shop` whose environment `prd` is connected to the app `crm` at the URL. */
export const workspace = async (options: WorkspaceOptions): Promise<Workspace> => {
  const scope = Effect.runSync(Scope.make())
  const { actions, env, setup, store, url, ...api } = options
  const build = Effect.gen(function* () {
    const registry = yield* testWorkspace(store === undefined ? {} : { store })
    yield* registry.products.create({ name: "Shop" })
    yield* registry.apps.create({ app_name: "CRM", tag: "crm", base_url: url })
    for (const action of actions ?? []) yield* registry.actions.create("crm", action)
    if (setup !== undefined) yield* setup(registry)
    yield* registry.products.apps.add("shop", {
      access_tag: "crm",
      app: "crm",
      envs: [{ slug: "prd", ...env }]
    })
    const services = yield* Layer.build(
      Api.layer({ defaults: context, ...api }).pipe(Layer.provide(Layer.succeed(Registry, registry)))
    )
    return { api: Context.get(services, Api), registry }
  })
  const made = await Effect.runPromise(Effect.orDie(Scope.provide(build, scope)))
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))
  return { ...made, close, [Symbol.asyncDispose]: close }
}

/** The error that an effect fails with; anything else is a failure of the test. */
export const failure = async <E>(effect: Effect.Effect<unknown, E>): Promise<E> =>
  Effect.runPromise(Effect.flip(effect))

export const run = Effect.runPromise

export const json = (
  response: {
    writeHead: (status: number, headers: Record<string, string>) => unknown
    end: (body: string) => unknown
  },
  body: unknown,
  status = 200,
  headers: Record<string, string> = {}
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

export const last = (server: TestHttpServer) => {
  const request = server.requests.at(-1)
  if (request === undefined) throw new Error("nothing was asked")
  return request
}
