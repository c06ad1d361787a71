import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createWorkspace, openRegistry, SqliteStore } from "@ductape/registry"
import { describeService, runProcesses } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Place } from "./processes/client.ts"
import { clientOf } from "./support.ts"

const script = (name: string) => new URL(`./processes/${name}.ts`, import.meta.url)

let folder: string
let place: Place

/** A workspace in a file, for several processes. */
const prepare = async () => {
  folder = await mkdtemp(join(tmpdir(), "ductape-cache-"))
  const file = join(folder, "workspace.db")
  const program = Effect.gen(function* () {
    const store = yield* SqliteStore.make(file)
    const { accessKey } = yield* createWorkspace(store, { name: "Shared" })
    const registry = yield* openRegistry(store, { accessKey })
    yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }] })
    const caches = yield* clientOf(registry, {})
    yield* caches.create({ tag: "fx" })
    yield* caches.create({ tag: "tier", memory_tier: true })
    return accessKey
  })
  const accessKey = await Effect.runPromise(Effect.scoped(program) as Effect.Effect<string>)
  place = { file, accessKey }
}

type Misses = ReadonlyArray<{ readonly loads: number; readonly values: ReadonlyArray<number> }>

const misses = async (more: { readonly redisUrl?: string }): Promise<Misses> => {
  const startAt = Date.now() + 8_000
  const results = await runProcesses(script("misses"), 10, { ...place, ...more, startAt, asks: 200 })
  return results as unknown as Misses
}

describe("ten processes, 200 concurrent misses of one key in each", () => {
  beforeEach(prepare)
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it("without a shared store: one load per process", { timeout: 90_000 }, async () => {
    const results = await misses({})
    expect(results.map(({ loads }) => loads)).toEqual(Array(10).fill(1))
    for (const [index, { values }] of results.entries()) expect(values).toEqual([index])
  })

  describeService("redis", "with Redis", (redisUrl) => {
    it("one load among all", { timeout: 90_000 }, async () => {
      const results = await misses({ redisUrl })
      expect(results.reduce((sum, { loads }) => sum + loads, 0)).toBe(1)
      const loader = results.findIndex(({ loads }) => loads === 1)
      for (const { values } of results) expect(values).toEqual([loader])
    })
  })
})

describeService("redis", "processes that share Redis", (redisUrl) => {
  beforeEach(prepare)
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it("another one loads when the one that loads is killed", { timeout: 60_000 }, async () => {
    const loading: Array<number> = []
    const running = runProcesses(
      script("holder"),
      2,
      { ...place, redisUrl },
      {
        onReport: (_, index) => {
          loading.push(index)
          if (index === 0) setTimeout(() => running.kill(0), 2_500)
        }
      }
    )
    expect(await running).toEqual([undefined, "loaded by the other"])
    expect(loading).toEqual([0, 1])
  })

  for (const cache of ["fx", "tier"]) {
    it(`no increment and no comparison is lost (${cache})`, { timeout: 90_000 }, async () => {
      await runProcesses(script("counting"), 4, { ...place, redisUrl, cache, times: 50 })
      const program = Effect.gen(function* () {
        const registry = yield* openRegistry(yield* SqliteStore.make(place.file), place)
        const caches = yield* clientOf(registry, { redisUrl })
        const values = yield* caches.values({ cache })
        expect(Object.fromEntries(values.map(({ key, value }) => [key, value]))).toEqual({
          counted: "200",
          compared: "200"
        })
      })
      await Effect.runPromise(Effect.scoped(program) as Effect.Effect<void>)
    })
  }
})
