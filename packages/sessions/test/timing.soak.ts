import { createWorkspace, MemoryStore, openRegistry } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { RegistrySessionStore } from "../src/RegistrySessionStore.ts"
import { makeSessions } from "../src/Sessions.ts"
import { web } from "./openSessions.ts"

const median = (values: Array<number>): number =>
  values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** A random number generator that can be told where to begin (mulberry32). */
const random = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * Forged tokens that differ from the good one early or late, in signature or MAC, must take the same
 * time to refuse: the difference of the medians stays within the noise between two halves of one kind.
 */
export default {
  name: "timing of refusals",
  cases: 40_000,
  run: ({
    cases,
    seed,
    progress
  }: {
    readonly cases: number
    readonly seed: number
    readonly progress: (done: number) => void
  }): Promise<unknown> =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* MemoryStore.make()
          const { accessKey } = yield* createWorkspace(store, { name: "Timing" })
          const registry = yield* openRegistry(store, { accessKey })
          yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "prd" }] })
          const sessions = yield* makeSessions(registry, RegistrySessionStore.make(store), {
            product: "shop",
            env: "prd"
          })
          yield* sessions.create(web)
          const { refreshToken, token } = yield* sessions.start({ tag: "web", data: { userId: "u1" } })
          const [id = "", secret = ""] = refreshToken.split(":")
          const changed = (text: string, at: number) =>
            text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1)
          const signature = token.lastIndexOf(".") + 1
          const verify = (forged: string) => sessions.verify({ tag: "web", token: forged })
          const refresh = (forged: string) =>
            Effect.ignore(sessions.refresh({ tag: "web", refreshToken: forged }))
          const kinds: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
            ["signature, first byte", verify(changed(token, signature))],
            ["signature, late byte", verify(changed(token, token.length - 4))],
            ["MAC, first byte", refresh(`${changed(id, 29)}:${secret}`)],
            ["MAC, late byte", refresh(`${changed(id, 47)}:${secret}`)],
            ["secret, first byte", refresh(`${id}:${changed(secret, 0)}`)],
            ["secret, late byte", refresh(`${id}:${changed(secret, 40)}`)]
          ]
          const times = new Map(kinds.map(([name]) => [name, [] as Array<number>]))
          const next = random(seed)
          for (let i = 0; i < cases; i++) {
            const [name, run] = kinds[Math.floor(next() * kinds.length)] ?? ["", Effect.void]
            const started = performance.now()
            yield* run
            times.get(name)?.push((performance.now() - started) * 1_000)
            if (i % 1_000 === 0) progress(i)
          }
          const micros = (name: string) => median([...(times.get(name) ?? [])])
          const noise = (name: string) => {
            const all = times.get(name) ?? []
            return Math.abs(
              median(all.filter((_, i) => i % 2 === 0)) - median(all.filter((_, i) => i % 2 === 1))
            )
          }
          const result: Record<string, number> = {}
          for (const part of ["signature", "MAC", "secret"]) {
            const [early, late] = [`${part}, first byte`, `${part}, late byte`]
            const apart = Math.abs(micros(early) - micros(late))
            const allowed = 3 * Math.max(noise(early), noise(late)) + 0.05 * micros(early)
            result[`${part}: µs`] = Number(micros(early).toFixed(1))
            result[`${part}: apart`] = Number(apart.toFixed(2))
            if (apart > allowed) {
              throw new Error(
                `seed ${seed}: refusing a wrong ${part} takes ${apart.toFixed(2)} µs more or less by where it is wrong; noise allows ${allowed.toFixed(2)}`
              )
            }
          }
          return result
        })
      )
    )
}
