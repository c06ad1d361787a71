import { existsSync, mkdirSync, openAsBlob, realpathSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { PGlite } from "@electric-sql/pglite"
import { EmbeddedError } from "./EmbeddedError.ts"
import { FolderLock } from "./FolderLock.ts"

/** Extensions that this package brings. */
export type EmbeddedExtension = "vector"

export interface OpenEmbedded {
  /**
   * - `pglite:///var/data/shop`: that folder, made if it is not there
   * - `pglite://./data`: a folder relative to the working directory
   * - `pglite://memory`: a new database in memory
   * - `pglite://memory/name`: the one of that name in this process
   */
  readonly url: string
  /** Made available (`CREATE EXTENSION`) before it is returned. */
  readonly extensions?: ReadonlyArray<string> | undefined
}

/** A share in an open database. The last one to be closed closes it. */
export interface EmbeddedDatabase {
  readonly pglite: PGlite
  /** The folder, or `undefined` in memory. */
  readonly folder: string | undefined
  /** Idempotent. */
  readonly close: () => Promise<void>
}

interface Opened {
  readonly pglite: PGlite
  readonly lock: FolderLock | undefined
  readonly extensions: Set<string>
}

interface Entry {
  readonly opened: Promise<Opened>
  users: number
}

const open = new Map<string, Entry>()
/** Folders being closed: an open waits for them. */
const closing = new Map<string, Promise<void>>()

const invalidUrl = (): EmbeddedError =>
  new EmbeddedError({
    code: "VALIDATION_ERROR",
    message:
      "Not the URL of an embedded database. Write pglite://memory, pglite:///absolute/folder or pglite://./folder."
  })

type Place =
  | { readonly kind: "memory"; readonly key: string | undefined }
  | { readonly kind: "folder"; readonly key: string; readonly folder: string }

const placeOf = (url: string): Place => {
  const rest = /^pglite:\/\/(.*)$/.exec(url)?.[1]
  if (rest === undefined || rest === "") throw invalidUrl()
  const memory = /^memory(?:\/(.*))?$/.exec(rest)
  if (memory !== null) {
    return {
      kind: "memory",
      key: memory[1] === undefined || memory[1] === "" ? undefined : `memory ${memory[1]}`
    }
  }
  let folder: string
  try {
    folder = rest.startsWith("/") ? fileURLToPath(`file://${rest}`) : resolve(decodeURIComponent(rest))
  } catch {
    throw invalidUrl()
  }
  return { kind: "folder", key: folder, folder }
}

const load = async () => {
  const [{ PGlite: Engine }, { vector }] = await Promise.all([
    import("@electric-sql/pglite"),
    import("@electric-sql/pglite-pgvector")
  ])
  return { Engine, vector }
}

/**
 * A new database in memory is made by `initdb`, which takes most of its start. With the environment
 * variable `DUCTAPE_EMBEDDED_TEMPLATE`, it is a copy of that file (`dumpDataDir("none")` of an empty
 * database of the same version) instead: for test suites that open many.
 */
const templateOf = async (folder: string | undefined): Promise<{ readonly loadDataDir?: Blob }> => {
  const path = process.env["DUCTAPE_EMBEDDED_TEMPLATE"]
  if (folder !== undefined || path === undefined || path === "") return {}
  return { loadDataDir: await openAsBlob(path) }
}

const hintFor = (folder: string | undefined): string => {
  if (folder === undefined) {
    return process.env["DUCTAPE_EMBEDDED_TEMPLATE"] === undefined
      ? "Is there enough memory?"
      : "Is the file of DUCTAPE_EMBEDDED_TEMPLATE the dump of an empty database of this version?"
  }
  return existsSync(`${folder}/PG_VERSION`)
    ? "Was the folder written by another version of PostgreSQL?"
    : "Is the folder empty and writable?"
}

const start = async (folder: string | undefined): Promise<Opened> => {
  const { Engine, vector } = await load()
  const lock = folder === undefined ? undefined : FolderLock.take(folder)
  try {
    if (folder !== undefined) mkdirSync(folder, { recursive: true })
    // Known from the start, since an engine that runs cannot be given one; it costs nothing until created.
    const pglite = await Engine.create({
      dataDir: folder ?? "memory://",
      extensions: { vector },
      ...(await templateOf(folder))
    })
    return { pglite: pglite as unknown as PGlite, lock, extensions: new Set() }
  } catch (cause) {
    lock?.release()
    throw new EmbeddedError({
      code: "OPEN_FAILED",
      message: `The embedded database${folder === undefined ? "" : ` in ${folder}`} could not be opened. ${hintFor(folder)}`,
      cause
    })
  }
}

const addExtensions = async (opened: Opened, extensions: ReadonlyArray<string>): Promise<void> => {
  for (const name of extensions) {
    if (opened.extensions.has(name)) continue
    if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
      throw new EmbeddedError({
        code: "VALIDATION_ERROR",
        message: "extensions: expected names such as 'vector'."
      })
    }
    try {
      await opened.pglite.query(`CREATE EXTENSION IF NOT EXISTS ${name}`)
    } catch (cause) {
      throw new EmbeddedError({
        code: "UNSUPPORTED_OPERATION",
        message: `The embedded database has no extension '${name}'. It has 'vector' and what PostgreSQL itself comes with.`,
        cause
      })
    }
    opened.extensions.add(name)
  }
}

/** Where the folder really is, so that two spellings of it are one database. */
const canonical = (folder: string): string => {
  try {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  } catch (cause) {
    throw new EmbeddedError({
      code: "OPEN_FAILED",
      message: `The folder of the embedded database could not be made (${(cause as NodeJS.ErrnoException).code}). Check that its parent is a folder and writable.`
    })
  }
}

/**
 * Opens the database of a URL, or takes a share in it if this process has it open already.
 *
 * @throws {EmbeddedError} `FOLDER_LOCKED` while another process has the folder open
 */
export const openEmbedded = async (options: OpenEmbedded): Promise<EmbeddedDatabase> => {
  const place = placeOf(options.url)
  const folder = place.kind === "folder" ? canonical(place.folder) : undefined
  const key = folder ?? place.key ?? Symbol("memory").toString() + Math.random()
  await closing.get(key)
  const entry: Entry = open.get(key) ?? { opened: start(folder), users: 0 }
  open.set(key, entry)
  entry.users++
  let shared = true
  const close = async (): Promise<void> => {
    if (!shared) return
    shared = false
    entry.users--
    if (entry.users > 0 || open.get(key) !== entry) return
    open.delete(key)
    const done = entry.opened.then(
      async ({ lock, pglite }) => {
        try {
          await pglite.close()
        } finally {
          lock?.release()
        }
      },
      () => undefined
    )
    closing.set(key, done)
    try {
      await done
    } finally {
      closing.delete(key)
    }
  }
  try {
    const opened = await entry.opened
    await addExtensions(opened, options.extensions ?? [])
    return { pglite: opened.pglite, folder, close }
  } catch (cause) {
    await close()
    throw cause
  }
}
