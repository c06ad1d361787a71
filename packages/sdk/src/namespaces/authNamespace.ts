import { type AuthDefinition, Registry } from "@ductape/registry"
import type { Runner } from "../Runner.ts"

type AuthInput = Parameters<Registry["Service"]["auth"]["create"]>[0]

/** `ductape.auth`: credentials of an app in one call, sealed as secrets. */
export const authNamespace = (runner: Runner<Registry>) => ({
  create: (input: AuthInput): Promise<AuthDefinition> => runner.use(Registry, (_) => _.auth.create(input))
})
