import { randomBytes } from "node:crypto"

export interface FreshDatabase extends AsyncDisposable {
  readonly url: string
  /** Drops it, whoever is still connected. A server started by this kit forgets it at its end anyway. */
  readonly drop: () => Promise<void>
}

const onServer = async (url: string, statement: string) => {
  const { default: postgres } = await import("postgres")
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** A new, empty database on the PostgreSQL server of `url`. */
export const freshDatabase = async (url: string): Promise<FreshDatabase> => {
  const name = `test_${randomBytes(6).toString("hex")}`
  await onServer(url, `create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  const drop = () => onServer(url, `drop database if exists ${name} with (force)`)
  return { url: own.href, drop, [Symbol.asyncDispose]: drop }
}
