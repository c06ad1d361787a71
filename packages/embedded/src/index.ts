export type { PGlite, QueryOptions, Transaction } from "@electric-sql/pglite"
export * from "./EmbeddedDatabase.ts"
export * from "./EmbeddedError.ts"
