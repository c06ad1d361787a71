import { freshDatabase, startPostgres } from "@ductape/testkit"
import { faultyCalls } from "./faultyCalls.ts"

export default {
  name: "faulty calls on PostgreSQL",
  cases: 10_000,
  run: async (options: { cases: number; seed: number; progress: (done: number) => void }) => {
    await using server = await startPostgres()
    await using own = await freshDatabase(server.url)
    return await faultyCalls({ ...options, url: own.url })
  }
}
