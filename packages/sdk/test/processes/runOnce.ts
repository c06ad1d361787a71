import { Ductape } from "@ductape/sdk"

// One run, and no close: the program has to end by itself.
const [, , options = "", cache] = process.argv
const ductape = new Ductape(JSON.parse(options))
console.log(await ductape.api.run({ app: "echo", action: "get", ...(cache === undefined ? {} : { cache }) }))
