const conformance = "test/conformance.test.ts"
const store = "test/redisStore.test.ts"
const faults = "test/faults.test.ts"

export default [
  {
    name: "the head of an entry is not compared with now",
    file: "src/scripts.ts",
    find: "if revision and (expires == 'null' or tonumber(expires) > tonumber(now)) then",
    replace: "if revision then",
    tests: conformance
  },
  {
    name: "set does not look at the lease",
    file: "src/scripts.ts",
    find: "if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end",
    replace: "",
    tests: conformance
  },
  {
    name: "set forgets createdAt",
    file: "src/scripts.ts",
    find: "created = created or ARGV[4]",
    replace: "created = ARGV[4]",
    tests: conformance
  },
  {
    name: "swap does not compare",
    file: "src/scripts.ts",
    find: "if (revision or '') ~= ARGV[2] then return 0 end",
    replace: "",
    tests: conformance
  },
  {
    name: "a write leaves the lease",
    file: "src/scripts.ts",
    find: "redis.call('DEL', KEYS[2])\ntag(3",
    replace: "tag(3",
    tests: conformance
  },
  {
    name: "a write is not announced",
    file: "src/scripts.ts",
    find: "redis.call('PUBLISH', ARGV[10], ARGV[11])",
    replace: "",
    tests: conformance
  },
  {
    name: "a removal is not announced",
    file: "src/scripts.ts",
    find: "redis.call('PUBLISH', ARGV[2], ARGV[3])",
    replace: "",
    tests: conformance
  },
  {
    name: "clear by tag takes entries that lost the tag",
    file: "src/scripts.ts",
    find: "tagged = not ok",
    replace: "tagged = true",
    tests: conformance
  },
  {
    name: "clear by tag leaves leases",
    file: "src/scripts.ts",
    find: "  redis.call('DEL', KEYS[i + 1])\n",
    replace: "",
    tests: conformance
  },
  {
    name: "a set of tags expires with its first entry",
    file: "src/scripts.ts",
    find: "if px == '' or before == -1 then",
    replace: "if false then",
    tests: conformance
  },
  {
    name: "anyone can release a lease",
    file: "src/scripts.ts",
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nreturn redis.call('DEL', KEYS[1])",
    replace: "return redis.call('DEL', KEYS[1])",
    tests: conformance
  },
  {
    name: "anyone can renew a lease",
    file: "src/scripts.ts",
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nreturn redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    replace: "return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    tests: conformance
  },
  {
    name: "a lease never ends",
    file: "src/scripts.ts",
    find: "'NX', 'PX', ARGV[2])",
    replace: "'NX')",
    tests: conformance
  },
  {
    name: "entries never leave Redis",
    file: "src/RedisStore.ts",
    find: 'entry.keptUntil === null ? "" : String(Math.max(1, entry.keptUntil - now))',
    replace: '""',
    tests: store
  },
  {
    name: "only the first batch of a tag is cleared",
    file: "src/RedisStore.ts",
    find: "round * batchSize < card",
    replace: "round < 1",
    tests: conformance
  },
  {
    name: "clearing leaves leases",
    file: "src/RedisStore.ts",
    find: 'await commands.connection.command(["UNLINK", ...leases])',
    replace: "void leases",
    tests: conformance
  },
  {
    name: "clearing is not announced",
    file: "src/RedisStore.ts",
    find: 'await commands.connection.command(["PUBLISH", channel, "f"])',
    replace: "",
    tests: conformance
  },
  {
    name: "a script that the server forgot is not sent again",
    file: "src/RedisStore.ts",
    find: '!cause.message.startsWith("NOSCRIPT")',
    replace: "cause.message.length > 0",
    tests: conformance
  },
  {
    name: "a command waits for ever",
    file: "src/RedisConnection.ts",
    find: "command.reject(unanswered())\n      this.#drop(command.client)",
    replace: "void unanswered",
    tests: faults
  },
  {
    name: "a lost connection is not dialed again",
    file: "src/RedisConnection.ts",
    find: "if (!this.#closed) this.#dial().catch(() => undefined)",
    replace: "this.#failure = lost()",
    tests: faults
  },
  {
    name: "a refused dial is not repeated",
    file: "src/RedisConnection.ts",
    find: "this.#redial = setTimeout(() => this.#dial().catch(() => undefined), pause).unref()",
    replace: "void pause",
    tests: faults
  },
  {
    name: "the driver's own words are passed on",
    file: "src/RedisConnection.ts",
    find: "message: `Redis refused the command (${word})`",
    replace: "message: `Redis refused the command (${message})`",
    tests: store
  },
  {
    name: "a feed that was lost forgets nothing",
    file: "src/Feed.ts",
    find: "    watch.listener.flushed()\n    watch.client = client",
    replace: "    watch.client = client",
    tests: conformance
  },
  {
    name: "the connection stays open",
    file: "src/RedisStore.ts",
    find: "(opened) => Effect.sync(() => opened.close())",
    replace: "() => Effect.void",
    tests: store
  }
]
