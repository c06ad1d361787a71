import type { Action } from "@ductape/registry"
import { httpServer } from "@ductape/testkit"
import { describe, expect, it } from "vitest"
import { failure, json, last, run, workspace } from "./support.ts"

const actions: ReadonlyArray<Action> = [
  {
    tag: "find-contact",
    name: "Find contact",
    method: "GET",
    resource: "/contacts",
    query: { email: { type: "string" } },
    headers: { "X-Trace": { type: "string" } }
  },
  {
    tag: "create-charge",
    name: "Create charge",
    method: "POST",
    resource: "/v1/charges",
    request_type: "application/x-www-form-urlencoded",
    body: { amount: { type: "number", required: true }, currency: { type: "string", required: true } }
  },
  { tag: "fetch-user", name: "Fetch user", method: "GET", resource: "/users/:userId" }
]

const echo = () =>
  httpServer((request, response, recorded) => {
    json(response, { method: request.method, url: request.url, body: recorded.body })
  })

describe("api.run", () => {
  it("sends a flat input and resolves to the body", async () => {
    await using server = await echo()
    await using made = await workspace({ url: server.url, actions })
    const body = await run(
      made.api.run({
        app: "crm",
        action: "find-contact",
        input: { email: "ada@example.org", "headers:X-Trace": "t-19" }
      })
    )
    expect(body).toEqual({ method: "GET", url: "/contacts?email=ada%40example.org", body: "" })
    expect(last(server).headers["x-trace"]).toBe("t-19")
  })

  it("takes the older form: event, product_tag, sections, a tag with underscores", async () => {
    await using server = await echo()
    await using made = await workspace({ url: server.url, actions, defaults: {} })
    const body = await run(
      made.api.run({
        env: "prd",
        product_tag: "shop",
        app: "crm",
        event: "create_charge",
        input: { body: { amount: 1000, currency: "usd" } }
      })
    )
    expect(body).toEqual({ method: "POST", url: "/v1/charges", body: "amount=1000&currency=usd" })
  })

  it("reports every broken rule at once, before anything is sent", async () => {
    await using server = await echo()
    await using made = await workspace({ url: server.url, actions })
    const error = await failure(
      made.api.run({ app: "crm", action: "create-charge", input: { amount: "ten" } })
    )
    expect(error).toMatchObject({
      code: "VALIDATION_ERROR",
      status: 400,
      app: "crm",
      action: "create-charge",
      details: [
        { location: "body", path: "amount", rule: "type" },
        { location: "body", path: "currency", rule: "required" }
      ]
    })
    expect(server.requests).toHaveLength(0)
  })

  it("attaches config() credentials, secrets resolved at each run", async () => {
    await using server = await echo()
    await using made = await workspace({ url: server.url, actions })
    made.api.config({ app: "crm", credentials: { "headers:Authorization": "Bearer $Secret{CRM_KEY}" } })
    const missing = await failure(made.api.run({ app: "crm", action: "find-contact" }))
    expect(missing.code).toBe("SECRET_NOT_FOUND")
    expect(server.requests).toHaveLength(0)
    await run(made.registry.secrets.create({ key: "CRM_KEY", value: "one" }))
    await run(made.api.run({ app: "crm", action: "find-contact" }))
    expect(last(server).headers.authorization).toBe("Bearer one")
    await run(made.registry.secrets.update("CRM_KEY", { value: "two" }))
    await run(made.api.run({ app: "crm", action: "find-contact" }))
    expect(last(server).headers.authorization).toBe("Bearer two")
  })
})
