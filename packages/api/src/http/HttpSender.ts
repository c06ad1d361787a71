import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Dispatcher } from "undici"
import { ActionError, type ActionErrorCode } from "../ActionError.ts"
import type { BuiltRequest } from "../request/RequestPlan.ts"
import type { ConnectionGate } from "./ConnectionGate.ts"
import { decompress, headerText, parseBody, type ResponseHeaders } from "./decodeBody.ts"
import type { EgressPolicy } from "./EgressPolicy.ts"
import {
  type ExchangeOptions,
  exchange,
  startExchange,
  WireFault,
  type WireRequest,
  type WireResponse
} from "./Exchange.ts"
import { classifyFault, type Fault, retriedStatuses, statusCode } from "./failure.ts"
import { isRedirect, maxRedirects, nextHop } from "./redirect.ts"
import { allowsRetry, type RetryConfig, retryAfter, retryDelay } from "./retryPolicy.ts"
import { decodedStream } from "./streamBody.ts"

export interface SendOptions {
  readonly app: string
  readonly action: string
  /** Milliseconds for one attempt. */
  readonly attemptTimeout: number
  readonly retries: number
  readonly retryConfig: RetryConfig | undefined
  readonly stream: boolean
  readonly gate: ConnectionGate | undefined
  /** Counted up here, so that an error from around the sending can say how often it was sent. */
  readonly progress: { attempts: number }
}

export interface Reply {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly data: unknown
}

export interface HttpSenderOptions {
  /** Bytes of a decoded body that is kept in memory. */
  readonly bodyLimit: number
  readonly egress: EgressPolicy | undefined
}

/** A failure of one attempt, not yet an error: most are retried or replayed first. */
interface Failed {
  readonly fault: Fault
  readonly retryable: boolean
  readonly response?: Reply
}

const isFailed = (outcome: Reply | Failed): outcome is Failed => "fault" in outcome

const standardHeaders = {
  accept: "application/json, text/plain, */*",
  "accept-encoding": "gzip, deflate, br",
  "user-agent": "ductape"
} as const

/** Loaded for the first retry: most programs never need it. */
const jitter = Effect.flatMap(
  Effect.promise(() => import("effect/Random")),
  (Random) => Random.next
)

const transient: ReadonlySet<ActionErrorCode> = new Set(["TIMEOUT", "CONNECTION_ERROR"])

/** Sends built requests: redirects, reading, retries. One per `Api`, with its pool of connections. */
export class HttpSender {
  readonly #options: HttpSenderOptions
  #dispatcher: Dispatcher | undefined
  #opening: Promise<Dispatcher> | undefined

  constructor(options: HttpSenderOptions) {
    this.#options = options
  }

