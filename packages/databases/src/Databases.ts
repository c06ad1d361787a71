import { AdapterError, loadAdapter } from "@ductape/core"
import { Registry, type RegistryShape } from "@ductape/registry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CallEnvironment } from "./calls.ts"
import type { PoolOptions } from "./connect.ts"
import type { ConnectionIdentity, DatabaseConnection } from "./DatabaseConnection.ts"
import { type DatabaseDef, databaseKind, fillSecrets, notFound, secretKeys } from "./DatabaseDef.ts"
import type { DatabaseAdapter } from "./DatabaseDriver.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { DatabaseHandle, makeHandle } from "./DatabaseHandle.ts"
import type { ConnectInput, DatabasesOptions, DatabasesShape, RowMethod } from "./DatabasesShape.ts"
import { type Failure, isFailure } from "./Failure.ts"
import { Pools } from "./Pools.ts"
import { makeRegistryCalls } from "./registryCalls.ts"
import { makeNamespaces } from "./schema/namespaces.ts"
import { environmentOf, hasTracer } from "./serviceEnvironment.ts"
import type { Target } from "./types.ts"

/** Errors of callbacks pass through as they are, whatever they are. */
const promised = <A>(run: () => Promise<A>): Effect.Effect<A, Failure> =>
  Effect.callback<A, Failure>((resume) => {
    run().then(
      (value) => resume(Effect.succeed(value)),
      (cause: unknown) => resume(isFailure(cause) ? Effect.fail(cause) : Effect.die(cause))
    )
  })

/** A call that ends when the fiber is interrupted. */
const interruptible = <I extends Target, A>(
  input: I,
  run: (input: I) => Promise<A>
): Effect.Effect<A, Failure> =>
  Effect.callback<A, Failure>((resume, signal) => {
    const joined = input.signal === undefined ? signal : AbortSignal.any([signal, input.signal])
    run({ ...input, signal: joined }).then(
      (value) => resume(Effect.succeed(value)),
      (cause: unknown) => resume(isFailure(cause) ? Effect.fail(cause) : Effect.die(cause))
    )
  })

interface Active {
  readonly product: string
  readonly env: string
  readonly database: string
}

