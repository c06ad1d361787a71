import type { ActionErrorCode } from "../ActionError.ts"
import { BodyBroken, BodyTooLarge } from "./decodeBody.ts"
import { EgressRefusal } from "./EgressPolicy.ts"
import { AttemptTimeout } from "./Exchange.ts"

/** Statuses after which the same request may succeed. */
export const retriedStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** What an answer outside of 2xx stands for. */
export const statusCode = (status: number): ActionErrorCode => {
  switch (status) {
    case 401:
      return "UNAUTHORIZED"
    case 403:
      return "FORBIDDEN"
    case 404:
      return "NOT_FOUND"
    case 429:
      return "RATE_LIMITED"
    case 503:
      return "SERVICE_UNAVAILABLE"
    default:
      if (status >= 500) return "UPSTREAM_ERROR"
      return status >= 400 ? "REQUEST_REJECTED" : "REDIRECT_REFUSED"
  }
}

export interface Fault {
  readonly code: ActionErrorCode
  readonly message: string
  readonly cause?: Error
}

const timeouts: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT"
])

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : ""

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ENOTFOUND: "the host name does not resolve",
  EAI_AGAIN: "the host name could not be resolved just now",
  UND_ERR_SOCKET: "the connection was closed before the answer was complete",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer was cut off",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate chain is self-signed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate cannot be verified",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host"
}

/** The causes of an error and of its `cause`s and, for several at once, of its `errors`. */
const unfold = (cause: unknown, depth = 0): Array<unknown> => {
  if (depth > 4 || typeof cause !== "object" || cause === null) return [cause]
  const inner = "cause" in cause ? unfold(cause.cause, depth + 1) : []
  const several =
    cause instanceof AggregateError ? cause.errors.flatMap((error) => unfold(error, depth + 1)) : []
  return [cause, ...several, ...inner]
}

/** A copy that says what happened and holds nothing of the request. */
const summary = (code: string): Error | undefined =>
  code === "" ? undefined : Object.assign(new Error(`network error ${code}`), { code })

/** The only place that knows how the HTTP client fails. */
export const classifyFault = (cause: unknown, limit: number): Fault => {
  const causes = unfold(cause)
  for (const each of causes) {
    if (each instanceof EgressRefusal) {
      return {
        code: "EGRESS_DENIED",
        message: `The egress policy denies this request: ${each.message}. Add the host to egress.allow if it is meant to be called.`
      }
    }
    if (each instanceof AttemptTimeout)
      return {
        code: "TIMEOUT",
        message: "No complete answer came in time. Give it a longer timeout, or retries."
      }
    if (each instanceof BodyTooLarge) {
      return {
        code: "RESPONSE_TOO_LARGE",
        message: `The answer is larger than ${limit} bytes. Read it with returns: 'stream'.`
      }
    }
    if (each instanceof BodyBroken) {
      return { code: "RESPONSE_INVALID", message: `The answer cannot be read: ${each.message}.` }
    }
  }
  const codes = causes.map(codeOf).filter((code) => code !== "")
  const code = codes.find((each) => reasons[each] !== undefined) ?? codes[0] ?? ""
  const error = summary(code)
  const known = error === undefined ? {} : { cause: error }
  if (codes.some((each) => timeouts.has(each))) {
    return { code: "TIMEOUT", message: "No connection or answer came in time.", ...known }
  }
  const why = reasons[code] ?? (code === "" ? "the exchange broke off" : `the exchange broke off (${code})`)
  return { code: "CONNECTION_ERROR", message: `The API could not be reached: ${why}.`, ...known }
}
