import { createHash } from "node:crypto"
import { ActionError } from "../ActionError.ts"
import { BodyStream } from "../request/fileValue.ts"
import type { BuiltRequest, RequestPlan } from "../request/RequestPlan.ts"
import type { Composed } from "./compose.ts"

/** Headers that differ from attempt to attempt, or say nothing about the answer. */
const perAttempt: ReadonlySet<string> = new Set([
  "content-length",
  "date",
  "idempotency-key",
  "traceparent",
  "tracestate",
  "baggage",
  "user-agent"
])

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0

const bodyIdentity = (body: BuiltRequest["body"]): unknown => {
  if (body === undefined || typeof body === "string") return body ?? null
  if (body instanceof BodyStream) {
    throw new ActionError({
      code: "VALIDATION_ERROR",
      message: "api.run({ cache }): a call whose body is a stream cannot be cached.",
      details: [{ location: "call", path: "cache", rule: "type", message: "cannot be used with a stream" }]
    })
  }
  return { sha256: createHash("sha256").update(body).digest("hex") }
}

/**
 * What tells one resolved call from another, credentials included (only a keyed hash of it is kept).
 * OAuth credentials count as `fingerprint`, so that a refresh keeps entries.
 */
export const identityOf = (
  plan: RequestPlan,
  { placement, request, rotating }: Composed,
  where: { readonly product: string; readonly env: string; readonly app: string },
  fingerprint: string
): unknown => {
  let written = request
  if (rotating.length > 0) {
    for (const [section, name] of rotating) placement.replace(section, name, `oauth ${fingerprint}`)
    written = plan.assemble(placement)
  }
  const mark = written.path.indexOf("?")
  const path = mark < 0 ? written.path : written.path.slice(0, mark)
  const query = mark < 0 ? "" : written.path.slice(mark + 1)
  return {
    v: 1,
    ...where,
    method: written.method,
    url: written.origin + path,
    query: query === "" ? [] : query.split("&").sort(),
    headers: Object.entries(written.headers)
      .filter(([name]) => !perAttempt.has(name))
      .sort(byName),
    body: bodyIdentity(written.body)
  }
}
