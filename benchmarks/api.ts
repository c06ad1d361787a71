import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { fillerDocument, itemsDocument } from "./documents.ts"
import { timed, underLoad } from "./measure.ts"
import { startServer } from "./startServer.ts"
import { type Contender, type Group, type Suite, type Tools, throughputMetrics } from "./suite.ts"

const concurrency = 50
const calls = 12_000
const created = { name: "Item seven", price: 12.5, tags: ["a", "b"], stock: { here: 3, there: 40 } }

type Pick = "GET JSON" | "POST JSON"

/** A caller's two calls, measured one at a time. */
const contender = (
  name: string,
  packages: Contender["packages"],
  make: (tools: Tools, url: string) => Promise<Readonly<Record<Pick, () => Promise<unknown>>>>
) => {
  return (pick: Pick): Contender => ({
    name,
    ...(packages === undefined ? {} : { packages }),
    run: async (tools) => {
      const client = await make(tools, String(tools.context["url"]))
      return underLoad(client[pick], { concurrency, calls })
    }
  })
}

/** A client whose workspace holds the items API and as many other actions as asked for. */
const workspaceWith = async (store: string, url: string, others: number) => {
  const { createWorkspace, default: Ductape, ImportDocTypes } = await import("@ductape/sdk")
  const { accessKey } = await createWorkspace({ name: "Benchmark", store })
  const ductape = new Ductape({ accessKey, store, product: "shop", env: "dev" })
  await ductape.product.create({ name: "Shop" })
  await ductape.api.import({ file: itemsDocument(url), type: ImportDocTypes.openapi30, app: "items" })
  await ductape.product.apps.connect("items")
  for (let left = others, part = 0; left > 0; left -= 1_000, part++)
    await ductape.api.import({
      file: fillerDocument(`Filler ${part}`, Math.min(left, 1_000)),
      type: ImportDocTypes.openapi30,
      app: `filler-${part}`
    })
  return { ductape, accessKey }
}

const ductape = contender("ductape", undefined, async (_, url) => {
  const { ductape } = await workspaceWith("memory://benchmark", url, 0)
  return {
    "GET JSON": () => ductape.api.run({ app: "items", action: "get-item", input: { id: 7 } }),
    "POST JSON": () => ductape.api.run({ app: "items", action: "create-item", input: created })
  }
})

interface Undici {
  readonly Agent: new (options: object) => object
  readonly request: (url: string, options: object) => Promise<{ body: { json: () => Promise<unknown> } }>
}

const undici = contender("undici.request", { undici: "8.12.4" }, async ({ load }, url) => {
  const { Agent, request } = (await load("undici")) as Undici
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1 })
  const headers = { "content-type": "application/json" }
  return {
    "GET JSON": async () => (await request(`${url}/items/7`, { dispatcher })).body.json(),
    "POST JSON": async () => {
      const options = { dispatcher, method: "POST", headers, body: JSON.stringify(created) } as const
      return (await request(`${url}/items`, options)).body.json()
    }
  }
})

const globalFetch = contender("fetch", undefined, async (_, url) => ({
  "GET JSON": async () => (await fetch(`${url}/items/7`)).json(),
  "POST JSON": async () => {
    const headers = { "content-type": "application/json" }
    return (await fetch(`${url}/items`, { method: "POST", headers, body: JSON.stringify(created) })).json()
  }
}))

interface Axios {
  readonly get: (path: string) => Promise<{ data: unknown }>
  readonly post: (path: string, body: unknown) => Promise<{ data: unknown }>
}

const axios = contender("axios", { axios: "1.21.1" }, async ({ load }, url) => {
  const { Agent } = await import("node:http")
  const module = (await load("axios")) as { default: { create: (options: object) => Axios } }
  const client = module.default.create({
    baseURL: url,
    httpAgent: new Agent({ keepAlive: true, maxSockets: concurrency })
  })
  return {
    "GET JSON": async () => (await client.get("/items/7")).data,
    "POST JSON": async () => (await client.post("/items", created)).data
  }
})

interface OpenapiFetch {
  readonly GET: (path: string, options: object) => Promise<{ data: unknown }>
  readonly POST: (path: string, options: object) => Promise<{ data: unknown }>
}

const openapiFetch = contender("openapi-fetch", { "openapi-fetch": "0.17.0" }, async ({ load }, baseUrl) => {
  const module = (await load("openapi-fetch")) as { default: (options: object) => OpenapiFetch }
  const client = module.default({ baseUrl })
  return {
    "GET JSON": async () => (await client.GET("/items/{id}", { params: { path: { id: 7 } } })).data,
    "POST JSON": async () => (await client.POST("/items", { body: created })).data
  }
})

type OpenapiClient = Readonly<
  Record<string, (parameters?: unknown, body?: unknown) => Promise<{ data: unknown }>>
>
type OpenapiClientModule = {
  OpenAPIClientAxios: new (options: object) => { readonly init: () => Promise<OpenapiClient> }
}
const openapiClientPackages = { "openapi-client-axios": "7.9.1", axios: "1.21.1", "js-yaml": "4.1.0" }

