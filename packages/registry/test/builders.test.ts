import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Action, ConnectionInput, EnvInput, ProductInput, RegistryShape } from "../src/index.ts"
import { testWorkspace } from "../src/testing/index.ts"

const code = <A, E extends { readonly code: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.code)

const paths = <A, E extends { readonly details: unknown }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) =>
    (error.details as ReadonlyArray<{ path: string; rule: string; message: string }>).map(({ path }) => path)
  )

const action = (tag: string, more: Partial<Action> = {}): Action => ({
  tag,
  name: tag,
  method: "GET",
  resource: `/${tag}`,
  ...more
})

const shop = Effect.gen(function* () {
  const registry = yield* testWorkspace()
  yield* registry.products.create({ name: "Shop" })
  yield* registry.apps.create({ app_name: "CRM", base_url: "https://crm.test/v1" })
  return registry
})

describe("Products", () => {
  it.effect("get a tag from their name, with a suffix when it is taken", () =>
    Effect.gen(function* () {
      const { products, workspace } = yield* testWorkspace()
      const made = yield* products.create({ name: "E-commerce Platform" })
      assert.deepInclude(made, {
        tag: "ecommerce-platform",
        name: "E-commerce Platform",
        description: "",
        workspace_id: workspace.id
      })
      assert.deepStrictEqual(made.envs, [
        { env_name: "dev", slug: "dev", active: true },
        { env_name: "prd", slug: "prd", active: true }
      ])
      const tags = []
      for (let i = 0; i < 3; i++) tags.push((yield* products.create({ name: "Café  crème!" })).tag)
      assert.deepStrictEqual(tags, ["cafe-creme", "cafe-creme-2", "cafe-creme-3"])
      const taken = yield* Effect.flip(products.create({ name: "Cafe creme", unique: true }))
      assert.strictEqual(taken.code, "PRODUCT_EXISTS")
      assert.include(taken.message, "already exists")
      assert.strictEqual(yield* code(products.create({ name: "x", tag: "cafe-creme" })), "PRODUCT_EXISTS")
      const many = yield* Effect.forEach([1, 2, 3, 4], () => products.create({ name: "Same" }), {
        concurrency: "unbounded"
      })
      assert.sameMembers(
        many.map(({ tag }) => tag),
        ["same", "same-2", "same-3", "same-4"]
      )
      assert.strictEqual((yield* products.fetchAll).length, 8)
    })
  )

  it.effect("are refused with all that is wrong, before anything is written", () =>
    Effect.gen(function* () {
      const { products, revision } = yield* testWorkspace()
      const before = yield* revision
      const bad = {
        name: 7,
        tag: "a b",
        unique: "yes",
        envs: [{ slug: "X" }, { slug: "dev" }, { slug: "dev", active: 1 }, { slug: "a" }]
      }
      assert.deepStrictEqual(yield* paths(products.create(bad as unknown as ProductInput)), [
        "name",
        "unique",
        "tag",
        "envs[0].slug",
        "envs[2].active",
        "envs[2].slug",
        "envs[3].slug"
      ])
      assert.deepStrictEqual(yield* paths(products.create({ name: "!!!" })), ["tag"])
      assert.strictEqual(
        yield* code(products.create(undefined as unknown as ProductInput)),
        "VALIDATION_ERROR"
      )
      assert.strictEqual(yield* revision, before)
    })
  )

  it.effect("are updated but for their tag, and their environments likewise", () =>
    Effect.gen(function* () {
      const { products } = yield* shop
      const updated = yield* products.update("shop", {
        description: "All of it",
        envs: [{ slug: "dev", description: "d" }, { slug: "stg" }]
      })
      assert.strictEqual(updated.name, "Shop")
      assert.deepStrictEqual(
        updated.envs.map(({ description, slug }) => [slug, description]),
        [
          ["dev", "d"],
          ["prd", undefined],
          ["stg", undefined]
        ]
      )
      assert.strictEqual(yield* code(products.update("shop", { tag: "other" })), "VALIDATION_ERROR")
      assert.strictEqual(yield* code(products.update("none", { name: "x" })), "PRODUCT_NOT_FOUND")
      assert.strictEqual(yield* code(products.fetch("none")), "PRODUCT_NOT_FOUND")

      const envs = products.environments
      const made = yield* envs.create("shop", { slug: "qa", env_name: "Quality" })
      assert.deepStrictEqual(made, { slug: "qa", env_name: "Quality", active: true })
      assert.strictEqual(yield* code(envs.create("shop", { slug: "qa" })), "ENV_EXISTS")
      assert.strictEqual(yield* code(envs.create("none", { slug: "qa" })), "PRODUCT_NOT_FOUND")
      assert.strictEqual(yield* code(envs.create("shop", {} as EnvInput)), "VALIDATION_ERROR")
      assert.strictEqual((yield* envs.update("shop", "qa", { active: false })).active, false)
      assert.strictEqual(yield* code(envs.update("shop", "qa", { slug: "qb" })), "VALIDATION_ERROR")
      assert.strictEqual(yield* code(envs.fetch("shop", "zz")), "ENV_NOT_FOUND")
      assert.strictEqual((yield* envs.fetch("shop", "qa")).env_name, "Quality")
      assert.strictEqual((yield* envs.fetchAll("shop")).length, 4)
    })
  )

  it.effect("are not deleted while they have resources; their connections go with them", () =>
    Effect.gen(function* () {
      const { apps, products, resources } = yield* shop
      yield* products.apps.connect("shop", "crm")
      const caches = resources<{ readonly tag: string }>({ kind: "cache", sealed: false })
      yield* caches.create("shop", { tag: "fx" })
      const used = yield* Effect.flip(products.delete("shop"))
      assert.strictEqual(used.code, "IN_USE")
      assert.include(used.message, "cache 'fx'")
      assert.strictEqual(yield* code(apps.delete("crm")), "IN_USE")
      assert.isTrue(yield* caches.delete("shop", "fx"))
      assert.isTrue(yield* products.delete("shop"))
      assert.isTrue(yield* apps.delete("crm"))
      assert.strictEqual(yield* code(products.delete("shop")), "PRODUCT_NOT_FOUND")
    })
  )
})

