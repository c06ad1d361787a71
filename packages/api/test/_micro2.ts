import * as Effect from "effect/Effect"
import { compileAction } from "../src/index.ts"
import { checkCall } from "../src/run/RunCall.ts"
import { Preparation } from "../src/run/Preparation.ts"
import { CredentialBook } from "../src/credentials/CredentialBook.ts"
import { compose } from "../src/run/compose.ts"
import { RunReferences } from "../src/run/references.ts"
import { workspace } from "./support.ts"
const U = "http://127.0.0.1:3998"
const made = await workspace({ url: U, actions: [{ tag: "get-x", name: "x", method: "GET", resource: "/x" , query: {a:{type:"string"}}}], timeout: 30000 })
const book = new CredentialBook({product:"shop",env:"prd"})
book.config({ app: "crm", credentials: { "headers:Authorization": "Bearer abc" } })
const prep = new Preparation(made.registry)
const ctx = {product:"shop",env:"prd"}
const prepared = await Effect.runPromise(prep.prepare(ctx,"crm","get-x"))
const call = { app: "crm", action: "get-x", input: { a: "1" } }
const kept = made.registry.kept
const N = 200000
const time = (name, f) => { for (let i=0;i<20000;i++) f(); const t = process.cpuUsage(); for (let i=0;i<N;i++) f(); const c = process.cpuUsage(t); console.log(name.padEnd(30), ((c.user+c.system)/N).toFixed(2),"us") }
time("checkCall", () => checkCall(call, ctx))
time("kept.connection", () => kept.connection(ctx, "crm"))
time("kept.action", () => kept.action("crm", "get-x"))
time("prepare run", () => Effect.runSync(prep.prepare(ctx,"crm","get-x")))
time("runSync void", () => Effect.runSync(Effect.void))
time("runSync suspend", () => Effect.runSync(Effect.suspend(()=>Effect.void)))
time("runFork", () => Effect.runFork(Effect.void))
time("ambient", () => prepared.ambient(book))
time("place+merge+assemble", () => { const p = prepared.plan.place(call.input); p.merge(prepared.ambient(book)); return p })
time("refs", () => new RunReferences(prepared.connection, undefined))
time("plan.build", () => prepared.plan.build(call.input, {"headers:Authorization":"Bearer abc"}))
time("compose", () => Effect.runSync(compose({plan: prepared.plan, input: call.input, mode:"input", credentials:[prepared.ambient(book)], references: new RunReferences(prepared.connection, undefined), now: 0, registry: made.registry, fetchAnswer: () => Effect.succeed(1)})))
time("useSpan", () => Effect.runSync(Effect.useSpan("x",{attributes:{a:1,b:2,c:3}}, (s)=>Effect.void)))
time("gen5", () => Effect.runSync(Effect.gen(function*(){ yield* Effect.void; yield* Effect.void; yield* Effect.void; yield* Effect.void; yield* Effect.void;})))
time("parentspan", () => Effect.runSync(Effect.useSpan("x",{attributes:{a:1,b:2,c:3}}, (s)=>Effect.withParentSpan(Effect.void, s))))
time("parentspan nostack", () => Effect.runSync(Effect.useSpan("x",{attributes:{a:1,b:2,c:3}}, (s)=>Effect.withParentSpan(Effect.void, s, {captureStackTrace:false}))))
process.exit(0)
