const conformance = "test/conformance.test.ts"
const readThrough = "test/readThrough.test.ts"
const values = "test/values.test.ts"
const tiered = "test/tiered.test.ts"
const failing = "test/failingProvider.test.ts"
const calls = "test/calls.test.ts"
const sealing = "test/sealing.test.ts"
const configs = "test/configs.test.ts"

export default [
  {
    name: "an entry lives one millisecond too long",
    file: "src/CacheStore.ts",
    find: "entry.expiresAt === null || now < entry.expiresAt",
    replace: "entry.expiresAt === null || now <= entry.expiresAt",
    tests: conformance
  },
  {
    name: "memory: set forgets createdAt",
    file: "src/MemoryStore.ts",
    find: "old === undefined ? entry : entry.withCreatedAt(old.createdAt)",
    replace: "entry",
    tests: conformance
  },
  {
    name: "memory: createdAt of a dead entry is kept",
    file: "src/MemoryStore.ts",
    find: "return entry !== undefined && isLive(entry, now) ? entry : undefined",
    replace: "return entry",
    tests: conformance
  },
  {
    name: "memory: swap does not compare",
    file: "src/MemoryStore.ts",
    find: "if ((alive(key, now)?.revision ?? null) !== expected) return false",
    replace: "",
    tests: conformance
  },
  {
    name: "memory: remove says that something was there",
    file: "src/MemoryStore.ts",
    find: "return was\n",
    replace: "return true\n",
    tests: conformance
  },
  {
    name: "memory: clear by tag clears everything",
    file: "src/MemoryStore.ts",
    find: "if (tag !== undefined && !entry.tags.includes(tag)) continue",
    replace: "",
    tests: conformance
  },
  {
    name: "memory: clear counts the dead",
    file: "src/MemoryStore.ts",
    find: "if (isLive(entry, now)) cleared++",
    replace: "cleared++",
    tests: conformance
  },
  {
    name: "memory: reading does not count as use",
    file: "src/MemoryStore.ts",
    find: "sync: { get: (key) => held.get(key), set",
    replace: "sync: { get: (key) => held.peek(key), set",
    tests: values
  },
  {
    name: "scopes: parts are not encoded",
    file: "src/CacheStore.ts",
    find: '[scope.workspace, scope.product, scope.env, scope.cache].map(encodePart).join(":")',
    replace: '[scope.workspace, scope.product, scope.env, scope.cache].join(":")',
    tests: conformance
  },
  {
    name: "single flight: everyone loads",
    file: "src/Flights.ts",
    find: "if (running !== undefined) return this.#join<A, E>(id, running)",
    replace: "",
    tests: readThrough
  },
  {
    name: "single flight: the first to give up ends the load",
    file: "src/Flights.ts",
    find: "if (running.waiters > 0 || running.background",
    replace: "if (running.background",
    tests: readThrough
  },
  {
    name: "single flight: a load goes on without anyone",
    file: "src/Flights.ts",
    find: "return running.fiber === undefined ? Effect.void : Fiber.interrupt(running.fiber)",
    replace: "return running.fiber === undefined ? Effect.void : Effect.void",
    tests: readThrough
  },
  {
    name: "read-through: what was cleared meanwhile is stored",
    file: "src/ReadThrough.ts",
    find: "text === undefined || lost || flight.tainted ||",
    replace: "text === undefined || lost ||",
    tests: readThrough
  },
  {
    name: "read-through: refresh leaves older loads be",
    file: "src/ReadThrough.ts",
    find: "if (refresh) this.flights.taint(address)",
    replace: "",
    tests: readThrough
  },
  {
    name: "grace: a stale value is not refreshed",
    file: "src/ReadThrough.ts",
    find: "yield* this.#refreshBehind(request, address, now)",
    replace: "",
    tests: conformance
  },
  {
    name: "grace: stale values are served for ever",
    file: "src/ReadThrough.ts",
    find: "  now < entry.expiresAt + grace * 1000 &&\n",
    replace: "",
    tests: [conformance, readThrough]
  },
  {
    name: "grace: no rest after a failed refresh",
    file: "src/ReadThrough.ts",
    find: "if (now < rests) return Effect.void",
    replace: "",
    tests: readThrough
  },
  {
    name: "read-through: the lifetime begins before the load",
    file: "src/ReadThrough.ts",
    find: "...readLifetime(request.lifetime, binding.config, now),",
    replace: "...readLifetime(request.lifetime, binding.config, now - 5_000),",
    tests: readThrough
  },
  {
    name: "read-through: a string that reads as JSON changes its type",
    file: "src/payload.ts",
    find: "value.isWellFormed() && decodeText(value) === value ? value",
    replace: "value.isWellFormed() ? value",
    tests: readThrough
  },
  {
    name: "a failing provider fails the read-through",
    file: "src/Health.ts",
    find: "Effect.catch(() => Effect.succeed(Lost))",
    replace: "Effect.catch(() => Effect.never)",
    tests: failing
  },
  {
    name: "a failing provider is logged at every call",
    file: "src/Health.ts",
    find: "if (!first || now - this.#said < quiet) return Effect.void",
    replace: "",
    tests: failing
  },
  {
    name: "a slow provider takes the whole deadline",
    file: "src/ReadThrough.ts",
    find: "const budgetShare = 0.2",
    replace: "const budgetShare = 2",
    tests: failing
  },
  {
    name: "increment: others are not waited for",
    file: "src/writes.ts",
    find: "if (yield* desk.through.changing(address, false, asked)) return step.result",
    replace: "yield* desk.through.changing(address, false, asked)\n        return step.result",
    tests: failing
  },
  {
    name: "compareAndSet: compares text only",
    file: "src/writes.ts",
    find: "(held !== undefined && expected !== undefined && isDeepStrictEqual(decodeText(held), decodeText(expected)))",
    replace: "false",
    tests: values
  },
  {
    name: "increment: an existing entry gets a new lifetime",
    file: "src/writes.ts",
    find: "new Entry({ ...old, ...sealed, revision: nextRevision(), updatedAt: now })",
    replace: "new Entry({ ...old, ...sealed, ...fresh, revision: nextRevision(), updatedAt: now })",
    tests: [conformance, values]
  },
  {
    name: "tiers: an announcement is not heard",
    file: "src/TieredStore.ts",
    find: "if (revision === null || near.get(key)?.revision !== revision) near.drop(key)",
    replace: "",
    tests: tiered
  },
  {
    name: "tiers: what was read before a change is kept",
    file: "src/TieredStore.ts",
    find: "if (reading.last === undefined || reading.last === entry.revision) near.put(key, entry)",
    replace: "near.put(key, entry)",
    tests: tiered
  },
  {
    name: "tiers: memory is used while announcements are missed",
    file: "src/TieredStore.ts",
    find: "if (!feed.live()) return undefined",
    replace: "",
    tests: tiered
  },
  {
    name: "tiers: own writes do not taint reads under way",
    file: "src/TieredStore.ts",
    find: "for (const reading of readings.get(key) ?? []) reading.dirty = true",
    replace: "",
    tests: tiered
  },
  {
    name: "calls: the key leaves out what is called",
    file: "src/calls.ts",
    find: "[scheme, context.product, context.env, componentType, componentTag, identity]",
    replace: "[scheme, context.product, context.env, componentType, componentTag]",
    tests: calls
  },
  {
    name: "calls: members in another order are another call",
    file: "src/canonicalJson.ts",
    find: "Object.keys(value).sort()",
    replace: "Object.keys(value)",
    tests: calls
  },
  {
    name: "sealing: values are stored as they are",
    file: "src/ReadThrough.ts",
    find: "value: binding.sealer.seal(text, binding.address(key)),",
    replace: "value: text,",
    tests: sealing
  },
  {
    name: "a missing cache is a miss",
    file: "src/Bindings.ts",
    find: 'code: "CACHE_NOT_FOUND",',
    replace: 'code: "GET_VALUE_FAILED",',
    tests: [values, configs]
  },
  {
    name: "deleting a cache leaves its values",
    file: "src/configs.ts",
    find: "          yield* clearEverywhere(product, tag)\n          return yield* changing(configs.delete(product, tag))",
    replace: "          return yield* changing(configs.delete(product, tag))",
    tests: configs
  }
]