describe("Apps", () => {
  it.effect("have environments with the base URL, and members of every kind", () =>
    Effect.gen(function* () {
      const { apps } = yield* shop
      const app = yield* apps.fetch("crm")
      assert.deepStrictEqual(
        app.envs.map(({ active, base_url, slug }) => [slug, base_url, active]),
        [
          ["dev", "https://crm.test/v1", true],
          ["prd", "https://crm.test/v1", true]
        ]
      )
      assert.strictEqual((yield* apps.create({ name: "CRM" })).tag, "crm-2")
      assert.strictEqual(yield* code(apps.create({ app_name: "CRM", unique: true })), "APP_EXISTS")
      for (const base_url of ["ftp://x", "crm.test", "https://user:pass@crm.test", 5]) {
        assert.deepStrictEqual(yield* paths(apps.create({ app_name: "Bad", base_url: base_url as string })), [
          "base_url"
        ])
      }

      yield* apps.variables.create("crm", { key: "region", type: "string" })
      assert.strictEqual(
        yield* code(apps.variables.create("crm", { key: "region", type: "string" })),
        "VARIABLE_EXISTS"
      )
      assert.strictEqual(yield* code(apps.variables.fetch("crm", "none")), "VARIABLE_NOT_FOUND")
      assert.deepStrictEqual(yield* apps.variables.update("crm", "region", { description: "d" }), {
        key: "region",
        type: "string",
        description: "d"
      })
      assert.strictEqual(
        yield* code(apps.variables.update("crm", "region", { key: "x" })),
        "VALIDATION_ERROR"
      )

      yield* apps.constants.create("crm", { key: "page", type: "number", value: 20 })
      assert.deepStrictEqual(yield* paths(apps.constants.update("crm", "page", { value: 1.5 })), ["value"])
      assert.deepStrictEqual(
        yield* paths(apps.constants.create("crm", { key: "bad", type: "array-uuid", value: ["x"] })),
        ["value"]
      )
      assert.strictEqual((yield* apps.constants.fetch("crm", "page")).value, 20)

      const auth = {
        tag: "key",
        name: "Key",
        setup_type: "token_access",
        tokens: { header: { "X-Key": "sample" } }
      } as never
      yield* apps.auths.create("crm", auth)
      assert.deepStrictEqual((yield* apps.auths.fetch("crm", "key")).tokens, {
        headers: { "X-Key": "sample" }
      })
      assert.deepStrictEqual(
        yield* paths(apps.auths.create("crm", { tag: "c", name: "c", setup_type: "credential_access" })),
        ["action_tag"]
      )
      assert.strictEqual((yield* apps.auths.fetchAll("crm")).length, 1)
      assert.strictEqual(yield* code(apps.constants.fetchAll("none")), "APP_NOT_FOUND")
    })
  )

  it.effect("lose a prefix equal to the workspace's tag, and no other", () =>
    Effect.gen(function* () {
      const { apps, products, workspace } = yield* shop
      assert.strictEqual((yield* apps.fetch(`${workspace.tag}:crm`)).tag, "crm")
      assert.strictEqual(yield* code(apps.fetch("elsewhere:crm")), "APP_NOT_FOUND")
      const connected = yield* products.apps.connect("shop", `${workspace.tag}:crm`)
      assert.deepStrictEqual(connected, { access_tag: "crm", app: "crm" })
      yield* apps.create({ app_name: "Foreign", tag: "elsewhere:crm" })
      assert.strictEqual((yield* apps.fetch("elsewhere:crm")).app_name, "Foreign")
    })
  )

  it.effect("have environments that are made, upserted and updated", () =>
    Effect.gen(function* () {
      const { apps } = yield* shop
      const { environments } = apps
      yield* environments.upsert("crm", [{ slug: "dev", request_type: "application/json" }, { slug: "eu1" }])
      assert.strictEqual((yield* environments.fetch("crm", "dev")).base_url, "https://crm.test/v1")
      assert.strictEqual((yield* environments.fetch("crm", "eu1")).base_url, "")
      assert.strictEqual(yield* code(environments.create("crm", { slug: "eu1" })), "ENV_EXISTS")
      assert.strictEqual(
        (yield* environments.update("crm", "eu1", { base_url: "https://eu.crm.test" })).base_url,
        "https://eu.crm.test"
      )
      assert.strictEqual(yield* code(environments.fetch("crm", "zz")), "ENV_NOT_FOUND")
      assert.strictEqual(yield* code(environments.update("crm", "zz", {})), "ENV_NOT_FOUND")
      const based = yield* apps.update("crm", { base_url: "https://two.test" })
      assert.deepStrictEqual(new Set(based.envs.map((env) => env.base_url)), new Set(["https://two.test"]))
    })
  )
})

