import { RegistryError } from "@ductape/registry"
import type { Sql } from "postgres"

const layout = 1
/** Any number, the same for all: only one process lays out the schema at a time. */
const advisoryLock = 7_233_041_559_021

const create = `
create schema if not exists ductape;
create table ductape.record (
  kind text collate "C" not null,
  key text collate "C" not null,
  grp text collate "C" not null,
  idx text collate "C" not null,
  value text not null,
  version bigint not null,
  expires_at bigint,
  primary key (kind, key)
);
create index record_group on ductape.record (kind, grp, key) where grp <> '';
create index record_index on ductape.record (kind, idx, key) where idx <> '';
create index record_expiry on ductape.record (kind, expires_at) where expires_at is not null;
create table ductape.counter (name text primary key, value bigint not null);
insert into ductape.counter values ('revision', 0);
create table ductape.lease (name text primary key, holder text not null, until timestamptz not null);
create table ductape.layout (version integer not null);
insert into ductape.layout values (${layout});
`

const found = async (sql: Pick<Sql, "unsafe">): Promise<boolean> => {
  // By a query, not by to_regclass: that one answers from a cache, which within a transaction does not
  // notice what another one has made meanwhile.
  const made = await sql.unsafe(
    "select 1 from pg_catalog.pg_tables where schemaname = 'ductape' and tablename = 'layout'"
  )
  if (made.length === 0) return false
  const [row] = await sql.unsafe("select version from ductape.layout")
  const version = Number(row?.["version"])
  if (version > layout) {
    throw new RegistryError({
      code: "STORE_FAILED",
      message: `The schema 'ductape' was written by a newer version (layout ${version}, this one knows ${layout}). Update @ductape/registry-postgres.`
    })
  }
  return version === layout
}

/** Lays out the schema `ductape`, if that was not done before. */
export const prepareSchema = async (sql: Sql): Promise<void> => {
  if (await found(sql)) return
  await sql.begin(async (tx) => {
    await tx.unsafe(`select pg_advisory_xact_lock(${advisoryLock})`)
    // Another process may have been faster.
    if (!(await found(tx))) await tx.unsafe(create)
  })
}
