import type { Ductape } from "@ductape/sdk"
import express, { type RequestHandler } from "express"
import { currentSession, refreshTokens, signIn, signOut, type User } from "./auth.ts"
import { clearedCookies, isSameOrigin, tokenCookies } from "./cookies.ts"

export const createApp = (
  ductape: Ductape,
  checkPassword: (email: unknown, password: unknown) => Promise<User | undefined>
) => {
  const app = express()
  app.use(express.json())

  app.use("/auth", (req, res, next) => {
    res.set("Cache-Control", "no-store")
    if (isSameOrigin(req.headers.origin, req.headers.host)) next()
    else res.status(403).json({ error: "wrong origin" })
  })

  app.post("/auth/login", async (req, res) => {
    const user = await checkPassword(req.body?.email, req.body?.password)
    if (user === undefined) res.status(401).json({ error: "wrong e-mail or password" })
    else
      res
        .append("Set-Cookie", tokenCookies(await signIn(ductape, user)))
        .status(204)
        .end()
  })

  app.post("/auth/refresh", async (req, res) => {
    const tokens = await refreshTokens(ductape, req.headers.cookie)
    if (tokens === undefined)
      res.append("Set-Cookie", clearedCookies).status(401).json({ error: "sign in again" })
    else res.append("Set-Cookie", tokenCookies(tokens)).status(204).end()
  })

  app.post("/auth/logout", async (req, res) => {
    await signOut(ductape, req.headers.cookie)
    res.append("Set-Cookie", clearedCookies).status(204).end()
  })

  const requireSession: RequestHandler = async (req, res, next) => {
    const session = await currentSession(ductape, req.headers.cookie)
    if (session === undefined) res.status(401).json({ error: "sign in" })
    else {
      res.locals["session"] = session
      next()
    }
  }

  app.get("/me", requireSession, (_req, res) => {
    res.json(res.locals["session"].data)
  })
  return app
}
