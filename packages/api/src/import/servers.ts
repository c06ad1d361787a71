import { isRecord, own, recordIn, textIn } from "./json.ts"
import type { Warnings } from "./Warnings.ts"

/** The URL of a server with its variables at their defaults; `undefined` if one has none. */
const fillIn = (server: unknown): string | undefined => {
  if (!isRecord(server)) return undefined
  const variables = recordIn(server, "variables")
  let complete = true
  const url = (textIn(server, "url") ?? "").trim().replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = recordIn(variables, name)
    const value = own(variable, "default")
    if (typeof value === "string" || typeof value === "number") return String(value)
    const values = own(variable, "enum")
    const first: unknown = Array.isArray(values) ? values[0] : undefined
    if (typeof first === "string" && first !== "") return first
    complete = false
    return ""
  })
  return complete ? url : undefined
}

/** An absolute `http(s)` URL without credentials, query or fragment, or `undefined`. */
export const absoluteUrl = (text: string, base?: string): string | undefined => {
  const written = text.startsWith("//") ? `https:${text}` : text
  const url = URL.canParse(written, base) ? new URL(written, base) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined
  if (url.username !== "" || url.password !== "") return undefined
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "")
}

/**
 * The base URL that a list of servers stands for: the first one that is usable. Relative ones count
 * only where `base` is known; the others are named in a warning.
 */
export const baseOf = (
  servers: ReadonlyArray<unknown>,
  warnings: Warnings,
  base: string | undefined
): string | undefined => {
  let chosen: string | undefined
  const others: Array<string> = []
  for (const server of servers) {
    const filled = fillIn(server)
    const url = filled === undefined ? undefined : absoluteUrl(filled, base === undefined ? base : `${base}/`)
    if (url !== undefined && chosen === undefined) chosen = url
    else if (url !== undefined && url !== chosen) others.push(url)
  }
  if (chosen !== undefined && others.length > 0) {
    warnings.add(
      `only the server ${chosen} is used; further ones: ${[...new Set(others)].slice(0, 10).join(", ")}`
    )
  }
  return chosen
}
