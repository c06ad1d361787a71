import type { Field } from "@ductape/registry"
import type { Draft, FieldReader } from "./FieldReader.ts"
import { isForbiddenName, isRecord, type JsonRecord, listIn, own, recordIn, textIn } from "./json.ts"
import { type PathReading, readPath } from "./paths.ts"
import type { Schemas } from "./Schemas.ts"

type Location = "path" | "query" | "header" | "cookie"

/** A parameter with its place; references followed. */
export interface Parameter {
  readonly name: string
  readonly in: Location
  readonly source: JsonRecord
}

/** OpenAPI: definitions of these header parameters "SHALL be ignored". */
const ignoredHeaders: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"])
/** Written by the connection itself, so never a field. */
const ownHeaders: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "upgrade",
  "expect",
  "te",
  "trailer"
])

/** The parameters of an operation: those of its path too, its own winning by name and place. */
export const parametersOf = (
  schemas: Schemas,
  lists: ReadonlyArray<ReadonlyArray<unknown>>,
  place: string
): ReadonlyArray<Parameter> => {
  const found = new Map<string, Parameter>()
  for (const entry of lists.flat()) {
    const source = schemas.follow(entry)
    if (!isRecord(source)) continue
    const name = textIn(source, "name")
    const location = textIn(source, "in")
    if (name === undefined || name === "" || isForbiddenName(name)) {
      schemas.warnings.add("a parameter without a usable name is left out", place)
    } else if (location === "path" || location === "query" || location === "cookie") {
      found.set(`${location} ${name}`, { name, in: location, source })
    } else if (location === "header") {
      const lower = name.toLowerCase()
      if (ignoredHeaders.has(lower)) continue
      if (ownHeaders.has(lower) || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
        schemas.warnings.add(
          `the header parameter '${name.slice(0, 60)}' cannot be sent and is left out`,
          place
        )
      } else found.set(`${location} ${lower}`, { name, in: location, source })
    } else {
      schemas.warnings.add(`a parameter in '${String(location).slice(0, 20)}' is left out`, place)
    }
  }
  return [...found.values()]
}

const defaultStyles: Readonly<Record<Location, string>> = {
  path: "simple",
  header: "simple",
  query: "form",
  cookie: "form"
}
const stylesIn: Readonly<Record<Location, ReadonlyArray<string>>> = {
  path: ["simple", "label", "matrix"],
  header: ["simple"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  cookie: ["form"]
}

/** `style` and `explode`, where they are not the defaults of the place. */
export const serialisation = (source: JsonRecord, location: Location): Partial<Field> => {
  const written = textIn(source, "style")
  const fallback = defaultStyles[location]
  const style = written !== undefined && stylesIn[location].includes(written) ? written : fallback
  const explode = own(source, "explode")
  const exploded = typeof explode === "boolean" ? explode : style === "form"
  const usual = style === fallback && exploded === (fallback === "form")
  return {
    ...(usual ? {} : { style, explode: exploded }),
    ...(own(source, "allowReserved") === true ? { allowReserved: true } : {})
  }
}

const exampleOf = (schemas: Schemas, source: JsonRecord): unknown => {
  const example = own(source, "example")
  if (example !== undefined) return example
  for (const entry of Object.values(recordIn(source, "examples"))) {
    const followed = schemas.follow(entry)
    if (isRecord(followed) && own(followed, "value") !== undefined) return own(followed, "value")
  }
  return undefined
}

const fieldOf = (schemas: Schemas, reader: FieldReader, parameter: Parameter): Draft => {
  const { source } = parameter
  const [media] = Object.entries(recordIn(source, "content"))
  const content = media !== undefined && isRecord(media[1]) ? media[1] : undefined
  const field = reader.field(own(content ?? source, "schema"), {
    name: parameter.name,
    required: parameter.in === "path" || own(source, "required") === true,
    description: textIn(source, "description"),
    defaults: true,
    sample: exampleOf(schemas, content ?? source)
  })
  if (media === undefined) return Object.assign(field, serialisation(source, parameter.in))
  field.contentType = media[0]
  return field
}

export interface ParameterFields {
  readonly path: PathReading
  readonly params: Record<string, Draft>
  readonly query: Record<string, Draft>
  readonly headers: Record<string, Draft>
  readonly cookies: Record<string, Draft>
}

export const parameterFields = (
  schemas: Schemas,
  reader: FieldReader,
  written: string,
  parameters: ReadonlyArray<Parameter>,
  place: string
): ParameterFields => {
  const declared = new Map(parameters.filter((p) => p.in === "path").map((p) => [p.name, p]))
  const path = readPath(written, new Set(declared.keys()))
  const fields: ParameterFields = { path, params: {}, query: {}, headers: {}, cookies: {} }
  for (const name of path.names) {
    if (isForbiddenName(name)) continue
    const parameter = declared.get(name)
    if (parameter === undefined) {
      schemas.warnings.add(
        "a parameter of the path is not described and accepts anything",
        `${place} ${name}`
      )
      fields.params[name] = { required: true }
    } else fields.params[name] = fieldOf(schemas, reader, parameter)
  }
  for (const [key, name] of path.query) {
    const parameter = declared.get(name)
    if (parameter !== undefined) {
      fields.query[key] = fieldOf(schemas, reader, { ...parameter, in: "query" })
      fields.query[key].required = true
    } else if (!parameters.some((other) => other.in === "query" && other.name === key)) {
      fields.query[key] = { required: true }
    }
  }
  const used = new Set([...path.names, ...path.query.values()])
  for (const name of declared.keys()) {
    if (!used.has(name)) {
      schemas.warnings.add("a path parameter is not in the path and is left out", `${place} ${name}`)
    }
  }
  for (const parameter of parameters) {
    if (parameter.in === "query") fields.query[parameter.name] = fieldOf(schemas, reader, parameter)
    else if (parameter.in === "header") fields.headers[parameter.name] = fieldOf(schemas, reader, parameter)
    else if (parameter.in === "cookie") fields.cookies[parameter.name] = fieldOf(schemas, reader, parameter)
  }
  return fields
}

/** The parameter lists of a path item and one of its operations. */
export const parameterLists = (
  item: JsonRecord,
  operation: JsonRecord
): ReadonlyArray<ReadonlyArray<unknown>> => [listIn(item, "parameters"), listIn(operation, "parameters")]
