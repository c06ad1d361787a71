import {
  type DatabaseAdapter,
  type DatabaseDriver,
  DriverFault,
  type DriverOptions
} from "@ductape/databases"
import type { PostgresType } from "postgres"
import { PostgresPool } from "./PostgresPool.ts"
import { classify } from "./Slot.ts"
import { addressesOf } from "./serverAddress.ts"

/** Text goes out as it is and comes in through the decoders: the driver converts nothing by itself. */
const typesOf = (decoders: DriverOptions["decoders"]): Record<string, PostgresType> => {
  const types: Record<string, PostgresType> = {}
  for (const [oid, parse] of decoders) {
    types[`type${oid}`] = {
      to: oid,
      from: [oid],
      serialize: (value: unknown) =>
        typeof value === "string" ? value : (value as { forType: (oid: number) => string }).forType(oid),
      parse: parse as PostgresType["parse"]
    }
  }
  return types
}

const driver: DatabaseDriver = {
  name: "postgres",
  capabilities: new Set(["concurrent", "cancel", "restart"]),
  open: async (options) => {
    const addresses = addressesOf(options.url)
    if (options.max !== undefined && !(Number.isSafeInteger(options.max) && options.max > 0)) {
      throw new DriverFault("connect", { message: "`max` must be a whole number, at least 1" })
    }
    const { default: postgres } = await import("postgres")
    const pool = new PostgresPool(
      {
        postgres,
        url: options.url,
        addresses,
        connectTimeout: options.connectTimeout ?? 10_000,
        types: typesOf(options.decoders)
      },
      options
    )
    for (const extension of options.extensions ?? []) {
      if (!/^[a-z_][a-z0-9_-]*$/.test(extension)) {
        throw new DriverFault("connect", { message: "`extensions` must be names such as 'vector'" })
      }
      try {
        await pool.query(`CREATE EXTENSION IF NOT EXISTS "${extension}"`, [])
      } catch (cause) {
        await pool.close(0)
        throw cause
      }
    }
    return pool
  },
  classify
}

/**
 * PostgreSQL servers: `new Ductape({ adapters: [postgres()] })`, or
 * `connectDatabase({ adapter: postgres(), url: "postgresql://…" })`.
 */
export const postgres = (): DatabaseAdapter => ({
  capability: "databases",
  type: "postgresql",
  schemes: ["postgresql", "postgres"],
  make: driver
})
