import { isRecord, type JsonRecord, listIn, own, textIn } from "./json.ts"
import { absoluteUrl } from "./servers.ts"

/** A named value of a request, such as an entry of `query[]`. */
export interface Entry {
  readonly name: string
  /** Without `{{…}}`, else `undefined`. */
  readonly value: string | undefined
  readonly description: unknown
}

export interface PostmanUrl {
  /** Origin, with the path that a host variable brings along; `undefined` if it cannot be told. */
  readonly base: string | undefined
  /** As the collection has it. */
  readonly path: string
  readonly resource: string
  readonly names: ReadonlyArray<string>
  readonly query: ReadonlyArray<Entry>
  /** Values and descriptions of `:name` parts. */
  readonly variables: ReadonlyMap<string, Entry>
}

const maxSubstitutions = 10

/** Collection variables put in; what has no value stays `{{name}}`. */
const substitute = (text: string, variables: ReadonlyMap<string, string>): string => {
  let current = text
  for (let round = 0; round < maxSubstitutions && current.includes("{{"); round++) {
    const next = current.replace(/\{\{([^{}]+)\}\}/g, (whole, name: string) => {
      const value = variables.get(name.trim())
      return value === undefined || value.length > 2000 ? whole : value
    })
    if (next === current || next.length > 4000) break
    current = next
  }
  return current
}

const joined = (written: unknown, separator: string): string => {
  if (typeof written === "string") return written
  if (!Array.isArray(written)) return ""
  return written
    .map((part) => (isRecord(part) ? (textIn(part, "value") ?? "") : String(part ?? "")))
    .join(separator)
}

/** The text of a URL given as an object; its parts win over `raw`, which Postman derives from them. */
const textOf = (url: JsonRecord): string => {
  const host = joined(own(url, "host"), ".")
  if (host === "") return textIn(url, "raw") ?? ""
  const protocol = textIn(url, "protocol")
  const port = own(url, "port")
  const path = joined(own(url, "path"), "/").replace(/^\//, "")
  return `${protocol === undefined || protocol === "" ? "" : `${protocol}://`}${host}${
    typeof port === "string" || typeof port === "number" ? `:${port}` : ""
  }${path === "" ? "" : `/${path}`}`
}

/** Host and path of a URL that may hold `{{variables}}`. */
const split = (text: string): { host: string; path: string } => {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(text)?.[0] ?? ""
  const rest = text.slice(scheme.length)
  const slash = rest.indexOf("/")
  return slash < 0
    ? { host: text, path: "" }
    : { host: scheme + rest.slice(0, slash), path: rest.slice(slash) }
}

const local = /^(localhost|127\.|0\.0\.0\.0|\[?::1|10\.|192\.168\.)/

const baseOf = (host: string, variables: ReadonlyMap<string, string>): string | undefined => {
  const text = substitute(host, variables)
  if (text === "" || text.includes("{{")) return undefined
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return absoluteUrl(text)
  return absoluteUrl(`${local.test(text) ? "http" : "https"}://${text}`)
}

const plainValue = (value: unknown): string | undefined => {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined
  const text = String(value)
  return text === "" || text.includes("{{") ? undefined : text
}

/** The entries of a list of `{ key, value, description }`, disabled ones too. */
export const entriesOf = (list: ReadonlyArray<unknown>): ReadonlyArray<Entry> =>
  list.flatMap((entry) => {
    if (!isRecord(entry)) return []
    const name = textIn(entry, "key") ?? textIn(entry, "id")
    if (name === undefined || name === "") return []
    return [{ name, value: plainValue(own(entry, "value")), description: own(entry, "description") }]
  })

const queryOf = (text: string): ReadonlyArray<Entry> =>
  text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=")
      const name = decode(equals < 0 ? pair : pair.slice(0, equals))
      return {
        name,
        value: equals < 0 ? undefined : plainValue(decode(pair.slice(equals + 1))),
        description: ""
      }
    })

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}

export const readUrl = (written: unknown, variables: ReadonlyMap<string, string>): PostmanUrl | undefined => {
  const url = typeof written === "string" ? { raw: written } : written
  if (!isRecord(url)) return undefined
  const text = textOf(url)
  if (text === "") return undefined
  const [withoutHash = ""] = text.split("#", 1)
  const mark = withoutHash.indexOf("?")
  const { host, path } = split(mark < 0 ? withoutHash : withoutHash.slice(0, mark))
  const query = Array.isArray(own(url, "query"))
    ? entriesOf(listIn(url, "query"))
    : queryOf(mark < 0 ? "" : withoutHash.slice(mark + 1))
  const { names, resource } = resourceOf(path)
  return {
    base: baseOf(host, variables),
    path: path === "" ? "/" : path,
    resource,
    names,
    query,
    variables: new Map(entriesOf(listIn(url, "variable")).map((entry) => [entry.name, entry]))
  }
}

const simpleName = /^[A-Za-z_]\w*$/

/** `:x` and `{{x}}` parts become parameters. */
const resourceOf = (path: string): { names: ReadonlyArray<string>; resource: string } => {
  const names = new Set<string>()
  const segments = path.split("/").map((segment) => {
    const colon = /^:([^/:{}]+)$/.exec(segment)?.[1]
    const braces = /^\{\{([^{}]+)\}\}$/.exec(segment)?.[1]?.trim()
    const only = colon ?? braces
    if (only !== undefined && only !== "") {
      names.add(only)
      return simpleName.test(only) ? `:${only}` : `{${only}}`
    }
    return segment.replace(/\{\{([^{}]+)\}\}/g, (_, name: string) => {
      names.add(name.trim())
      return `{${name.trim()}}`
    })
  })
  const resource = segments.join("/")
  return { names: [...names], resource: resource.startsWith("/") ? resource : `/${resource}` }
}
