import { ActionError } from "../ActionError.ts"

/** RFC 9110 `token`. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** What RFC 9110 allows in a field value: HTAB, visible ASCII, space and obs-text. */
const value = /^[\t\x20-\x7E\x80-\xFF]*$/

const edged = /^[\t ]|[\t ]$/

/** Set by the connection itself: a call that set them could speak for another host or split a message. */
const own: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
  "expect",
  "te",
  "trailer"
])

const refuse = (name: string, why: string): never => {
  const shown = token.test(name) ? `'${name.slice(0, 60)}'` : "with an illegal name"
  throw new ActionError({
    code: "INPUT_HEADER_INVALID",
    message: `The header ${shown} ${why}.`,
    details: { location: "headers", path: token.test(name) ? name : "" }
  })
}

/** @throws {ActionError} `INPUT_HEADER_INVALID`, never with the value */
export const checkHeader = (lowerName: string, spelling: string, text: string): string => {
  if (!token.test(lowerName) || lowerName === "__proto__") refuse(spelling, "cannot be sent")
  if (own.has(lowerName)) refuse(spelling, "is set by the connection and cannot be given")
  if (!value.test(text)) {
    refuse(
      spelling,
      /[\r\n\0]/.test(text) ? "holds a line break or NUL" : "holds characters that no header can"
    )
  }
  return edged.test(text) ? text.replace(/^[\t ]+|[\t ]+$/g, "") : text
}
