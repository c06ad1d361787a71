import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { RegistryError } from "./RegistryError.ts"

const schemaVersion = 1
/** "DUCT": `file` and others tell by it what the file is. */
const applicationId = 0x44554354

const schema = `
create table record (
  kind text not null,
  key text not null,
  grp text not null,
  idx text not null,
  value text not null,
  version integer not null,
  expires_at integer
) strict;
create unique index record_key on record (kind, key);
create index record_group on record (kind, grp, key) where grp <> '';
create index record_index on record (kind, idx, key) where idx <> '';
create index record_expiry on record (kind, expires_at) where expires_at is not null;
create table counter (name text primary key, value integer not null) strict;
insert into counter values ('revision', 0);
create table lease (name text primary key, holder text not null, until integer not null) strict;
`

interface SqliteFailure {
  readonly errcode: number
  readonly errstr: string
}

const isSqliteFailure = (cause: unknown): cause is SqliteFailure =>
  typeof cause === "object" && cause !== null && "errcode" in cause && typeof cause.errcode === "number"

/** `SQLITE_BUSY` and `SQLITE_LOCKED`, whatever the extended code: another process is at it. */
export const isBusy = (cause: unknown): boolean =>
  isSqliteFailure(cause) && ((cause.errcode & 0xff) === 5 || (cause.errcode & 0xff) === 6)

/** The only place that knows SQLite's result codes (https://sqlite.org/rescode.html). */
export const classify = (path: string, cause: unknown): RegistryError => {
  if (cause instanceof RegistryError) return cause
  const code = isSqliteFailure(cause) ? cause.errcode & 0xff : undefined
  const because = isSqliteFailure(cause) ? `: ${cause.errstr}` : ""
  if (code === 5 || code === 6) {
    return new RegistryError({
      code: "STORE_BUSY",
      message: `Other processes kept the workspace file ${path} locked. Try again.`,
      cause
    })
  }
  if (code === 26) {
    return new RegistryError({
      code: "STORE_CORRUPT",
      message: `${path} is not a workspace file: it is no SQLite database. Name another file.`,
      cause
    })
  }
  if (code === 11) {
    return new RegistryError({
      code: "STORE_CORRUPT",
      message: `The workspace file ${path} is damaged. Restore it from a backup.`,
      cause
    })
  }
  const advice =
    code === 13
      ? " The disk is full: make room."
      : code === 8 || code === 14 || code === 23 || code === 3
        ? " Check that this user may read and write the file and its folder."
        : ""
  return new RegistryError({
    code: "STORE_FAILED",
    message: `The workspace file ${path} could not be used${because}.${advice}`,
    cause
  })
}

const prepareFolder = (path: string): void => {
  const folder = dirname(path)
  if (existsSync(folder)) return
  const parent = dirname(folder)
  if (!existsSync(parent)) {
    throw new RegistryError({
      code: "STORE_FAILED",
      message: `The folder ${parent} does not exist, so ${path} cannot be made in it. Make it, or name another file.`
    })
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

const prepareFile = (path: string): void => {
  try {
    prepareFolder(path)
    if (existsSync(path)) {
      if (statSync(path).isDirectory()) {
        throw new RegistryError({
          code: "STORE_FAILED",
          message: `${path} is a folder; name a file in it, such as ${path}/workspace.db.`
        })
      }
      return
    }
    // SQLite gives its -wal and -shm files the mode of the file itself.
    closeSync(openSync(path, "a", 0o600))
    chmodSync(path, 0o600)
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause
    throw new RegistryError({
      code: "STORE_FAILED",
      message: `The workspace file ${path} could not be made. Check that this user may write to its folder.`,
      cause
    })
  }
}

const migrate = (db: DatabaseSync, path: string): void => {
  const version = (): number => Number(db.prepare("pragma user_version").get()?.["user_version"])
  const known = (found: number): boolean => {
    if (found === schemaVersion) return true
    if (found > schemaVersion) {
      throw new RegistryError({
        code: "STORE_FAILED",
        message: `${path} was written by a newer version (layout ${found}, this one knows ${schemaVersion}). Update @ductape/registry.`
      })
    }
    return false
  }
  if (known(version())) return
  db.exec("begin immediate")
  try {
    // Another process may have been faster.
    if (!known(version())) {
      const others = Number(db.prepare("select count(*) as n from sqlite_schema").get()?.["n"])
      if (others > 0) {
        throw new RegistryError({
          code: "STORE_CORRUPT",
          message: `${path} is a database of something else, not a workspace. Name another file.`
        })
      }
      db.exec(schema)
      db.exec(`pragma application_id = ${applicationId}`)
      db.exec(`pragma user_version = ${schemaVersion}`)
    }
    db.exec("commit")
  } catch (cause) {
    db.exec("rollback")
    throw cause
  }
}

/**
 * Opens the file, made with mode 0600 (and its folder with 0700) if it is not there. Commits reach
 * the disk before they are acknowledged (`synchronous = full`).
 *
 * @throws {RegistryError} or a SQLite failure that {@link isBusy}
 */
export const openSqliteFile = (
  Database: typeof DatabaseSync,
  path: string,
  busyTimeout: number
): DatabaseSync => {
  prepareFile(path)
  let db: DatabaseSync | undefined
  try {
    db = new Database(path, { timeout: busyTimeout })
    db.exec("pragma journal_mode = wal")
    db.exec("pragma synchronous = full")
    db.exec("pragma foreign_keys = off")
    migrate(db, path)
    return db
  } catch (cause) {
    db?.close()
    throw isBusy(cause) ? cause : classify(path, cause)
  }
}
