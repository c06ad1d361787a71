// From nothing to a real call: the whole of Ductape on its embedded defaults, in one folder that is
// thrown away. Each step prints the code that it runs.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Ductape, {
  createWorkspace,
  type DatabaseError,
  ImportDocTypes,
  isDuctapeError,
  migration
} from "@ductape/sdk"
import { stripeDocument } from "@ductape/testkit"
import colors from "picocolors"
import { step } from "./step.ts"
import { type Document, startStripe } from "./stripeServer.ts"

interface Charge {
  readonly id: string
  readonly status: string
  readonly metadata: Readonly<Record<string, string>>
}

const folder = await mkdtemp(join(tmpdir(), "ductape-quickstart-"))
const store = join(folder, "workspace.db")
const file = await stripeDocument()
const key = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
const stripe = await startStripe(JSON.parse(file) as Document, key)

console.log(colors.bold("\nDuctape quickstart"))
console.log(
  colors.dim(`All of it is kept in ${folder}; "Stripe" is a local server that answers by Stripe's document.`)
)

try {
  const { accessKey } = await step("Make a workspace: one file, opened by its access key", async () => {
    return createWorkspace({ name: "Quickstart", store })
  })
  const ductape = new Ductape({ accessKey, store, product: "my-product", env: "dev" })

  await step("Import Stripe's OpenAPI document", async () => {
    const { created, auths } = await ductape.api.import({
      file,
      type: ImportDocTypes.openapi,
      app: "stripe",
      tags: { "post-charges": "create-charge" }
    })
    return { actions: created.length, auths }
  })

  await step("Make a product, connect the app, keep the key as a secret", async () => {
    await ductape.product.create({ name: "My product" })
    await ductape.product.apps.add({
      access_tag: "stripe",
      app: "stripe",
      envs: [{ slug: "dev", base_url: stripe.url }]
    })
    const { status } = await ductape.secrets.create({ key: "STRIPE_API_KEY", value: `Bearer ${key}` })
    ductape.api.config({ app: "stripe", credentials: { "headers:Authorization": "$Secret{STRIPE_API_KEY}" } })
    return { secret: status }
  })

  await step("Call it", async () => {
    return ductape.api.run({
      app: "stripe",
      action: "create-charge",
      input: { amount: 1000, currency: "usd", metadata: { order: "42" } }
    })
  })

  await step("Bad input never leaves the process", async () => {
    const input = { amount: "10.50", currency: "usd" }
    return ductape.api.run({ app: "stripe", action: "create-charge", input }).catch((error) => error.response)
  })

  await step("A server that hiccups: retried, with an idempotency key", async () => {
    const { status, attempts, data } = await ductape.api.run<Charge>({
      app: "stripe",
      action: "create-charge",
      input: { amount: 2000, currency: "eur", description: "Survives a hiccup" },
      retries: 2,
      returns: "response"
    })
    return { status, attempts, charge: data.status }
  })

  await step("A refusal is an error with the API's own answer", async () => {
    const input = { amount: 1000, currency: "usd", source: "tok_chargeDeclined" }
    try {
      return await ductape.api.run({ app: "stripe", action: "create-charge", input })
    } catch (error) {
      if (!isDuctapeError(error)) throw error
      return { code: error.code, status: error.status, retryable: error.retryable, data: error.response.data }
    }
  })

  await step("Sessions: tokens that say who is calling, and that can be taken back", async () => {
    await ductape.sessions.create({
      tag: "web",
      name: "Web logins",
      selector: "$Session{userId}",
      expiry: 15,
      period: "mins",
      schema: { userId: "u_1" }
    })
    const session = await ductape.sessions.start({ tag: "web", data: { userId: "u_42" } })
    const charge = await ductape.api.run<Charge>({
      app: "stripe",
      action: "create-charge",
      input: { amount: 500, currency: "usd", metadata: { user: "$Session{userId}" } },
      session: session.token
    })
    await ductape.sessions.revoke({ tag: "web", sessionId: session.sessionId })
    const after = await ductape.sessions.verify({ tag: "web", token: session.token })
    return { token: `${session.token.slice(0, 40)}…`, chargedFor: charge.metadata, after }
  })

  await step("Caches: a hundred concurrent misses, one load", async () => {
    await ductape.caches.create({ tag: "rates", name: "Exchange rates" })
    let loads = 0
    const fallback = async () => {
      loads += 1
      return { eur: 1.08 }
    }
    const read = () => ductape.caches.get({ cache: "rates", key: "usd", ttl: 600, fallback })
    const answers = await Promise.all(Array.from({ length: 100 }, read))
    return { answers: answers.length, each: answers[0], loads }
  })

  await step("A database: PostgreSQL embedded in this process, its tables made by a migration", async () => {
    await ductape.databases.create({
      name: "Users",
      tag: "users-db",
      type: "postgresql",
      envs: [{ slug: "dev", connection_url: `pglite://${folder}/data` }]
    })
    const database = await ductape.databases.connect({ database: "users-db" })
    const createUsers = migration("create users")
      .createCollection("users", {
        name: "String",
        email: { type: "String", unique: true },
        status: "String",
        created_at: "Date"
      })
      .build()
    const { applied } = await database.migration.run([createUsers])
    return { version: database.version, applied }
  })

  await step("The same calls on it as on a server", async () => {
    const records = [{ name: "Ada", email: "ada@example.org", status: "active", created_at: new Date() }]
    await ductape.databases.insert({ table: "users", records, returning: true })
    const again = await ductape.databases
      .insert({ table: "users", records })
      .catch((error: DatabaseError) => ({ code: error.code, constraint: error.constraint }))
    const found = await ductape.databases.find({ table: "users", where: { status: "active" }, limit: 100 })
    return { again, found: found.records }
  })

  await ductape.close()
} finally {
  await stripe.close()
  await rm(folder, { recursive: true, force: true })
}
