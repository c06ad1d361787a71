import { type ContextDefaults, resolveContext } from "@ductape/core"
import type { Action, StoredAction } from "@ductape/registry"
import { Registry, type RegistryError } from "@ductape/registry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ActionError } from "./ActionError.ts"
import { type ActionPatch, patchAction } from "./actionPatch.ts"
import { CredentialBook } from "./credentials/CredentialBook.ts"
import { checkOAuthConfig, type OAuthConfig } from "./credentials/OAuthConfig.ts"
import { appsBeingRefreshed, OAuthManager } from "./credentials/OAuthManager.ts"
import { type FieldRules, parseSelector, withRules } from "./fieldRules.ts"
import { type EgressOptions, EgressPolicy } from "./http/EgressPolicy.ts"
import { HttpSender } from "./http/HttpSender.ts"
import { type ImportOptions, type ImportResult, importApp } from "./import/index.ts"
import { iteratePages } from "./pages/iteratePages.ts"
import type { PagesCall } from "./pages/PagesCall.ts"
import { isRunFailure, type RunFailure } from "./RunFailure.ts"
import { ActionRunner, type RunMode } from "./run/ActionRunner.ts"
import { attempt } from "./run/attempt.ts"
import { bounded } from "./run/bounded.ts"
import { Progress } from "./run/Progress.ts"
import { type CheckedCall, checkCall, type RunCall, type RunResponse } from "./run/RunCall.ts"

export interface ApiOptions {
  /** What `config()` was told, possibly before this layer is built. Default: a new, empty one. */
  readonly credentials?: CredentialBook | undefined
  /** Product and env of calls that name none. */
  readonly defaults?: ContextDefaults | undefined
  /** Milliseconds for one attempt. Default: 30000. */
  readonly timeout?: number | undefined
  /** Which addresses runs may not connect to. Default: any may be. */
  readonly egress?: EgressOptions | undefined
  /** Bytes of a decoded answer that is kept in memory. Default: 10 MiB. */
  readonly bodyLimit?: number | undefined
}

type Result<A> = Effect.Effect<A, RunFailure>

/** Third-party APIs: actions, their credentials, and running them. */
export interface ApiShape {
  /**
   * Runs an action: `T` is the body, a {@link RunResponse} or a `Readable`, as `returns` says.
   *
   * Fails with `ActionError` (the API's answer, or none; see its codes), and before anything is sent
   * with `ContextError`, `RegistryError`, `TemplateError`, `SecretError` or `SessionError`.
   */
  readonly run: <T = unknown>(call: RunCall) => Result<T>
  /** Pages one after the other, each as its body. Nothing is sent before the first is asked for. */
  readonly pages: <T = unknown>(call: PagesCall) => AsyncIterable<T>
  /** One page for {@link iteratePages}; `next` is the URL that the page before named. */
  readonly page: (call: RunCall, next: string | undefined) => Result<RunResponse>
  /** Sets credentials of an app; synchronous. @throws {ActionError} `VALIDATION_ERROR` */
  readonly config: CredentialBook["config"]
  /** Keeps OAuth tokens of an app, refreshing them before they expire. */
  readonly oauth: (config: OAuthConfig) => Result<void>
  /** Imports an OpenAPI, Swagger or Postman document as actions. */
  readonly import: (options: ImportOptions) => Effect.Effect<ImportResult, ActionError | RegistryError>
  readonly create: (app: string, action: Action) => Effect.Effect<StoredAction, RegistryError>
  readonly fetch: (app: string, tag: string) => Effect.Effect<StoredAction, RegistryError>
  readonly fetchAll: (app: string) => Effect.Effect<ReadonlyArray<StoredAction>, RegistryError>
  /** Replaces the given properties; null clears an optional one. */
  readonly update: (app: string, tag: string, patch: ActionPatch) => Result<StoredAction>
  readonly delete: (app: string, tag: string) => Effect.Effect<boolean, RegistryError>
  /**
   * Sets rules of one field: `validation('crm', '$Body{create-user}{email}', { required: true })`.
   * Fails with `SELECTOR_INVALID`, `ACTION_NOT_FOUND`, `VALIDATION_ERROR`.
   */
  readonly validation: (app: string, selector: string, rules: FieldRules) => Result<StoredAction>
}

