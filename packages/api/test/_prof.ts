import { Agent, request } from "undici"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Layer from "effect/Layer"
import { Registry } from "@ductape/registry"
import { Api } from "../src/index.ts"
import { workspace } from "./support.ts"
const U = "http://127.0.0.1:3998"
const made = await workspace({ url: U, actions: [{ tag: "get-x", name: "x", method: "GET", resource: "/x" , query: {a:{type:"string"}}}], timeout: 30000 })
made.api.config({ app: "crm", credentials: { "headers:Authorization": "Bearer abc" } })
const rt = ManagedRuntime.make(Layer.succeed(Api, made.api))
await rt.runPromise(Api)
const ua = new Agent({ connections: 50, pipelining: 1 })
const cases = {
  undici: async () => { const r = await request(U + "/x?a=1", { dispatcher: ua, headers: {authorization:"Bearer abc"} }); return r.body.json() },
  ours: async () => rt.runPromise(Effect.flatMap(Api, (_) => _.run({ app: "crm", action: "get-x", input: { a: "1" } })))
}
const CONC = 50
async function go(fn, n) { let i = 0; const w = async () => { while (i < n) { i++; await fn() } }; const c0 = process.cpuUsage(); const t = performance.now(); await Promise.all(Array.from({ length: CONC }, w)); const c = process.cpuUsage(c0); return (c.user+c.system)/n }
for (const f of Object.values(cases)) await go(f, 5000)
const all = {undici:[1],ours:[]}
for (let j = 0; j < 7; j++) for (const [k, f] of [["ours", cases.ours]]) all[k].push(await go(f, 8000))
const med = (a)=>a.sort((x,y)=>x-y)[a.length>>1]
console.log("cpu us/req undici", med(all.undici).toFixed(1), "ours", med(all.ours).toFixed(1), "ratio", (med(all.undici)/med(all.ours)).toFixed(3))
process.exit(0)
