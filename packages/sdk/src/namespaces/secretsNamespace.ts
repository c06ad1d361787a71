import {
  Registry,
  type SecretInput,
  type SecretMeta,
  type SecretPatch,
  type SecretTemplateCheck
} from "@ductape/registry"
import type { Runner } from "../Runner.ts"

/** `ductape.secrets`: the workspace's vault. Values are sealed at rest. */
export const secretsNamespace = (runner: Runner<Registry>) => {
  const fetchAll = (): Promise<ReadonlyArray<SecretMeta>> => runner.use(Registry, (_) => _.secrets.fetchAll)
  return {
    create: (input: SecretInput): Promise<SecretMeta> => runner.use(Registry, (_) => _.secrets.create(input)),
    /** Without values. */
    fetchAll,
    list: fetchAll,
    /** With its `value`; null once revoked. */
    fetch: (key: string): Promise<SecretMeta & { readonly value: string | null }> =>
      runner.use(Registry, (_) => _.secrets.fetch(key)),
    update: (key: string, patch: SecretPatch): Promise<SecretMeta> =>
      runner.use(Registry, (_) => _.secrets.update(key, patch)),
    delete: (key: string): Promise<boolean> => runner.use(Registry, (_) => _.secrets.delete(key)),
    exists: (key: string): Promise<boolean> => runner.use(Registry, (_) => _.secrets.exists(key)),
    /** Its record stays, its value cannot be had again. */
    revoke: (key: string): Promise<boolean> => runner.use(Registry, (_) => _.secrets.revoke(key)),
    /** The text of a template with its secrets filled in, for the given env and app. */
    resolve: (template: string, use?: { readonly env?: string; readonly app?: string }): Promise<string> =>
      runner.use(Registry, (_) => _.secrets.resolveTemplate(template, use)),
    /** Which secrets a template names, and which of them are missing. Nothing is decrypted. */
    validate: (template: string): Promise<SecretTemplateCheck> =>
      runner.use(Registry, (_) => _.secrets.validate(template))
  }
}