describe("Connections", () => {
  const add = (registry: RegistryShape, input: ConnectionInput) => registry.products.apps.add("shop", input)

  it.effect("connect maps equal slugs, again and again without harm", () =>
    Effect.gen(function* () {
      const { apps, products } = yield* shop
      yield* apps.environments.upsert("crm", [{ slug: "stg" }])
      yield* products.apps.connect("shop", "crm")
      const slugs = Effect.map(products.apps.fetch("shop", "crm"), ({ envs }) =>
        envs.map((env) => `${env.product_env_slug}>${env.app_env_slug}`)
      )
      assert.deepStrictEqual(yield* slugs, ["dev>dev", "prd>prd"])
      yield* products.environments.create("shop", { slug: "stg" })
      yield* products.apps.update("shop", "crm", { envs: [{ product_env_slug: "dev", app_env_slug: "stg" }] })
      yield* products.apps.connect("shop", "crm")
      assert.deepStrictEqual(yield* slugs, ["dev>stg", "prd>prd", "stg>stg"])
      assert.strictEqual(yield* code(products.apps.connect("shop", "none")), "APP_NOT_FOUND")
      assert.strictEqual(yield* code(products.apps.connect("none", "crm")), "PRODUCT_NOT_FOUND")
    })
  )

  it.effect("add makes or completes, merging environments, variables and auth", () =>
    Effect.gen(function* () {
      const registry = yield* shop
      assert.deepStrictEqual(yield* paths(add(registry, { access_tag: "us" })), ["app"])
      yield* add(registry, {
        access_tag: "us",
        app: "crm",
        envs: [
          {
            slug: "dev",
            variables: [
              { key: "a", value: 1 },
              { key: "b", value: 2 }
            ],
            auth: [
              { auth_tag: "one", data: { headers: { A: "1" } } },
              { auth_tag: "two", data: { "query:k": "2", plain: "3" } }
            ]
          }
        ]
      })
      const made = yield* add(registry, {
        access_tag: "us",
        envs: [
          {
            product_env_slug: "dev",
            base_url: "https://us.crm.test",
            variables: [
              { key: "b", value: 3 },
              { key: "a", value: null }
            ],
            auth: { auth_tag: "one", data: { "header:B": "2" } }
          },
          { product_env_slug: "prd", app_env_slug: "dev" }
        ]
      })
      assert.deepStrictEqual(made.envs, [
        {
          product_env_slug: "dev",
          app_env_slug: "dev",
          base_url: "https://us.crm.test",
          variables: [{ key: "b", value: 3 }],
          auth: [
            { auth_tag: "one", data: { headers: { B: "2" } } },
            { auth_tag: "two", data: { query: { k: "2" }, plain: "3" } }
          ]
        },
        { product_env_slug: "prd", app_env_slug: "dev" }
      ])
      assert.deepStrictEqual((yield* registry.products.apps.fetch("shop", "us")).envs, made.envs)
      yield* registry.apps.create({ app_name: "Mail" })
      assert.strictEqual(yield* code(add(registry, { access_tag: "us", app: "mail" })), "ALREADY_EXISTS")
    })
  )

  it.effect("are refused when a slug, a format or an app does not exist", () =>
    Effect.gen(function* () {
      const registry = yield* shop
      const env = (more: object) => ({ access_tag: "us", app: "crm", envs: [more] }) as ConnectionInput
      assert.strictEqual(yield* code(add(registry, env({ slug: "nope" }))), "ENV_NOT_FOUND")
      assert.strictEqual(
        yield* code(add(registry, env({ product_env_slug: "dev", app_env_slug: "nope" }))),
        "ENV_NOT_FOUND"
      )
      assert.strictEqual(yield* code(add(registry, env({ product_env_slug: "dev" }))), "VALIDATION_ERROR")
      const wrong = {
        slug: "dev",
        request_type: "YAML",
        base_url: "x",
        variables: [{ key: "a", value: () => 1 }],
        auth: { auth_tag: "", data: "x" },
        limits: { perSecond: 0, concurrency: 1.5 }
      }
      assert.deepStrictEqual(yield* paths(add(registry, env(wrong))), [
        "envs[0].base_url",
        "envs[0].request_type",
        "envs[0].limits.perSecond",
        "envs[0].limits.concurrency",
        "envs[0].variables[0].value",
        "envs[0].auth[0].auth_tag",
        "envs[0].auth[0].data"
      ])
      assert.strictEqual(
        yield* code(add(registry, { ...env({ slug: "dev" }), app: "none" })),
        "APP_NOT_FOUND"
      )
      assert.strictEqual(yield* code(registry.products.apps.fetch("shop", "us")), "CONNECTION_NOT_FOUND")
      assert.strictEqual(yield* code(registry.products.apps.update("shop", "us", {})), "CONNECTION_NOT_FOUND")
      assert.deepStrictEqual(yield* registry.products.apps.fetchAll("shop"), [])
    })
  )

  it.effect("resolve only what is active and told apart", () =>
    Effect.gen(function* () {
      const registry = yield* shop
      const { apps, products } = registry
      const dev = { product: "shop", env: "dev" }
      const resolving = (app: string, context = dev) => code(registry.connection(context, app))
      assert.strictEqual(yield* resolving("crm"), "APP_NOT_CONNECTED")
      assert.strictEqual(yield* resolving("none"), "APP_NOT_CONNECTED")
      yield* add(registry, { access_tag: "us", app: "crm", envs: [{ slug: "dev" }] })
      assert.strictEqual((yield* registry.connection(dev, "crm")).accessTag, "us")
      yield* add(registry, { access_tag: "eu", app: "crm", envs: [{ slug: "dev", active: false }] })
      const ambiguous = yield* Effect.flip(registry.connection(dev, "crm"))
      assert.strictEqual(ambiguous.code, "APP_AMBIGUOUS")
      assert.include(ambiguous.message, "eu, us")
      assert.strictEqual(yield* resolving("eu"), "ENV_INACTIVE")
      assert.strictEqual(yield* resolving("us", { product: "shop", env: "prd" }), "APP_ENV_NOT_MAPPED")
      assert.strictEqual(yield* resolving("us", { product: "none", env: "prd" }), "PRODUCT_NOT_FOUND")
      assert.strictEqual(yield* resolving("us", { product: "shop", env: "zz" }), "ENV_NOT_FOUND")
      assert.strictEqual((yield* registry.environment(dev)).env.slug, "dev")
      yield* apps.environments.update("crm", "dev", { active: false })
      assert.strictEqual(yield* resolving("us"), "ENV_INACTIVE")
      yield* products.environments.update("shop", "dev", { active: false })
      assert.strictEqual(yield* code(registry.environment(dev)), "ENV_INACTIVE")
      assert.isTrue(yield* products.apps.delete("shop", "eu"))
      assert.strictEqual((yield* products.apps.fetchAll("shop")).length, 1)
    })
  )

  it.effect("have the credentials of auth.create, whenever they were made", () =>
    Effect.gen(function* () {
      const registry = yield* shop
      yield* registry.products.apps.connect("shop", "crm")
      const definition = yield* registry.auth.create({
        app: "crm",
        type: "api_key",
        config: { header_name: "X-Key" },
        envs: [{ slug: "dev", value: "k-dev" }]
      })
      assert.deepInclude(definition, { tag: "api-key", setup_type: "token_access" })
      yield* registry.auth.create({ app: "crm", type: "basic", envs: [{ slug: "dev", value: "ada:pw" }] })
      yield* add(registry, {
        access_tag: "later",
        app: "crm",
        envs: [{ slug: "dev", auth: { auth_tag: "basic", data: { headers: { Authorization: "own" } } } }]
      })
      const dev = { product: "shop", env: "dev" }
      const auth = (app: string) =>
        Effect.map(registry.connection(dev, app), (found) =>
          Object.fromEntries(found.auth.map(({ data, tag }) => [tag, data["headers"]]))
        )
      assert.deepStrictEqual(yield* auth("crm"), {
        "api-key": { "X-Key": "$Secret{AUTH_CRM_API_KEY_DEV}" },
        basic: { Authorization: "Basic $Secret{AUTH_CRM_BASIC_DEV}" }
      })
      assert.deepStrictEqual(yield* auth("later"), {
        "api-key": { "X-Key": "$Secret{AUTH_CRM_API_KEY_DEV}" },
        basic: { Authorization: "own" }
      })
      assert.strictEqual(
        (yield* registry.secrets.fetch("AUTH_CRM_BASIC_DEV")).value,
        Buffer.from("ada:pw").toString("base64")
      )
      assert.deepStrictEqual((yield* registry.secrets.fetch("AUTH_CRM_API_KEY_DEV")).scope, ["crm"])
      const again = {
        app: "crm",
        type: "bearer",
        tag: "api-key",
        envs: [{ slug: "dev", value: "x" }]
      } as const
      assert.strictEqual(yield* code(registry.auth.create(again)), "AUTH_EXISTS")
      const elsewhere = { ...again, tag: "new", envs: [{ slug: "zz", value: "x" }] }
      assert.strictEqual(yield* code(registry.auth.create(elsewhere)), "ENV_NOT_FOUND")
    })
  )
})

