import * as Effect from "effect/Effect"
import { ActionError } from "../ActionError.ts"
import { docTypeOf, type ImportDocType, ImportDocTypes } from "./ImportDocTypes.ts"
import { ImportFault, pointerOf } from "./ImportFault.ts"
import type { ImportPlan, PlanOptions } from "./ImportPlan.ts"
import { isRecord, type JsonRecord, own, recordIn, textIn } from "./json.ts"
import { defaultMaxBytes, type ReadDocument, readDocument } from "./readDocument.ts"
import { absoluteUrl } from "./servers.ts"
import { Warnings } from "./Warnings.ts"

/**
 * Reads a document and says what importing it would write. Nothing in it is executed or fetched.
 *
 * Fails with `ActionError`:
 * - `IMPORT_TYPE_UNSUPPORTED`: an unknown type, or a document of another kind than the type says
 * - `IMPORT_INVALID`: the document cannot be read; the message names the fault and its place
 * - `VALIDATION_ERROR`: an option is wrong
 */
export const planImport = (options: PlanOptions): Effect.Effect<ImportPlan, ActionError> =>
  Effect.suspend(() => {
    let document: ReadDocument | undefined
    const read = async (): Promise<ImportPlan> => {
      const type = docTypeOf(options.type)
      if (type === undefined) {
        throw unsupported(
          `the type ${JSON.stringify(String(options.type).slice(0, 40))} is unknown; use one of ${Object.values(ImportDocTypes).join(", ")}`
        )
      }
      const maxBytes = options.maxBytes ?? defaultMaxBytes
      if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) {
        throw new ImportFault("maxBytes must be a positive whole number", undefined, "VALIDATION_ERROR")
      }
      document = await readDocument(options.file, maxBytes)
      return planDocument(document.value, type, normalise(options))
    }
    return Effect.tryPromise({ try: read, catch: (cause) => toActionError(cause, document) })
  })

const normalise = (options: PlanOptions): PlanOptions => {
  if (options.base_url === undefined || options.base_url === "") return { ...options, base_url: undefined }
  const base = absoluteUrl(options.base_url)
  if (base !== undefined) return { ...options, base_url: base }
  throw new ImportFault(
    "base_url must be an http or https URL without credentials",
    undefined,
    "VALIDATION_ERROR"
  )
}

const planDocument = async (
  value: unknown,
  type: ImportDocType,
  options: PlanOptions
): Promise<ImportPlan> => {
  if (!isRecord(value)) throw new ImportFault("the document must be an object", [])
  const kind = kindOf(value)
  if (!accepts(type, kind)) {
    throw unsupported(
      kind.name === undefined
        ? `the document says neither 'openapi', 'swagger' nor a Postman 'info.schema', so it is not of type '${type}'`
        : `the document is ${kind.name}${kind.type === undefined ? ", which is not supported" : `, not of type '${type}'`}`
    )
  }
  if (type === "postmanV21") return (await import("./postman.ts")).planPostman(value, options)
  const { planOpenApi } = await import("./openapi.ts")
  if (kind.type !== "swagger20") return planOpenApi(value, options)
  const warnings = new Warnings()
  const { convertSwagger } = await import("./swagger.ts")
  return planOpenApi(await convertSwagger(value, warnings), options, warnings)
}

interface Kind {
  readonly type: ImportDocType | undefined
  readonly name: string | undefined
}

/** What a document says of itself. */
const kindOf = (value: JsonRecord): Kind => {
  const openapi = own(value, "openapi")
  if (openapi !== undefined) {
    const version = String(openapi).slice(0, 20)
    const minor = /^(3\.[01])(\.|$|-)/.exec(version)?.[1]
    const type = minor === "3.0" ? "openapi30" : minor === "3.1" ? "openapi31" : undefined
    return { type, name: `OpenAPI ${version}` }
  }
  const swagger = own(value, "swagger") ?? own(value, "swaggerVersion")
  if (swagger !== undefined) {
    const version = String(swagger).slice(0, 20)
    return { type: /^2(\.0)?$/.test(version) ? "swagger20" : undefined, name: `Swagger ${version}` }
  }
  const schema = textIn(recordIn(value, "info"), "schema")
  if (schema !== undefined && /getpostman|postman/i.test(schema)) {
    const version = /v(\d+(?:\.\d+)*)/.exec(schema)?.[1] ?? "of an unknown version"
    return {
      type: version.startsWith("2.1") ? "postmanV21" : undefined,
      name: `a Postman collection ${version}`
    }
  }
  if (schema?.includes("v2.1") === true) return { type: "postmanV21", name: "a Postman collection 2.1" }
  if (Array.isArray(own(value, "requests"))) return { type: undefined, name: "a Postman collection 1" }
  return { type: undefined, name: undefined }
}

const accepts = (type: ImportDocType, { type: kind }: Kind): boolean =>
  kind !== undefined && (kind === type || (type === "openapi" && kind !== "postmanV21"))

const unsupported = (message: string) => new ImportFault(message, undefined, "IMPORT_TYPE_UNSUPPORTED")

const toActionError = (cause: unknown, document: ReadDocument | undefined): ActionError => {
  if (cause instanceof ActionError) return cause
  if (!(cause instanceof ImportFault)) {
    // A document can be wrong in ways that nobody thought of; it is still the document.
    const why = cause instanceof RangeError ? "it is nested too deeply" : "it is not built as its format says"
    return new ActionError({
      code: "IMPORT_INVALID",
      message: `The document cannot be imported: ${why}.`,
      cause
    })
  }
  const { code, message, path } = cause
  const line = path === undefined ? undefined : document?.lineOf(path)
  const pointer = path === undefined ? undefined : pointerOf(path)
  const place = pointer === undefined ? "" : ` at ${pointer}${line === undefined ? "" : ` (line ${line})`}`
  return new ActionError({
    code,
    message: `The document cannot be imported: ${message}${place}.`,
    ...(pointer === undefined ? {} : { details: { pointer, ...(line === undefined ? {} : { line }) } })
  })
}
