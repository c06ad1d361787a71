const pool = "src/PostgresPool.ts"
const slot = "src/Slot.ts"
const server = "test/serverFaults.test.ts"
const suite = "test/conformance.test.ts"

export default [
  {
    name: "a call waits for a connection for ever",
    file: pool,
    find: 'reject(new DriverFault("busy"))',
    replace: "",
    tests: server
  },
  {
    name: "a connection is never given back after a transaction",
    file: pool,
    find: "    slot.exclusive = false\n",
    replace: "",
    tests: server
  },
  {
    name: "a rollback commits",
    file: pool,
    find: 'slot.run("ROLLBACK", [], false)',
    replace: 'slot.run("COMMIT", [], false)',
    tests: suite
  },
  {
    name: "a write that was lost is said not to have happened",
    file: slot,
    find: "sent: fault.sent || ((query as Sent).state ?? null) !== null",
    replace: "sent: fault.sent",
    tests: server
  },
  {
    name: "a closed connection is an unknown failure",
    file: slot,
    find: '  "CONNECTION_CLOSED",\n',
    replace: "",
    tests: server
  },
  {
    name: "the server is not asked to stop",
    file: slot,
    find: "cancelled = this.cancel(query)",
    replace: "cancelled = Promise.resolve()",
    tests: server
  }
]
