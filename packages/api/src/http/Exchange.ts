import { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import type { Dispatcher } from "undici"
import { BodyStream } from "../request/fileValue.ts"
import type { BuiltBody } from "../request/requestBody.ts"
import { BodyTooLarge, type ResponseHeaders } from "./decodeBody.ts"

/** One request on the wire. */
export interface WireRequest {
  readonly method: string
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: BuiltBody | undefined
}

/** An answer: all of its body, still compressed if it came so; or the stream of it. */
export interface WireResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: Buffer
  readonly stream: Readable | undefined
}

export class AttemptTimeout extends Error {
  readonly code = "DUCTAPE_TIMEOUT"
}

/** Why no answer came: an error of the network, of the sender's stream, or one of ours. */
export class WireFault {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

type Settle = (result: WireResponse | WireFault) => void

const empty = Buffer.alloc(0)

export interface ExchangeOptions {
  /** Milliseconds until the whole answer is there; for a stream, until its headers are, and between chunks. */
  readonly timeout: number
  /** In bytes, of the body as it comes over the wire. */
  readonly limit: number
  /** Answers of 2xx are handed over once their headers are there. */
  readonly stream: boolean
  readonly head: boolean
  /** What the reader of a stream sees when the exchange breaks off. */
  readonly broken: (cause: Error) => Error
}

/**
 * Receives one answer by hand instead of through a stream: chunks are counted and kept, nothing else.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions
  readonly #settle: Settle
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #aborted: Error | undefined
  #done = false
  #status = 0
  #headers: ResponseHeaders = {}
  #first: Buffer | undefined
  #chunks: Array<Buffer> | undefined
  #size = 0
  #stream: Readable | undefined

  constructor(options: ExchangeOptions, settle: Settle) {
    this.#options = options
    this.#settle = settle
    this.#timer = setTimeout(() => {
      this.abort(new AttemptTimeout("no complete answer in time"))
    }, options.timeout)
  }

  /** Ends the exchange for its caller now, and the request as soon as it is under way. */
  abort(reason: Error): void {
    if (this.#done) return
    this.#aborted = reason
    this.#finish(new WireFault(reason))
    this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted !== undefined) controller.abort(this.#aborted)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers as ResponseHeaders
    if (this.#options.stream && status < 300) {
      this.#stream = new Readable({
        read: () => controller.resume(),
        destroy: (error, done) => {
          controller.abort(error ?? new Error("the stream was closed by its reader"))
          done(error)
        }
      })
      this.#finish({ status, headers: this.#headers, body: empty, stream: this.#stream })
      return
    }
    // The answer to HEAD announces a body that does not follow.
    const announced = this.#options.head ? 0 : Number(headers["content-length"] ?? 0)
    if (announced > this.#options.limit) this.#refuse(controller)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) controller.pause()
      return
    }
    if (this.#done) return
    this.#size += chunk.byteLength
    if (this.#size > this.#options.limit) this.#refuse(controller)
    else if (this.#first === undefined) this.#first = chunk
    else if (this.#chunks === undefined) this.#chunks = [this.#first, chunk]
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#stream !== undefined) {
      this.#stream.push(null)
      return
    }
    const body = this.#chunks === undefined ? (this.#first ?? empty) : Buffer.concat(this.#chunks, this.#size)
    this.#finish({ status: this.#status, headers: this.#headers, body, stream: undefined })
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#stream !== undefined) {
      this.#stream.destroy(this.#options.broken(error))
      return
    }
    this.#finish(new WireFault(error))
  }

  #refuse(controller: Dispatcher.DispatchController): void {
    const reason = new BodyTooLarge()
    this.#finish(new WireFault(reason))
    controller.abort(reason)
  }

  #finish(result: WireResponse | WireFault): void {
    if (this.#done) return
    this.#done = true
    clearTimeout(this.#timer)
    this.#settle(result)
  }
}

const wireBody = (
  body: BuiltBody | undefined,
  headers: Readonly<Record<string, string>>
): { readonly body: string | Uint8Array | Readable | null; readonly headers: Record<string, string> } => {
  if (!(body instanceof BodyStream)) return { body: body ?? null, headers }
  return {
    body: Readable.from(body.open(), { objectMode: false }),
    headers: body.length === undefined ? headers : { ...headers, "content-length": String(body.length) }
  }
}

/** Sends once; `settle` is called once, later. Returns how to abort it. */
export const startExchange = (
  dispatcher: Dispatcher,
  request: WireRequest,
  options: ExchangeOptions,
  settle: Settle
): (() => void) => {
  const handler = new Exchange(options, settle)
  try {
    const { body, headers } = wireBody(request.body, request.headers)
    dispatcher.dispatch(
      {
        origin: request.origin,
        path: request.path,
        method: request.method,
        headers,
        body,
        bodyTimeout: options.stream ? options.timeout : 0
      },
      handler
    )
  } catch (cause) {
    handler.abort(cause instanceof Error ? cause : new Error("the request could not be written"))
  }
  return () => handler.abort(new Error("the call was interrupted"))
}

/** The same as an Effect: interruption aborts the request. */
export const exchange = (
  dispatcher: Dispatcher,
  request: WireRequest,
  options: ExchangeOptions
): Effect.Effect<WireResponse, WireFault> =>
  Effect.callback((resume) => {
    const abort = startExchange(dispatcher, request, options, (result) =>
      resume(result instanceof WireFault ? Effect.fail(result) : Effect.succeed(result))
    )
    return Effect.sync(abort)
  })
