import { RegistryError } from "@ductape/registry"

/** Where the server is, for messages: never the user, the password or the parameters of the URL. */
export interface Place {
  readonly host: string
  readonly port: string
  readonly database: string
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : ""

const isServerCode = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E")

/** The server's own messages may hold values, and the driver's errors hold parameters: neither is kept. */
const stripped = (code: string): Error => new Error(code === "" ? "unknown failure" : code)

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED"
])

/** Whether the connection went away, so that a read may simply be asked again. */
export const isLostConnection = (cause: unknown): boolean =>
  ["CONNECTION_CLOSED", "CONNECTION_DESTROYED", "ECONNRESET", "EPIPE", "57P01", "57P02"].includes(
    codeOf(cause)
  )

/** Whether the server rolled the transaction back because of another one, so that it may be repeated. */
export const isRolledBack = (cause: unknown): boolean => ["40001", "40P01"].includes(codeOf(cause))

/**
 * The only place that knows the failures of PostgreSQL
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html) and of the driver.
 */
export const classify = (place: Place, cause: unknown): RegistryError => {
  if (cause instanceof RegistryError) return cause
  const code = codeOf(cause)
  const at = `PostgreSQL at ${place.host}:${place.port}`
  const fail = (
    kind: "CONNECTION_ERROR" | "STORE_FAILED" | "STORE_BUSY" | "TIMEOUT",
    message: string,
    retryable?: boolean
  ) =>
    new RegistryError({
      code: kind,
      message,
      details: { host: place.host, port: place.port, cause: code },
      cause: stripped(code),
      ...(retryable === undefined ? {} : { retryable })
    })
  if (code === "28P01" || code === "28000") {
    return fail(
      "CONNECTION_ERROR",
      `${at} refused the user name or the password. Check them in the store's URL.`,
      false
    )
  }
  if (code === "3D000") {
    return fail(
      "CONNECTION_ERROR",
      `${at} has no database '${place.database}'. Make it, or name another one.`,
      false
    )
  }
  if (code === "CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return fail("CONNECTION_ERROR", `${at} did not answer in time. Check that it is up and reachable.`)
  }
  if (networkCodes.has(code) || code.startsWith("08")) {
    return fail(
      "CONNECTION_ERROR",
      `${at} could not be reached (${code}). Check that it is up and reachable.`
    )
  }
  if (code === "53300") return fail("CONNECTION_ERROR", `${at} has no free connections. Try again.`)
  if (code.startsWith("57P"))
    return fail("CONNECTION_ERROR", `${at} is shutting down or starting. Try again.`)
  if (isRolledBack(cause)) return fail("STORE_BUSY", `Other writers kept being first at ${at}. Try again.`)
  if (code === "57014" || code === "55P03") return fail("TIMEOUT", `${at} took too long.`)
  if (code === "42501") {
    return fail(
      "STORE_FAILED",
      `${at} does not let this user use the schema 'ductape' of '${place.database}'. Grant usage and create on it, or on the database while it does not exist.`
    )
  }
  if (isServerCode(code)) return fail("STORE_FAILED", `${at} failed with SQLSTATE ${code}.`)
  return fail("STORE_FAILED", `The workspace could not be used at ${at}${code === "" ? "" : ` (${code})`}.`)
}