describe("Actions", () => {
  it.effect("are found exactly, then with _ and - and letter case alike", () =>
    Effect.gen(function* () {
      const { actions, kept } = yield* shop
      yield* actions.create(
        "crm",
        action("find-contact", { method: "get" as never, request_type: "JSON" as never })
      )
      const found = yield* actions.fetch("crm", "Find_Contact")
      assert.deepInclude(found, {
        tag: "find-contact",
        method: "GET",
        request_type: "application/json",
        app: "crm"
      })
      assert.strictEqual(yield* actions.fetch("crm", "Find_Contact"), found)
      assert.strictEqual(kept.action("crm", "Find_Contact"), found)
      assert.isTrue(Object.isFrozen(found))
      yield* actions.create("crm", action("find_contact"))
      assert.strictEqual((yield* actions.fetch("crm", "find_contact")).tag, "find_contact")
      assert.strictEqual((yield* actions.fetch("crm", "find-contact")).tag, "find-contact")
      assert.strictEqual(yield* code(actions.fetch("crm", "FIND_CONTACT")), "ACTION_AMBIGUOUS")
      assert.strictEqual(yield* code(actions.fetch("crm", "none")), "ACTION_NOT_FOUND")
      assert.strictEqual(yield* code(actions.fetch("none", "x")), "APP_NOT_FOUND")
      assert.strictEqual(yield* code(actions.create("crm", action("find_contact"))), "ACTION_EXISTS")
      assert.deepStrictEqual(yield* actions.tags("crm"), ["find-contact", "find_contact"])
    })
  )

  it.effect("are updated and deleted, and refused when not whole", () =>
    Effect.gen(function* () {
      const { actions } = yield* shop
      const made = yield* actions.create("crm", action("a"))
      const updated = yield* actions.update("crm", "a", (old) => ({ ...old, name: "New" }))
      assert.deepInclude(updated, { name: "New", _id: made._id, createdAt: made.createdAt })
      assert.strictEqual(
        yield* code(actions.update("crm", "a", (old) => ({ ...old, tag: "b" }))),
        "VALIDATION_ERROR"
      )
      assert.deepStrictEqual(
        yield* paths(actions.create("crm", { tag: "a/b", method: "FETCH" } as unknown as Action)),
        ["tag", "name", "method", "resource"]
      )
      assert.deepStrictEqual(
        yield* paths(actions.create("crm", { ...action("x"), resource: "https://crm.test/x" })),
        ["resource"]
      )
      const fields = {
        a: { type: "STRING" },
        b: null,
        c: { type: "object", fields: { d: { type: "nope" }, e: { type: "uuid" } } }
      }
      assert.deepStrictEqual(
        yield* paths(actions.create("crm", { ...action("x"), body: fields } as unknown as Action)),
        ["body.a.type", "body.b", "body.c.fields.d.type"]
      )
      assert.strictEqual(yield* code(actions.create("none", action("x"))), "APP_NOT_FOUND")
      assert.isTrue(yield* actions.delete("crm", "a"))
      assert.strictEqual(yield* code(actions.fetch("crm", "a")), "ACTION_NOT_FOUND")
      assert.deepStrictEqual(yield* actions.fetchAll("crm"), [])
    })
  )

  it.effect("are imported in one write, with their app or into one", () =>
    Effect.gen(function* () {
      const { actions, apps, revision } = yield* shop
      const before = yield* revision
      const { app } = yield* actions.import({
        app: { create: { app_name: "Petstore", unique: true } },
        base_url: "https://pets.test",
        actions: [action("list"), action("get")],
        variables: [{ key: "region", type: "string" }],
        auths: [{ tag: "key", name: "key", setup_type: "token_access" }]
      })
      assert.strictEqual(yield* revision, before + 1)
      assert.deepStrictEqual(
        app.envs.map((env) => env.base_url),
        ["https://pets.test", "https://pets.test"]
      )
      const first = yield* actions.fetch("petstore", "list")
      yield* apps.environments.upsert("petstore", [
        { slug: "eu1" },
        { slug: "dev", base_url: "https://own.test" }
      ])
      yield* apps.variables.update("petstore", "region", { description: "by hand" })
      yield* actions.import({
        app: { existing: "petstore" },
        base_url: "https://new.test",
        actions: [action("list", { name: "Listed" }), action("add")],
        variables: [
          { key: "region", type: "number" },
          { key: "more", type: "string" }
        ],
        auths: []
      })
      const listed = yield* actions.fetch("petstore", "list")
      assert.deepInclude(listed, { name: "Listed", _id: first._id, createdAt: first.createdAt })
      assert.deepStrictEqual(yield* actions.tags("petstore"), ["add", "get", "list"])
      const after = yield* apps.fetch("petstore")
      assert.deepStrictEqual(
        after.envs.map((env) => env.base_url),
        ["https://own.test", "https://pets.test", "https://new.test"]
      )
      assert.deepStrictEqual(after.variables, [
        { key: "region", type: "string", description: "by hand" },
        { key: "more", type: "string" }
      ])
      const again = { create: { app_name: "Petstore", unique: true } }
      const empty = { actions: [], variables: [], auths: [] }
      assert.strictEqual(yield* code(actions.import({ app: again, ...empty })), "APP_EXISTS")
      assert.strictEqual(
        yield* code(actions.import({ app: { existing: "none" }, ...empty })),
        "APP_NOT_FOUND"
      )
      const twice = { ...empty, app: { existing: "crm" }, actions: [action("x"), action("x")] }
      assert.deepStrictEqual(yield* paths(actions.import(twice)), ["actions[1].tag"])
    })
  )
})

