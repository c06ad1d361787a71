import { randomUUID } from "node:crypto"
import { CallCache, SessionVerifier, TemplateError, type VerifiedSession } from "@ductape/core"
import type { RegistryShape, ResolvedConnection } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { MinimumLogLevel } from "effect/References"
import type * as Scope from "effect/Scope"
import { ActionError } from "../ActionError.ts"
import { CredentialAccess } from "../credentials/CredentialAccess.ts"
import type { CredentialBook } from "../credentials/CredentialBook.ts"
import { withoutAuth } from "../credentials/definitions.ts"
import type { OAuthEntry, OAuthManager } from "../credentials/OAuthManager.ts"
import type { HttpSender, Reply, SendOptions } from "../http/HttpSender.ts"
import { fromService, isRunFailure, type RunFailure } from "../RunFailure.ts"
import type { BuiltRequest } from "../request/RequestPlan.ts"
import { attempt } from "./attempt.ts"
import { type Composed, composeNow, type FetchAnswer } from "./compose.ts"
import { identityOf } from "./identity.ts"
import { Preparation, type Prepared } from "./Preparation.ts"
import { Progress } from "./Progress.ts"
import { pageRequest } from "./pageRequest.ts"
import type { CheckedCall, RunResponse } from "./RunCall.ts"
import { RunReferences } from "./references.ts"

export interface ActionRunnerOptions {
  readonly registry: RegistryShape
  readonly scope: Scope.Scope
  readonly book: CredentialBook
  readonly oauth: OAuthManager
  readonly sender: HttpSender
  /** Milliseconds for one attempt. */
  readonly timeout: number
}

/** How a run differs from one that a user asked for. */
export interface RunMode {
  /** The input is a stored definition that asks for credentials: it may not depend on any. */
  readonly asking?: boolean
  /** Apps whose tokens this very run is to refresh. */
  readonly exempt?: ReadonlySet<string> | undefined
  /** A next page that an answer named, to ask for instead; on the connection's own origin. */
  readonly next?: string | undefined
}

/** Runs actions. The order of steps of every run is in `#steps`. */
export class ActionRunner {
  readonly #options: ActionRunnerOptions
  readonly #preparation: Preparation
  readonly #answers: CredentialAccess

