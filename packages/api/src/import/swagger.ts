import { ImportFault } from "./ImportFault.ts"
import { isRecord, type JsonRecord, own } from "./json.ts"
import type { Warnings } from "./Warnings.ts"

/** A copy without references that lead out of the document, so that a converter has nothing to fetch. */
const localOnly = (value: unknown, warnings: Warnings): unknown => {
  if (Array.isArray(value)) return value.map((item) => localOnly(item, warnings))
  if (!isRecord(value)) return value
  const ref = own(value, "$ref")
  if (typeof ref === "string" && !ref.startsWith("#")) {
    warnings.add("a $ref to another document is not followed and stands for anything", ref.slice(0, 200))
    return {}
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, localOnly(child, warnings)]))
}

/** OpenAPI 3.0 from Swagger 2.0, by `swagger2openapi`, in this process and without any look outside. */
export const convertSwagger = async (document: JsonRecord, warnings: Warnings): Promise<JsonRecord> => {
  if (!isRecord(own(document, "paths"))) {
    throw new ImportFault("the document has no `paths`", ["paths"])
  }
  const copy = localOnly(document, warnings)
  const { default: converter } = await import("swagger2openapi")
  try {
    const { openapi } = await converter.convertObj(copy, {
      patch: true,
      // Spares a copy of the whole document as YAML, which only external references would need.
      text: "{}",
      anchors: true,
      fetch: () => Promise.reject(new Error("nothing is fetched")),
      warnOnly: true,
      resolve: false,
      resolveInternal: false,
      rbname: "",
      targetVersion: "3.0.3"
    })
    if (isRecord(openapi)) return openapi
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : undefined
    throw new ImportFault(`the Swagger 2.0 document cannot be converted: ${why ?? "unknown fault"}`)
  }
  throw new ImportFault("the Swagger 2.0 document cannot be converted")
}
