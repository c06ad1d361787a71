/** JSON as it was parsed; nothing here comes from the importer. */
export type Json = Readonly<Record<string, unknown>>

export const isJson = (u: unknown): u is Json => typeof u === "object" && u !== null && !Array.isArray(u)

export const asJson = (u: unknown): Json => (isJson(u) ? u : {})

export const asList = (u: unknown): ReadonlyArray<unknown> => (Array.isArray(u) ? u : [])

export interface OriginalParameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly style: string
  readonly explode: boolean
  readonly schema: unknown
  /** The media type of a parameter given by `content`. */
  readonly contentType: string | undefined
}

export interface OriginalBody {
  readonly required: boolean
  readonly mediaType: string
  readonly kind: "json" | "form" | "multipart" | "text" | "binary"
  readonly schema: unknown
  readonly encoding: Json
}

export interface OriginalOperation {
  readonly parameters: ReadonlyArray<OriginalParameter>
  readonly body: OriginalBody | undefined
}

const defaultStyle: Readonly<Record<string, string>> = {
  path: "simple",
  header: "simple",
  query: "form",
  cookie: "form"
}

const kinds = ["json", "form", "multipart", "text", "binary"] as const

/** A published document, read for checking: what each operation takes, straight from its text. */
export class OriginalDocument {
  readonly root: Json

  constructor(root: Json) {
    this.root = root
  }

  get is31(): boolean {
    return String(this.root["openapi"]).startsWith("3.1")
  }

  resolve(value: unknown): unknown {
    let current = value
    for (let hops = 0; hops < 50 && isJson(current) && typeof current["$ref"] === "string"; hops++) {
      current = this.find(current["$ref"])
    }
    return current
  }

  find(ref: string): unknown {
    let current: unknown = this.root
    for (const part of ref.replace(/^#\/?/, "").split("/")) {
      if (part === "") continue
      let key = part.replaceAll("~1", "/").replaceAll("~0", "~")
      try {
        key = decodeURIComponent(key)
      } catch {}
      current = isJson(current) && Object.hasOwn(current, key) ? current[key] : asList(current)[Number(key)]
    }
    return current
  }

  operation(path: string, method: string): OriginalOperation {
    const written = asJson(asJson(this.root["paths"])[path])
    const item = { ...asJson(this.resolve(written)), ...written }
    const operation = asJson(item[method.toLowerCase()])
    const parameters = new Map<string, OriginalParameter>()
    for (const entry of [...asList(item["parameters"]), ...asList(operation["parameters"])]) {
      const parameter = this.#parameter(entry)
      if (parameter === undefined) continue
      const name = parameter.in === "header" ? parameter.name.toLowerCase() : parameter.name
      parameters.set(`${parameter.in} ${name}`, parameter)
    }
    return { parameters: [...parameters.values()], body: this.#body(operation["requestBody"]) }
  }

  #parameter(entry: unknown): OriginalParameter | undefined {
    const source = asJson(this.resolve(entry))
    const { in: location, name } = source
    if (typeof name !== "string" || name === "" || typeof location !== "string") return undefined
    const fallback = defaultStyle[location]
    if (fallback === undefined) return undefined
    if (location === "header" && /^(accept|content-type|authorization)$/i.test(name)) return undefined
    const style = typeof source["style"] === "string" ? source["style"] : fallback
    const [media] = Object.entries(asJson(source["content"]))
    return {
      name,
      in: location,
      required: location === "path" || source["required"] === true,
      style,
      explode: typeof source["explode"] === "boolean" ? source["explode"] : style === "form",
      schema: media === undefined ? source["schema"] : asJson(media[1])["schema"],
      contentType: media?.[0]
    }
  }

  #body(entry: unknown): OriginalBody | undefined {
    const source = asJson(this.resolve(entry))
    const media = Object.entries(asJson(source["content"])).map(([mediaType, value]) => {
      const schema = asJson(value)["schema"]
      return { mediaType, value: asJson(value), schema, kind: this.#kind(mediaType, schema) }
    })
    const chosen = kinds.flatMap((kind) => media.filter((one) => one.kind === kind))[0]
    if (chosen === undefined) return undefined
    const { kind, mediaType, schema, value } = chosen
    const encoding = asJson(value["encoding"])
    return { required: source["required"] === true, mediaType, kind, schema, encoding }
  }

  #kind(mediaType: string, schema: unknown): OriginalBody["kind"] {
    const [essence = ""] = mediaType.toLowerCase().split(";")
    const type = essence.trim()
    if (type === "application/x-www-form-urlencoded") return "form"
    if (type === "multipart/form-data" || type === "application/form-data") return "multipart"
    if (type === "*/*") return asJson(this.resolve(schema))["format"] === "binary" ? "binary" : "json"
    if (
      type === "" ||
      type === "application/*" ||
      /json($|[^\w-])/.test(type.replace(/jsonlines|ndjson/, ""))
    ) {
      return /json-seq|jsonl/.test(type) ? "text" : "json"
    }
    return /^(text|message)\/|[/+](xml|yaml|x-yaml|csv|ndjson|x-ndjson|jwt|jose|javascript|graphql)$|jsonlines/.test(
      type
    )
      ? "text"
      : "binary"
  }
}
