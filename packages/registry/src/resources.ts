import * as Effect from "effect/Effect"
import type { Definitions, Found } from "./Definitions.ts"
import type { RecordMeta } from "./entities.ts"
import { tagFixed } from "./failures.ts"
import { Issues } from "./Issues.ts"
import { tagPattern, tagRule } from "./names.ts"
import { needProduct } from "./products.ts"
import type { ResourceKind, ResourceRepository } from "./Registry.ts"
import { RegistryError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { isJson } from "./shapes.ts"

/** All resources are records of one kind, so that a product knows whether it still has any. */
const kind = "resource"

interface ResourceRow {
  readonly meta: RecordMeta
  readonly value?: unknown
  readonly sealed?: string
}

export const makeResources = <T extends { readonly tag: string }>(
  definitions: Definitions,
  resource: ResourceKind
): ResourceRepository<T> => {
  const keyOf = (product: string, tag: string) => `${resource.kind}/${product}/${tag}`
  const span = (method: string) => `Resources.${method}`
  const attributes = { attributes: { "ductape.resource.kind": resource.kind } }

  const put = (product: string, value: T, meta: RecordMeta, expect: "absent" | number): Change => {
    const key = keyOf(product, value.tag)
    const row: ResourceRow = resource.sealed
      ? { meta, sealed: definitions.seal(kind, value, key) }
      : { meta, value }
    return {
      op: "put",
      kind,
      key,
      group: product,
      index: resource.kind,
      value: JSON.stringify(row),
      expect
    }
  }

  const read = (row: ResourceRow, key: string): Effect.Effect<T, RegistryError> =>
    row.sealed === undefined ? Effect.succeed(row.value as T) : definitions.unseal<T>(kind, row.sealed, key)

  const need = Effect.fnUntraced(function* (
    product: string,
    tag: string
  ): Effect.fn.Return<Found<{ readonly value: T; readonly meta: RecordMeta }>, RegistryError> {
    const key = keyOf(product, tag)
    const found = yield* definitions.get<ResourceRow>(kind, key)
    if (found === undefined) {
      yield* needProduct(definitions, product)
      return yield* new RegistryError({
        code: "NOT_FOUND",
        message: `The product '${product}' has no ${resource.kind} '${tag}'.`,
        details: { product, kind: resource.kind, tag }
      })
    }
    return { value: { value: yield* read(found.value, key), meta: found.value.meta }, version: found.version }
  })

  const check = (value: unknown, what: string): RegistryError | undefined => {
    const issues = new Issues()
    if (issues.object("", value)) {
      issues.pattern("tag", value["tag"], tagPattern, tagRule)
      if (!isJson(value)) issues.add("", "json", "must survive JSON")
    }
    return issues.registryError(what)
  }

  const cacheTable = `resource/${resource.kind}`

  return {
    create: (product, value) =>
      Effect.gen(function* () {
        const refused = check(value, `The ${resource.kind} cannot be made`)
        if (refused !== undefined) return yield* refused
        return yield* definitions.repeat(
          Effect.gen(function* () {
            const owner = yield* needProduct(definitions, product)
            if ((yield* definitions.store.get(kind, keyOf(product, value.tag))) !== undefined) {
              return yield* new RegistryError({
                code: "ALREADY_EXISTS",
                message: `The ${resource.kind} '${value.tag}' of the product '${product}' already exists. Update it, or choose another tag.`,
                details: { product, kind: resource.kind, tag: value.tag }
              })
            }
            const meta = definitions.newMeta()
            yield* definitions.commit([
              { op: "check", kind: "product", key: product, expect: owner.version },
              put(product, value, meta, "absent")
            ])
            return { ...value, ...meta }
          })
        )
      }).pipe(Effect.withSpan(span("create"), attributes)),

    fetch: (product, tag) =>
      definitions.cached(
        cacheTable,
        `${product}\0${tag}`,
        Effect.map(need(product, tag), ({ value: { meta, value } }) => ({ ...value, ...meta }))
      ),

    kept: (product, tag) => definitions.kept<T & RecordMeta>(cacheTable, `${product}\0${tag}`),

    fetchAll: (product) =>
      Effect.gen(function* () {
        yield* needProduct(definitions, product)
        const records = yield* definitions.store.list({ kind, group: product, index: resource.kind })
        return yield* Effect.forEach(records, (record) =>
          Effect.gen(function* () {
            const row = yield* definitions.parse<ResourceRow>(record)
            return { ...(yield* read(row, record.key)), ...row.meta }
          })
        )
      }).pipe(Effect.withSpan(span("fetchAll"), attributes)),

    update: (product, tag, change) =>
      definitions
        .repeat(
          Effect.gen(function* () {
            const { value: old, version } = yield* need(product, tag)
            const changed = change(old.value)
            const refused = check(changed, `The ${resource.kind} '${tag}' cannot be updated`)
            if (refused !== undefined) return yield* refused
            if (changed.tag !== tag) return yield* tagFixed("tag")
            const meta = { ...old.meta, updatedAt: definitions.time() }
            yield* definitions.commit([put(product, changed, meta, version)])
            return { ...changed, ...meta }
          })
        )
        .pipe(Effect.withSpan(span("update"), attributes)),

    delete: (product, tag) =>
      Effect.gen(function* () {
        yield* needProduct(definitions, product)
        const key = keyOf(product, tag)
        if ((yield* definitions.store.get(kind, key)) === undefined) return false
        yield* definitions.commit([{ op: "delete", kind, key }])
        return true
      }).pipe(Effect.withSpan(span("delete"), attributes))
  }
}
