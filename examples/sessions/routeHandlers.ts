import type { Ductape } from "@ductape/sdk"
import { currentSession, refreshTokens, signIn, signOut, type User } from "./auth.ts"
import { clearedCookies, isSameOrigin, tokenCookies } from "./cookies.ts"

const answer = (status: number, body: object | null, cookies: ReadonlyArray<string> = []): Response => {
  const response = new Response(body === null ? null : JSON.stringify(body), { status })
  response.headers.set("Cache-Control", "no-store")
  if (body !== null) response.headers.set("Content-Type", "application/json")
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie)
  return response
}

/** Handlers of the Web's own Request and Response: Next.js route handlers, Hono, Bun, Deno. */
export const routeHandlers = (
  ductape: Ductape,
  checkPassword: (email: unknown, password: unknown) => Promise<User | undefined>
) => {
  const sameOrigin = (handle: (request: Request) => Promise<Response>) => async (request: Request) =>
    isSameOrigin(request.headers.get("origin"), request.headers.get("host") ?? new URL(request.url).host)
      ? handle(request)
      : answer(403, { error: "wrong origin" })

  return {
    login: sameOrigin(async (request) => {
      const { email, password } = await request.json()
      const user = await checkPassword(email, password)
      if (user === undefined) return answer(401, { error: "wrong e-mail or password" })
      return answer(204, null, tokenCookies(await signIn(ductape, user)))
    }),
    refresh: sameOrigin(async (request) => {
      const tokens = await refreshTokens(ductape, request.headers.get("cookie"))
      return tokens === undefined
        ? answer(401, { error: "sign in again" }, clearedCookies)
        : answer(204, null, tokenCookies(tokens))
    }),
    logout: sameOrigin(async (request) => {
      await signOut(ductape, request.headers.get("cookie"))
      return answer(204, null, clearedCookies)
    }),
    me: async (request: Request) => {
      const session = await currentSession(ductape, request.headers.get("cookie"))
      return session === undefined ? answer(401, { error: "sign in" }) : answer(200, session.data)
    }
  }
}
