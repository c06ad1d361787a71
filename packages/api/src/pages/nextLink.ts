import LinkHeader from "http-link-header"

/** The target of `rel=next` in a `Link` header (RFC 8288). */
export const nextLink = (
  headers: Readonly<Record<string, string | ReadonlyArray<string>>>
): string | undefined => {
  const value = headers["link"]
  if (value === undefined) return undefined
  const text = typeof value === "string" ? value : value.join(", ")
  try {
    return LinkHeader.parse(text).rel("next")[0]?.uri
  } catch {
    return undefined
  }
}
