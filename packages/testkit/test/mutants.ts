/** Bugs that the tests of the kit itself have to notice. */
export default [
  {
    name: "a half-open connection tells the client",
    file: "src/faultProxy.ts",
    find: "if (!this.#forgotten && !client.destroyed) client.destroySoon()",
    replace: "client.destroySoon()",
    tests: "test/faultProxy.test.ts"
  },
  {
    name: "an answer that was cut off still arrives",
    file: "src/faultProxy.ts",
    find: "to.end(chunk.subarray(0, room))",
    replace: "to.end(chunk)",
    tests: "test/faultProxy.test.ts"
  },
  {
    name: "a cut counts from the start of the connection",
    file: "src/faultProxy.ts",
    find: "    this.#passed = 0\n",
    replace: "",
    tests: "test/faultProxy.test.ts"
  },
  {
    name: "delayed chunks overtake each other",
    file: "src/faultProxy.ts",
    find: "      this.#waiting.shift()\n      this.#send(next.chunk)",
    replace: "      this.#send(this.#waiting.pop()?.chunk ?? next.chunk)",
    tests: "test/faultProxy.test.ts"
  },
  {
    name: "base64 is looked for at one alignment only",
    file: "src/canary.ts",
    find: "[0, 1, 2].map((offset)",
    replace: "[0].map((offset)",
    tests: "test/canary.test.ts"
  },
  {
    name: "a failed process leaves the others running",
    file: "src/runProcesses.ts",
    find: "    kill()\n    throw cause",
    replace: "    throw cause",
    tests: "test/runProcesses.test.ts"
  }
]
