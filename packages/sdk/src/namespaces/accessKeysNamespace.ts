import { Registry } from "@ductape/registry"
import type { Runner } from "../Runner.ts"

/** An access key as it is listed: never the key itself. */
export interface AccessKeyInfo {
  readonly id: string
  readonly name?: string
  readonly createdAt: string
}

/** `ductape.accessKeys`: the keys that open the workspace. */
export const accessKeysNamespace = (runner: Runner<Registry>) => {
  const fetchAll = (): Promise<ReadonlyArray<AccessKeyInfo>> =>
    runner.use(Registry, (_) => _.accessKeys.fetchAll)
  return {
    /** Another key for the same workspace; it is shown here once. */
    create: (name?: string): Promise<{ readonly id: string; readonly accessKey: string }> =>
      runner.use(Registry, (_) => _.accessKeys.create(name)),
    fetchAll,
    list: fetchAll,
    /** Fails with `IN_USE` for the last one. */
    revoke: (id: string): Promise<boolean> => runner.use(Registry, (_) => _.accessKeys.revoke(id))
  }
}
