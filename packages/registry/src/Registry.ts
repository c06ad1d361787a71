import type { ResolvedContext, TemplateError } from "@ductape/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type {
  Action,
  App,
  AppEnv,
  AuthDefinition,
  Connection,
  ConnectionEnv,
  ConnectionLimits,
  Constant,
  DataFormat,
  Dict,
  Product,
  ProductEnv,
  RecordMeta,
  SecretMeta,
  StoredAction,
  Variable
} from "./entities.ts"
import type { Keyring } from "./Keyring.ts"
import { type OpenOptions, openRegistry } from "./openRegistry.ts"
import type { RegistryError, SecretError } from "./RegistryError.ts"
import { RegistryStore, type RegistryStoreShape } from "./RegistryStore.ts"

type Result<A> = Effect.Effect<A, RegistryError>

export interface ProductInput {
  readonly name: string
  readonly description?: string
  readonly tag?: string
  readonly unique?: boolean
  readonly envs?: ReadonlyArray<EnvInput>
}

export interface EnvInput {
  readonly env_name?: string
  readonly slug: string
  readonly description?: string
  readonly active?: boolean
}

export interface AppInput {
  readonly app_name?: string
  /** The same as `app_name`. */
  readonly name?: string
  readonly tag?: string
  readonly description?: string
  readonly version?: string
  readonly base_url?: string
  readonly unique?: boolean
  readonly envs?: ReadonlyArray<AppEnvInput>
}

export interface AppEnvInput extends EnvInput {
  readonly base_url?: string
  readonly request_type?: DataFormat
}

export interface ConnectionEnvInput {
  readonly product_env_slug?: string
  readonly app_env_slug?: string
  /** Stands for both slugs. */
  readonly slug?: string
  readonly active?: boolean
  readonly base_url?: string
  readonly request_type?: DataFormat | string
  readonly variables?: ReadonlyArray<{ readonly key: string; readonly value: unknown }>
  readonly auth?:
    | ReadonlyArray<{ readonly auth_tag: string; readonly data: Dict }>
    | { readonly auth_tag: string; readonly data: Dict }
  readonly limits?: ConnectionLimits
}

export interface ConnectionInput {
  readonly access_tag: string
  /** Needed while the access tag is new. */
  readonly app?: string
  readonly version?: string
  readonly envs?: ReadonlyArray<ConnectionEnvInput>
}

/** A connection with everything that a run in one environment needs, opened and merged. */
export interface ResolvedConnection {
  readonly context: ResolvedContext
  readonly accessTag: string
  readonly app: App
  readonly appEnv: AppEnv
  readonly env: ConnectionEnv
  readonly baseUrl: string
  readonly requestType: DataFormat | undefined
  /** As stored: values may be templates. */
  readonly variables: Readonly<Record<string, unknown>>
  readonly constants: Readonly<Record<string, unknown>>
  /** Each with its definition; data sectioned as `{ headers: { … } }` where it says where it goes. */
  readonly auth: ReadonlyArray<{
    readonly tag: string
    readonly definition: AuthDefinition | undefined
    readonly data: Dict
  }>
  readonly limits: ConnectionLimits | undefined
}

export interface SecretInput {
  readonly key: string
  readonly value: string
  readonly description?: string
  readonly token_type?: string
  readonly scope?: ReadonlyArray<string>
  readonly envs?: ReadonlyArray<string>
  readonly expires_at?: number | null
  /**
   * For secrets that the library keeps itself: `put` refuses to replace one of another owner
   * (`SECRET_EXISTS`). Not shown in `SecretMeta`.
   */
  readonly owner?: string
}

export interface SecretPatch {
  readonly value?: string
  readonly description?: string | null
  readonly token_type?: string | null
  readonly scope?: ReadonlyArray<string> | null
  readonly envs?: ReadonlyArray<string> | null
  readonly expires_at?: number | null
}

/** Where a secret is used: all of `scopes` are tried against its scope. */
export interface SecretUse {
  readonly env?: string | undefined
  /** Access tag, app tag, product tag, data-store tag: whichever apply; the first one is named in errors. */
  readonly scopes?: ReadonlyArray<string> | undefined
}

export interface SecretTemplateCheck {
  /** `false` if a secret is missing or the template is not well formed. */
  readonly valid: boolean
  /** Keys of secrets, each once, in order of appearance. */
  readonly references: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
}

