import { connectDatabase } from "@ductape/databases"
import { suite } from "@ductape/databases/testing"
import { pglite } from "../src/index.ts"

suite({
  adapter: "pglite",
  server: "PostgreSQL 18, embedded",
  capabilities: [],
  open: () => connectDatabase({ adapter: pglite(), url: "pglite://memory" })
})
