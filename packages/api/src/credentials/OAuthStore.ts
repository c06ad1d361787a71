import type { ResolvedContext } from "@ductape/core"
import type { RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { RunFailure } from "../RunFailure.ts"
import { generatedKey, type OAuthTokens } from "./OAuthConfig.ts"

/** Whose tokens these are; the key of everything that is kept for them. */
export interface OAuthOwner {
  readonly context: ResolvedContext
  readonly app: string
}

/** What the store holds beside the token values, which are secrets. */
export interface OAuthRecord {
  /** Keyed digest of the initial tokens. */
  readonly fingerprint: string
  /** Secret keys by token name. */
  readonly keys: Readonly<Record<string, string>>
  /** Unix milliseconds. */
  readonly expiresAt: number
  readonly obtainedAt: number
  /** Grows by one with every change of the tokens. */
  readonly generation: number
}

const kind = "oauth"

export const ownerKey = ({ app, context }: OAuthOwner): string => `${context.product}/${context.env}/${app}`

/** Tokens of one (product, env, app) in the workspace, shared by its processes. */
export class OAuthStore {
  readonly #registry: RegistryShape

  constructor(registry: RegistryShape) {
    this.#registry = registry
  }

  fingerprint(tokens: OAuthTokens): string {
    const sorted = Object.entries(tokens).sort(([a], [b]) => (a < b ? -1 : 1))
    return this.#registry.keyring.mac("api.oauth.fingerprint", JSON.stringify(sorted))
  }

  read(owner: OAuthOwner): Effect.Effect<OAuthRecord | undefined, RunFailure> {
    return Effect.map(this.#registry.store.get(kind, ownerKey(owner)), (record) =>
      record === undefined ? undefined : (JSON.parse(record.value) as OAuthRecord)
    )
  }

  tokens(owner: OAuthOwner, keys: Readonly<Record<string, string>>): Effect.Effect<OAuthTokens, RunFailure> {
    const names = Object.entries(keys)
    const use = { env: owner.context.env, scopes: [owner.app, owner.context.product] }
    return Effect.map(
      this.#registry.secrets.resolveFresh(
        names.map(([, key]) => key),
        use
      ),
      (values) => Object.fromEntries(names.map(([name, key]) => [name, values.get(key) ?? ""]))
    )
  }

  /** Secret keys of tokens, made up for those that have none yet. */
  keysFor(
    owner: OAuthOwner,
    names: ReadonlyArray<string>,
    known: Readonly<Record<string, string>>
  ): Readonly<Record<string, string>> {
    const { env, product } = owner.context
    return Object.fromEntries(
      names.map((name) => [name, known[name] ?? generatedKey(product, owner.app, env, name)])
    )
  }

  /**
   * Keeps the token values, then what tells other processes of them. Fails with `SECRET_EXISTS` where
   * a made-up key is already somebody else's.
   */
  write(owner: OAuthOwner, tokens: OAuthTokens, record: OAuthRecord): Effect.Effect<void, RunFailure> {
    const inputs = Object.entries(record.keys).flatMap(([name, key]) => {
      const value = tokens[name]
      if (value === undefined) return []
      const generated = generatedKey(owner.context.product, owner.app, owner.context.env, name) === key
      return [
        generated
          ? {
              key,
              value,
              scope: [owner.app],
              envs: [owner.context.env],
              owner: `oauth ${ownerKey(owner)}`,
              token_type: "oauth",
              description: `OAuth ${name} of app '${owner.app}' in ${owner.context.product}, ${owner.context.env}`
            }
          : { key, value }
      ]
    })
    return Effect.andThen(
      inputs.length === 0 ? Effect.void : this.#registry.secrets.put(inputs),
      this.#registry.store.write([{ op: "put", kind, key: ownerKey(owner), value: JSON.stringify(record) }], {
        definitions: false
      })
    )
  }
}
