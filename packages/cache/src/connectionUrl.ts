import type { RegistryError, RegistryShape, SecretError } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { CacheError } from "./CacheError.ts"

const reference = /\$Secret\{([^{}\\]+)\}/g
const whole = /^\{\{\s*([^{}]+?)\s*\}\}$/

/**
 * The server of a cache in one environment, with the secrets that its setting names. `{{NAME}}` as the
 * whole setting is `$Secret{NAME}`.
 */
export const connectionUrl = (
  registry: RegistryShape,
  setting: string,
  use: { readonly env: string; readonly product: string; readonly cache: string }
): Effect.Effect<string, CacheError | RegistryError | SecretError> =>
  Effect.gen(function* () {
    const text = setting.replace(whole, (_, key: string) => `$Secret{${key}}`)
    const keys = Array.from(text.matchAll(reference), ([, key]) => key ?? "")
    const secrets =
      keys.length === 0
        ? new Map<string, string>()
        : yield* registry.secrets.resolve([...new Set(keys)], {
            env: use.env,
            scopes: [use.cache, use.product]
          })
    const url = text.replace(reference, (_, key: string) => secrets.get(key) ?? "")
    if (URL.canParse(url)) return url
    return yield* new CacheError({
      code: "VALIDATION_ERROR",
      message: `The connection URL of cache '${use.cache}' in environment '${use.env}' is not a URL. Set it with caches.update, as redis://host:6379 or as a $Secret{…} that holds one.`,
      details: { cache: use.cache, env: use.env }
    })
  })