  /** Sends until it succeeds or may not be tried again; `finish` makes the result of the answer. */
  send<A>(
    request: BuiltRequest,
    options: SendOptions,
    finish: (reply: Reply) => A
  ): Effect.Effect<A, ActionError> {
    const wire: WireRequest = { ...request, headers: { ...standardHeaders, ...request.headers } }
    const { replayable } = request
    const dispatcher = this.#dispatcher
    if (dispatcher === undefined || options.gate !== undefined || this.#options.egress !== undefined) {
      return Effect.map(this.#try(wire, replayable, options, 0), finish)
    }
    // The same in one step, for a first attempt that nothing holds up and that most often succeeds.
    return Effect.callback((resume) => {
      options.progress.attempts += 1
      const abort = startExchange(dispatcher, wire, this.#exchangeOptions(wire, options), (result) => {
        if (result instanceof WireFault || isRedirect(result.status, wire.method)) {
          const outcome = this.#settled(result, wire, options, 0, undefined)
          resume(
            Effect.map(
              Effect.flatMap(outcome, (known) => this.#conclude(known, wire, replayable, options, 0)),
              finish
            )
          )
          return
        }
        const outcome = this.#read(result, undefined)
        resume(
          isFailed(outcome)
            ? Effect.map(this.#conclude(outcome, wire, replayable, options, 0), finish)
            : Effect.succeed(finish(outcome))
        )
      })
      return Effect.sync(abort)
    })
  }

  /** Closes the connections; requests under way are cut off. */
  close(): Promise<void> {
    const dispatcher = this.#dispatcher
    this.#dispatcher = undefined
    return dispatcher === undefined ? Promise.resolve() : dispatcher.destroy()
  }

  #try(
    wire: WireRequest,
    replayable: boolean,
    options: SendOptions,
    retry: number
  ): Effect.Effect<Reply, ActionError> {
    return Effect.flatMap(this.#attempt(wire, options), (outcome) =>
      this.#conclude(outcome, wire, replayable, options, retry)
    )
  }

  /** Takes an attempt's outcome for the result, or tries again. */
  #conclude(
    outcome: Reply | Failed,
    wire: WireRequest,
    replayable: boolean,
    options: SendOptions,
    retry: number
  ): Effect.Effect<Reply, ActionError> {
    if (!isFailed(outcome)) return Effect.succeed(outcome)
    const again =
      retry < options.retries &&
      replayable &&
      outcome.retryable &&
      allowsRetry(options.retryConfig, outcome.fault.code)
    if (!again) return Effect.fail(toError(outcome, options))
    return Effect.flatMap(jitter, (random) =>
      Clock.clockWith((clock) => {
        const asked =
          outcome.response === undefined
            ? undefined
            : retryAfter(outcome.response.headers, clock.currentTimeMillisUnsafe())
        const delay = retryDelay(options.retryConfig, retry, asked, random)
        return Effect.andThen(Effect.sleep(delay), this.#try(wire, replayable, options, retry + 1))
      })
    )
  }

  #attempt(wire: WireRequest, options: SendOptions): Effect.Effect<Reply | Failed> {
    const gate = options.gate
    if (gate === undefined) return this.#exchange(wire, options, 0)
    let held = true
    const leave = () => {
      if (held) gate.leave()
      held = false
    }
    return Effect.andThen(
      gate.enter,
      this.#exchange(wire, options, 0, leave).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            const streaming = exit._tag === "Success" && !isFailed(exit.value) && options.stream
            if (!streaming) leave()
          })
        )
      )
    )
  }

  #exchange(
    wire: WireRequest,
    options: SendOptions,
    hops: number,
    whenRead?: () => void
  ): Effect.Effect<Reply | Failed> {
    return Effect.suspend(() => {
      try {
        this.#options.egress?.checkHost(new URL(wire.origin).hostname)
      } catch (cause) {
        return Effect.succeed(this.#fault(cause))
      }
      if (hops === 0) options.progress.attempts += 1
      return this.#withDispatcher((dispatcher) =>
        exchange(dispatcher, wire, this.#exchangeOptions(wire, options))
      ).pipe(
        Effect.matchEffect({
          onFailure: (fault) => this.#settled(fault, wire, options, hops, whenRead),
          onSuccess: (response) => this.#settled(response, wire, options, hops, whenRead)
        })
      )
    })
  }

  #exchangeOptions(wire: WireRequest, options: SendOptions): ExchangeOptions {
    return {
      timeout: options.attemptTimeout,
      limit: this.#options.bodyLimit,
      stream: options.stream,
      head: wire.method === "HEAD",
      broken: (cause) => toError(this.#fault(cause), options)
    }
  }

  /** Reads an answer, following it if it is a redirect. */
  #settled(
    result: WireResponse | WireFault,
    wire: WireRequest,
    options: SendOptions,
    hops: number,
    whenRead: (() => void) | undefined
  ): Effect.Effect<Reply | Failed> {
    if (result instanceof WireFault) return Effect.succeed(this.#fault(result.cause))
    if (!isRedirect(result.status, wire.method)) return Effect.succeed(this.#read(result, whenRead))
    const next =
      hops < maxRedirects
        ? nextHop(wire, headerText(result.headers, "location"))
        : `there were more than ${maxRedirects}`
    if (typeof next !== "string") return this.#exchange(next, options, hops + 1, whenRead)
    const message = `The API answered with a redirect that is not followed: ${next}.`
    return Effect.succeed({ ...this.#failedStatus(result), fault: { code: "REDIRECT_REFUSED", message } })
  }

  #withDispatcher<A>(
    use: (dispatcher: Dispatcher) => Effect.Effect<A, WireFault>
  ): Effect.Effect<A, WireFault> {
    if (this.#dispatcher !== undefined) return use(this.#dispatcher)
    return Effect.flatMap(
      Effect.tryPromise({
        try: () => this.#open(),
        catch: (cause) => new WireFault(cause)
      }),
      use
    )
  }

  #open(): Promise<Dispatcher> {
    this.#opening ??= import("undici").then(({ Agent }) => {
      const egress = this.#options.egress
      this.#dispatcher = new Agent({
        allowH2: false,
        // The attempt's own timer decides.
        headersTimeout: 0,
        bodyTimeout: 0,
        maxHeaderSize: 64 * 1024,
        ...(egress === undefined ? {} : { connect: { lookup: egress.lookup } })
      })
      this.#opening = undefined
      return this.#dispatcher
    })
    return this.#opening
  }

  #fault(cause: unknown): Failed {
    const fault = classifyFault(cause, this.#options.bodyLimit)
    return { fault, retryable: transient.has(fault.code) }
  }

  #read(response: WireResponse, whenRead: (() => void) | undefined): Reply | Failed {
    const { body, headers, status, stream } = response
    if (stream !== undefined) {
      return { status, headers, data: decodedStream(stream, headers, whenRead) }
    }
    if (status < 200 || status > 299) return this.#failedStatus(response)
    try {
      const decoded = decompress(body, headers, this.#options.bodyLimit)
      return { status, headers, data: parseBody(decoded, headers, false) }
    } catch (cause) {
      return this.#fault(cause)
    }
  }

  #failedStatus({ body, headers, status }: WireResponse): Failed {
    let data: unknown
    try {
      data = parseBody(decompress(body, headers, this.#options.bodyLimit), headers, true)
    } catch (cause) {
      return this.#fault(cause)
    }
    return {
      fault: { code: statusCode(status), message: `The API answered ${status}.` },
      retryable: retriedStatuses.has(status),
      response: { status, headers, data }
    }
  }
}

const toError = ({ fault, response, retryable }: Failed, options: SendOptions): ActionError => {
  const { attempts } = options.progress
  const tries = attempts > 1 ? ` It was sent ${attempts} times.` : ""
  return new ActionError({
    code: fault.code,
    message: `${options.app}.${options.action}: ${fault.message}${tries}`,
    retryable,
    app: options.app,
    action: options.action,
    attempts,
    ...(fault.cause === undefined ? {} : { cause: fault.cause }),
    ...(response === undefined ? {} : { upstream: response, status: response.status })
  })
}
