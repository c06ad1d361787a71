import { tagFrom } from "@ductape/core"
import * as Effect from "effect/Effect"
import type { Definitions, Found } from "./Definitions.ts"
import type { Product, ProductEnv } from "./entities.ts"
import { envNotFound, productNotFound, tagFixed } from "./failures.ts"
import { Issues } from "./Issues.ts"
import { tagPattern, tagRule } from "./names.ts"
import type { EnvInput, ProductInput, RegistryShape } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { checkEnv, checkEnvPatch, checkEnvs, defined } from "./shapes.ts"

type Products = Omit<RegistryShape["products"], "apps">

export const makeProductEnv = (env: EnvInput): ProductEnv =>
  defined({
    env_name: env.env_name ?? env.slug,
    slug: env.slug,
    description: env.description,
    active: env.active ?? true
  }) as ProductEnv

export const putProduct = (product: Product, expect: "absent" | number): Change => ({
  op: "put",
  kind: "product",
  key: product.tag,
  value: JSON.stringify(product),
  expect
})

export const needProduct = Effect.fnUntraced(function* (
  definitions: Definitions,
  tag: string
): Effect.fn.Return<Found<Product>, RegistryError> {
  const found = typeof tag === "string" ? yield* definitions.get<Product>("product", tag) : undefined
  return found ?? (yield* productNotFound(String(tag)))
})

/** The first of `tag`, `tag-2`, `tag-3`, … that nothing of the kind has. */
export const freeTag = Effect.fnUntraced(function* (definitions: Definitions, kind: string, tag: string) {
  for (let i = 2, candidate = tag; ; i++) {
    if ((yield* definitions.store.get(kind, candidate)) === undefined) return candidate
    candidate = `${tag}-${i}`
  }
})

