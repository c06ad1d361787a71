import { createHash } from "node:crypto"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import { checkOp, type Op } from "./Op.ts"
import { operationSql } from "./operationSql.ts"

/** A step forward of a database's structure, and the way back. As JSON, it is a migration file. */
export interface Migration {
  readonly tag: string
  readonly name: string
  readonly description?: string | undefined
  readonly up: ReadonlyArray<Op>
  /** Empty: what undoes `up`, as the database was before it ran. */
  readonly down: ReadonlyArray<Op>
  /** ISO 8601. */
  readonly createdAt: string
  /** `false`: no transaction around it; then steps are journaled one by one. */
  readonly transactional?: boolean | undefined
}

/** JSON with the keys of every object in order: one text for one meaning. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item
  ) ?? "null"

/** SHA-256 of the canonical `up` and `down`, in hexadecimal. */
export const checksumOf = (migration: Pick<Migration, "up" | "down">): string =>
  createHash("sha256")
    .update(canonicalJson({ up: migration.up, down: migration.down }))
    .digest("hex")

const tagRule = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$/

/** @throws `VALIDATION_ERROR` naming the place */
export const readMigration = (given: unknown, path = "migration"): Migration => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid(`${path}: expected an object with tag, name, up and down.`, path)
  }
  const { createdAt, description, down, name, tag, transactional, up } = given as Partial<Migration>
  if (typeof tag !== "string" || !tagRule.test(tag)) {
    throw invalid(`${path}.tag: expected letters, digits, '_', '.', ':' and '-', at most 200.`, `${path}.tag`)
  }
  const at = `migration '${tag}'`
  if (!Array.isArray(up) || up.length === 0) throw invalid(`${at}: up has no steps.`, `${path}.up`)
  if (down !== undefined && !Array.isArray(down)) {
    throw invalid(`${at}: down must be a list of steps.`, `${path}.down`)
  }
  if (transactional !== undefined && typeof transactional !== "boolean") {
    throw invalid(`${at}: transactional must be true or false.`, `${path}.transactional`)
  }
  const ups = up.map((op, i) => checkOp(op, `${at}: up[${i}]`))
  const downs = (down ?? []).map((op: unknown, i: number) => checkOp(op, `${at}: down[${i}]`))
  return {
    tag,
    name: typeof name === "string" && name !== "" ? name : tag,
    ...(description === undefined ? {} : { description }),
    up: ups,
    down: downs,
    createdAt: typeof createdAt === "string" ? createdAt : new Date().toISOString(),
    ...(transactional === undefined ? {} : { transactional })
  }
}

/** A list of migrations, each tag once. @throws `VALIDATION_ERROR` */
export const readMigrations = (list: unknown): ReadonlyArray<Migration> => {
  if (!Array.isArray(list)) throw invalid("migrations: expected a list.", "migrations")
  const seen = new Set<string>()
  return list.map((one: unknown, i) => {
    const migration = readMigration(one, `migrations[${i}]`)
    if (seen.has(migration.tag))
      throw invalid(`migrations: '${migration.tag}' is there twice.`, `migrations[${i}].tag`)
    seen.add(migration.tag)
    return migration
  })
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0")

/** For those who write migrations. */
export const MigrationHelpers = {
  /** `20251121_204917_add_users`, in UTC. */
  generateTag: (name: string, at: Date = new Date()): string => {
    const slug = name
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 120)
    const day = `${pad(at.getUTCFullYear(), 4)}${pad(at.getUTCMonth() + 1, 2)}${pad(at.getUTCDate(), 2)}`
    const time = `${pad(at.getUTCHours(), 2)}${pad(at.getUTCMinutes(), 2)}${pad(at.getUTCSeconds(), 2)}`
    return `${day}_${time}_${slug === "" ? "migration" : slug}`
  },
  /** Everything that can be told without a database; never throws. */
  validate: (migration: unknown): { readonly valid: boolean; readonly errors: ReadonlyArray<string> } => {
    let read: Migration
    try {
      read = readMigration(migration)
    } catch (cause) {
      return { valid: false, errors: [messageOf(cause)] }
    }
    const errors: Array<string> = []
    for (const side of ["up", "down"] as const) {
      for (const [i, op] of read[side].entries()) {
        try {
          operationSql(op, { database: "" }, `${side}[${i}]`)
        } catch (cause) {
          errors.push(messageOf(cause))
        }
      }
    }
    return { valid: errors.length === 0, errors }
  },
  checksum: checksumOf
}

const messageOf = (cause: unknown): string => {
  if (cause instanceof DatabaseError) return cause.message
  throw cause
}
