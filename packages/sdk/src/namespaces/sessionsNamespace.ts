import type { DuctapeError } from "@ductape/core"
import {
  type SessionConfig,
  Sessions,
  type SessionTokens,
  type StartInput,
  type StoredSessionConfig
} from "@ductape/sessions"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Runner } from "../Runner.ts"
import { methods } from "./methods.ts"

/** `ductape.sessions`: JWT sessions with rotation, reuse detection and revocation. */
export const sessionsNamespace = (runner: Runner<Sessions>) => {
  const calls = methods(runner, Sessions, [
    "start",
    "decrypt",
    "refresh",
    "revoke",
    "revokeAll",
    "listActive",
    "getInfo",
    "fetchUsers",
    "users",
    "fetchUserDetails",
    "fetchDashboard",
    "rotateKeys",
    "list",
    "fetchAll"
  ])
  const slowly = methods(runner, Sessions, ["verify"]).verify

  /** The service tells its overloads apart by count, so the arguments go on as they are. */
  const overloaded = <A>(name: "create" | "fetch" | "update" | "delete", args: ReadonlyArray<unknown>) =>
    runner.use(Sessions, (_) =>
      (_[name] as unknown as (...args: ReadonlyArray<unknown>) => Effect.Effect<A, DuctapeError>)(...args)
    )

  function create(config: SessionConfig): Promise<StoredSessionConfig>
  function create(product: string, config: SessionConfig): Promise<StoredSessionConfig>
  /** @deprecated use `start` */
  function create(input: StartInput): Promise<SessionTokens>
  function create(...args: ReadonlyArray<unknown>): Promise<never> {
    return overloaded("create", args)
  }
  function fetch(tag: string): Promise<StoredSessionConfig>
  function fetch(product: string, tag: string): Promise<StoredSessionConfig>
  function fetch(...args: ReadonlyArray<unknown>): Promise<StoredSessionConfig> {
    return overloaded("fetch", args)
  }
  function update(tag: string, patch: Partial<SessionConfig>): Promise<StoredSessionConfig>
  function update(product: string, tag: string, patch: Partial<SessionConfig>): Promise<StoredSessionConfig>
  function update(...args: ReadonlyArray<unknown>): Promise<StoredSessionConfig> {
    return overloaded("update", args)
  }
  function remove(tag: string): Promise<boolean>
  function remove(product: string, tag: string): Promise<boolean>
  function remove(...args: ReadonlyArray<unknown>): Promise<boolean> {
    return overloaded("delete", args)
  }

  const verify: typeof slowly = async (input) => {
    const services = runner.context
    if (services === undefined) return slowly(input)
    return Context.get(services, Sessions).verifyNow(input) ?? slowly(input)
  }
  return { ...calls, verify, create, fetch, update, delete: remove }
}
