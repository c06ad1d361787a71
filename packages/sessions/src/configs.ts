import { ContextError } from "@ductape/core"
import * as Effect from "effect/Effect"
import { revokeIn } from "./revoke.ts"
import { checkConfig, type SessionConfig, type StoredSessionConfig } from "./SessionConfig.ts"
import { SessionError } from "./SessionError.ts"
import { scopeName } from "./SessionKeys.ts"
import {
  checked,
  configNotFound,
  fromRegistry,
  type Place,
  type Result,
  type SessionRuntime,
  text
} from "./SessionRuntime.ts"

type Failure = Effect.Error<Result<never>>

/** The product of a builder call: its first argument, or the constructor's. */
const productOf = (runtime: SessionRuntime, product: string | undefined) =>
  checked(() => {
    const named = product ?? runtime.defaults?.product
    if (named === undefined) {
      throw new ContextError({
        code: "CONTEXT_MISSING",
        message:
          "No 'product' for this call. Set it once on new Ductape({ accessKey, product, env }), or pass it first.",
        details: { field: "product" }
      })
    }
    return text("product", named)
  })

export const createConfig = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  product: string | undefined,
  input: SessionConfig
): Effect.fn.Return<StoredSessionConfig, Failure> {
  const owner = yield* productOf(runtime, product)
  const config = yield* checked(() => checkConfig(input))
  return yield* runtime.configs.create(owner, config).pipe(
    Effect.mapError((cause) =>
      cause.code === "ALREADY_EXISTS"
        ? new SessionError({
            code: "SESSION_CONFIG_EXISTS",
            message: `Product '${owner}' already has a session configuration '${config.tag}'.`,
            details: { product: owner, tag: config.tag }
          })
        : fromRegistry("create a configuration")(cause)
    )
  )
})

export const listConfigs = (
  runtime: SessionRuntime,
  product: string | undefined
): Result<ReadonlyArray<StoredSessionConfig>> =>
  productOf(runtime, product).pipe(
    Effect.flatMap((owner) =>
      runtime.configs.fetchAll(owner).pipe(Effect.mapError(fromRegistry("list configurations")))
    )
  )

export const fetchConfig = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  product: string | undefined,
  tag: string
): Effect.fn.Return<StoredSessionConfig, Failure> {
  const owner = yield* productOf(runtime, product)
  const named = yield* checked(() => text("tag", tag))
  return yield* runtime.configs
    .fetch(owner, named)
    .pipe(
      Effect.mapError((cause) =>
        cause.code === "NOT_FOUND"
          ? configNotFound(owner, named)
          : fromRegistry("read a configuration")(cause)
      )
    )
})

/** Sessions under way keep the lifetime and the identifier that they began with. */
export const updateConfig = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  product: string | undefined,
  tag: string,
  patch: Partial<SessionConfig>
): Effect.fn.Return<StoredSessionConfig, Failure> {
  const owner = yield* productOf(runtime, product)
  const old = yield* fetchConfig(runtime, owner, tag)
  const change = (config: SessionConfig): SessionConfig => checkConfig({ ...config, ...patch, tag: old.tag })
  yield* checked(() => change(old))
  return yield* runtime.configs
    .update(owner, old.tag, change)
    .pipe(
      Effect.mapError((cause) =>
        cause.code === "NOT_FOUND"
          ? configNotFound(owner, old.tag)
          : fromRegistry("update a configuration")(cause)
      )
    )
})

/** @returns whether there was one; all its sessions are ended */
export const deleteConfig = Effect.fnUntraced(function* (
  runtime: SessionRuntime,
  product: string | undefined,
  tag: string
): Effect.fn.Return<boolean, Failure> {
  const owner = yield* productOf(runtime, product)
  const found = yield* fetchConfig(runtime, owner, tag).pipe(
    Effect.catch((cause) =>
      cause.code === "SESSION_CONFIG_NOT_FOUND" ? Effect.succeed(undefined) : Effect.fail(cause)
    )
  )
  if (found === undefined) return false
  const { tag: productTag, envs } = yield* runtime.registry.products
    .fetch(owner)
    .pipe(Effect.mapError(fromRegistry("read the product")))
  const places = envs.map(({ slug }): Place => {
    const scope = { product: productTag, env: slug, tag: found.tag }
    return { ...scope, name: scopeName(scope), config: found }
  })
  // Sessions first: should this stop half-way, no configuration made anew can bring one back.
  yield* revokeIn(runtime, places, undefined)
  const deleted = yield* runtime.configs
    .delete(owner, found.tag)
    .pipe(Effect.mapError(fromRegistry("delete a configuration")))
  // And those that were started meanwhile.
  yield* revokeIn(runtime, places, undefined)
  return deleted
})
