import {
  type AdapterError,
  type CacheCallError,
  type ContextError,
  type DuctapeError,
  isDuctapeError,
  type SessionCallError,
  type TemplateError
} from "@ductape/core"
import type { RegistryError, SecretError } from "@ductape/registry"
import type * as Effect from "effect/Effect"
import type { ActionError } from "./ActionError.ts"

/**
 * Everything that a run fails with; `Effect.catchTag` and `Effect.catchReason` tell them apart. The last
 * two come from the call's `session` and `cache`.
 */
export type RunFailure =
  | ActionError
  | ContextError
  | RegistryError
  | SecretError
  | TemplateError
  | AdapterError
  | SessionCallError
  | CacheCallError

/** Whether something thrown is a failure and no defect. */
export const isRunFailure = (cause: unknown): cause is RunFailure => isDuctapeError(cause)

/**
 * Other capabilities' errors arrive through core's `CallServices`, which knows their base class only:
 * here they get the type of those that there are.
 */
export const fromService = <A, E, R>(
  effect: Effect.Effect<A, E | DuctapeError, R>
): Effect.Effect<A, RunFailure, R> => effect as Effect.Effect<A, RunFailure, R>
