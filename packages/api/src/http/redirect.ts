import type { WireRequest } from "./Exchange.ts"

export const maxRedirects = 5

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export const isRedirect = (status: number, method: string): boolean =>
  (method === "GET" || method === "HEAD") && redirects.has(status)

/** All that another origin gets to see: nothing that the caller or a credential gave. */
const harmless: ReadonlySet<string> = new Set(["accept", "accept-encoding", "user-agent"])

/** The request of the next hop, or why there is none. */
export const nextHop = (request: WireRequest, location: string | undefined): WireRequest | string => {
  if (location === undefined || location === "") return "it names no location"
  if (!URL.canParse(location, request.origin + request.path)) return "its location is not a URL"
  const url = new URL(location, request.origin + request.path)
  if (url.protocol !== "http:" && url.protocol !== "https:") return "its location is neither http nor https"
  if (url.protocol === "http:" && request.origin.startsWith("https:")) return "it leads from https to http"
  const headers =
    url.origin === request.origin
      ? request.headers
      : Object.fromEntries(Object.entries(request.headers).filter(([name]) => harmless.has(name)))
  return { ...request, origin: url.origin, path: url.pathname + url.search, headers }
}
