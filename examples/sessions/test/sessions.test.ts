import { readFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import Ductape, { createWorkspace } from "@ductape/sdk"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createSessionConfig } from "../auth.ts"
import { createApp } from "../expressApp.ts"
import { routeHandlers } from "../routeHandlers.ts"

type Send = (path: string, init?: RequestInit) => Promise<Response>

/** A browser's jar, as far as these cookies go: by name, with paths, dropped when they end. */
class Jar {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>()

  take(response: Response): void {
    for (const header of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = header.split("; ")
      for (const needed of ["HttpOnly", "Secure"]) expect(attributes).toContain(needed)
      expect(header).toMatch(/SameSite=(Lax|Strict)/)
      expect(response.headers.get("cache-control")).toBe("no-store")
      const at = pair.indexOf("=")
      const name = pair.slice(0, at)
      const path = attributes.find((a) => a.startsWith("Path="))?.slice(5) ?? ""
      if (name.startsWith("__Host-")) expect(path).toBe("/")
      if (attributes.includes("Max-Age=0")) this.#cookies.delete(name)
      else this.#cookies.set(name, { value: pair.slice(at + 1), path })
    }
  }

  header(path: string, without?: string): string {
    return [...this.#cookies]
      .filter(([name, cookie]) => name !== without && path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ")
  }
}

let ductape: Ductape
let stop = () => {}
const senders: Record<string, Send> = {}

const checkPassword = async (email: unknown, password: unknown) =>
  email === "ada@example.com" && password === "correct horse" ? { id: "ada", role: "admin" } : undefined

beforeAll(async () => {
  const store = "memory://sessions-example-test"
  const { accessKey } = await createWorkspace({ name: "Test", store })
  ductape = new Ductape({ accessKey, store, product: "shop", env: "dev" })
  await ductape.product.create({ name: "Shop" })
  await createSessionConfig(ductape)
  const server = createApp(ductape, checkPassword).listen(0)
  stop = () => server.close()
  await new Promise((resolve) => server.on("listening", resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  senders["Express"] = (path, init) => fetch(base + path, init)
  const handlers = routeHandlers(ductape, checkPassword)
  senders["route handlers"] = (path, init) => {
    const name = path.split("/").at(-1) as keyof typeof handlers
    return handlers[name](new Request(`http://localhost${path}`, init))
  }
})
afterAll(async () => {
  stop()
  await ductape.close()
})

for (const name of ["Express", "route handlers"]) {
  describe(name, () => {
    const open = () => {
      const jar = new Jar()
      const call = async (
        path: string,
        options: { body?: object; without?: string; origin?: string } = {}
      ) => {
        const { body, origin, without } = options
        const response = await (senders[name] as Send)(path, {
          method: path === "/me" ? "GET" : "POST",
          headers: {
            cookie: jar.header(path, without),
            "content-type": "application/json",
            ...(origin === undefined ? {} : { origin })
          },
          ...(path === "/me" ? {} : { body: JSON.stringify(body ?? {}) })
        })
        jar.take(response)
        return response
      }
      return { jar, call }
    }
    const right = { email: "ada@example.com", password: "correct horse" }

    it("signs in, knows the user, refreshes, signs out", async () => {
      const { jar, call } = open()
      expect((await call("/me")).status).toBe(401)
      expect((await call("/auth/login", { body: { ...right, password: "x" } })).status).toBe(401)
      expect((await call("/auth/login", { body: right })).status).toBe(204)
      expect(jar.header("/me")).not.toContain("refresh")
      expect(await (await call("/me")).json()).toEqual({ userId: "ada", role: "admin" })
      const before = jar.header("/auth")
      expect((await call("/auth/refresh")).status).toBe(204)
      expect(jar.header("/auth")).not.toBe(before)
      expect((await call("/me")).status).toBe(200)
      const stolen = jar.header("/auth")
      expect((await call("/auth/logout")).status).toBe(204)
      expect(jar.header("/auth")).toBe("")
      const reply = await (senders[name] as Send)("/me", { headers: { cookie: stolen } })
      expect(reply.status).toBe(401)
    })

    it("signs out a session whose access token is gone", async () => {
      const { jar, call } = open()
      await call("/auth/login", { body: right })
      const kept = jar.header("/auth")
      await call("/auth/logout", { without: "__Host-access" })
      const reply = await (senders[name] as Send)("/auth/refresh", {
        method: "POST",
        headers: { cookie: kept }
      })
      expect(reply.status).toBe(401)
    })

    it("clears the cookies of a refresh that is refused", async () => {
      const { jar, call } = open()
      await call("/auth/login", { body: right })
      await ductape.sessions.revokeAll({ tag: "web", identifier: "ada" })
      expect((await call("/auth/refresh")).status).toBe(401)
      expect(jar.header("/auth")).toBe("")
    })

    it("refuses requests that another site makes", async () => {
      const { call } = open()
      expect((await call("/auth/login", { body: right, origin: "https://evil.example" })).status).toBe(403)
      expect((await call("/auth/login", { body: right, origin: "null" })).status).toBe(403)
    })
  })
}

it("docs/sessions.md shows these very files", () => {
  const page = readFileSync(new URL("../../../docs/sessions.md", import.meta.url), "utf8")
  for (const file of ["cookies.ts", "auth.ts", "expressApp.ts", "routeHandlers.ts"]) {
    expect(page).toContain(readFileSync(new URL(`../${file}`, import.meta.url), "utf8").trim())
  }
})
