import * as Effect from "effect/Effect"

/**
 * Waits a random time of up to `max` milliseconds. By a real timer, not the fiber's clock: what is
 * waited for is another process.
 */
export const realPause = (max: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Math.random() * max)
    return Effect.sync(() => clearTimeout(timer))
  })