const makeService = (registry: RegistryShape, options: DatabasesOptions, context: Context.Context<never>) => {
  const definitions = registry.resources<DatabaseDef>(databaseKind)
  const loaded = new Map<string, Promise<DatabaseAdapter>>()
  const pools = new Pools((scheme) => {
    const passed = options.adapters?.find(
      (adapter) => adapter.type === scheme || adapter.schemes?.includes(scheme)
    )
    if (passed !== undefined) return Promise.resolve(passed)
    const wanted = options.packages?.[scheme]
    if (wanted === undefined) return Promise.resolve(undefined)
    const known = loaded.get(scheme) ?? (Effect.runPromise(loadAdapter(wanted)) as Promise<DatabaseAdapter>)
    loaded.set(scheme, known)
    known.catch(() => loaded.delete(scheme))
    return known
  })
  let active: Active | undefined
  const cursorKey = registry.keyring.subkey("database-cursor")
  const plain: CallEnvironment = {}
  const traced = hasTracer(context)

  const identify = (input: ConnectInput | Target): ConnectionIdentity & Active => {
    const transaction = (input as Target).transaction?.state.connection.identity
    const tag = input.database ?? (input as ConnectInput).tag
    if (transaction !== undefined && tag !== undefined && tag !== transaction.database) {
      throw invalid(
        `database: '${tag}' is not the database of the transaction, '${transaction.database}'.`,
        "database"
      )
    }
    const pick = (field: "product" | "env", own: string | undefined): string => {
      const value = own ?? transaction?.[field] ?? active?.[field] ?? options[field]
      if (value === undefined || value === "") {
        throw new DatabaseError({
          code: "CONTEXT_MISSING",
          message: `No '${field}' for this call. Set both once on new Ductape({ accessKey, product, env }), or pass '${field}' with the call.`,
          details: { field }
        })
      }
      return value
    }
    const database = tag ?? transaction?.database ?? active?.database
    if (database === undefined) {
      throw new DatabaseError({
        code: "CONTEXT_MISSING",
        message:
          "No database for this call. Call databases.connect({ database }) first, or pass 'database' with the call.",
        details: { field: "database" }
      })
    }
    return {
      product: pick("product", input.product ?? input.product_tag),
      env: pick("env", input.env),
      database
    }
  }

  const runEffect = <A>(effect: Effect.Effect<A, Failure>): Promise<A> =>
    Effect.runPromiseWith(context)(effect)

  /** The URL of a database in an environment, with its secrets. */
  const urlOf = (identity: Active): Effect.Effect<string, Failure> =>
    Effect.gen(function* () {
      yield* registry.environment(identity)
      const def = yield* definitions
        .fetch(identity.product, identity.database)
        .pipe(
          Effect.mapError((error) =>
            error.code === "NOT_FOUND" ? notFound(identity.product, identity.database) : error
          )
        )
      const env = def.envs.find((one) => one.slug === identity.env)
      if (env?.connection_url === undefined) {
        return yield* new DatabaseError({
          code: env === undefined ? "NOT_FOUND" : "UNSUPPORTED_OPERATION",
          message:
            env === undefined
              ? `Database '${def.tag}' says nothing of environment '${identity.env}'. Add it with databases.update('${identity.product}', '${def.tag}', { envs: [{ slug: '${identity.env}', connection_url }] }).`
              : `Database '${def.tag}' has no connection_url in environment '${identity.env}'; cloud instances are not supported yet.`,
          database: def.tag
        })
      }
      const keys = secretKeys(env.connection_url)
      if (keys.length === 0) return env.connection_url
      const secrets = yield* registry.secrets.resolve(keys, {
        env: identity.env,
        scopes: [identity.database, identity.product]
      })
      return fillSecrets(env.connection_url, secrets)
    })

  const open = (identity: Active, pool: PoolOptions = {}): Promise<DatabaseConnection> =>
    pools
      .open(identity, () => runEffect(urlOf(identity)), { ...pool, cursorKey })
      .then((connection) => namespaces.attach(connection))

  const missingPackage = (cause: unknown): unknown =>
    cause instanceof AdapterError && cause.code === "ADAPTER_MISSING"
      ? new DatabaseError({ code: "ADAPTER_MISSING", message: cause.message, details: cause.details, cause })
      : cause

  /** Runs on the connection that the input means, at once when it is open. */
  const on = <A>(
    input: ConnectInput | Target,
    run: (connection: DatabaseConnection) => Promise<A>
  ): Promise<A> => {
    try {
      const identity = identify(input)
      const transaction = (input as Target).transaction
      const known = transaction?.state.connection ?? pools.known(identity)
      if (known !== undefined) return run(known)
      return open(identity).then(run, (cause: unknown) => {
        throw missingPackage(cause)
      })
    } catch (cause) {
      return Promise.reject(cause)
    }
  }

  const rowCall = <M extends RowMethod | "update" | "delete">(method: M) => {
    const name = `Databases.${method === "updateRecords" ? "update" : method}`
    const run = (input: Target, environment: CallEnvironment): Promise<unknown> =>
      on(input, (connection) => {
        const handle = new DatabaseHandle(connection, environment)
        return (handle as unknown as Record<string, (input: Target) => Promise<unknown>>)[method]?.(
          input
        ) as Promise<unknown>
      })
    return ((input: Target) => {
      if (typeof input !== "object" || input === null) {
        return Effect.fail(invalid(`${method}: expected one object.`))
      }
      return Effect.contextWith((current: Context.Context<never>) => {
        const special = input.session !== undefined || input.cache !== undefined
        const environment = special ? environmentOf(current) : plain
        const effect =
          input.timeout === undefined && input.signal === undefined && !special
            ? promised(() => run(input, environment))
            : interruptible(input, (given) => run(given, environment))
        if (!hasTracer(current)) return effect
        const { collection, database, entity, table } = input as Target & {
          table?: string
          entity?: string
          collection?: string
        }
        return Effect.withSpan(effect, name, {
          captureStackTrace: false,
          attributes: {
            "db.system.name": "postgresql",
            "db.operation.name": method,
            "db.collection.name": table ?? entity ?? collection,
            "ductape.database": database ?? active?.database
          }
        })
      })
    }) as never
  }

  const calls = makeRegistryCalls(registry, definitions, options, async (product, tag) => {
    await pools.close((identity) => identity.product === product && identity.database === tag)
    if (active?.product === product && active.database === tag) active = undefined
  })

  const spanned = <A>(name: string, effect: Effect.Effect<A, Failure>): Effect.Effect<A, Failure> =>
    Effect.withSpan(effect, `Databases.${name}`, { captureStackTrace: false })

  const updateRows: (input: Target) => Effect.Effect<unknown, Failure> = rowCall("update")
  const deleteRows: (input: Target) => Effect.Effect<unknown, Failure> = rowCall("delete")

  const namespaces = makeNamespaces(registry, options, {
    handle: (input) => service.handle(input),
    getCurrentContext: () => service.getCurrentContext()
  })

  const service: DatabasesShape = {
    ...calls,
    ...namespaces.calls,
    find: rowCall("find"),
    query: rowCall("query"),
    findOne: rowCall("findOne"),
    insert: rowCall("insert"),
    upsert: rowCall("upsert"),
    updateRecords: rowCall("updateRecords"),
    count: rowCall("count"),
    sum: rowCall("sum"),
    avg: rowCall("avg"),
    min: rowCall("min"),
    max: rowCall("max"),
    aggregate: rowCall("aggregate"),
    groupBy: rowCall("groupBy"),
    raw: rowCall("raw"),
    update: ((...args: ReadonlyArray<unknown>) =>
      typeof args[0] === "string"
        ? (calls.update as (...args: ReadonlyArray<unknown>) => unknown)(...args)
        : updateRows(args[0] as Target)) as never,
    delete: ((...args: ReadonlyArray<unknown>) =>
      typeof args[0] === "string"
        ? (calls.delete as (...args: ReadonlyArray<unknown>) => unknown)(...args)
        : deleteRows(args[0] as Target)) as never,
    connect: ((input: ConnectInput) =>
      spanned(
        "connect",
        Effect.contextWith((current: Context.Context<never>) =>
          promised(async () => {
            const identity = identify(input)
            const connection = await open(identity, input).catch((cause: unknown) => {
              throw missingPackage(cause)
            })
            active = identity
            return makeHandle(connection, environmentOf(current), input.schema)
          })
        )
      )) as never,
    testConnection: (input) =>
      spanned(
        "testConnection",
        promised(async () => {
          const identity = identify(input)
          await runEffect(urlOf(identity))
          try {
            const connection = await open(identity, input)
            const started = performance.now()
            await connection.run({ connection }, "SELECT 1", [], {})
            return {
              connected: true,
              latency: performance.now() - started,
              ...(connection.version === undefined ? {} : { version: connection.version })
            }
          } catch (cause) {
            return {
              connected: false,
              error: cause instanceof Error ? cause.message : "the connection failed"
            }
          }
        })
      ),
    disconnect: () =>
      Effect.promise(async () => {
        const closing = active
        active = undefined
        if (closing === undefined) return
        await pools.close(
          (one) =>
            one.product === closing.product && one.env === closing.env && one.database === closing.database
        )
      }),
    closeAll: () =>
      Effect.promise(async () => {
        active = undefined
        await pools.close()
      }),
    getCurrentContext: () => (active === undefined ? null : { ...active }),
    handle: (input) =>
      Effect.contextWith((current: Context.Context<never>) =>
        promised(() =>
          on(input, async (connection) => new DatabaseHandle(connection, environmentOf(current)))
        )
      ),
    handleNow: (input) => {
      if (traced || typeof input !== "object" || input === null) return undefined
      if (input.session !== undefined || input.cache !== undefined) return undefined
      try {
        const identity = identify(input)
        const known = input.transaction?.state.connection ?? pools.known(identity)
        return known === undefined ? undefined : new DatabaseHandle(known, plain)
      } catch {
        return undefined
      }
    },
    transaction: (given, run) =>
      Effect.contextWith((current: Context.Context<never>) =>
        promised(() =>
          on(given, (connection) =>
            new DatabaseHandle(connection, environmentOf(current)).transaction(given, run)
          )
        )
      ),
    beginTransaction: (given = {}) =>
      Effect.contextWith((current: Context.Context<never>) =>
        promised(() =>
          on(given, (connection) =>
            new DatabaseHandle(connection, environmentOf(current)).beginTransaction(given)
          )
        )
      ),
    stream: (input) =>
      Effect.contextWith((current: Context.Context<never>) =>
        promised(() =>
          on(input, async (connection) =>
            new DatabaseHandle(connection, environmentOf(current)).stream(input)
          )
        )
      )
  }
  return { service, pools }
}

/**
 * Relational databases: definitions in the workspace, connections, and every call on rows.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const databases = yield* Databases
 *   yield* databases.connect({ database: "users-db" })
 *   return yield* databases.find({ table: "users", where: { status: "active" } })
 * })
 */
export class Databases extends Context.Service<Databases, DatabasesShape>()("@ductape/databases/Databases") {
  static readonly layer = (options: DatabasesOptions = {}): Layer.Layer<Databases, never, Registry> =>
    Layer.effect(
      Databases,
      Effect.gen(function* () {
        const registry = yield* Registry
        const context = yield* Effect.context<never>()
        const { pools, service } = makeService(registry, options, context)
        yield* Effect.addFinalizer(() => Effect.promise(() => pools.shutDown()))
        return service
      })
    )
}