export const makeProducts = (definitions: Definitions): Products => {
  const change = (tag: string, update: (old: Product) => Product | RegistryError) =>
    definitions.repeat(
      Effect.gen(function* () {
        const old = yield* needProduct(definitions, tag)
        const updated = update(old.value)
        if (updated instanceof RegistryError) return yield* updated
        const product = { ...updated, updatedAt: definitions.time() }
        yield* definitions.commit([putProduct(product, old.version)])
        return product
      })
    )

  const envOf = (product: Product, slug: string): Effect.Effect<ProductEnv, RegistryError> => {
    const env = product.envs.find((candidate) => candidate.slug === slug)
    return env === undefined
      ? Effect.fail(
          envNotFound(
            { kind: "product", tag: product.tag },
            slug,
            product.envs.map((e) => e.slug)
          )
        )
      : Effect.succeed(env)
  }

  const create = Effect.fn("Products.create")(function* (
    input: ProductInput
  ): Effect.fn.Return<Product, RegistryError> {
    const issues = new Issues()
    if (issues.object("", input)) {
      issues.text("name", input["name"], { required: true, max: 200 })
      issues.text("description", input["description"])
      issues.boolean("unique", input["unique"])
      if (input["tag"] !== undefined) issues.pattern("tag", input["tag"], tagPattern, tagRule)
      else if (
        typeof input["name"] === "string" &&
        input["name"].trim() !== "" &&
        tagFrom(input["name"]) === ""
      ) {
        issues.add("tag", "required", "cannot be made from this name; give one")
      }
      checkEnvs(issues, "envs", input["envs"], { app: false })
    }
    const refused = issues.registryError("The product cannot be made")
    if (refused !== undefined) return yield* refused

    const wanted = input.tag ?? tagFrom(input.name)
    const fixed = input.tag !== undefined || input.unique === true
    const envs = (input.envs ?? [{ slug: "dev" }, { slug: "prd" }]).map(makeProductEnv)
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const tag = yield* freeTag(definitions, "product", wanted)
        if (fixed && tag !== wanted) {
          return yield* new RegistryError({
            code: "PRODUCT_EXISTS",
            message: `The product '${wanted}' already exists. Use it, or choose another tag.`,
            details: { product: wanted }
          })
        }
        const product: Product = {
          ...definitions.newMeta(),
          tag,
          name: input.name,
          description: input.description ?? "",
          envs
        }
        yield* definitions.commit([putProduct(product, "absent")])
        return product
      })
    )
  })

  const update = Effect.fn("Products.update")(function* (
    tag: string,
    patch: Partial<ProductInput>
  ): Effect.fn.Return<Product, RegistryError> {
    const issues = new Issues()
    if (issues.object("", patch)) {
      if (patch["name"] !== undefined) issues.text("name", patch["name"], { required: true, max: 200 })
      issues.text("description", patch["description"])
      checkEnvs(issues, "envs", patch["envs"], { app: false })
    }
    const refused = issues.registryError(`The product '${tag}' cannot be updated`)
    if (refused !== undefined) return yield* refused
    if (patch.tag !== undefined && patch.tag !== tag) return yield* tagFixed("tag")
    return yield* change(tag, (old) => {
      const envs = new Map(old.envs.map((env) => [env.slug, env]))
      for (const env of patch.envs ?? []) {
        envs.set(env.slug, makeProductEnv({ ...envs.get(env.slug), ...defined(env) }))
      }
      return {
        ...old,
        name: patch.name ?? old.name,
        description: patch.description ?? old.description,
        envs: [...envs.values()]
      }
    })
  })

  const remove = Effect.fn("Products.delete")(function* (
    tag: string
  ): Effect.fn.Return<boolean, RegistryError> {
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const old = yield* needProduct(definitions, tag)
        const resources = yield* definitions.store.keys({ kind: "resource", group: tag })
        if (resources.length > 0) {
          const names = resources.map((key) => key.split("/")).map(([kind, , name]) => `${kind} '${name}'`)
          return yield* new RegistryError({
            code: "IN_USE",
            message: `The product '${tag}' still has ${names.slice(0, 5).join(", ")}${names.length > 5 ? " and more" : ""}. Delete them first.`,
            details: { product: tag, usedBy: names }
          })
        }
        const connections = yield* definitions.store.keys({ kind: "connection", group: tag })
        yield* definitions.commit([
          ...connections.map((key): Change => ({ op: "delete", kind: "connection", key })),
          { op: "delete", kind: "product", key: tag, expect: old.version }
        ])
        return true
      })
    )
  })

  const createEnv = Effect.fn("Products.environments.create")(function* (
    product: string,
    env: EnvInput
  ): Effect.fn.Return<ProductEnv, RegistryError> {
    const issues = new Issues()
    checkEnv(issues, "", env, { app: false })
    const refused = issues.registryError("The environment cannot be made")
    if (refused !== undefined) return yield* refused
    const made = makeProductEnv(env)
    yield* change(product, (old) =>
      old.envs.some((other) => other.slug === made.slug)
        ? new RegistryError({
            code: "ENV_EXISTS",
            message: `The environment '${made.slug}' of the product '${product}' already exists.`,
            details: { product, env: made.slug }
          })
        : { ...old, envs: [...old.envs, made] }
    )
    return made
  })

  const updateEnv = Effect.fn("Products.environments.update")(function* (
    product: string,
    slug: string,
    patch: Partial<EnvInput>
  ): Effect.fn.Return<ProductEnv, RegistryError> {
    const issues = new Issues()
    if (issues.object("", patch)) checkEnvPatch(issues, "", patch, { app: false })
    const refused = issues.registryError(`The environment '${slug}' cannot be updated`)
    if (refused !== undefined) return yield* refused
    if (patch.slug !== undefined && patch.slug !== slug) return yield* tagFixed("slug")
    const updated = yield* change(product, (old) =>
      old.envs.some((env) => env.slug === slug)
        ? {
            ...old,
            envs: old.envs.map((env) =>
              env.slug === slug ? makeProductEnv({ ...env, ...defined(patch) }) : env
            )
          }
        : envNotFound(
            { kind: "product", tag: product },
            slug,
            old.envs.map((env) => env.slug)
          )
    )
    return yield* envOf(updated, slug)
  })

  return {
    create,
    update,
    fetch: Effect.fn("Products.fetch")(function* (tag: string) {
      return (yield* needProduct(definitions, tag)).value
    }),
    fetchAll: definitions.list<Product>({ kind: "product" }).pipe(
      Effect.map((found) => found.map(({ value }) => value)),
      Effect.withSpan("Products.fetchAll")
    ),
    delete: remove,
    environments: {
      create: createEnv,
      update: updateEnv,
      fetch: Effect.fn("Products.environments.fetch")(function* (product: string, slug: string) {
        return yield* envOf((yield* needProduct(definitions, product)).value, slug)
      }),
      fetchAll: Effect.fn("Products.environments.fetchAll")(function* (product: string) {
        return (yield* needProduct(definitions, product)).value.envs
      })
    }
  }
}
