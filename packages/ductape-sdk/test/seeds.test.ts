// The calls of the two documents that this product started from, as they are printed there.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Ductape, { createWorkspace, type DuctapeError } from "@ductape/sdk"
import { describeService, freshDatabase, httpServer } from "@ductape/testkit"
import OlderDuctape from "ductape-sdk"
import { afterAll, assert, beforeAll, describe, it, vi } from "vitest"

type Server = Awaited<ReturnType<typeof httpServer>>

let folder: string
let store: string
let workspace: Awaited<ReturnType<typeof createWorkspace>>
let server: Server
const open: Array<{ close: () => Promise<void> }> = []

/** Answers with what it was asked; the first GET of /products fails. */
const startServer = () => {
  let hiccups = 0
  return httpServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => {
      body += chunk
    })
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://server")
      if (url.pathname === "/products" && hiccups++ === 0) {
        response.writeHead(503, { "retry-after": "0" }).end()
        return
      }
      response.writeHead(200, { "content-type": "application/json" })
      response.end(
        JSON.stringify({
          method: request.method,
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
          body,
          authorization: request.headers.authorization,
          requestId: request.headers["x-request-id"]
        })
      )
    })
  })
}

const actions = [
  ["my-product", "stripe-app", { tag: "create-customer", method: "POST", resource: "/customers" }],
  ["payments", "stripe", { tag: "create-payment-intent", method: "POST", resource: "/payment_intents" }],
  ["crm", "hubspot", { tag: "search-contacts", method: "GET", resource: "/contacts" }],
  ["inventory", "shopify", { tag: "get-product", method: "GET", resource: "/products/:productId" }],
  ["api-gateway", "internal-api", { tag: "fetch-user", method: "GET", resource: "/users/:userId" }],
  ["dashboard", "analytics", { tag: "get-user-stats", method: "GET", resource: "/stats/:userId" }],
  ["catalog", "products-api", { tag: "list-products", method: "GET", resource: "/products" }],
  [
    "my-product",
    "stripe",
    {
      tag: "create-charge",
      method: "POST",
      resource: "/charges",
      body: { amount: { type: "number" }, currency: { type: "string" } }
    }
  ],
  [
    "my-product",
    "twilio",
    {
      tag: "send-sms",
      method: "POST",
      resource: "/messages",
      request_type: "application/x-www-form-urlencoded",
      body: { to: { type: "string" }, body: { type: "string" } }
    }
  ]
] as const

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ductape-seeds-"))
  store = join(folder, ".ductape", "workspace.db")
  server = await startServer()
  workspace = await createWorkspace({ name: "Seeds", store })
  const admin = new Ductape({ accessKey: workspace.accessKey, store })
  const apps = new Set<string>()
  const products = new Set<string>()
  for (const [product, app, action] of actions) {
    if (!products.has(product)) await admin.product.create({ name: product, tag: product })
    if (!apps.has(app)) await admin.app.create({ app_name: app, tag: app, base_url: server.url })
    products.add(product)
    apps.add(app)
    await admin.api.create(app, { name: action.tag, ...action })
    await admin.product.apps.connect(product, app)
  }
  await admin.secrets.create({ key: "STRIPE_API_KEY", value: "Bearer sk_live_1" })
  await admin.secrets.create({ key: "TWILIO_AUTH_TOKEN", value: "Basic dHdpbGlv" })
  await admin.close()
  vi.stubEnv("DUCTAPE_ACCESS_KEY", workspace.accessKey)
  vi.spyOn(process, "cwd").mockReturnValue(folder)
})

