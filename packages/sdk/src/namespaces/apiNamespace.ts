import type { Readable } from "node:stream"
import {
  Api,
  type CredentialBook,
  type CredentialConfig,
  type ImportOptions,
  type ImportResult,
  type OAuthConfig,
  type PagesCall,
  type RunCall,
  type RunResponse
} from "@ductape/api"
import type { Action, StoredAction } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { KnownAction, KnownActions } from "../DuctapeTypes.ts"
import type { Runner } from "../Runner.ts"
import { type Owned, type Owner, owned } from "./Owner.ts"

type ActionPatch = Parameters<Api["Service"]["update"]>[2]

/** Runs an action. The body, or what `returns` says. */
export interface Run {
  /** An action of the generated types: its input and result are checked. */
  <App extends keyof KnownActions & string, Tag extends keyof KnownActions[App] & string>(
    call: Omit<RunCall, "input" | "app" | "action" | "returns"> & {
      readonly app: App
      readonly action: Tag
      readonly input: KnownAction<App, Tag>["input"]
      readonly returns?: "body" | undefined
    }
  ): Promise<KnownAction<App, Tag>["output"]>
  (call: RunCall & { readonly returns: "stream" }): Promise<Readable>
  <T = unknown>(call: RunCall & { readonly returns: "response" }): Promise<RunResponse<T>>
  <T = unknown>(call: RunCall): Promise<T>
}

/** `ductape.api`: import, configure and run actions of third-party APIs. */
export const apiNamespace = (runner: Runner<Api>, book: CredentialBook, owner: Owner) => {
  const run = ((call: RunCall) => runner.use(Api, (_) => _.run(call))) as Run

  const fetchAll: Owned<[], ReadonlyArray<StoredAction>> = owned<[], ReadonlyArray<StoredAction>>(
    owner,
    0,
    (app) => runner.use(Api, (_) => _.fetchAll(app))
  )

  return {
    run,
    /** The pages of a paginated action, one body after the other. */
    pages: <T = unknown>(call: PagesCall): AsyncIterable<T> => ({
      async *[Symbol.asyncIterator]() {
        const api = await runner.use(Api, (_) => Effect.succeed(_))
        yield* api.pages<T>(call)
      }
    }),
    /** Sets credentials of an app for every run; synchronous, before anything is opened. */
    config: (config: CredentialConfig): void => book.config(config),
    /** Keeps OAuth tokens of an app fresh. */
    oauth: (config: OAuthConfig): Promise<void> => runner.use(Api, (_) => _.oauth(config)),
    /** Imports an OpenAPI, Swagger or Postman document as actions of an app. */
    import: (options: ImportOptions): Promise<ImportResult> => runner.use(Api, (_) => _.import(options)),
    create: owned<[action: Action], StoredAction>(owner, 1, (app, action) =>
      runner.use(Api, (_) => _.create(app, action))
    ),
    fetch: owned<[tag: string], StoredAction>(owner, 1, (app, tag) =>
      runner.use(Api, (_) => _.fetch(app, tag))
    ),
    fetchAll,
    list: fetchAll,
    update: owned<[tag: string, patch: ActionPatch], StoredAction>(owner, 2, (app, tag, patch) =>
      runner.use(Api, (_) => _.update(app, tag, patch))
    ),
    delete: owned<[tag: string], boolean>(owner, 1, (app, tag) => runner.use(Api, (_) => _.delete(app, tag)))
  }
}
