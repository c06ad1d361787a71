import {
  type AdapterError,
  type CacheCallError,
  type ContextError,
  type FilterError,
  isDuctapeError,
  type SessionCallError,
  type TemplateError
} from "@ductape/core"
import type { RegistryError, SecretError } from "@ductape/registry"
import type { DatabaseError } from "./DatabaseError.ts"

/**
 * Everything that a call fails with; `Effect.catchTag` and `Effect.catchReason` tell them apart. The last
 * two come from the call's `session` and `cache`.
 */
export type Failure =
  | DatabaseError
  | ContextError
  | RegistryError
  | SecretError
  | TemplateError
  | FilterError
  | AdapterError
  | SessionCallError
  | CacheCallError

/**
 * Whether something thrown is a failure and no defect. What promises reject with is known by its base
 * class only; there are no others than {@link Failure} names.
 */
export const isFailure = (cause: unknown): cause is Failure => isDuctapeError(cause)