afterAll(async () => {
  await Promise.all(open.map((client) => client.close()))
  await server?.close()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

describe("Running Actions", () => {
  const make = () => {
    const ductape = new OlderDuctape({
      workspace_id: workspace.workspaceId,
      user_id: "your-user-id",
      public_key: "your-public-key",
      token: workspace.accessKey,
      env_type: "development"
    })
    open.push(ductape)
    return ductape
  }
  let ductape: ReturnType<typeof make>
  beforeAll(() => {
    ductape = make()
  })

  it("the quick example", async () => {
    const result = await ductape.action.run({
      env: "dev",
      product_tag: "my-product",
      app: "stripe-app",
      event: "create_customer",
      input: {
        body: {
          email: "john@example.com",
          name: "John Doe"
        }
      }
    })
    assert.deepInclude(result, {
      method: "POST",
      path: "/customers",
      body: '{"email":"john@example.com","name":"John Doe"}'
    })
  })

  it("sends data in the request body", async () => {
    const result = await ductape.action.run({
      env: "prd",
      product_tag: "payments",
      app: "stripe",
      event: "create_payment_intent",
      input: {
        body: {
          amount: 2000,
          currency: "usd",
          customer: "cus_123"
        }
      }
    })
    assert.deepInclude(result, {
      path: "/payment_intents",
      body: '{"amount":2000,"currency":"usd","customer":"cus_123"}'
    })
  })

  it("uses query parameters", async () => {
    const result = await ductape.action.run({
      env: "dev",
      product_tag: "crm",
      app: "hubspot",
      event: "search_contacts",
      input: {
        query: {
          email: "jane@example.com",
          limit: 10
        }
      }
    })
    assert.deepInclude(result, { method: "GET", path: "/contacts", body: "" })
    assert.deepEqual((result as { query: unknown }).query, { email: "jane@example.com", limit: "10" })
  })

  it("uses route parameters", async () => {
    const result = await ductape.action.run({
      env: "dev",
      product_tag: "inventory",
      app: "shopify",
      event: "get_product",
      input: {
        params: {
          productId: "12345"
        }
      }
    })
    assert.deepInclude(result, { method: "GET", path: "/products/12345" })
  })

  it("sends custom headers", async () => {
    const result = await ductape.action.run({
      env: "prd",
      product_tag: "api-gateway",
      app: "internal-api",
      event: "fetch_user",
      input: {
        headers: {
          "X-Request-ID": "req_abc123"
        },
        params: { userId: "456" }
      }
    })
    assert.deepInclude(result, { path: "/users/456", requestId: "req_abc123" })
  })
})

describe("Running Actions: sessions, caching and retries", () => {
  let ductape: OlderDuctape
  let token: string
  beforeAll(async () => {
    ductape = new OlderDuctape({ workspace_id: workspace.workspaceId, token: workspace.accessKey })
    open.push(ductape)
    await ductape.sessions.create("dashboard", {
      tag: "user-session",
      name: "Users",
      selector: "$Session{user}{id}",
      expiry: 15,
      period: "mins",
      schema: { user: { id: "u_1" } }
    })
    const started = await ductape.sessions.start({
      product: "dashboard",
      env: "prd",
      tag: "user-session",
      data: { user: { id: "u_42" } }
    })
    token = started.token
    await ductape.caches.create({
      product: "catalog",
      tag: "products-list",
      name: "Products",
      expiry: 60_000
    })
  })

  it("injects what the session holds", async () => {
    const run = (token: string) =>
      ductape.action.run({
        env: "prd",
        product_tag: "dashboard",
        app: "analytics",
        event: "get_user_stats",
        input: {
          params: { userId: "$Session{user}{id}" }
        },
        session: {
          tag: "user-session",
          token
        }
      })
    assert.deepInclude(await run(token), { path: "/stats/u_42" })
    const asked = server.requests.length
    const refused = await run(`${token.slice(0, -3)}AAA`).catch((error: DuctapeError) => error.code)
    assert.strictEqual(refused, "SESSION_INVALID")
    assert.strictEqual(server.requests.length, asked, "nothing is sent for a session that is not valid")
  })

  it("caches the response and retries on failure", async () => {
    const run = () =>
      ductape.action.run({
        env: "prd",
        product_tag: "catalog",
        app: "products-api",
        event: "list_products",
        input: {
          query: { category: "electronics" }
        },
        cache: "products-list", // Cache the response
        retries: 3 // Retry up to 3 times on failure
      })
    const before = server.requests.length
    const first = await run()
    assert.deepInclude(first, { path: "/products", query: { category: "electronics" } })
    assert.strictEqual(server.requests.length - before, 2, "one failure, one answer")
    assert.deepEqual(await run(), first)
    assert.strictEqual(server.requests.length - before, 2, "the second run is answered from the cache")
  })
})

describe("Getting Started", () => {
  const env = process.env.NODE_ENV === "production" ? "prd" : "dev"
  const make = () => {
    // Create a single instance — product/env defaults live on the constructor only
    const ductape = new Ductape({
      accessKey: process.env.DUCTAPE_ACCESS_KEY!,
      product: "my-product",
      env
    })
    // Configure action credentials once at startup
    ductape.api.config({
      app: "stripe",
      credentials: {
        "headers:Authorization": "$Secret{STRIPE_API_KEY}"
      }
    })

    ductape.api.config({
      app: "twilio",
      credentials: {
        "headers:Authorization": "$Secret{TWILIO_AUTH_TOKEN}"
      }
    })
    open.push(ductape)
    return ductape
  }
  let ductape: ReturnType<typeof make>
  beforeAll(() => {
    ductape = make()
  })

  it("your first action", async () => {
    const result = await ductape.api.run({
      app: "stripe",
      action: "create-charge",
      input: {
        amount: 1000,
        currency: "usd"
      }
    })
    assert.deepInclude(result, {
      method: "POST",
      path: "/charges",
      body: '{"amount":1000,"currency":"usd"}',
      authorization: "Bearer sk_live_1"
    })
  })

  it("createCharge(amount, currency)", async () => {
    async function createCharge(amount: number, currency: string) {
      return ductape.api.run({
        app: "stripe",
        action: "create-charge",
        input: { amount, currency }
      })
    }
    assert.deepInclude(await createCharge(5, "eur"), { body: '{"amount":5,"currency":"eur"}' })
  })

  it("sendSMS(to, message): a text that looks like a secret stays a text", async () => {
    async function sendSMS(to: string, message: string) {
      return ductape.api.run({
        app: "twilio",
        action: "send-sms",
        input: { to, body: message }
      })
    }
    assert.deepInclude(await sendSMS("+1555", "hello"), {
      body: "to=%2B1555&body=hello",
      authorization: "Basic dHdpbGlv"
    })
    const hostile = (await sendSMS("+1555", "$Secret{STRIPE_API_KEY}")) as { body: string }
    assert.strictEqual(new URLSearchParams(hostile.body).get("body"), "$Secret{STRIPE_API_KEY}")
  })

  it("the Next.js singleton and its route", async () => {
    let ductapeInstance: Ductape | null = null
    function getDuctape(): Ductape {
      if (!ductapeInstance) {
        ductapeInstance = new Ductape({
          accessKey: process.env.DUCTAPE_ACCESS_KEY!,
          product: "my-product",
          env
        })
        ductapeInstance.api.config({
          app: "stripe",
          credentials: {
            "headers:Authorization": "$Secret{STRIPE_API_KEY}"
          }
        })
        open.push(ductapeInstance)
      }
      return ductapeInstance
    }
    async function POST(request: Request) {
      const { amount, currency } = (await request.json()) as { amount: number; currency: string }
      const ductape = getDuctape()
      const result = await ductape.api.run({
        app: "stripe",
        action: "create-charge",
        input: { amount, currency }
      })
      return Response.json(result)
    }
    const request = () =>
      new Request("http://localhost", { method: "POST", body: '{"amount":7,"currency":"usd"}' })
    const [first, second] = await Promise.all([POST(request()), POST(request())])
    assert.deepInclude(await first.json(), {
      body: '{"amount":7,"currency":"usd"}',
      authorization: "Bearer sk_live_1"
    })
    assert.strictEqual(second.status, 200)
  })
})

const databaseCalls = (name: string, url: () => Promise<string>) =>
  describe(`Getting Started: data stores (${name})`, () => {
    let ductape: Ductape
    beforeAll(async () => {
      ductape = new Ductape({
        accessKey: process.env.DUCTAPE_ACCESS_KEY!,
        product: "my-product",
        env: process.env.NODE_ENV === "production" ? "prd" : "dev"
      })
      open.push(ductape)
      const tag = `users-db-${name}`
      await ductape.databases.create({
        name: "Users",
        tag,
        type: "postgresql",
        envs: [{ slug: "dev", connection_url: await url() }]
      })
      const handle = await ductape.databases.connect({
        database: tag
      })
      await handle.raw({
        query:
          "create table users (id serial primary key, name text, email text unique, status text, created_at timestamptz)"
      })
    })

    async function getActiveUsers() {
      return ductape.databases.find({
        table: "users",
        where: { status: "active" },
        limit: 100
      })
    }

    async function createUser(name: string, email: string) {
      return ductape.databases.insert({
        table: "users",
        records: [{ name, email, status: "active", created_at: new Date() }],
        returning: true
      })
    }

    it("createUser and getActiveUsers", async () => {
      const inserted = await createUser("Ada", "ada@example.org")
      assert.strictEqual(inserted.count, 1)
      const { records, count } = await getActiveUsers()
      assert.strictEqual(count, 1)
      assert.deepInclude(records[0], { name: "Ada", email: "ada@example.org", status: "active" })
      assert.instanceOf(records[0]?.["created_at"], Date)
      const error = await createUser("Ada again", "ada@example.org").catch(
        (error: DuctapeError) => error.code
      )
      assert.strictEqual(error, "UNIQUE_VIOLATION")
    })
  })

databaseCalls("embedded", async () => "pglite://memory")
describeService("postgres", "on a server", (server) => {
  databaseCalls("server", async () => (await freshDatabase(server)).url)
})
