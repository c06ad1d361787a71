/** A path of a document, made into a resource. */
export interface PathReading {
  /** Whole-segment parameters as `:id`, others as `{id}`; with the literal part of a query. */
  readonly resource: string
  /** Parameters in the path. */
  readonly names: ReadonlySet<string>
  /** Parameters that the path's own query mentions: name in the query → name in the document. */
  readonly query: ReadonlyMap<string, string>
}

const simpleName = /^[A-Za-z_]\w*$/

/**
 * OpenAPI's path templating. Documents also use `#…` to tell operations on one path apart, and
 * `?name={value}`; the first is dropped, the second becomes query parameters.
 *
 * @param declared names of the declared path parameters
 */
export const readPath = (path: string, declared: ReadonlySet<string>): PathReading => {
  const [whole = ""] = path.split("#", 1)
  const mark = whole.indexOf("?")
  const names = new Set<string>()
  const nameOf = (written: string): string => {
    // RFC 6570 operators, which OpenAPI does not have but documents do.
    const bare = written.replace(/^[+#./;?&]/, "").replace(/\*$/, "")
    return !declared.has(written) && declared.has(bare) ? bare : written
  }
  const segments = (mark < 0 ? whole : whole.slice(0, mark)).split("/").map((segment) => {
    const only = /^\{([^{}]+)\}$/.exec(segment)?.[1]
    if (only !== undefined) {
      const name = nameOf(only)
      names.add(name)
      return simpleName.test(name) ? `:${name}` : `{${name}}`
    }
    const colon = /^:(\w+)$/.exec(segment)?.[1]
    if (colon !== undefined && declared.has(colon)) {
      names.add(colon)
      return segment
    }
    const text = segment.replace(/\{([^{}]+)\}/g, (_, written: string) => {
      const name = nameOf(written)
      names.add(name)
      return `{${name}}`
    })
    return text.startsWith(":") ? `%3A${text.slice(1)}` : text
  })
  const resource = segments.join("/")
  const query = new Map<string, string>()
  const literal: Array<string> = []
  for (const pair of mark < 0 ? [] : whole.slice(mark + 1).split("&")) {
    const [key = "", ...rest] = pair.split("=")
    const written = /^\{\??([^{}]+)\}$/.exec(rest.join("="))?.[1]
    const named = /^\{\??([^{}]+)\}$/.exec(key)?.[1]
    // `{name}=example` stands for the parameter too.
    const alone = rest.length === 0 || declared.has(named ?? "") ? named : undefined
    if (written !== undefined) query.set(decode(key), nameOf(written))
    else if (alone !== undefined) query.set(nameOf(alone), nameOf(alone))
    else if (pair !== "") literal.push(pair)
  }
  const start = resource.startsWith("/") ? resource : `/${resource}`
  return { resource: literal.length === 0 ? start : `${start}?${literal.join("&")}`, names, query }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}
