import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { testWorkspace } from "../src/testing/index.ts"

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flip(effect)

describe("Resolution of connections", () => {
  it.effect("finds base URL, variables, constants and auth of the environment", () =>
    Effect.gen(function* () {
      const registry = yield* testWorkspace()
      yield* registry.products.create({ name: "Shop" })
      yield* registry.apps.create({ app_name: "Stripe", tag: "stripe", base_url: "https://api.stripe.com" })
      yield* registry.apps.constants.create("stripe", { key: "limit", type: "number", value: 3 })
      yield* registry.secrets.create({ key: "STRIPE_KEY", value: "sk" })
      yield* registry.products.apps.add("shop", {
        access_tag: "stripe-eu",
        app: "stripe",
        envs: [
          {
            slug: "dev",
            request_type: "URLENCODED",
            variables: [{ key: "region", value: "eu" }],
            auth: {
              auth_tag: "key",
              data: { "headers:Authorization": "Bearer $Secret{STRIPE_KEY}", bare: "x" }
            }
          }
        ]
      })
      const context = { product: "shop", env: "dev" }
      const found = yield* registry.connection(context, "stripe")
      assert.strictEqual(found.accessTag, "stripe-eu")
      assert.strictEqual(found.baseUrl, "https://api.stripe.com")
      assert.strictEqual(found.requestType, "application/x-www-form-urlencoded")
      assert.deepStrictEqual(found.variables, { region: "eu" })
      assert.deepStrictEqual(found.constants, { limit: 3 })
      assert.deepStrictEqual(found.auth[0]?.data, {
        headers: { Authorization: "Bearer $Secret{STRIPE_KEY}" },
        bare: "x"
      })
      assert.strictEqual(registry.kept.connection(context, "stripe"), found)
      const again = yield* registry.connection(context, "stripe")
      assert.strictEqual(again, found)
      yield* registry.products.apps.update("shop", "stripe-eu", {
        envs: [{ product_env_slug: "dev", base_url: "https://eu.stripe.com" }]
      })
      assert.isUndefined(registry.kept.connection(context, "stripe"))
      assert.strictEqual((yield* registry.connection(context, "stripe-eu")).baseUrl, "https://eu.stripe.com")

      assert.strictEqual(
        (yield* failure(registry.connection({ product: "shop", env: "prd" }, "stripe"))).code,
        "APP_ENV_NOT_MAPPED"
      )
      yield* registry.products.apps.connect("shop", "stripe")
      assert.strictEqual(
        (yield* registry.connection({ product: "shop", env: "prd" }, "stripe")).accessTag,
        "stripe"
      )
    })
  )
})