const openapiClient = contender("openapi-client-axios", openapiClientPackages, async ({ load }, url) => {
  const { Agent } = await import("node:http")
  const { OpenAPIClientAxios } = (await load("openapi-client-axios")) as OpenapiClientModule
  const axiosConfigDefaults = { httpAgent: new Agent({ keepAlive: true, maxSockets: concurrency }) }
  const client = await new OpenAPIClientAxios({ definition: itemsDocument(url), axiosConfigDefaults }).init()
  return {
    "GET JSON": async () => (await client["get-item"]?.({ id: 7 }))?.data,
    "POST JSON": async () => (await client["create-item"]?.(undefined, created))?.data
  }
})

const under50 = (pick: Pick): Group => ({
  name: `${pick}, ${concurrency} concurrent`,
  ours: ductape(pick),
  peers: [undici, globalFetch, axios, openapiFetch, openapiClient].map((peer) => peer(pick)),
  metrics: throughputMetrics(pick === "GET JSON" ? { "undici.request": 0.8, axios: 3 } : {})
})

/** A workspace file, made once; every round opens it anew. */
const registered = (actions: number): Contender => ({
  name: `${actions.toLocaleString("en")} actions`,
  run: async ({ context }) => {
    const { default: Ductape } = await import("@ductape/sdk")
    const { accessKey, store } = (
      context["workspaces"] as Record<string, { accessKey: string; store: string }>
    )[actions] ?? { accessKey: "", store: "" }
    const ductape = new Ductape({ accessKey, store, product: "shop", env: "dev" })
    const run = () => ductape.api.run({ app: "items", action: "get-item", input: { id: 7 } })
    const started = performance.now()
    await run()
    const first = performance.now() - started
    return { first, ...(await underLoad(run, { concurrency, calls })) }
  }
})

const manyActions: Group = {
  name: "api.run with 125,000 actions registered",
  setup: async () => {
    const folder = await mkdtemp(join(tmpdir(), "ductape-bench-"))
    const server = await startServer(new URL("./servers/json.ts", import.meta.url))
    const workspaces: Record<string, { accessKey: string; store: string }> = {}
    for (const actions of [10, 1_000, 125_000]) {
      const store = join(folder, `${actions}.db`)
      const { accessKey, ductape } = await workspaceWith(
        store,
        `http://127.0.0.1:${server.port}`,
        actions - 2
      )
      await ductape.close()
      workspaces[actions] = { accessKey, store }
    }
    return {
      context: { workspaces },
      stop: async () => {
        await server.stop()
        await rm(folder, { recursive: true, force: true })
      }
    }
  },
  ours: registered(125_000),
  peers: [registered(1_000), registered(10)],
  metrics: [
    { name: "throughput", unit: "ops/s", goals: { "10 actions": 0.85 } },
    { name: "first", unit: "ms" }
  ]
}

const importing = (name: string, specifier: string): Contender => ({
  name,
  run: ({ context }) => {
    const loader = pathToFileURL(join(String(context["installed"]), "load.js")).href
    return timed(async () => (await import(loader)).default(specifier))
  }
})

const coldImport: Group = {
  name: "cold import of the built sdk",
  setup: async () => {
    const { writeFile } = await import("node:fs/promises")
    const { cleanInstall, packAll } = await import("../tools/packageChecks.ts")
    const { mustRun } = await import("../tools/runTool.ts")
    const folder = await mkdtemp(join(tmpdir(), "ductape-bench-"))
    await mustRun("tsc", ["-b"])
    const installed = await cleanInstall(join(folder, "clean"), await packAll(folder))
    await writeFile(join(installed, "load.js"), "export default (name) => import(name)\n")
    return { context: { installed }, stop: () => rm(folder, { recursive: true, force: true }) }
  },
  ours: importing("ductape", "@ductape/sdk"),
  peers: [importing("the effect barrel", "effect")],
  metrics: [{ name: "time", unit: "ms", goals: { "the effect barrel": 0.6 } }]
}

const stripeImport: Group = {
  name: "import of Stripe's document",
  ours: {
    name: "ductape",
    run: async () => {
      const { createWorkspace, default: Ductape, ImportDocTypes } = await import("@ductape/sdk")
      const { stripeDocument } = await import("@ductape/testkit")
      const file = await stripeDocument()
      const store = "memory://benchmark"
      const { accessKey } = await createWorkspace({ name: "Benchmark", store })
      const ductape = new Ductape({ accessKey, store, product: "shop", env: "dev" })
      return timed(() => ductape.api.import({ file, type: ImportDocTypes.openapi, app: "stripe" }))
    }
  },
  peers: [
    {
      name: "openapi-client-axios",
      packages: openapiClientPackages,
      run: async ({ load }) => {
        const { stripeDocument } = await import("@ductape/testkit")
        const { OpenAPIClientAxios } = (await load("openapi-client-axios")) as OpenapiClientModule
        const text = await stripeDocument()
        return timed(async () => new OpenAPIClientAxios({ definition: JSON.parse(String(text)) }).init())
      }
    }
  ],
  metrics: [{ name: "time", unit: "ms" }]
}

const suite: Suite = {
  setup: async () => {
    const server = await startServer(new URL("./servers/json.ts", import.meta.url))
    return { context: { url: `http://127.0.0.1:${server.port}` }, stop: server.stop }
  },
  groups: [under50("GET JSON"), under50("POST JSON"), coldImport, stripeImport, manyActions]
}

export default suite
