import * as Effect from "effect/Effect"
import { ParentSpan, type Span } from "effect/Tracer"
import type { BuiltRequest } from "../request/RequestPlan.ts"
import type { CheckedCall, RunResponse } from "./RunCall.ts"

/** How far a run got, for its span and for errors from around it. Holds nothing of input or answer. */
export class Progress {
  /** How often the request was sent. */
  attempts = 0
  /** Whose session the run has. */
  session: { readonly sessionId: string; readonly identifier: string } | undefined
  readonly #span: Span | undefined

  constructor(span?: Span) {
    this.#span = span
  }

  started(request: BuiltRequest, template: string): void {
    const span = this.#span
    if (span === undefined) return
    span.attribute("http.request.method", request.method)
    span.attribute("server.address", request.origin)
    span.attribute("url.template", template)
  }

  ended(response: RunResponse): void {
    this.#span?.attribute("http.response.status_code", response.status)
    if (this.attempts > 1) this.#span?.attribute("http.request.resend_count", this.attempts - 1)
  }

  /** Writes the run's record, at debug level. */
  logged<E extends { readonly code: string }>(
    call: CheckedCall,
    effect: Effect.Effect<RunResponse, E>
  ): Effect.Effect<RunResponse, E> {
    const record = (outcome: Readonly<Record<string, unknown>>) =>
      Effect.logDebug(`${call.app}.${call.action}`, {
        ...call.context,
        attempts: this.attempts,
        ...outcome,
        ...(this.session === undefined
          ? {}
          : { session_id: this.session.sessionId, session_identifier: this.session.identifier })
      })
    return effect.pipe(
      Effect.tap(({ cached, duration, status }) => record({ status, duration, cached })),
      Effect.tapError(({ code }) => record({ code }))
    )
  }

  /** Spans that the effect opens are children of the run's. */
  within<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.#span === undefined ? effect : Effect.provideService(effect, ParentSpan, this.#span)
  }
}
