import type { RegistryShape } from "@ductape/registry"
import * as Effect from "effect/Effect"
import type { RunFailure } from "../RunFailure.ts"

/** Milliseconds after which a lease of a process that died is free again. */
const lifetime = 10_000
const renewal = 3_000
const shortestPause = 20
const longestPause = 250

/**
 * Runs `use` while this process holds the lease `name`, waiting for it as long as need be.
 * `early` is asked before each wait: a value ends the waiting without the lease.
 */
export const withLease = <A>(
  registry: RegistryShape,
  name: string,
  holder: string,
  early: Effect.Effect<A | undefined, RunFailure>,
  use: Effect.Effect<A, RunFailure>
): Effect.Effect<A, RunFailure> => {
  const { acquireLease, releaseLease } = registry.store
  const renew: Effect.Effect<never, RunFailure> = Effect.suspend(() =>
    Effect.andThen(Effect.andThen(Effect.sleep(renewal), acquireLease(name, holder, lifetime)), renew)
  )
  const release = Effect.catch(releaseLease(name, holder), () => Effect.void)
  const held = Effect.ensuring(Effect.raceFirst(use, renew), release)
  const wait = (pause: number): Effect.Effect<A, RunFailure> =>
    Effect.flatMap(early, (value) => {
      if (value !== undefined) return Effect.succeed(value)
      return Effect.flatMap(acquireLease(name, holder, lifetime), (got) =>
        got
          ? held
          : Effect.andThen(
              Effect.sleep(pause),
              Effect.suspend(() => wait(Math.min(pause * 1.5, longestPause)))
            )
      )
    })
  return wait(shortestPause)
}
