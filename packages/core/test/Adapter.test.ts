import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { AdapterError, loadAdapter } from "../src/index.ts"

const load = (module: () => Promise<unknown>) =>
  loadAdapter({ package: "@ductape/databases-postgres", export: "postgres", load: module })

const failure = (module: () => Promise<unknown>): Promise<AdapterError> =>
  Effect.runPromise(Effect.flip(load(module)))

describe("loadAdapter", () => {
  it("calls the export of the package", async () => {
    const adapter = { capability: "databases", type: "postgresql", make: () => 1 }
    expect(await Effect.runPromise(load(async () => ({ postgres: () => adapter })))).toBe(adapter)
  })

  it("says how to install a package that is not there", async () => {
    // A real import of a real missing package, whatever code this runtime gives it.
    const missing = "@ductape/not-there"
    const error = await failure(() => import(/* @vite-ignore */ missing))
    expect(error).toBeInstanceOf(AdapterError)
    expect(error).toMatchObject({ code: "ADAPTER_MISSING", status: 501 })
    expect(error.message).toContain("npm install @ductape/databases-postgres")
  })

  it("keeps the cause of a package that fails while loading", async () => {
    const cause = new Error("native part missing")
    const error = await failure(() => Promise.reject(cause))
    expect(error).toMatchObject({ code: "ADAPTER_INVALID", status: 500 })
    expect(error.cause).toBe(cause)
  })

  it.each([{}, { postgres: 5 }])("refuses a package without the export: %o", async (module) => {
    const error = await failure(async () => module)
    expect(error.code).toBe("ADAPTER_INVALID")
    expect(error.message).toContain("'postgres'")
  })
})