  constructor(options: ActionRunnerOptions) {
    this.#options = options
    this.#preparation = new Preparation(options.registry)
    this.#answers = new CredentialAccess(options.registry, options.scope, (connection, action, input) =>
      Effect.map(
        this.run(askingCall(connection, action, input), new Progress(), { asking: true }),
        ({ data }) => data
      )
    )
  }

  run(call: CheckedCall, progress: Progress, mode: RunMode): Effect.Effect<RunResponse, RunFailure> {
    const prepared = this.#preparation.kept(call.context, call.app, call.action)
    if (prepared !== undefined) return this.#runPrepared(prepared, call, progress, mode)
    return Effect.flatMap(this.#preparation.prepare(call.context, call.app, call.action), (made) =>
      this.#runPrepared(made, call, progress, mode)
    )
  }

  #runPrepared(
    prepared: Prepared,
    call: CheckedCall,
    progress: Progress,
    mode: RunMode
  ): Effect.Effect<RunResponse, RunFailure> {
    const plain = call.session === undefined && call.cache === undefined && mode.next === undefined
    if (!plain || this.#oauthOf(prepared, mode) !== undefined) {
      return progress.within(progress.logged(call, this.#steps(prepared, call, progress, mode)))
    }
    // The same steps for a call that has none of these: nothing to wait for but the answer.
    return Effect.withFiber((fiber) => {
      const level = fiber.getRef(MinimumLogLevel)
      if (level === "Debug" || level === "Trace" || level === "All") {
        return progress.within(progress.logged(call, this.#steps(prepared, call, progress, mode)))
      }
      const clock = fiber.getRef(Clock.Clock)
      const now = clock.currentTimeMillisUnsafe()
      const composed = this.#compose(prepared, call, mode, undefined, undefined, now)
      const send = ({ request }: Composed) =>
        this.#send(prepared, call, withKey(request, idempotencyKey(request, call)), progress, (reply) => ({
          ...reply,
          attempts: progress.attempts,
          duration: clock.currentTimeMillisUnsafe() - now,
          cached: false
        }))
      return Effect.isEffect(composed) ? progress.within(Effect.flatMap(composed, send)) : send(composed)
    })
  }

  readonly #steps = Effect.fnUntraced(function* (
    this: ActionRunner,
    prepared: Prepared,
    call: CheckedCall,
    progress: Progress,
    mode: RunMode
  ): Effect.fn.Return<RunResponse, RunFailure> {
    const clock = yield* Clock.Clock
    const now = clock.currentTimeMillisUnsafe()
    const session = call.session === undefined ? undefined : yield* verify(call)
    progress.session = session
    const cache = call.cache === undefined ? undefined : yield* cacheOf(call, call.cache)
    const entry = this.#oauthOf(prepared, mode)
    if (entry !== undefined) yield* this.#options.oauth.freshen(entry)
    const generation = entry?.generation ?? 0
    const write = () => this.#write(prepared, call, mode, session, entry, now)
    const composed = yield* write()
    const key = idempotencyKey(composed.request, call)
    const send = ({ request }: Composed) =>
      this.#send(prepared, call, withKey(request, key), progress, (reply) => reply)
    let load: Effect.Effect<Reply, RunFailure> = send(composed)
    if (entry !== undefined && composed.rotating.length > 0 && composed.request.replayable) {
      const again = Effect.flatMap(this.#options.oauth.renew(entry, generation), () =>
        Effect.flatMap(write(), send)
      )
      load = Effect.catch(load, (error) => (error.code === "UNAUTHORIZED" ? again : Effect.fail(error)))
    }
    const finish = (reply: Reply, cached: boolean): RunResponse => ({
      ...reply,
      attempts: progress.attempts,
      duration: clock.currentTimeMillisUnsafe() - now,
      cached
    })
    if (cache === undefined) return finish(yield* load, false)
    const { connection, plan } = prepared
    const where = { ...call.context, app: connection.accessTag }
    const identity = yield* attempt(() => identityOf(plan, composed, where, entry?.fingerprint ?? ""))
    let fresh: Reply | undefined
    const { cached, value } = yield* fromService(
      cache.through(
        {
          context: call.context,
          cache: call.cache ?? "",
          componentType: "action",
          componentTag: plan.action.tag,
          identity
        },
        Effect.map(load, (reply) => {
          fresh = reply
          return reply.data
        })
      )
    )
    const { headers, status } = fresh ?? { status: 200, headers: {} }
    return finish({ status, headers, data: bytesAsBuffer(value) }, cached)
  })

  #oauthOf({ connection, names }: Prepared, { exempt }: RunMode): OAuthEntry | undefined {
    const entry = this.#options.oauth.find(connection.context, names)
    return entry === undefined || exempt?.has(entry.key) === true ? undefined : entry
  }

  #write(
    prepared: Prepared,
    call: CheckedCall,
    mode: RunMode,
    session: VerifiedSession | undefined,
    entry: OAuthEntry | undefined,
    now: number
  ): Effect.Effect<Composed, RunFailure> {
    const { next } = mode
    const composed = Effect.suspend(() => {
      const made = this.#compose(prepared, call, mode, session, entry, now)
      return Effect.isEffect(made) ? made : Effect.succeed(made)
    })
    if (next === undefined) return composed
    return Effect.flatMap(composed, (made) => attempt(() => ({ ...made, request: pageRequest(made, next) })))
  }

  /** At once where it can be; what it cannot do is a failed Effect. */
  #compose(
    prepared: Prepared,
    call: CheckedCall,
    mode: RunMode,
    session: VerifiedSession | undefined,
    entry: OAuthEntry | undefined,
    now: number
  ): Composed | Effect.Effect<Composed, RunFailure> {
    const { book, registry } = this.#options
    const { connection, plan } = prepared
    const asking = mode.asking === true
    try {
      const all = prepared.ambient(book)
      const ambient = asking ? withoutAuth(all) : all
      return composeNow({
        plan,
        input: call.input,
        mode: asking ? "definition" : "input",
        credentials: entry === undefined ? [ambient] : [prepared.oauth(entry), ambient],
        references: new RunReferences(connection, session),
        now,
        registry,
        fetchAnswer: asking ? cycle : this.#fetchAnswer
      })
    } catch (cause) {
      return isRunFailure(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  }

  readonly #fetchAnswer: FetchAnswer = (connection, authTag) => this.#answers.fetch(connection, authTag)

  #send<A>(
    { connection, gate, plan }: Prepared,
    call: CheckedCall,
    request: BuiltRequest,
    progress: Progress,
    finish: (reply: Reply) => A
  ): Effect.Effect<A, RunFailure> {
    const { sender, timeout } = this.#options
    progress.started(request, plan.action.resource)
    const options: SendOptions = {
      app: connection.accessTag,
      action: plan.action.tag,
      // A deadline of the whole call is longer patience with a single attempt; retries share it.
      attemptTimeout: call.retries === 0 ? (call.timeout ?? timeout) : timeout,
      retries: call.retries,
      retryConfig: call.retryConfig,
      stream: call.returns === "stream",
      gate,
      progress
    }
    return sender.send(request, options, finish)
  }
}

