import { modelSuite, suite } from "@ductape/cache/testing"
import { describeService } from "@ductape/testkit"
import { redis, redisProvider } from "../src/index.ts"

describeService("redis", "Redis", (url) => {
  const caches = { redisUrl: url, adapters: [redis()] }

  suite("redis (Redis)", {
    open: redisProvider(url),
    capabilities: ["enumerate", "lease", "shared", "watch"]
  })

  modelSuite("redis (Redis)", { caches, runs: 30 })

  modelSuite("redis, two clients, sealed (Redis)", {
    caches,
    clients: 2,
    config: { encrypt: true },
    runs: 15
  })

  modelSuite("redis behind memory (Redis)", { caches, config: { memory_tier: true }, runs: 30 })

  modelSuite("redis behind memory, two clients (Redis)", {
    caches,
    clients: 2,
    config: { memory_tier: true },
    runs: 20
  })
})
