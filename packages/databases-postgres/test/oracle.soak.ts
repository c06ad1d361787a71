import { connectDatabase } from "@ductape/databases"
import { runOracle } from "@ductape/databases/testing"
import { startPostgres } from "@ductape/testkit"
import { postgres } from "../src/index.ts"

export default {
  name: "databases oracle on PostgreSQL",
  cases: 1_000_000,
  run: async (options: { cases: number; seed: number; progress: (done: number) => void }) => {
    await using server = await startPostgres()
    await using db = await connectDatabase({ adapter: postgres(), url: server.url })
    const lanes = 8
    const done = new Array<number>(lanes).fill(0)
    await Promise.all(
      done.map((_, lane) =>
        runOracle(db, {
          seed: options.seed + lane,
          cases: Math.ceil(options.cases / lanes),
          progress: (count) => {
            done[lane] = count
            options.progress(done.reduce((sum, n) => sum + n, 0))
          }
        })
      )
    )
  }
}
