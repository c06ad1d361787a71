import { ActionError } from "../ActionError.ts"
import type { BuiltRequest } from "../request/RequestPlan.ts"
import type { Composed } from "./compose.ts"

/**
 * The request for a page whose URL an answer named. It goes where the connection goes or nowhere, since
 * credentials go with it; those in the query are added where the URL has them not.
 */
export const pageRequest = ({ request, secretQuery }: Composed, next: string): BuiltRequest => {
  const url = URL.canParse(next, request.url) ? new URL(next, request.url) : undefined
  if (url === undefined || url.origin !== new URL(request.origin).origin) {
    throw new ActionError({
      code: "REDIRECT_REFUSED",
      message: "The next page is not on the connection's own origin, so it was not asked for."
    })
  }
  const own = new URL(request.url).searchParams
  for (const name of secretQuery) {
    if (!url.searchParams.has(name))
      for (const value of own.getAll(name)) url.searchParams.append(name, value)
  }
  const path = url.pathname + url.search
  return { ...request, path, url: request.origin + path }
}
