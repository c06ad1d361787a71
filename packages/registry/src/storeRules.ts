import { RegistryError } from "./RegistryError.ts"
import type { Change, Query, StoredRecord } from "./RegistryStore.ts"

/** Code point order, which is what SQLite and PostgreSQL (`COLLATE "C"`) have; `<` compares UTF-16 units. */
export const compareCodePoints = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const astralX = x >= 0xd800 && x <= 0xdfff
    const astralY = y >= 0xd800 && y <= 0xdfff
    return astralX === astralY ? x - y : astralX ? 1 : -1
  }
  return a.length - b.length
}

const storable = (text: unknown): boolean =>
  typeof text === "string" && !text.includes("\0") && text.isWellFormed()

const invalid = (path: string, message: string): RegistryError =>
  new RegistryError({
    code: "VALIDATION_ERROR",
    message: `${path} ${message}.`,
    details: [{ path, rule: "text", message }]
  })

/** What no store could keep unchanged: NUL, lone surrogates. Every store asks this before a write. */
export const refuseChanges = (changes: ReadonlyArray<Change>): RegistryError | undefined => {
  for (const [i, change] of changes.entries()) {
    for (const field of ["kind", "key", "group", "index", "value"] as const) {
      const text = (change as unknown as Record<string, unknown>)[field]
      if (text === undefined && (field === "group" || field === "index" || change.op !== "put")) continue
      if (!storable(text)) return invalid(`changes[${i}].${field}`, "must be well-formed text without NUL")
    }
    const expiresAt = change.op === "put" ? (change.expiresAt ?? null) : null
    if (expiresAt !== null && !Number.isSafeInteger(expiresAt)) {
      return invalid(`changes[${i}].expiresAt`, "must be whole Unix milliseconds")
    }
  }
  return undefined
}

/** A name that no record can have finds nothing, on every store. */
export const findsNothing = (
  query: Pick<Query, "kind"> & { readonly key?: string } & Partial<Query>
): boolean =>
  !storable(query.kind) ||
  [query.key, query.group, query.index].some((text) => text !== undefined && !storable(text)) ||
  (query.limit !== undefined && !(query.limit >= 1))

/** Whether the record is as the change expects it. */
export const holds = (change: Change, found: number | undefined): boolean =>
  change.expect === undefined || (change.expect === "absent" ? found === undefined : found === change.expect)

export const conflict = (change: Change, found: number | undefined): RegistryError =>
  new RegistryError({
    code: "WRITE_CONFLICT",
    message: `Another writer was first at ${change.kind} '${change.key}'; nothing was written. Read it again and repeat.`,
    details: { kind: change.kind, key: change.key, expected: change.expect, found: found ?? null }
  })

/** The record that a put leaves behind. */
export const stored = (change: Change & { readonly op: "put" }, found: number | undefined): StoredRecord => ({
  kind: change.kind,
  key: change.key,
  group: change.group ?? "",
  index: change.index ?? "",
  value: change.value,
  version: (found ?? 0) + 1,
  expiresAt: change.expiresAt ?? null
})

export const closedStore = (name: string): RegistryError =>
  new RegistryError({
    code: "CLIENT_CLOSED",
    message: `The ${name} store was closed; open it again before using it.`
  })
