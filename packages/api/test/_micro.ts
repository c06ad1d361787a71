import { Agent, request } from "undici"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Layer from "effect/Layer"
import { exchange } from "../src/http/Exchange.ts"
import { Api } from "../src/index.ts"
import { compileAction } from "../src/index.ts"
import { workspace } from "./support.ts"
const U = "http://127.0.0.1:3998"
const made = await workspace({ url: U, actions: [{ tag: "get-x", name: "x", method: "GET", resource: "/x" , query: {a:{type:"string"}}}], timeout: 30000 })
made.api.config({ app: "crm", credentials: { "headers:Authorization": "Bearer abc" } })
const rt = ManagedRuntime.make(Layer.succeed(Api, made.api))
await rt.runPromise(Api)
const ua = new Agent({ connections: 50, pipelining: 1 })
const ub = new Agent({ allowH2:false, headersTimeout:0, bodyTimeout:0 })
const wire = {method:"GET", origin: U, path:"/x?a=1", headers:{authorization:"Bearer abc"}, body: undefined}
const wire2 = {...wire, headers: {...wire.headers, accept: "application/json, text/plain, */*", "accept-encoding":"gzip, deflate, br", "user-agent":"ductape"}}
const opt = {timeout:30000, limit:1e7, stream:false, head:false}
const plan = compileAction({ tag: "get-x", name: "x", method: "GET", resource: "/x" , query: {a:{type:"string"}}}, {baseUrl:U})
const dispatchRaw = (w)=> new Promise((ok, no)=>{ let c; ub.dispatch({...w, body:null}, { onRequestStart(){}, onResponseStart(){}, onResponseData(_,x){c=x}, onResponseEnd(){ok(JSON.parse(c.toString()))}, onResponseError(_,e){no(e)} }) })
const cases = {
  undici: async () => { const r = await request(U + "/x?a=1", { dispatcher: ua, headers: {authorization:"Bearer abc"} }); return r.body.json() },
  dispatch: () => dispatchRaw(wire),
  dispatch3h: () => dispatchRaw(wire2),
  exchange: async () => { const r = await Effect.runPromise(exchange(ub, wire2, opt)); return JSON.parse(r.body.toString()) },
  build: async () => { plan.build({a:"1"}, {"headers:Authorization":"Bearer abc"}) ; return dispatchRaw(wire2) },
  service: () => Effect.runPromise(made.api.run({ app: "crm", action: "get-x", input: { a: "1" } })),
  ours: async () => rt.runPromise(Effect.flatMap(Api, (_) => _.run({ app: "crm", action: "get-x", input: { a: "1" } })))
}
const CONC = 50
async function go(fn, n) { let i = 0; const w = async () => { while (i < n) { i++; await fn() } }; const c0 = process.cpuUsage(); await Promise.all(Array.from({ length: CONC }, w)); const c = process.cpuUsage(c0); return (c.user+c.system)/n }
for (const f of Object.values(cases)) await go(f, 4000)
const all = {}
for (let j = 0; j < 5; j++) for (const [k, f] of Object.entries(cases)) (all[k]??=[]).push(await go(f, 8000))
const med = (a)=>a.sort((x,y)=>x-y)[a.length>>1]
for (const k in all) console.log(k.padEnd(12), med(all[k]).toFixed(1), "us cpu/req", all[k][0].toFixed(1))
process.exit(0)
