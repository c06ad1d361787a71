import { suite } from "@ductape/registry/testing"
import { describeService, freshDatabase } from "@ductape/testkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PostgresStore } from "../src/index.ts"

const conformance = (server: string) => (url: string) => {
  let made: ReturnType<typeof freshDatabase> | undefined
  const database = Effect.promise(() => {
    made ??= freshDatabase(url)
    return made
  })
  suite(
    `PostgresStore on ${server}`,
    Layer.unwrap(Effect.map(database, (own) => PostgresStore.layer(own.url))),
    {
      reopen: () => Effect.flatMap(database, (own) => PostgresStore.make(own.url))
    }
  )
}

describeService("postgres", "PostgresStore, PostgreSQL 18", conformance("PostgreSQL 18"))
describeService(
  "systemPostgres",
  "PostgresStore, the system's PostgreSQL",
  conformance("the system's PostgreSQL")
)
