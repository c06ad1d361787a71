import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
    globalSetup: ["packages/testkit/src/globalSetup.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000
  }
})
