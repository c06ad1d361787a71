import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { PostgresStore } from "../../src/index.ts"

// One read in a scope that is never closed: the program has to end by itself.
const scope = Scope.makeUnsafe()
const store = await Effect.runPromise(Scope.provide(PostgresStore.make(process.argv[2] ?? ""), scope))
console.log(await Effect.runPromise(store.revision))
