import { backtracks } from "@ductape/testkit"
import { Ajv, type AnySchema, type ValidateFunction } from "ajv"
import { Ajv2020 } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { asList, isJson, type Json, type OriginalDocument } from "./OriginalDocument.ts"

const typeNames = new Set(["string", "number", "integer", "boolean", "object", "array", "null"])

const maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
const lists = ["allOf", "anyOf", "oneOf", "prefixItems"]
const singles = [
  "additionalProperties",
  "additionalItems",
  "items",
  "not",
  "contains",
  "propertyNames",
  "if",
  "then",
  "else",
  "unevaluatedProperties",
  "unevaluatedItems"
]
const counts = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]
const numbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]

/**
 * Validates values against the schemas of a published document with Ajv. OpenAPI 3.0's dialect is
 * turned into JSON Schema on the way; what no validator accepts (unknown types, broken patterns) is
 * left out. Requests: `readOnly` properties are not required.
 */
export class SchemaCheck {
  readonly #document: OriginalDocument
  readonly #ajv: Ajv | Ajv2020
  readonly #refs = new Map<string, string>()
  readonly #compiled = new Map<object, ValidateFunction | undefined>()
  readonly #texts = new Map<string, ValidateFunction | undefined>()
  #pending: Array<string> = []

  constructor(document: OriginalDocument) {
    this.#document = document
    const options = {
      strict: false,
      logger: false as const,
      validateSchema: false,
      addUsedSchema: false,
      code: { regExp, optimize: false },
      multipleOfPrecision: 6,
      validateFormats: true
    }
    this.#ajv = document.is31 ? new Ajv2020(options) : new Ajv(options)
    formats.default(this.#ajv as Ajv)
  }

  /** What is wrong with the value, `""` if nothing, `undefined` if the schema cannot be compiled. */
  fault(schema: unknown, value: unknown): string | undefined {
    if (!isJson(schema)) return ""
    if (!this.#compiled.has(schema)) this.#compiled.set(schema, this.#compileOnce(schema))
    const validate = this.#compiled.get(schema)
    if (validate === undefined) return undefined
    if (validate(value)) return ""
    const [error] = validate.errors ?? []
    return `${error?.instancePath ?? ""} ${error?.message ?? "is not valid"}`.trim()
  }

  /** Documents repeat small schemas by the hundred. */
  #compileOnce(schema: Json): ValidateFunction | undefined {
    const text = JSON.stringify(schema, (key, value: unknown) =>
      key === "description" || key === "example" ? undefined : value
    )
    if (text.length > 500) return this.#compile(schema)
    if (!this.#texts.has(text)) this.#texts.set(text, this.#compile(schema))
    return this.#texts.get(text)
  }

  #compile(schema: Json): ValidateFunction | undefined {
    try {
      const converted = this.#convert(schema)
      while (this.#pending.length > 0) {
        const refs = this.#pending
        this.#pending = []
        for (const ref of refs) {
          this.#ajv.addSchema(
            this.#convert(this.#document.find(ref)) as AnySchema,
            this.#refs.get(ref) ?? ref
          )
        }
      }
      return this.#ajv.compile(converted as AnySchema)
    } catch {
      return undefined
    }
  }

  #convert(schema: unknown): unknown {
    if (typeof schema === "boolean") return schema
    if (!isJson(schema)) return {}
    const out: Record<string, unknown> = {}
    if (typeof schema["$ref"] === "string") {
      const ref = schema["$ref"]
      let id = this.#refs.get(ref)
      if (id === undefined) {
        id = `http://schema/${this.#refs.size}`
        this.#refs.set(ref, id)
        this.#pending.push(ref)
      }
      out["$ref"] = id
      if (!this.#document.is31) return out
    }
    for (const key of maps) {
      const map = schema[key]
      if (!isJson(map)) continue
      const children: Record<string, unknown> = {}
      for (const [name, child] of Object.entries(map)) {
        if (key !== "patternProperties" || isPattern(name)) children[name] = this.#convert(child)
      }
      out[key] = children
    }
    for (const key of lists) {
      const members = asList(schema[key])
      if (members.length > 0) out[key] = members.map((member) => this.#convert(member))
    }
    for (const key of singles) {
      const child = schema[key]
      if (typeof child === "boolean" || isJson(child)) out[key] = this.#convert(child)
    }
    for (const key of counts) {
      const count = schema[key]
      if (typeof count === "number" && count >= 0) out[key] = Math.floor(count)
    }
    for (const key of numbers) if (typeof schema[key] === "number") out[key] = schema[key]
    for (const [flag, limit] of [
      ["exclusiveMinimum", "minimum"],
      ["exclusiveMaximum", "maximum"]
    ] as const) {
      if (schema[flag] === true && typeof schema[limit] === "number") {
        out[flag] = schema[limit]
        delete out[limit]
      }
    }
    if (typeof schema["multipleOf"] === "number" && schema["multipleOf"] > 0) {
      out["multipleOf"] = schema["multipleOf"]
    }
    if (schema["uniqueItems"] === true) out["uniqueItems"] = true
    if (typeof schema["pattern"] === "string" && isPattern(schema["pattern"]))
      out["pattern"] = schema["pattern"]
    if (typeof schema["format"] === "string") out["format"] = schema["format"]
    if ("const" in schema) out["const"] = schema["const"]
    this.#type(schema, out)
    const required = this.#required(schema)
    if (required.length > 0) out["required"] = required
    return out
  }

  #type(schema: Json, out: Record<string, unknown>): void {
    const written = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]
    const types = written.filter((type) => typeof type === "string" && typeNames.has(type))
    const nullable = schema["nullable"] === true
    if (types.length > 0 && types.length === written.length) {
      out["type"] = nullable ? [...new Set([...types, "null"])] : types.length === 1 ? types[0] : types
    }
    const values = asList(schema["enum"])
    if (values.length > 0) out["enum"] = nullable ? [...values, null] : values
  }

  /** A property that a request may not carry cannot be required of it. */
  #required(schema: Json): ReadonlyArray<unknown> {
    const properties = isJson(schema["properties"]) ? schema["properties"] : {}
    return [...new Set(asList(schema["required"]))].filter((name) => {
      if (typeof name !== "string") return false
      return !this.#isReadOnly(properties[name])
    })
  }

  #isReadOnly(schema: unknown): boolean {
    const resolved = this.#document.resolve(schema)
    if (!isJson(resolved)) return false
    return (
      (isJson(schema) && schema["readOnly"] === true) ||
      resolved["readOnly"] === true ||
      asList(resolved["allOf"]).some((part) => this.#isReadOnly(part))
    )
  }
}

/** With Unicode where the pattern allows it. */
const regExp = Object.assign(
  (pattern: string): RegExp => {
    try {
      return new RegExp(pattern, "u")
    } catch {
      return new RegExp(pattern)
    }
  },
  { code: "new RegExp" }
)

/** Repeats of repeats take a backtracking engine forever; such a pattern is not checked. */
const isPattern = (text: string): boolean => {
  if (backtracks(text)) return false
  try {
    regExp(text)
    return true
  } catch {
    return false
  }
}
