import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { underLoad } from "./measure.ts"
import type { Contender, Group, Measures, Packages, Suite, Tools } from "./suite.ts"

const size = 10_000
const written = 1_000_000
const value = { id: 7, name: "Item seven", price: 12.5, tags: ["a", "b"], stock: { here: 3, there: 40 } }
const text = JSON.stringify(value)

/** Keys in an order that is the same for everyone and no stride. */
const keys = Array.from({ length: size }, (_, at) => `item:${(at * 7919) % size}`)
const keyAt = (index: number): string => keys[index % size] ?? ""

/** Operations per second, one after the other, each awaited if it has to be. */
const inTurn = async (call: (key: string) => unknown, calls: number): Promise<Measures> => {
  const drive = async (count: number) => {
    const started = performance.now()
    for (let index = 0; index < count; index++) {
      const result = call(keyAt(index))
      if (result instanceof Promise) await result
    }
    return performance.now() - started
  }
  await drive(calls / 4)
  return { throughput: (calls / (await drive(calls))) * 1000 }
}

const heapAfter = async (set: (key: string) => unknown): Promise<Measures> => {
  const used = () => {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  for (let index = 0; index < written; index++) {
    const result = set(`entry:${index}`)
    if (result instanceof Promise) await result
  }
  return { heap: (used() - before) / 2 ** 20 }
}

interface MemoryCache {
  readonly get: (key: string) => unknown
  readonly set: (key: string) => unknown
  readonly readThrough: (key: string) => unknown
}

type Kind = "memory get" | "memory set" | "memory read-through hit" | "heap of 10,000"

const contender =
  (name: string, packages: Packages | undefined, make: (tools: Tools) => Promise<MemoryCache>) =>
  (kind: Kind): Contender => ({
    name,
    ...(packages === undefined ? {} : { packages }),
    run: async (tools) => {
      const cache = await make(tools)
      if (kind === "heap of 10,000") return heapAfter(cache.set)
      for (const key of keys) await cache.set(key)
      if (kind === "memory get") return inTurn(cache.get, 1_000_000)
      if (kind === "memory set") return inTurn(cache.set, 200_000)
      return inTurn(cache.readThrough, 1_000_000)
    }
  })

const load = async () => value

/** Caches of a workspace in a file, as an application has them. */
const openDuctape = async (redisUrl?: string) => {
  const { createWorkspace, default: Ductape } = await import("@ductape/sdk")
  const store = join(await mkdtemp(join(tmpdir(), "ductape-bench-")), "workspace.db")
  const { accessKey } = await createWorkspace({ name: "Benchmark", store })
  const options = { accessKey, store, product: "shop", env: "dev" }
  const ductape = new Ductape(redisUrl === undefined ? options : { ...options, redis_url: redisUrl })
  await ductape.product.create({ name: "Shop" })
  await ductape.caches.create({ tag: "items", name: "Items", max_entries: size })
  return ductape.caches
}

const ductape = contender("ductape", undefined, async () => {
  const caches = await openDuctape()
  return {
    get: (key) => caches.get({ cache: "items", key }),
    set: (key) => caches.set({ cache: "items", key, value }),
    readThrough: (key) => caches.get({ cache: "items", key, fallback: load })
  }
})

interface Lru {
  readonly LRUCache: new (options: {
    readonly max: number
  }) => {
    get(key: string): unknown
    set(key: string, value: unknown): unknown
  }
}

const lru = contender("lru-cache", { "lru-cache": "11.5.3" }, async (tools) => {
  const { LRUCache } = (await tools.load("lru-cache")) as Lru
  const cache = new LRUCache({ max: size })
  return {
    get: (key) => cache.get(key),
    set: (key) => cache.set(key, text),
    readThrough: (key) => JSON.parse(cache.get(key) as string)
  }
})

interface Bento {
  readonly BentoCache: new (
    options: object
  ) => {
    get(options: object): Promise<unknown>
    set(options: object): Promise<unknown>
    getOrSet(options: object): Promise<unknown>
  }
  readonly bentostore: () => { useL1Layer(driver: object): object }
}

const bento = contender("bentocache", { bentocache: "1.6.1" }, async (tools) => {
  const { BentoCache, bentostore } = (await tools.load("bentocache")) as Bento
  const { memoryDriver } = (await tools.load("bentocache/drivers/memory")) as {
    readonly memoryDriver: (options: object) => object
  }
  const stores = { items: bentostore().useL1Layer(memoryDriver({ maxItems: size })) }
  const cache = new BentoCache({ default: "items", stores })
  return {
    get: (key) => cache.get({ key }),
    set: (key) => cache.set({ key, value }),
    readThrough: (key) => cache.getOrSet({ key, factory: load })
  }
})

interface Keyed {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<unknown>
  wrap(key: string, load: () => Promise<unknown>): Promise<unknown>
}

const cacheManager = contender("cache-manager", { "cache-manager": "7.2.9" }, async (tools) => {
  const { createCache } = (await tools.load("cache-manager")) as { readonly createCache: () => Keyed }
  const cache = createCache()
  return {
    get: (key) => cache.get(key),
    set: (key) => cache.set(key, value),
    readThrough: (key) => cache.wrap(key, load)
  }
})

const keyv = contender("keyv", { keyv: "6.1.0" }, async (tools) => {
  const { Keyv } = (await tools.load("keyv")) as { readonly Keyv: new () => Keyed }
  const cache = new Keyv()
  return {
    get: (key) => cache.get(key),
    set: (key) => cache.set(key, value),
    readThrough: async (key) => {
      const found = await cache.get(key)
      return found === undefined ? cache.set(key, await load()) : found
    }
  }
})

const throughput = (goals: Readonly<Record<string, number>> = {}) =>
  [{ name: "throughput", unit: "ops/s", goals }] as const

const everyone = [lru, bento, cacheManager, keyv]

const memoryGroup = (kind: Kind, metrics: Group["metrics"], peers = everyone): Group => ({
  name: kind,
  ours: ductape(kind),
  peers: peers.map((peer) => peer(kind)),
  metrics
})

interface RawRedis {
  readonly createClient: (options: object) => {
    connect(): Promise<unknown>
    get(key: string): Promise<string | null>
    set(key: string, value: string): Promise<unknown>
  }
}

const concurrency = 32

const redis: Group = {
  name: "Redis get, 32 concurrent",
  setup: async () => {
    const { startRedis } = await import("@ductape/testkit")
    const server = await startRedis()
    return { context: { redis: server.url }, stop: server.stop }
  },
  ours: {
    name: "ductape",
    run: async ({ context }) => {
      const caches = await openDuctape(String(context["redis"]))
      for (const key of keys.slice(0, 1_000)) await caches.set({ cache: "items", key, value })
      const call = (index: number) => caches.get({ cache: "items", key: keys[index % 1_000] ?? "" })
      return underLoad(call, { concurrency, calls: 50_000 })
    }
  },
  peers: [
    {
      name: "@redis/client",
      packages: { "@redis/client": "6.3.1" },
      run: async (tools) => {
        const { createClient } = (await tools.load("@redis/client")) as RawRedis
        const client = createClient({ url: tools.context["redis"] })
        await client.connect()
        for (const key of keys.slice(0, 1_000)) await client.set(key, text)
        const call = (index: number) => client.get(keys[index % 1_000] ?? "")
        return underLoad(call, { concurrency, calls: 50_000 })
      }
    }
  ],
  metrics: [
    { name: "throughput", unit: "ops/s" },
    { name: "p50", unit: "ms" },
    { name: "p99", unit: "ms" }
  ]
}

const suite: Suite = {
  groups: [
    memoryGroup("memory get", throughput({ "lru-cache": 0.3, bentocache: 5 })),
    memoryGroup("memory set", throughput()),
    memoryGroup("memory read-through hit", throughput()),
    redis,
    memoryGroup("heap of 10,000", [{ name: "heap", unit: "MiB" }], [lru, bento])
  ]
}

export default suite
