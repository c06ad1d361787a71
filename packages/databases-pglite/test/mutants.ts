const driver = "src/PgliteDriver.ts"
const suite = "test/conformance.test.ts"

export default [
  {
    name: "a rollback commits",
    file: driver,
    find: "finish(false)",
    replace: "finish(true)",
    tests: suite
  },
  {
    name: "values are written as the engine sees fit",
    file: driver,
    find: "    serializers[oid] = (value) => serialize(value, oid)\n",
    replace: "",
    tests: suite
  }
]
