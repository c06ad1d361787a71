import type { SessionInput, VerifiedSession } from "@ductape/core"
import type { Scope } from "./DatabaseConnection.ts"
import { DatabaseError, invalid } from "./DatabaseError.ts"
import { resolveSessionValues } from "./sessionValues.ts"
import type { Target } from "./types.ts"

/** One span of a tracer. */
export interface CallSpan {
  readonly end: (error?: unknown) => void
}

/** What the calls of a handle get from where it was opened; nothing, when it is used alone. */
export interface CallEnvironment {
  /** A drizzle schema: transactions get a drizzle database of it. */
  readonly schema?: Record<string, unknown> | undefined
  readonly span?: ((name: string, attributes: Readonly<Record<string, unknown>>) => CallSpan) | undefined
  readonly verifySession?:
    | ((session: SessionInput, context: { product: string; env: string }) => Promise<VerifiedSession>)
    | undefined
  /** Reads through the call cache, or loads. Values must survive JSON. */
  readonly cached?:
    | (<A>(cache: string, scope: Scope, identity: unknown, load: () => Promise<A>) => Promise<A>)
    | undefined
}

export interface CallKind {
  /** `find`, as in the span `Databases.find`. */
  readonly name: string
  readonly write: boolean
}

const plain = (input: Target, environment: CallEnvironment): boolean =>
  input.timeout === undefined &&
  input.signal === undefined &&
  input.session === undefined &&
  input.cache === undefined &&
  environment.span === undefined

/**
 * Runs one public call: deadline and signal, session, cache and span are the same for all of them.
 * A call that uses none goes straight to its work.
 */
export const runCall = <I extends Target, A>(
  kind: CallKind,
  bound: Scope,
  environment: CallEnvironment,
  input: I,
  work: (scope: Scope, input: I) => Promise<A>,
  codec?: { readonly pack: (value: A) => unknown; readonly unpack: (packed: unknown) => A }
): Promise<A> => {
  try {
    const scope = scopeOf(bound, input)
    if (plain(input, environment)) return work(scope, input)
    return extended(kind, scope, environment, input, work, codec)
  } catch (cause) {
    return Promise.reject(cause)
  }
}

/** The transaction of the call, which must be of the same database. */
const scopeOf = (bound: Scope, input: Target): Scope => {
  const given = input.transaction
  if (given !== undefined) {
    if (given.state.connection !== bound.connection) {
      throw invalid("transaction: it belongs to another database than the call.", "transaction")
    }
    return bound.transaction === given.state
      ? bound
      : { connection: bound.connection, transaction: given.state }
  }
  return bound
}

const extended = async <I extends Target, A>(
  kind: CallKind,
  bound: Scope,
  environment: CallEnvironment,
  original: I,
  work: (scope: Scope, input: I) => Promise<A>,
  codec: { readonly pack: (value: A) => unknown; readonly unpack: (packed: unknown) => A } | undefined
): Promise<A> => {
  const { cache, session, signal, timeout } = original
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0 && timeout <= 2_147_483_647)) {
    throw invalid("timeout: expected milliseconds, more than 0.", "timeout")
  }
  if (cache !== undefined && (kind.write || codec === undefined)) {
    throw invalid(
      `cache: ${kind.name} changes data or has no result to keep, so it cannot be cached.`,
      "cache"
    )
  }
  let scope: Scope = {
    ...bound,
    control: { deadline: timeout === undefined ? undefined : performance.now() + timeout, signal }
  }
  const { database, env, product } = bound.connection.identity
  const span = environment.span?.(`Databases.${kind.name}`, {
    "db.system.name": "postgresql",
    "db.operation.name": kind.name,
    "db.collection.name": (original as { table?: unknown }).table,
    "ductape.database": database,
    "ductape.product": product,
    "ductape.env": env
  })
  try {
    if (signal?.aborted === true) {
      throw new DatabaseError({
        code: "ABORTED",
        message: "The call was aborted by its signal before it began.",
        database
      })
    }
    let input = original
    if (session !== undefined) {
      if (environment.verifySession === undefined) {
        throw new DatabaseError({
          code: "UNSUPPORTED_OPERATION",
          message:
            "session: nothing here verifies sessions. Provide @ductape/sessions, or leave 'session' out."
        })
      }
      const verified = await environment.verifySession(session, { product: product ?? "", env: env ?? "" })
      input = resolveSessionValues(original, verified.data)
      scope = { ...scope, user: verified.identifier }
    }
    if (cache === undefined || codec === undefined) {
      const result = await work(scope, input)
      span?.end()
      return result
    }
    if (environment.cached === undefined) {
      throw new DatabaseError({
        code: "UNSUPPORTED_OPERATION",
        message: "cache: nothing here keeps results. Provide @ductape/cache, or leave 'cache' out."
      })
    }
    if (scope.transaction !== undefined) {
      throw invalid("cache: a read inside a transaction cannot come from a cache.", "cache")
    }
    const identity = {
      method: kind.name,
      input: identityOf(input),
      session: typeof session === "object" ? session.tag : undefined
    }
    const packed = await environment.cached(cache, scope, identity, async () =>
      codec.pack(await work(scope, input))
    )
    span?.end()
    return codec.unpack(packed)
  } catch (error) {
    span?.end(error)
    throw error
  }
}

const omitted = new Set([
  "signal",
  "timeout",
  "cache",
  "session",
  "transaction",
  "product",
  "product_tag",
  "env",
  "database"
])

/** The call as JSON, in one spelling of every value. */
const identityOf = (input: object): unknown =>
  Object.fromEntries(
    Object.entries(input)
      .filter(([key, value]) => !omitted.has(key) && value !== undefined)
      .map(([key, value]) => [key, jsonOf(value)])
  )

const jsonOf = (value: unknown): unknown => {
  if (typeof value === "bigint") return { $bigint: String(value) }
  if (value instanceof Date) return { $date: value.getTime() }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") }
  if (value instanceof RegExp) return { $regex: String(value) }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item)]))
  }
  return value
}
