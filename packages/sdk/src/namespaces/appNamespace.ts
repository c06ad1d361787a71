import { Api } from "@ductape/api"
import {
  type App,
  type AppEnv,
  type AppEnvInput,
  type AppInput,
  type AuthDefinition,
  type Constant,
  type Members,
  Registry,
  type StoredAction,
  type Variable
} from "@ductape/registry"
import type { Runner } from "../Runner.ts"
import { type Owned, Owner, owned } from "./Owner.ts"

const members = <T>(
  runner: Runner<Registry | Api>,
  owner: Owner,
  of: (registry: Registry["Service"]) => Members<T>
) => {
  const fetchAll: Owned<[], ReadonlyArray<T>> = owned<[], ReadonlyArray<T>>(owner, 0, (app) =>
    runner.use(Registry, (_) => of(_).fetchAll(app))
  )
  return {
    create: owned<[value: T], T>(owner, 1, (app, value) =>
      runner.use(Registry, (_) => of(_).create(app, value))
    ),
    update: owned<[key: string, patch: Partial<T>], T>(owner, 2, (app, key, patch) =>
      runner.use(Registry, (_) => of(_).update(app, key, patch))
    ),
    fetch: owned<[key: string], T>(owner, 1, (app, key) =>
      runner.use(Registry, (_) => of(_).fetch(app, key))
    ),
    fetchAll,
    list: fetchAll
  }
}

type Rules = Parameters<Api["Service"]["validation"]>[2]
interface EnvList {
  readonly app?: string
  readonly envs: ReadonlyArray<AppEnvInput>
}
type EnvsInput = AppEnvInput | EnvList

const isEnvList = (input: unknown): input is EnvList =>
  typeof input === "object" && input !== null && "envs" in input

/** `ductape.app`: third-party apps, their environments, variables, constants and auth definitions. */
export const appNamespace = (runner: Runner<Registry | Api>) => {
  const owner = new Owner("app")
  const fetchAll = (): Promise<ReadonlyArray<App>> => runner.use(Registry, (_) => _.apps.fetchAll)
  const fetchEnvs = owned<[], ReadonlyArray<AppEnv>>(owner, 0, (app) =>
    runner.use(Registry, (_) => _.apps.environments.fetchAll(app))
  )
  const upsertEnvs = async (args: ReadonlyArray<unknown>, list: EnvList): Promise<ReadonlyArray<AppEnv>> => {
    const [app] = owner.split(list.app === undefined ? args : [list.app, list], 1)
    return runner.use(Registry, (_) => _.apps.environments.upsert(app, list.envs))
  }
  const createEnv = owned<[env: AppEnvInput], AppEnv>(owner, 1, (app, env) =>
    runner.use(Registry, (_) => _.apps.environments.create(app, env))
  )
  const updateEnv = owned<[slug: string, patch: Partial<AppEnvInput>], AppEnv>(owner, 2, (app, slug, patch) =>
    runner.use(Registry, (_) => _.apps.environments.update(app, slug, patch))
  )
  const createEnvs = ((...args: Parameters<typeof createEnv>) => {
    const last: unknown = args.at(-1)
    return isEnvList(last) ? upsertEnvs(args, last) : createEnv(...args)
  }) as Owned<[env: EnvsInput], AppEnv | ReadonlyArray<AppEnv>>
  const updateEnvs = ((...args: Parameters<typeof updateEnv>) => {
    const last: unknown = args.at(-1)
    return args.length <= 2 && isEnvList(last) ? upsertEnvs(args, last) : updateEnv(...args)
  }) as typeof updateEnv & Owned<[list: EnvList], ReadonlyArray<AppEnv>>
  const environments = {
    /** One environment, or `{ app, envs: […] }`: each made or updated by its slug. */
    create: createEnvs,
    /** By slug, or `{ app, envs: […] }` as `create` takes it. */
    update: updateEnvs,
    fetch: owned<[slug: string], AppEnv>(owner, 1, (app, slug) =>
      runner.use(Registry, (_) => _.apps.environments.fetch(app, slug))
    ),
    fetchAll: fetchEnvs,
    list: fetchEnvs
  }
  const variables = members<Variable>(runner, owner, (_) => _.apps.variables)
  const constants = members<Constant>(runner, owner, (_) => _.apps.constants)
  const auths = members<AuthDefinition>(runner, owner, (_) => _.apps.auths)
  /** Rules of one field, `$Body{action}{field}` and the like. */
  const validation = owned<[selector: string, rules: Rules], StoredAction>(owner, 2, (app, selector, rules) =>
    runner.use(Api, (_) => _.validation(app, selector, rules))
  )
  const namespace = {
    /** Chooses the app that the builder methods work on. */
    init: async (app: string | { readonly app: string }): Promise<void> =>
      owner.set(typeof app === "string" ? app : app?.app),
    create: (input: AppInput): Promise<App> => runner.use(Registry, (_) => _.apps.create(input)),
    update: (tag: string, patch: Partial<AppInput>): Promise<App> =>
      runner.use(Registry, (_) => _.apps.update(tag, patch)),
    fetch: (tag: string): Promise<App> => runner.use(Registry, (_) => _.apps.fetch(tag)),
    fetchAll,
    list: fetchAll,
    /** Fails with `IN_USE` while a product is connected to it. */
    delete: (tag: string): Promise<boolean> => runner.use(Registry, (_) => _.apps.delete(tag)),
    environments,
    environment: environments,
    variables,
    variable: variables,
    constants,
    constant: constants,
    auths,
    auth: auths,
    validation,
    updateValidation: validation
  }
  return { namespace, owner }
}
