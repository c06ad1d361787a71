import { type Change, conflict, holds } from "@ductape/registry/store"
import type { Sql, TransactionSql } from "postgres"

/** One statement takes this many rows, or this many characters of values, at most. */
const maxRows = 2_000
const maxCharacters = 4_000_000

type Put = Change & { readonly op: "put" }

const name = (change: Pick<Change, "kind" | "key">): string => `${change.kind}\0${change.key}`

/** In one statement a row can be touched once, so a second change of a record starts a new run. */
const runs = (changes: ReadonlyArray<Change>): ReadonlyArray<ReadonlyArray<Change>> => {
  const result: Array<Array<Change>> = []
  let seen = new Set<string>()
  let run: Array<Change> = []
  for (const change of changes) {
    if (seen.has(name(change))) {
      result.push(run)
      run = []
      seen = new Set()
    }
    seen.add(name(change))
    run.push(change)
  }
  return [...result, run]
}

const chunks = <T extends Change>(changes: ReadonlyArray<T>): ReadonlyArray<ReadonlyArray<T>> => {
  const result: Array<Array<T>> = []
  let size = 0
  for (const change of changes) {
    const length = change.op === "put" ? change.value.length : 0
    const last = result.at(-1)
    if (last === undefined || last.length >= maxRows || size + length > maxCharacters) {
      result.push([change])
      size = length
    } else {
      last.push(change)
      size += length
    }
  }
  return result
}

const names = (changes: ReadonlyArray<Change>): string =>
  JSON.stringify(changes.map(({ key, kind }) => ({ kind, key })))

const rows = (puts: ReadonlyArray<Put>): string =>
  JSON.stringify(
    puts.map(({ expiresAt, group, index, key, kind, value }) => ({
      kind,
      key,
      grp: group ?? "",
      idx: index ?? "",
      value,
      expires_at: expiresAt ?? null
    }))
  )

/**
 * Locks the records that a version is expected of, always in the same order, and compares. Whether one is
 * absent shows when it is inserted.
 */
const check = async (sql: TransactionSql, changes: ReadonlyArray<Change>): Promise<void> => {
  const expecting = changes.filter((change) => typeof change.expect === "number")
  const versions = new Map<string, number>()
  for (const chunk of chunks(expecting)) {
    const found = await sql`
      select r.kind, r.key, r.version from ductape.record r
      join json_to_recordset(${names(chunk)}::text::json) as c (kind text, key text)
        on r.kind = c.kind collate "C" and r.key = c.key collate "C"
      order by r.kind, r.key for update of r`
    for (const row of found) {
      versions.set(name({ kind: String(row["kind"]), key: String(row["key"]) }), Number(row["version"]))
    }
  }
  for (const change of expecting) {
    const version = versions.get(name(change))
    if (!holds(change, version)) throw conflict(change, version)
  }
}

export const versionOf = async (
  sql: TransactionSql | Sql,
  { key, kind }: Pick<Change, "kind" | "key">
): Promise<number | undefined> => {
  const [row] = await sql`select version from ductape.record where kind = ${kind} and key = ${key}`
  return row === undefined ? undefined : Number(row["version"])
}

const insert = async (sql: TransactionSql, puts: ReadonlyArray<Put>): Promise<void> => {
  for (const chunk of chunks(puts)) {
    const made = await sql`
      insert into ductape.record (kind, key, grp, idx, value, version, expires_at)
      select kind, key, grp, idx, value, 1, expires_at
      from json_to_recordset(${rows(chunk)}::text::json)
        as c (kind text, key text, grp text, idx text, value text, expires_at bigint)
      order by kind collate "C", key collate "C"
      on conflict (kind, key) do nothing
      returning kind, key`
    if (made.length === chunk.length) continue
    const there = new Set(made.map((row) => name({ kind: String(row["kind"]), key: String(row["key"]) })))
    const late = chunk.find((put) => !there.has(name(put)))
    if (late !== undefined) throw conflict(late, await versionOf(sql, late))
  }
}

const upsert = async (sql: TransactionSql, puts: ReadonlyArray<Put>): Promise<void> => {
  // In the same order in every batch, over all its chunks, so that two batches do not block each other.
  const ordered = [...puts].sort((a, b) => (name(a) < name(b) ? -1 : 1))
  for (const chunk of chunks(ordered)) {
    await sql`
      insert into ductape.record as r (kind, key, grp, idx, value, version, expires_at)
      select kind, key, grp, idx, value, 1, expires_at
      from json_to_recordset(${rows(chunk)}::text::json)
        as c (kind text, key text, grp text, idx text, value text, expires_at bigint)
      order by kind collate "C", key collate "C"
      on conflict (kind, key) do update set grp = excluded.grp, idx = excluded.idx, value = excluded.value,
        version = r.version + 1, expires_at = excluded.expires_at`
  }
}

const remove = async (sql: TransactionSql, deletes: ReadonlyArray<Change>): Promise<void> => {
  for (const chunk of chunks(deletes)) {
    await sql`
      delete from ductape.record r
      using json_to_recordset(${names(chunk)}::text::json) as c (kind text, key text)
      where r.kind = c.kind collate "C" and r.key = c.key collate "C"`
  }
}

/** Applies the changes in their order, in few statements. Throws `WRITE_CONFLICT`. */
export const writeBatch = async (
  sql: TransactionSql,
  changes: ReadonlyArray<Change>,
  definitions: boolean
): Promise<void> => {
  // First of all: its row lock lets the writers of definitions pass one by one.
  if (definitions) await sql`update ductape.counter set value = value + 1 where name = 'revision'`
  for (const run of runs(changes)) {
    await check(sql, run)
    const puts = run.filter((change) => change.op === "put")
    await insert(
      sql,
      puts.filter((put) => put.expect === "absent")
    )
    await upsert(
      sql,
      puts.filter((put) => put.expect !== "absent")
    )
    await remove(
      sql,
      run.filter((change) => change.op === "delete")
    )
  }
}
