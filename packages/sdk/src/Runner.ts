import type { DuctapeError } from "@ductape/core"
import { RegistryError } from "@ductape/registry"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

const closed = (message: string) => new RegistryError({ code: "CLIENT_CLOSED", message })

/**
 * Runs Effects as Promises on one runtime, which is built at the first call, once for concurrent
 * callers. A build that failed is not kept: the next call tries again.
 */
export class Runner<R> {
  readonly #layer: Layer.Layer<R, DuctapeError>
  #runtime: ManagedRuntime.ManagedRuntime<R, DuctapeError> | undefined
  #closing: Promise<void> | undefined

  constructor(layer: Layer.Layer<R, DuctapeError>) {
    this.#layer = layer
  }

  /** The services, if they are built: for answers that need no waiting. */
  get context(): Context.Context<R> | undefined {
    return this.#closing === undefined ? this.#runtime?.cachedContext : undefined
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Rejects with the very error instance that the Effect failed with. */
  async run<A>(effect: Effect.Effect<A, DuctapeError, R>, signal?: AbortSignal): Promise<A> {
    if (this.#closing !== undefined) throw closed("This Ductape is closed; make a new one.")
    this.#runtime ??= ManagedRuntime.make(this.#layer)
    const runtime = this.#runtime
    const exit = await runtime.runPromiseExit(effect, signal === undefined ? undefined : { signal })
    if (Exit.isSuccess(exit)) return exit.value
    const interrupted = Cause.hasInterruptsOnly(exit.cause)
    // One caller's abort is no failure of the build, which others may be waiting for.
    if (!interrupted && runtime.cachedContext === undefined && this.#runtime === runtime) {
      this.#runtime = undefined
      await runtime.dispose()
    }
    if (!interrupted) throw Cause.squash(exit.cause)
    if (signal?.aborted) throw signal.reason
    throw closed("This Ductape was closed during the call.")
  }

  /**
   * One call of a service. Once the services are built the method is called at once, in the caller's
   * async context.
   */
  async use<S, A>(
    service: Context.Key<R, S>,
    call: (service: S) => Effect.Effect<A, DuctapeError, R>,
    signal?: AbortSignal
  ): Promise<A> {
    const context = this.context
    return this.run(
      context === undefined
        ? Effect.flatMap(service as unknown as Effect.Effect<S, never, R>, call)
        : call(Context.get(context, service)),
      signal
    )
  }

  /** Interrupts running calls, waits for them, then closes what is open. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#runtime === undefined ? Promise.resolve() : this.#runtime.dispose()
    return this.#closing
  }
}
