import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { dirname } from "node:path"
import { EmbeddedError } from "./EmbeddedError.ts"

interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, as the kernel counts it: tells a process from a later one with its number. */
  readonly began: string | null
}

/** Clock ticks from boot to the start of the process (proc(5), field 22); null where there is no /proc. */
const beganAt = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}

const isAlive = (holder: Holder): boolean => {
  if (holder.host !== hostname()) return true
  try {
    process.kill(holder.pid, 0)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") return false
  }
  const began = beganAt(holder.pid)
  return holder.began === null || began === null || began === holder.began
}

const read = (path: string): Holder | undefined => {
  try {
    const holder = JSON.parse(readFileSync(path, "utf8")) as Holder
    return typeof holder.pid === "number" && typeof holder.host === "string" ? holder : undefined
  } catch {
    return undefined
  }
}

/**
 * A lock on a data folder: the file `<folder>.lock` beside it, naming the process that has the folder
 * open. A process that died without closing leaves it behind; the next one takes it over.
 */
export class FolderLock {
  readonly #path: string
  #held = true

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws {EmbeddedError} `FOLDER_LOCKED`, naming the process */
  static take(folder: string): FolderLock {
    const path = `${folder}.lock`
    mkdirSync(dirname(path), { recursive: true })
    const own: Holder = { pid: process.pid, host: hostname(), began: beganAt(process.pid) }
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        writeFileSync(path, JSON.stringify(own), { flag: "wx" })
        return new FolderLock(path)
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
          throw new EmbeddedError({
            code: "OPEN_FAILED",
            message: `The lock ${path} could not be written (${(cause as NodeJS.ErrnoException).code}). Check that the folder is writable.`,
            cause
          })
        }
      }
      const holder = read(path)
      if (holder !== undefined && isAlive(holder)) {
        throw new EmbeddedError({
          code: "FOLDER_LOCKED",
          message: `The embedded database in ${folder} is open in process ${holder.pid}${holder.host === hostname() ? "" : ` on ${holder.host}`}. One process at a time can have it open: close that one, or use a PostgreSQL server.`,
          details: { folder, pid: holder.pid, host: holder.host }
        })
      }
      // Whoever renames it removes it: of two that find it stale, one succeeds, and both try again.
      const stale = `${path}.${process.pid}.stale`
      try {
        renameSync(path, stale)
        rmSync(stale, { force: true })
      } catch {
        if (existsSync(path)) continue
      }
    }
    throw new EmbeddedError({
      code: "FOLDER_LOCKED",
      message: `The lock ${path} is being fought over by several processes. Try again.`,
      details: { folder }
    })
  }

  /** Idempotent. */
  release(): void {
    if (!this.#held) return
    this.#held = false
    rmSync(this.#path, { force: true })
  }
}
