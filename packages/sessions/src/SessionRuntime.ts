import { type CallOptions, type ContextDefaults, ContextError, resolveContext } from "@ductape/core"
import type { RegistryError, RegistryShape, ResourceRepository } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { SessionConfig, StoredSessionConfig } from "./SessionConfig.ts"
import { invalid, SessionError, storeFailed } from "./SessionError.ts"
import { type Scope, type SessionKeys, scopeName } from "./SessionKeys.ts"
import type { SessionRecord, SessionStoreShape } from "./SessionStore.ts"
import type { VerifiedTokens } from "./VerifiedTokens.ts"

/** What any call may fail with. */
export type SessionFailure = SessionError | ContextError | RegistryError

export type Result<A> = Effect.Effect<A, SessionFailure>

/** What every runtime method takes. */
export interface SessionCall
  extends Pick<CallOptions, "product" | "product_tag" | "env" | "timeout" | "signal"> {
  /** Tag of the session configuration; `session` is the same. */
  readonly tag?: string | undefined
  readonly session?: string | undefined
}

/** What the methods share. */
export interface SessionRuntime {
  readonly registry: RegistryShape
  readonly store: SessionStoreShape
  readonly keys: SessionKeys
  readonly verified: VerifiedTokens
  readonly configs: ResourceRepository<SessionConfig>
  readonly defaults: ContextDefaults | undefined
  /** Runs beside the call, which does not wait for it; ends with the layer. Failures are logged. */
  readonly inBackground: (effect: Effect.Effect<unknown, SessionFailure>) => void
}

/** A scope that exists, with its configuration. */
export interface Place extends Scope {
  readonly name: string
  readonly config: StoredSessionConfig
}

/** Milliseconds that an ended session is remembered: for reuse detection, and for the dashboard. */
export const retention = 30 * 86_400_000

/** `invalid` as an Effect, for checks that throw. */
export const checked = <A>(check: () => A): Effect.Effect<A, SessionError | ContextError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(check())
    } catch (cause) {
      if (cause instanceof SessionError || cause instanceof ContextError) return Effect.fail(cause)
      throw cause
    }
  })

export const text = (path: string, value: unknown): string => {
  if (typeof value !== "string" || value === "") throw invalid(path, "type", "must be non-empty text")
  return value
}

export const tagOf = (input: SessionCall): string => text("tag", input.tag ?? input.session)

export const configNotFound = (product: string, tag: string): SessionError =>
  new SessionError({
    code: "SESSION_CONFIG_NOT_FOUND",
    message: `Product '${product}' has no session configuration '${tag}'. Create it with sessions.create({ tag, … }).`,
    details: { product, tag }
  })

/** Failures of the store itself become the session store's; what names a product or env passes. */
export const fromRegistry = (operation: string) => (cause: RegistryError) =>
  cause.status >= 500 ? storeFailed(operation, cause) : cause

const configOf = (runtime: SessionRuntime, product: string, tag: string) =>
  runtime.configs
    .fetch(product, tag)
    .pipe(
      Effect.mapError((cause) =>
        cause.code === "NOT_FOUND"
          ? configNotFound(product, tag)
          : fromRegistry("read a configuration")(cause)
      )
    )

/** The one scope that a call is about. */
export const placeOf = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: SessionCall
): Effect.fn.Return<Place, SessionFailure> {
  const { tag, context } = yield* checked(() => ({
    tag: tagOf(input),
    context: resolveContext(input, runtime.defaults)
  }))
  if (context.env === "*") {
    return yield* Effect.fail(invalid("env", "env", "must be one environment here, not '*'"))
  }
  const { product, env } = yield* runtime.registry
    .environment(context)
    .pipe(Effect.mapError(fromRegistry("read the environment")))
  const config = yield* configOf(runtime, product.tag, tag)
  yield* Effect.annotateCurrentSpan({
    "ductape.product": product.tag,
    "ductape.env": env.slug,
    "ductape.session.tag": config.tag
  })
  const scope = { product: product.tag, env: env.slug, tag: config.tag }
  return { ...scope, name: scopeName(scope), config }
})

/** All scopes that a call is about: those of every environment for `env: "*"`. */
export const placesOf = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  input: SessionCall
): Effect.fn.Return<ReadonlyArray<Place>, SessionFailure> {
  const context = yield* checked(() => resolveContext(input, runtime.defaults))
  if (context.env !== "*") return [yield* placeOf(runtime, input)]
  const tag = yield* checked(() => tagOf(input))
  const product = yield* runtime.registry.products
    .fetch(context.product)
    .pipe(Effect.mapError(fromRegistry("read the product")))
  const config = yield* configOf(runtime, product.tag, tag)
  return product.envs.map(({ slug }) => {
    const scope = { product: product.tag, env: slug, tag: config.tag }
    return { ...scope, name: scopeName(scope), config }
  })
})

const sessionData = "session-data"

/** What a session holds, readable only with the workspace's key and under its own id. */
export interface SealedContent {
  readonly identifier: string
  readonly data: Readonly<Record<string, unknown>>
}

export const sealContent = (runtime: SessionRuntime, id: string, content: SealedContent): string =>
  runtime.registry.keyring.seal(sessionData, JSON.stringify(content), id)

const broken = (what: string, cause: unknown) =>
  new SessionError({
    code: "SESSION_STORE_FAILED",
    message: `The sealed ${what} cannot be opened: the record was changed, or is of another workspace.`,
    cause
  })

export const openContent = (
  runtime: SessionRuntime,
  record: Pick<SessionRecord, "id" | "sealed">
): Effect.Effect<SealedContent, SessionError> =>
  Effect.try({
    try: () =>
      JSON.parse(
        Buffer.from(runtime.registry.keyring.open(sessionData, record.sealed, record.id)).toString()
      ) as SealedContent,
    catch: (cause) => broken("session", cause)
  })

const sessionUser = "session-user"

/** The key of a user: reveals nothing of the identifier, and is the same for the same one. */
export const userKey = (runtime: SessionRuntime, scope: Scope, identifier: string): string =>
  runtime.registry.keyring.mac(sessionUser, JSON.stringify([scope.product, scope.tag, scope.env, identifier]))

export const sealIdentifier = (runtime: SessionRuntime, key: string, identifier: string): string =>
  runtime.registry.keyring.seal(sessionUser, identifier, key)

export const openIdentifier = (
  runtime: SessionRuntime,
  user: { readonly key: string; readonly sealed: string }
): Effect.Effect<string, SessionError> =>
  Effect.try({
    try: () => Buffer.from(runtime.registry.keyring.open(sessionUser, user.sealed, user.key)).toString(),
    catch: (cause) => broken("session user", cause)
  })

export const isActive = (record: Pick<SessionRecord, "revokedAt" | "endAt">, now: number): boolean =>
  record.revokedAt === null && now < record.endAt

/** Without `version`, which is the store's. */
export const withoutVersion = ({ version: _, ...record }: SessionRecord): Omit<SessionRecord, "version"> =>
  record

/** So often another writer may be first before a write is given up; each means that one of them got through. */
export const attempts = 1_000

export const contended = (what: string) =>
  new SessionError({
    code: "SESSION_STORE_FAILED",
    message: `Could not ${what}: other writers were first ${attempts} times.`,
    status: 503,
    retryable: true
  })
