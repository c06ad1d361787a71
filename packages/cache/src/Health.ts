import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CacheError } from "./CacheError.ts"

/** The provider did not answer, or not in time; whoever asked goes on without it. */
export const Lost: unique symbol = Symbol("@ductape/cache/Lost")

/** Between two lines of the log about one provider. */
const quiet = 30_000

/** Watches one provider: says once that it fails and once that it works again, not per call. */
export class Health {
  readonly #name: string
  #failing = false
  #said = Number.NEGATIVE_INFINITY

  constructor(name: string) {
    this.#name = name
  }

  get failing(): boolean {
    return this.#failing
  }

  /** The effect, its outcome noted. */
  readonly watch = <A>(effect: Effect.Effect<A, CacheError>): Effect.Effect<A, CacheError> =>
    effect.pipe(
      Effect.tap(() => (this.#failing ? this.#recovered : Effect.void)),
      Effect.tapError((error) => this.#failed(error))
    )

  /** The effect, or `Lost` if it fails or takes longer than `budget` milliseconds. */
  readonly tolerate = <A>(
    effect: Effect.Effect<A, CacheError>,
    budget: number
  ): Effect.Effect<A | typeof Lost> =>
    this.watch(effect).pipe(
      Effect.timeoutOrElse({
        duration: budget,
        orElse: () => Effect.as(this.#failed({ code: "TIMEOUT" }), Lost)
      }),
      Effect.catch(() => Effect.succeed(Lost))
    )

  readonly #recovered = Effect.suspend(() => {
    if (!this.#failing) return Effect.void
    this.#failing = false
    return Effect.logInfo(`The cache provider '${this.#name}' answers again.`)
  })

  #failed(error: { readonly code: string; readonly message?: string }): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const first = !this.#failing
      this.#failing = true
      if (!first || now - this.#said < quiet) return Effect.void
      this.#said = now
      return Effect.logWarning(
        `The cache provider '${this.#name}' fails (${error.code}${error.message === undefined ? "" : `: ${error.message}`}). Read-through calls go on without it; this is not logged again until it has recovered.`
      )
    })
  }
}
