import { RegistryError } from "./RegistryError.ts"

export const productNotFound = (tag: string): RegistryError =>
  new RegistryError({
    code: "PRODUCT_NOT_FOUND",
    message: `No product '${tag}'. Make it with product.create({ name, tag }), or see product.fetchAll().`,
    details: { product: tag }
  })

export const appNotFound = (tag: string): RegistryError =>
  new RegistryError({
    code: "APP_NOT_FOUND",
    message: `No app '${tag}'. Make it with app.create({ app_name, tag }) or api.import, or see app.fetchAll().`,
    details: { app: tag }
  })

export const envNotFound = (
  owner: { readonly kind: "product" | "app"; readonly tag: string },
  slug: string,
  slugs: ReadonlyArray<string>
): RegistryError =>
  new RegistryError({
    code: "ENV_NOT_FOUND",
    message: `The ${owner.kind} '${owner.tag}' has no environment '${slug}'; it has ${slugs.join(", ") || "none"}.`,
    details: { [owner.kind]: owner.tag, env: slug }
  })

export const tagFixed = (what: string): RegistryError =>
  new RegistryError({
    code: "VALIDATION_ERROR",
    message: `${what} never changes. Make a new one, or leave it out of the update.`,
    details: [{ path: what, rule: "readonly", message: "never changes" }]
  })
