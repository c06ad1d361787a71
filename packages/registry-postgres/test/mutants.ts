const tests = ["test/PostgresStore.test.ts"]
const failures = ["test/failures.test.ts"]

/** Bugs in the PostgreSQL store that its tests have to notice. */
export default [
  {
    name: "keys are ordered as the database likes",
    file: "src/schema.ts",
    find: 'key text collate "C" not null',
    replace: 'key text collate "en-x-icu" not null',
    tests
  },
  {
    name: "definition writers do not wait for each other, and the revision stands still",
    file: "src/writeBatch.ts",
    find: "if (definitions) await sql`update ductape.counter set value = value + 1 where name = 'revision'`",
    replace: "",
    tests
  },
  {
    name: "expectations of a batch are not checked",
    file: "src/writeBatch.ts",
    find: "await check(sql, run)",
    replace: "",
    tests
  },
  {
    name: "one record changed twice in a batch",
    file: "src/writeBatch.ts",
    find: "if (seen.has(name(change))) {",
    replace: "if (seen.size > 1_000_000) {",
    tests
  },
  {
    name: "a record made by another one meanwhile counts as made",
    file: "src/writeBatch.ts",
    find: "if (late !== undefined) throw conflict(late, await versionOf(sql, late))",
    replace: "",
    tests
  },
  {
    name: "an update ignores the version",
    file: "src/PostgresStore.ts",
    find:
      "where kind = $" +
      "{kind} and key = $" +
      "{key} and version = $" +
      "{Number(change.expect)} returning 1`\n        : change.op",
    replace: "where kind = $" + "{kind} and key = $" + "{key} returning 1`\n        : change.op",
    tests
  },
  {
    name: "a lease is taken from its holder",
    file: "src/PostgresStore.ts",
    find: "where l.holder = excluded.holder or l.until <= clock_timestamp()",
    replace: "",
    tests
  },
  {
    name: "a lease never ends",
    file: "src/PostgresStore.ts",
    find: "where l.holder = excluded.holder or l.until <= clock_timestamp()",
    replace: "where l.holder = excluded.holder",
    tests
  },
  {
    name: "purging spares what expires now",
    file: "src/PostgresStore.ts",
    find: "expires_at <= $" + "{now}",
    replace: "expires_at < $" + "{now}",
    tests
  },
  {
    name: "a deadlock is not repeated",
    file: "src/PostgresStore.ts",
    find: "if (!isRolledBack(cause) || left === 0) throw cause",
    replace: "if (left >= 0) throw cause",
    tests: failures
  },
  {
    name: "a read on a lost connection is not asked again",
    file: "src/PostgresStore.ts",
    find: "if (!isLostConnection(cause) || this.#closed) throw cause",
    replace: "if (cause !== undefined) throw cause",
    tests: failures
  },
  {
    name: "a wrong password is worth a retry",
    file: "src/classify.ts",
    find: "Check them in the store's URL.`,\n      false",
    replace: "Check them in the store's URL.`,\n      true",
    tests: failures
  },
  {
    name: "connections that do not answer stay in the pool",
    file: "src/PostgresStore.ts",
    find: "this.#replace(connections)",
    replace: "",
    tests: failures
  },
  {
    name: "what the server says is passed on",
    file: "src/classify.ts",
    find: "cause: stripped(code),",
    replace: "cause,",
    tests: failures
  },
  {
    name: "several lay out the schema at once",
    file: "src/schema.ts",
    find: "await tx.unsafe(`select pg_advisory_xact_lock($" + "{advisoryLock})`)",
    replace: "",
    tests: failures
  }
]
