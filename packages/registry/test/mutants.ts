const suites = ["test/stores.test.ts"]
const memory = "src/MemoryStore.ts"
const sqlite = "src/SqliteStore.ts"

/** Bugs that the tests have to notice: most in stores, for the conformance suite, some in what is above them. */
export default [
  {
    name: "memory: a failed batch leaves its first changes",
    file: memory,
    find: "for (const step of undo.reverse()) step()",
    replace: "undo.reverse()",
    tests: suites
  },
  {
    name: "memory: a list comes in UTF-16 order",
    file: memory,
    find: "sort((a, b) => compareCodePoints(a.key, b.key))",
    replace: "sort((a, b) => (a.key < b.key ? -1 : 1))",
    tests: suites
  },
  {
    name: "memory: `after` includes its own key",
    file: memory,
    find: "compareCodePoints(record.key, query.after) > 0",
    replace: "compareCodePoints(record.key, query.after) >= 0",
    tests: suites
  },
  {
    name: "memory: `limit` is ignored",
    file: memory,
    find: ".slice(0, query.limit)",
    replace: "",
    tests: suites
  },
  {
    name: "memory: an empty group narrows nothing",
    file: memory,
    find: "query.group === undefined ||",
    replace: "!query.group ||",
    tests: suites
  },
  {
    name: "memory: every write counts as a change of definitions",
    file: memory,
    find: "if (options.definitions) revision++",
    replace: "revision++",
    tests: suites
  },
  {
    name: "memory: a lease never ends",
    file: memory,
    find: "held.holder !== holder && held.until > now",
    replace: "held.holder !== holder",
    tests: suites
  },
  {
    name: "memory: a lease is taken from its holder",
    file: memory,
    find: "held !== undefined && held.holder !== holder && held.until > now",
    replace: "held !== undefined && held.until <= now",
    tests: suites
  },
  {
    name: "memory: anybody gives a lease up",
    file: memory,
    find: "if (leases.get(name)?.holder === holder) leases.delete(name)",
    replace: "leases.delete(name)",
    tests: suites
  },
  {
    name: "memory: purging drops what expires later",
    file: memory,
    find: "r.expiresAt !== null && r.expiresAt <= now",
    replace: "r.expiresAt !== null",
    tests: suites
  },
  {
    name: "memory: purging spares what expires now",
    file: memory,
    find: "r.expiresAt <= now",
    replace: "r.expiresAt < now",
    tests: suites
  },
  {
    name: "memory: purging goes unnoticed by synchronous readers",
    file: memory,
    find: "if (dead.length > 0) changes++",
    replace: "",
    tests: suites
  },
  {
    name: "sqlite: the version does not grow",
    file: sqlite,
    find: "version = record.version + 1",
    replace: "version = record.version",
    tests: suites
  },
  {
    name: "sqlite: a put keeps the old group",
    file: sqlite,
    find: "do update set grp = excluded.grp, idx",
    replace: "do update set idx",
    tests: suites
  },
  {
    name: "sqlite: a put keeps the old expiry",
    file: sqlite,
    find: "version = record.version + 1, expires_at = excluded.expires_at",
    replace: "version = record.version + 1",
    tests: suites
  },
  {
    name: "sqlite: no transaction around a batch",
    file: sqlite,
    find: 'if (statements.db.isTransaction) statements.db.exec("rollback")',
    replace: 'if (statements.db.isTransaction) statements.db.exec("commit")',
    tests: suites
  },
  {
    name: "sqlite: the index is not asked for",
    file: sqlite,
    find: 'add(query.index === "" ? "idx = ?" : "idx = ? and idx <> \'\'", query.index)',
    replace: "",
    tests: suites
  },
  {
    name: "sqlite: own writes go unnoticed by synchronous readers",
    file: sqlite,
    find: '["data_version"]) + this.#writes',
    replace: '["data_version"])',
    tests: suites
  },
  {
    name: "sqlite: a lease of another one is renewed",
    file: sqlite,
    find: "name = ? and holder <> ? and until > ?",
    replace: "name = ? and holder = ? and until < ?",
    tests: suites
  },
  {
    name: "sqlite: a busy file is given up at once",
    file: sqlite,
    find: "isBusy(cause) && performance.now() - started < patience",
    replace: "isBusy(cause) && performance.now() - started < -1",
    tests: "test/concurrency.test.ts"
  },
  {
    name: "sqlite: the file is readable by everybody",
    file: "src/sqliteFile.ts",
    find: "chmodSync(path, 0o600)",
    replace: "chmodSync(path, 0o644)",
    tests: "test/workspace.test.ts"
  },
  {
    name: "stores: an expectation of absence is ignored",
    file: "src/storeRules.ts",
    find: 'change.expect === "absent" ? found === undefined : found === change.expect',
    replace: 'change.expect === "absent" || found === change.expect',
    tests: suites
  },
  {
    name: "stores: text that not every store can keep is let in",
    file: "src/storeRules.ts",
    find: '!text.includes("\\0") && text.isWellFormed()',
    replace: "true",
    tests: suites
  },
  {
    name: "a sealed value opens in another place",
    file: "src/Keyring.ts",
    find: '  decipher.setAAD(Buffer.from(associated, "utf8"))',
    replace: "",
    tests: "test/workspace.test.ts"
  },
  {
    name: "all purposes share one key",
    file: "src/Keyring.ts",
    find: "derive(`ductape/mac/$" + "{purpose}`)",
    replace: 'derive("ductape/mac")',
    tests: "test/workspace.test.ts"
  },
  {
    name: "a workspace id given is not compared",
    file: "src/workspace.ts",
    find: "options.workspaceId !== undefined && options.workspaceId !== workspace.id",
    replace: "options.workspaceId === workspace.tag",
    tests: "test/workspace.test.ts"
  },
  {
    name: "secrets: expiry is not checked",
    file: "src/secrets.ts",
    find: "if (isExpired(row, now)) return secretExpired(key)",
    replace: "",
    tests: "test/secrets.test.ts"
  },
  {
    name: "secrets: the environment is checked before the scope",
    file: "src/secrets.ts",
    find: "if (scope.length > 0 && !users",
    replace:
      "if (scope.length > 0 && (envs.length === 0 || (use.env !== undefined && envs.includes(use.env))) && !users",
    tests: "test/secrets.test.ts"
  },
  {
    name: "secrets: a revoked one keeps its sealed value",
    file: "src/secrets.ts",
    find: "const { sealed: _, ...rest } = old",
    replace: "const { ...rest } = old",
    tests: "test/secrets.test.ts"
  },
  {
    name: "connections: credentials are stored as they are",
    file: "src/connections.ts",
    find: "envs: connection.envs.map(({ auth: _, variables: __, ...env }) => env),",
    replace: "envs: connection.envs,",
    tests: "test/atRest.test.ts"
  },
  {
    name: "what is kept outlives a change",
    file: "src/Definitions.ts",
    find: "    this.#tables = new Map()\n",
    replace: "",
    tests: "test/revision.test.ts"
  },
  {
    name: "a look from before a write counts as one after it",
    file: "src/RevisionWatch.ts",
    find: "if (mine === generation) seen = { revision, at }",
    replace: "seen = { revision, at }",
    tests: "test/revision.test.ts"
  },
  {
    name: "an update that lost is not repeated",
    file: "src/Definitions.ts",
    find: 'error.code === "WRITE_CONFLICT" && performance.now() - started < patience',
    replace: 'error.code === "WRITE_CONFLICT" && performance.now() - started < -1',
    tests: "test/concurrency.test.ts"
  }
]
