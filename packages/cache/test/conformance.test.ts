import { memoryProvider } from "../src/index.ts"
import { modelSuite, suite } from "../src/testing/index.ts"

suite("memory (lru-cache)", { open: memoryProvider(), capabilities: ["enumerate"] })

modelSuite("memory (lru-cache)", { caches: {}, runs: 150 })