export class Api extends Context.Service<Api, ApiShape>()("@ductape/api/Api") {
  static readonly layer = (options: ApiOptions = {}): Layer.Layer<Api, never, Registry> =>
    Layer.effect(Api, makeApi(options))
}

const defaultBodyLimit = 10 * 1024 * 1024

const makeApi = Effect.fnUntraced(function* (
  options: ApiOptions
): Effect.fn.Return<ApiShape, never, Registry | Scope.Scope> {
  const registry = yield* Registry
  const scope = yield* Effect.scope
  const services = yield* Effect.context<never>()
  const book = options.credentials ?? new CredentialBook(options.defaults)
  const oauth = new OAuthManager(registry, scope)
  const sender = new HttpSender({
    bodyLimit: options.bodyLimit ?? defaultBodyLimit,
    egress: options.egress === undefined ? undefined : new EgressPolicy(options.egress)
  })
  yield* Effect.addFinalizer(() => Effect.promise(() => sender.close()))
  const runner = new ActionRunner({
    registry,
    scope,
    book,
    oauth,
    sender,
    timeout: options.timeout ?? 30_000
  })

  const respond = <A>(call: RunCall, mode: RunMode, result: (response: RunResponse) => A): Result<A> =>
    Effect.suspend(() => {
      let checked: CheckedCall
      try {
        checked = checkCall(call, options.defaults)
      } catch (cause) {
        return isRunFailure(cause) ? Effect.fail(cause) : Effect.die(cause)
      }
      // A span keeps the exit that ends it, so the answer goes past it.
      let answer: A
      return Effect.map(
        Effect.useSpan("Api.run", spanOptions(checked), (span) => {
          const progress = new Progress(span)
          return Effect.map(bounded(checked, progress, runner.run(checked, progress, mode)), (response) => {
            progress.ended(response)
            answer = result(response)
          })
        }),
        () => answer
      )
    })

  // Asked synchronously: fibers share a scheduler, so later the async context may be another call's.
  const userMode = (next?: string): RunMode => ({ exempt: appsBeingRefreshed(), next })

  const run = <T>(call: RunCall): Result<T> => {
    const whole = call?.returns === "response"
    return respond(call, userMode(), (response) => (whole ? response : response.data) as T)
  }

  const page = (call: RunCall, next: string | undefined): Result<RunResponse> =>
    respond({ ...call, returns: "response" }, userMode(next), (response) => response)

  return {
    run,
    page,
    pages: (call) => iteratePages(call, (one, next) => Effect.runPromiseWith(services)(page(one, next))),
    config: (input) => book.config(input),
    oauth: Effect.fn("Api.oauth")((config: OAuthConfig) =>
      Effect.flatMap(
        attempt(() => {
          checkOAuthConfig(config)
          return resolveContext(config, options.defaults)
        }),
        (context) => oauth.setup(config, context)
      )
    ),
    import: (importing) => importApp(registry, importing),
    create: Effect.fn("Api.create")((app, action) => registry.actions.create(app, action)),
    fetch: Effect.fn("Api.fetch")((app, tag) => registry.actions.fetch(app, tag)),
    fetchAll: Effect.fn("Api.fetchAll")((app) => registry.actions.fetchAll(app)),
    update: Effect.fn("Api.update")((app, tag, patch) =>
      Effect.flatMap(
        attempt(() => patchAction(patch)),
        (change) => registry.actions.update(app, tag, change)
      )
    ),
    delete: Effect.fn("Api.delete")((app, tag) => registry.actions.delete(app, tag)),
    validation: Effect.fn("Api.validation")((app, selector, rules) =>
      Effect.flatMap(
        attempt(() => parseSelector(selector, rules)),
        ({ action, path, section }) =>
          registry.actions.update(app, action, (old) => withRules(old, section, path, rules))
      )
    )
  }
})

const spanOptions = ({ action, app, context }: CheckedCall) =>
  ({
    kind: "client",
    attributes: {
      "ductape.product": context.product,
      "ductape.env": context.env,
      "ductape.app": app,
      "ductape.action": action
    }
  }) as const
