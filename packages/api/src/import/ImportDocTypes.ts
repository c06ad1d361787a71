/** The kinds of document that an import takes; plain strings (`"postman"`, `"openapi"`) do as well. */
export const ImportDocTypes = {
  /** Postman collection, format 2.1. */
  postmanV21: "postmanV21",
  /** OpenAPI 3.0.x only. */
  openapi30: "openapi30",
  /** OpenAPI 3.1.x only. */
  openapi31: "openapi31",
  /** Any of OpenAPI 3.0, 3.1 and Swagger 2.0, told from the document itself. */
  openapi: "openapi",
  /** Swagger 2.0, converted to OpenAPI 3.0 first. */
  swagger20: "swagger20"
} as const

export type ImportDocType = (typeof ImportDocTypes)[keyof typeof ImportDocTypes]

const aliases: Readonly<Record<string, ImportDocType>> = {
  postman: "postmanV21",
  postmanv21: "postmanV21",
  "postman2.1": "postmanV21",
  openapi30: "openapi30",
  "openapi3.0": "openapi30",
  openapi31: "openapi31",
  "openapi3.1": "openapi31",
  openapi: "openapi",
  swagger20: "swagger20",
  "swagger2.0": "swagger20",
  swagger: "swagger20"
}

/** The kind that a caller's word stands for: letter case, `_`, `-` and spaces do not count. */
export const docTypeOf = (type: unknown): ImportDocType | undefined => {
  const key = typeof type === "string" ? type.toLowerCase().replace(/[\s_-]/g, "") : ""
  return Object.hasOwn(aliases, key) ? aliases[key] : undefined
}