export interface Secrets {
  readonly create: (input: SecretInput) => Effect.Effect<SecretMeta, SecretError | RegistryError>
  readonly fetchAll: Effect.Effect<ReadonlyArray<SecretMeta>, SecretError | RegistryError>
  /** `value` is null once revoked. */
  readonly fetch: (
    key: string
  ) => Effect.Effect<SecretMeta & { readonly value: string | null }, SecretError | RegistryError>
  readonly update: (key: string, patch: SecretPatch) => Effect.Effect<SecretMeta, SecretError | RegistryError>
  readonly delete: (key: string) => Effect.Effect<boolean, SecretError | RegistryError>
  readonly exists: (key: string) => Effect.Effect<boolean, SecretError | RegistryError>
  readonly revoke: (key: string) => Effect.Effect<boolean, SecretError | RegistryError>
  /**
   * The values of all keys, or the first failure in the order of core.md §4. Opened values are kept
   * in memory until the revision changes.
   */
  readonly resolve: (
    keys: ReadonlyArray<string>,
    use: SecretUse
  ) => Effect.Effect<ReadonlyMap<string, string>, SecretError | RegistryError>
  /** Creates or replaces values in one transaction; used where the library itself keeps secrets (OAuth). */
  readonly put: (inputs: ReadonlyArray<SecretInput>) => Effect.Effect<void, SecretError | RegistryError>
  /**
   * The text of a template whose only references are secrets (operators and `$Now` work too); a
   * result that is no string is written as text. `app`: access or app tag.
   */
  readonly resolveTemplate: (
    source: string,
    use?: { readonly env?: string; readonly app?: string }
  ) => Effect.Effect<string, SecretError | RegistryError | TemplateError>
  /** Which secrets a template names, and which of them there are not. Nothing is decrypted. */
  readonly validate: (source: string) => Effect.Effect<SecretTemplateCheck, SecretError | RegistryError>
  /** Past the cache, straight from the store. */
  readonly resolveFresh: (
    keys: ReadonlyArray<string>,
    use: SecretUse
  ) => Effect.Effect<ReadonlyMap<string, string>, SecretError | RegistryError>
}

/** Definitions of one kind that belong to a product: caches, sessions, databases, … */
export interface ResourceRepository<T extends { readonly tag: string }> {
  /** Fails with `ALREADY_EXISTS`, `PRODUCT_NOT_FOUND`. */
  readonly create: (product: string, value: T) => Result<T & RecordMeta>
  /** Fails with `NOT_FOUND`, `PRODUCT_NOT_FOUND`. Kept in memory until the revision changes. */
  readonly fetch: (product: string, tag: string) => Result<T & RecordMeta>
  readonly fetchAll: (product: string) => Result<ReadonlyArray<T & RecordMeta>>
  /** As `fetch`, without waiting: `undefined` while it is not in memory or may have changed. */
  readonly kept: (product: string, tag: string) => (T & RecordMeta) | undefined
  /** Reads, changes and writes as one step; repeated if another writer was first. */
  readonly update: (product: string, tag: string, change: (old: T) => T) => Result<T & RecordMeta>
  /** `false` if there was none. */
  readonly delete: (product: string, tag: string) => Result<boolean>
}

export interface ResourceKind {
  /** `cache`, `session-config`, `database`. */
  readonly kind: string
  /** Seals the whole definition at rest: for those that hold URLs or credentials. */
  readonly sealed: boolean
}

/** Actions of an app, and everything that a whole import writes. */
export interface Actions {
  readonly create: (app: string, action: Action) => Result<StoredAction>
  /** Exact tag first, then with `_`, `-` and letter case alike: `ACTION_AMBIGUOUS`, `ACTION_NOT_FOUND`. */
  readonly fetch: (app: string, tag: string) => Result<StoredAction>
  readonly fetchAll: (app: string) => Result<ReadonlyArray<StoredAction>>
  readonly update: (app: string, tag: string, change: (old: Action) => Action) => Result<StoredAction>
  readonly delete: (app: string, tag: string) => Result<boolean>
  /** Tags only, without reading the actions. */
  readonly tags: (app: string) => Result<ReadonlyArray<string>>
  /** One transaction: makes or updates the app, and puts the actions. */
  readonly import: (plan: {
    /** With a `tag` that exists, its envs without a base URL, variables and auths are completed. */
    readonly app: { readonly create: AppInput } | { readonly existing: string }
    readonly actions: ReadonlyArray<Action>
    readonly variables: ReadonlyArray<Variable>
    readonly auths: ReadonlyArray<AuthDefinition>
    readonly base_url?: string
  }) => Result<{ readonly app: App }>
}

