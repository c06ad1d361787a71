import { connectDatabase } from "@ductape/databases"
import { suite } from "@ductape/databases/testing"
import { describeService, freshDatabase } from "@ductape/testkit"
import { postgres } from "../src/index.ts"

const capabilities = ["concurrent", "cancel", "restart"] as const

const open = (url: string) => async () =>
  connectDatabase({ adapter: postgres(), url: (await freshDatabase(url)).url })

describeService("postgres", "postgres", (url) => {
  suite({ adapter: "postgres", server: "PostgreSQL 18", capabilities, open: open(url) })
})

describeService("systemPostgres", "system postgres", (url) => {
  suite({ adapter: "postgres", server: "PostgreSQL of the system", capabilities, open: open(url) })
})