/** A cache may give bytes back as a plain `Uint8Array`. */
const bytesAsBuffer = (value: unknown): unknown =>
  value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value

const cycle: FetchAnswer = (_connection, authTag) =>
  Effect.fail(
    new TemplateError({
      code: "REFERENCE_CYCLE",
      message: `$Auth{${authTag}} is needed by the very action that is asked for credentials.`,
      details: { offset: 0 }
    })
  )

const askingCall = (connection: ResolvedConnection, action: string, input: unknown): CheckedCall => ({
  context: connection.context,
  app: connection.accessTag,
  action,
  input,
  retries: 0,
  retryConfig: undefined,
  returns: "body",
  idempotencyKey: undefined,
  cache: undefined,
  session: undefined,
  timeout: undefined,
  signal: undefined
})

const unsupported = (option: string, provider: string) =>
  Effect.fail(
    new ActionError({
      code: "UNSUPPORTED_OPERATION",
      message: `api.run({ ${option} }): nothing provides it here. ${provider}`,
      details: { option }
    })
  )

const verify = (call: CheckedCall): Effect.Effect<VerifiedSession, RunFailure> =>
  Effect.flatMap(SessionVerifier, (verifier) =>
    verifier === undefined || call.session === undefined
      ? unsupported("session", "Provide the layer of @ductape/sessions.")
      : fromService(verifier.verify(call.session, call.context))
  )

const cacheOf = (call: CheckedCall, cache: string) =>
  Effect.flatMap(CallCache, (service) =>
    service === undefined
      ? unsupported("cache", "Provide the layer of @ductape/cache.")
      : fromService(Effect.as(service.check(call.context, cache), service))
  )

const header = "idempotency-key"

/** The same for all attempts, replays after a refresh included. */
const idempotencyKey = (request: BuiltRequest, call: CheckedCall): string | undefined => {
  if (call.idempotencyKey === false || request.headers[header] !== undefined) return undefined
  if (call.idempotencyKey !== undefined) return call.idempotencyKey
  const writes = request.method === "POST" || request.method === "PATCH"
  return writes && call.retries > 0 ? randomUUID() : undefined
}

const withKey = (request: BuiltRequest, key: string | undefined): BuiltRequest =>
  key === undefined ? request : { ...request, headers: { ...request.headers, [header]: key } }
