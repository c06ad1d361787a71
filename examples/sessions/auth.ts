import { type Ductape, isDuctapeError } from "@ductape/sdk"
import type { SessionTokens } from "@ductape/sessions"
import { readCookies } from "./cookies.ts"

/** Made once, when the application is set up. */
export const createSessionConfig = (ductape: Ductape) =>
  ductape.sessions.create({
    tag: "web",
    name: "Browser sessions",
    selector: "$Session{userId}",
    schema: { userId: "string", role: "string" },
    expiry: 15,
    period: "mins",
    // Two tabs may refresh at once, and a response may be lost.
    reuse_leeway: 10
  })

export interface User {
  readonly id: string
  readonly role: string
}

export const signIn = (ductape: Ductape, user: User): Promise<SessionTokens> =>
  ductape.sessions.start({ tag: "web", data: { userId: user.id, role: user.role } })

/** The session of a request, or `undefined`: why is nothing that the browser should learn. */
export const currentSession = async (ductape: Ductape, cookieHeader: string | null | undefined) => {
  const { token } = readCookies(cookieHeader)
  if (token === undefined) return undefined
  const { valid, data, sessionId } = await ductape.sessions.verify({ tag: "web", token })
  return valid ? { token, data, sessionId } : undefined
}

/** New tokens, or `undefined` if the user has to sign in again. */
export const refreshTokens = async (
  ductape: Ductape,
  cookieHeader: string | null | undefined
): Promise<SessionTokens | undefined> => {
  const { refreshToken } = readCookies(cookieHeader)
  if (refreshToken === undefined) return undefined
  try {
    return await ductape.sessions.refresh({ tag: "web", refreshToken })
  } catch (error) {
    if (isDuctapeError(error) && error.status === 401) return undefined
    throw error
  }
}

/** Ends the session, also when only its refresh token is still good. */
export const signOut = async (ductape: Ductape, cookieHeader: string | null | undefined): Promise<void> => {
  const session =
    (await currentSession(ductape, cookieHeader)) ?? (await refreshTokens(ductape, cookieHeader))
  if (session !== undefined) await ductape.sessions.revoke({ tag: "web", sessionId: session.sessionId })
}