/** The workspace, opened. */
export interface RegistryShape {
  readonly workspace: { readonly id: string; readonly name: string; readonly tag: string }
  readonly store: RegistryStoreShape
  readonly keyring: Keyring
  /** The store's revision as of at most one second ago. */
  readonly revision: Result<number>
  /** The same without waiting; `undefined` if the last look is too old, then await `revision`. */
  readonly knownRevision: () => number | undefined
  /** The product's environment: `PRODUCT_NOT_FOUND`, `ENV_NOT_FOUND`, `ENV_INACTIVE`. */
  readonly environment: (
    context: ResolvedContext
  ) => Result<{ readonly product: Product; readonly env: ProductEnv }>
  /** core.md §3 "Resolution"; `app` is an access tag, else the tag of an app connected once. */
  readonly connection: (context: ResolvedContext, app: string) => Result<ResolvedConnection>
  readonly products: {
    readonly create: (input: ProductInput) => Result<Product>
    readonly update: (tag: string, patch: Partial<ProductInput>) => Result<Product>
    readonly fetch: (tag: string) => Result<Product>
    readonly fetchAll: Result<ReadonlyArray<Product>>
    readonly delete: (tag: string) => Result<boolean>
    readonly environments: {
      readonly create: (product: string, env: EnvInput) => Result<ProductEnv>
      readonly update: (product: string, slug: string, patch: Partial<EnvInput>) => Result<ProductEnv>
      readonly fetch: (product: string, slug: string) => Result<ProductEnv>
      readonly fetchAll: (product: string) => Result<ReadonlyArray<ProductEnv>>
    }
    readonly apps: {
      readonly connect: (
        product: string,
        app: string
      ) => Result<{ readonly access_tag: string; readonly app: string }>
      readonly add: (product: string, input: ConnectionInput) => Result<Connection>
      readonly update: (
        product: string,
        accessTag: string,
        patch: Omit<ConnectionInput, "access_tag">
      ) => Result<Connection>
      readonly fetch: (product: string, accessTag: string) => Result<Connection>
      readonly fetchAll: (product: string) => Result<ReadonlyArray<Connection>>
      readonly delete: (product: string, accessTag: string) => Result<boolean>
    }
  }
  readonly apps: {
    readonly create: (input: AppInput) => Result<App>
    readonly update: (tag: string, patch: Partial<AppInput>) => Result<App>
    readonly fetch: (tag: string) => Result<App>
    readonly fetchAll: Result<ReadonlyArray<App>>
    readonly delete: (tag: string) => Result<boolean>
    readonly environments: {
      readonly create: (app: string, env: AppEnvInput) => Result<AppEnv>
      /** Creates or updates each by slug. */
      readonly upsert: (app: string, envs: ReadonlyArray<AppEnvInput>) => Result<ReadonlyArray<AppEnv>>
      readonly update: (app: string, slug: string, patch: Partial<AppEnvInput>) => Result<AppEnv>
      readonly fetch: (app: string, slug: string) => Result<AppEnv>
      readonly fetchAll: (app: string) => Result<ReadonlyArray<AppEnv>>
    }
    readonly variables: Members<Variable>
    readonly constants: Members<Constant>
    readonly auths: Members<AuthDefinition>
  }
  readonly auth: {
    /** core.md §3: a `token_access` definition with its values sealed as secrets, for each env of each connection of the app. */
    readonly create: (input: {
      readonly app: string
      readonly type: "api_key" | "bearer" | "basic" | "oauth2"
      readonly tag?: string
      readonly config?: { readonly header_name?: string; readonly prefix?: string }
      readonly envs: ReadonlyArray<{ readonly slug: string; readonly value: string }>
    }) => Effect.Effect<AuthDefinition, RegistryError | SecretError>
  }
  readonly actions: Actions
  readonly secrets: Secrets
  readonly resources: <T extends { readonly tag: string }>(kind: ResourceKind) => ResourceRepository<T>
  /**
   * What runs ask for again and again, without waiting and without an Effect: `undefined` while it
   * is not in memory or may have changed; then ask the Effect of the same name, which also says what
   * is wrong. The same object is returned until the revision changes, so plans made from it can be
   * kept in a `WeakMap`. Everything is frozen.
   */
  readonly kept: {
    readonly environment: (
      context: ResolvedContext
    ) => { readonly product: Product; readonly env: ProductEnv } | undefined
    readonly connection: (context: ResolvedContext, app: string) => ResolvedConnection | undefined
    readonly action: (app: string, tag: string) => StoredAction | undefined
    readonly secrets: (keys: ReadonlyArray<string>, use: SecretUse) => ReadonlyMap<string, string> | undefined
  }
  readonly accessKeys: {
    /** Another key for the same workspace; shown once. */
    readonly create: (name?: string) => Result<{ readonly id: string; readonly accessKey: string }>
    readonly fetchAll: Result<
      ReadonlyArray<{ readonly id: string; readonly name?: string; readonly createdAt: string }>
    >
    /** Fails with `IN_USE` for the last one. */
    readonly revoke: (id: string) => Result<boolean>
  }
}

/** Variables, constants and auth definitions of an app, by key or tag. */
export interface Members<T> {
  readonly create: (app: string, value: T) => Result<T>
  readonly update: (app: string, key: string, patch: Partial<T>) => Result<T>
  readonly fetch: (app: string, key: string) => Result<T>
  readonly fetchAll: (app: string) => Result<ReadonlyArray<T>>
}

export class Registry extends Context.Service<Registry, RegistryShape>()("@ductape/registry/Registry") {
  /** Opens the workspace of the given store; see {@link openRegistry}. */
  static readonly layer = (options: OpenOptions): Layer.Layer<Registry, RegistryError, RegistryStore> =>
    Layer.effect(
      Registry,
      Effect.flatMap(RegistryStore, (store) => openRegistry(store, options))
    )
}
