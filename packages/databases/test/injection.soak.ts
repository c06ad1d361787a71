import { loadModule } from "libpg-query"
import { runInjection } from "./injection.ts"

export default {
  name: "injection into databases",
  cases: 1_000_000,
  run: async ({
    cases,
    progress,
    seed
  }: {
    cases: number
    seed: number
    progress: (done: number) => void
  }) => {
    await loadModule()
    return runInjection(cases, seed, progress)
  }
}