describe("Resources", () => {
  interface Cache {
    readonly tag: string
    readonly url?: string
    readonly hits?: number
  }

  it.effect("belong to a product, are kept, and sealed where asked", () =>
    Effect.gen(function* () {
      const { resources, store } = yield* shop
      const open = resources<Cache>({ kind: "cache", sealed: false })
      const sealed = resources<Cache>({ kind: "database", sealed: true })
      yield* open.create("shop", { tag: "fx", url: "readable" })
      yield* sealed.create("shop", { tag: "fx", url: "unreadable" })
      assert.strictEqual(yield* code(open.create("shop", { tag: "fx" })), "ALREADY_EXISTS")
      assert.strictEqual(yield* code(open.create("none", { tag: "fx" })), "PRODUCT_NOT_FOUND")
      assert.strictEqual(yield* code(open.create("shop", { tag: "a/b" })), "VALIDATION_ERROR")
      const text = JSON.stringify(yield* store.list({ kind: "resource" }))
      assert.include(text, "readable")
      assert.notInclude(text, "unreadable")
      const found = yield* sealed.fetch("shop", "fx")
      assert.strictEqual(found.url, "unreadable")
      assert.strictEqual(sealed.kept("shop", "fx"), found)
      assert.strictEqual(yield* code(sealed.fetch("shop", "none")), "NOT_FOUND")
      assert.strictEqual(yield* code(sealed.fetch("none", "fx")), "PRODUCT_NOT_FOUND")
      assert.deepStrictEqual(
        (yield* sealed.fetchAll("shop")).map(({ tag, url }) => [tag, url]),
        [["fx", "unreadable"]]
      )
      yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => sealed.update("shop", "fx", (old) => ({ ...old, hits: (old.hits ?? 0) + 1 })),
        { concurrency: "unbounded" }
      )
      assert.isUndefined(sealed.kept("shop", "fx"))
      assert.strictEqual((yield* sealed.fetch("shop", "fx")).hits, 20)
      assert.strictEqual(
        yield* code(sealed.update("shop", "fx", (old) => ({ ...old, tag: "other" }))),
        "VALIDATION_ERROR"
      )
      assert.strictEqual(yield* code(sealed.update("shop", "none", (old) => old)), "NOT_FOUND")
      assert.isTrue(yield* sealed.delete("shop", "fx"))
      assert.isFalse(yield* sealed.delete("shop", "fx"))
    })
  )
})
