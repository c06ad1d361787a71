import { Ductape } from "@ductape/sdk"

// One run, and no close: the program has to end by itself.
const ductape = new Ductape(JSON.parse(process.argv[2] ?? ""))
console.log(await ductape.api.run({ app: "echo", action: "get" }))
