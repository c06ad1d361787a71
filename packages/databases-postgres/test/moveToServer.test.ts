import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { connectDatabase, type DatabaseHandle } from "@ductape/databases"
import { pglite } from "@ductape/databases-pglite"
import { describeService, freshDatabase } from "@ductape/testkit"
import type { PGlite } from "@electric-sql/pglite"
import { pgDump } from "@electric-sql/pglite-tools/pg_dump"
import postgresClient from "postgres"
import { assert, beforeAll, describe, it } from "vitest"
import { postgres } from "../src/index.ts"

const tables = `
  CREATE TYPE mood AS ENUM ('calm', 'it''s "odd"');
  CREATE TABLE users (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    tags text[],
    profile jsonb,
    balance numeric(40, 10),
    big bigint,
    photo bytea,
    mood mood,
    seen timestamptz DEFAULT now(),
    CHECK (email <> '')
  );
  CREATE TABLE posts (
    id bigserial PRIMARY KEY,
    user_id int NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title text
  );
  CREATE INDEX posts_by_user ON posts (user_id);
`

const everything = async (db: DatabaseHandle) => ({
  users: (await db.find({ table: "users", orderBy: { column: "id" }, include: [{ relation: "posts" }] }))
    .records,
  posts: (await db.find({ table: "posts", orderBy: { column: "id" } })).records
})

const fill = async (db: DatabaseHandle) => {
  await db.native<PGlite>().exec(tables)
  await db.insert({
    table: "users",
    records: Array.from({ length: 300 }, (_, i) => ({
      email: `üser-${i}'"\\@x.org`,
      tags: i % 3 === 0 ? null : ["a,b", 'c"d', "", "NULL"],
      profile: { deep: [i, null, "\u{1f600}\n\\."] },
      balance: "123456789012345678901234567890.0123456789",
      big: "9223372036854775807",
      photo: Uint8Array.from([0, 255, i % 256]),
      mood: i % 2 === 0 ? "calm" : 'it\'s "odd"'
    }))
  })
  await db.insert({
    table: "posts",
    records: Array.from({ length: 900 }, (_, i) => ({ user_id: (i % 300) + 1, title: `post\t${i}` }))
  })
}

/** What is in a folder, and its dump. */
const dumped = async () => {
  const folder = await mkdtemp(join(tmpdir(), "ductape-folder-"))
  const url = `pglite://${folder}/data`
  {
    await using written = await connectDatabase({ adapter: pglite(), url })
    await fill(written)
  }
  await using embedded = await connectDatabase({ adapter: pglite(), url })
  const rows = await everything(embedded)
  const dump = await pgDump({ pg: embedded.native<PGlite>(), args: ["--no-owner"] })
  await embedded.close()
  await rm(folder, { recursive: true, force: true })
  return { rows, script: await dump.text() }
}

const psql = ["/usr/bin/psql", "/usr/local/bin/psql"].find((path) => existsSync(path))

type Restore = (script: string, target: string) => Promise<void>

const withClient: Restore = async (script, target) => {
  const sql = postgresClient(target, { max: 1, onnotice: () => undefined })
  await sql.unsafe(script).simple()
  await sql.end()
}

const withPsql =
  (program: string): Restore =>
  async (script, target) => {
    const folder = await mkdtemp(join(tmpdir(), "ductape-dump-"))
    const file = join(folder, "users.sql")
    await writeFile(file, script)
    const options = ["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    await promisify(execFile)(program, [...options, `--dbname=${target}`, `--file=${file}`])
    await rm(folder, { recursive: true })
  }

describe("from an embedded folder to a server", () => {
  let source: Awaited<ReturnType<typeof dumped>>
  beforeAll(async () => {
    source = await dumped()
  })

  const restores = (url: string, script: () => string): void => {
    it.for<readonly [string, Restore]>([
      ["any client that runs scripts", withClient],
      ...(psql === undefined ? [] : [["psql", withPsql(psql)] as const])
    ])("its dump restores there with %s, and the same calls go on", async ([, restore]) => {
      await using own = await freshDatabase(url)
      await restore(script(), own.url)
      await using server = await connectDatabase({ adapter: postgres(), url: own.url })
      assert.strictEqual(source.rows.users.length, 300)
      assert.deepEqual(await everything(server), source.rows)
      // Sequences went along, and so did constraints and indexes.
      const next = { table: "users", records: { email: "next@x.org" } }
      const { records } = await server.insert({ ...next, returning: true })
      assert.strictEqual(records?.[0]?.["id"], 301)
      const twice = await server.insert(next).catch((error: unknown) => error)
      assert.propertyVal(twice, "code", "UNIQUE_VIOLATION")
      const indexes = await server.schema.indexes("posts")
      assert.include(
        indexes.map(({ name }) => name),
        "posts_by_user"
      )
    })
  }

  describeService("postgres", "of PostgreSQL 18", (url) => restores(url, () => source.script))

  describeService("systemPostgres", "of an older PostgreSQL, without a setting that it may not know", (url) =>
    restores(url, () => source.script.replace("SET transaction_timeout = 0;\n", ""))
  )
})
