import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RegistryError } from "./RegistryError.ts"
import type { RegistryStoreShape } from "./RegistryStore.ts"

/** A look older than this is worth nothing: the next caller waits for a new one. */
const maxAge = 1_000
/** From this age on, the next caller starts a look and does not wait for it. */
const renewAt = 250

/** Knows the store's revision, at most one second late, without a run having to wait for it. */
export interface RevisionWatch {
  /** Without waiting; `undefined` if the last look is too old or failed. */
  readonly known: () => number | undefined
  readonly current: Effect.Effect<number, RegistryError>
  /** After a write of this process: whatever was known is old. */
  readonly forget: () => void
  readonly close: Effect.Effect<void>
}

const synchronous = (revision: () => number, store: RegistryStoreShape): RevisionWatch => ({
  known: () => {
    try {
      return revision()
    } catch {
      // `current` says what is wrong, or waits for a busy file.
      return undefined
    }
  },
  current: store.revision,
  forget: () => undefined,
  close: Effect.void
})

const asynchronous = (store: RegistryStoreShape): RevisionWatch => {
  let seen: { readonly revision: number; readonly at: number } | undefined
  let generation = 0
  let looking: { readonly fiber: Fiber.Fiber<number, RegistryError>; readonly generation: number } | undefined

  const look = (): Fiber.Fiber<number, RegistryError> => {
    if (looking !== undefined && looking.generation === generation) return looking.fiber
    const mine = generation
    const at = performance.now()
    const fiber = Effect.runFork(
      store.revision.pipe(
        Effect.tap((revision) =>
          Effect.sync(() => {
            if (mine === generation) seen = { revision, at }
          })
        )
      )
    )
    const started = { fiber, generation: mine }
    looking = started
    fiber.addObserver(() => {
      if (looking === started) looking = undefined
    })
    return fiber
  }

  const known = () => {
    if (seen === undefined) return undefined
    const age = performance.now() - seen.at
    if (age >= maxAge) return undefined
    if (age >= renewAt) look()
    return seen.revision
  }

  return {
    known,
    current: Effect.suspend(() => {
      const revision = known()
      return revision === undefined ? Fiber.join(look()) : Effect.succeed(revision)
    }),
    forget: () => {
      generation++
      seen = undefined
    },
    close: Effect.suspend(() => (looking === undefined ? Effect.void : Fiber.interrupt(looking.fiber)))
  }
}

export const watchRevision = (store: RegistryStoreShape): RevisionWatch =>
  store.sync === undefined ? asynchronous(store) : synchronous(store.sync.revision, store)
