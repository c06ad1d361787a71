import { httpServer } from "@ductape/testkit"
import { describe, expect, it } from "vitest"
import type { FieldRules } from "../src/index.ts"
import { failure, json, last, run, workspace } from "./support.ts"

const opened = async () => {
  const server = await httpServer((_, response) => json(response, { fine: true }))
  const made = await workspace({ url: server.url })
  await run(
    made.api.create("crm", { tag: "create-user", name: "Create user", method: "POST", resource: "/users" })
  )
  const dispose = async () => {
    await made.close()
    await server.close()
  }
  return { server, ...made, [Symbol.asyncDispose]: dispose }
}

describe("actions", () => {
  it("are made, read, listed, changed and deleted", async () => {
    await using made = await opened()
    expect(await run(made.api.fetch("crm", "create_user"))).toMatchObject({ tag: "create-user", app: "crm" })
    expect((await run(made.api.fetchAll("crm"))).map(({ tag }) => tag)).toEqual(["create-user"])
    await run(
      made.api.update("crm", "create-user", { resource: "/people", description: "d", headers: { "X-A": {} } })
    )
    await run(made.api.run({ app: "crm", action: "create-user", input: { "x-a": 1 } }))
    expect(last(made.server)).toMatchObject({ url: "/people", headers: { "x-a": "1" } })
    const cleared = await run(made.api.update("crm", "create-user", { description: null }))
    expect(cleared).not.toHaveProperty("description")
    expect(await run(made.api.delete("crm", "create-user"))).toBe(true)
    expect((await failure(made.api.run({ app: "crm", action: "create-user" }))).code).toBe("ACTION_NOT_FOUND")
  })

  it.each([{ tag: "other" }, { name: null }, { method: null }, { colour: "red" }, { app: "x" }])(
    "refuse the change %j",
    async (patch) => {
      await using made = await opened()
      const error = await failure(made.api.update("crm", "create-user", patch as never))
      expect(error.code).toBe("VALIDATION_ERROR")
    }
  )

  it("take formats by short name, and methods in any case", async () => {
    await using made = await opened()
    await run(
      made.api.create("crm", {
        tag: "form",
        name: "F",
        method: "post" as "POST",
        resource: "f",
        request_type: "URLENCODED" as "SOAP"
      })
    )
    await run(made.api.run({ app: "crm", action: "form", input: { a: [1, 2] } }))
    expect(last(made.server)).toMatchObject({ url: "/f", method: "POST", body: "a=1&a=2" })
  })
})

describe("validation rules", () => {
  const set = async (made: Awaited<ReturnType<typeof opened>>, selector: string, rules: FieldRules) =>
    run(made.api.validation("crm", selector, rules))

  it("make fields, merge, clear with null, and hold for the next run", async () => {
    await using made = await opened()
    await set(made, "$Body{create-user}{address}{city}", { type: "string", required: true, maxLength: 5 })
    await set(made, "$Body{create_user}{address}{city}", { maxLength: 3, description: "x" })
    await set(made, "$Query{create-user}{dry}", { type: "boolean", defaultValue: true })
    await set(made, "$Header{create-user}{X-Trace}", { required: true })
    const bad = { address: { city: "Paris" } }
    expect(await failure(made.api.run({ app: "crm", action: "create-user", input: bad }))).toMatchObject({
      details: [
        { location: "headers", path: "x-trace", rule: "required" },
        { location: "body", path: "address.city", rule: "maxLength" }
      ]
    })
    await set(made, "$Body{create-user}{address}{city}", { maxLength: null, required: null })
    await set(made, "$Headers{create-user}{x-trace}", { required: false })
    await run(made.api.run({ app: "crm", action: "create-user", input: bad }))
    expect(last(made.server)).toMatchObject({ url: "/users?dry=true", body: JSON.stringify(bad) })
    const field = (await run(made.api.fetch("crm", "create-user"))).body?.["address"]
    expect(field?.fields?.["city"]).toMatchObject({ type: "string", description: "x" })
    expect(field?.fields?.["city"]).not.toHaveProperty("maxLength")
    expect(field?.fields?.["city"]).not.toHaveProperty("required")
  })

  it("a type set by hand is enforced, even where a sample had told it", async () => {
    await using made = await opened()
    await run(made.api.update("crm", "create-user", { body: { age: { type: "string", inferred: true } } }))
    await run(made.api.run({ app: "crm", action: "create-user", input: { age: 5 } }))
    await set(made, "$Body{create-user}{age}", { type: "string" })
    expect((await failure(made.api.run({ app: "crm", action: "create-user", input: { age: 5 } }))).code).toBe(
      "VALIDATION_ERROR"
    )
  })

  it.each([
    "",
    "Body{a}{b}",
    "$Body",
    "$Body{a}",
    "$Body{}{b}",
    "$Body{a}{b",
    "$Cookie{a}{b}",
    "$Body{a}{b}x",
    "$Secret{a}{b}"
  ])("refuse the selector %j", async (selector) => {
    await using made = await opened()
    expect((await failure(made.api.validation("crm", selector, {}))).code).toBe("SELECTOR_INVALID")
  })

  it.each([
    { type: "integer" },
    { minLength: -1 },
    { maxLength: 1.5 },
    { required: "yes" },
    { colour: 1 },
    { decoratorPosition: "UP" }
  ])("refuse the rule %j", async (rules) => {
    await using made = await opened()
    const error = await failure(made.api.validation("crm", "$Body{create-user}{a}", rules as never))
    expect(error.code).toBe("VALIDATION_ERROR")
  })

  it("name an unknown action", async () => {
    await using made = await opened()
    expect((await failure(made.api.validation("crm", "$Body{none}{a}", {}))).code).toBe("ACTION_NOT_FOUND")
  })
})

describe("a call", () => {
  it.each([
    [undefined, "VALIDATION_ERROR"],
    [{ app: "" }, "VALIDATION_ERROR"],
    [{ action: undefined }, "VALIDATION_ERROR"],
    [{ retries: -1 }, "VALIDATION_ERROR"],
    [{ retries: 1.5 }, "VALIDATION_ERROR"],
    [{ timeout: 0 }, "VALIDATION_ERROR"],
    [{ returns: "all" }, "VALIDATION_ERROR"],
    [{ retryConfig: { maxDelay: -1 } }, "VALIDATION_ERROR"],
    [{ input: "x" }, "VALIDATION_ERROR"],
    [{ product: "none" }, "PRODUCT_NOT_FOUND"],
    [{ env: "none" }, "ENV_NOT_FOUND"],
    [{ env: "dev" }, "APP_ENV_NOT_MAPPED"],
    [{ app: "none" }, "APP_NOT_CONNECTED"],
    [{ action: "none" }, "ACTION_NOT_FOUND"]
  ])("%j fails with %s, and nothing is sent", async (over, code) => {
    await using made = await opened()
    const call = over === undefined ? undefined : { app: "crm", action: "create-user", ...over }
    expect((await failure(made.api.run(call as never))).code).toBe(code)
    expect(made.server.requests).toHaveLength(0)
  })

  it("without product and env says where to set them", async () => {
    await using server = await httpServer((_, response) => json(response, {}))
    await using made = await workspace({ url: server.url, defaults: {} })
    expect(await failure(made.api.run({ app: "crm", action: "x" }))).toMatchObject({
      code: "CONTEXT_MISSING"
    })
  })
})
