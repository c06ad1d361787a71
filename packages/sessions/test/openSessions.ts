import {
  createWorkspace,
  MemoryStore,
  openRegistry,
  type RegistryShape,
  type RegistryStoreShape
} from "@ductape/registry"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { RegistrySessionStore } from "../src/RegistrySessionStore.ts"
import type { SessionConfig } from "../src/SessionConfig.ts"
import type { SessionStoreShape } from "../src/SessionStore.ts"
import { makeSessions, type SessionsOptions, type SessionsShape } from "../src/Sessions.ts"

export interface Opened {
  readonly sessions: SessionsShape
  readonly registry: RegistryShape
  readonly store: SessionStoreShape
  readonly accessKey: string
}

/** Product `shop` with environments `dev` and `prd`, and a session configuration `web`. */
export const web: SessionConfig = {
  tag: "web",
  name: "Web",
  selector: "$Session{userId}",
  expiry: 15,
  period: "mins",
  schema: { userId: "u1", role: "string", details: { email: "a@b.c" }, flags: ["x"], age: 3 }
}

/** Wednesday. */
export const wednesday = Date.UTC(2026, 0, 14, 12, 0, 0)

export const openSessions = Effect.fnUntraced(function* (
  options: {
    readonly config?: Partial<SessionConfig>
    readonly sessions?: SessionsOptions
    readonly registryStore?: RegistryStoreShape
    readonly sessionStore?: (store: RegistryStoreShape) => SessionStoreShape
  } = {}
) {
  yield* TestClock.setTime(wednesday)
  const registryStore = options.registryStore ?? (yield* MemoryStore.make())
  const { accessKey } = yield* createWorkspace(registryStore, { name: "Test" })
  const registry = yield* openRegistry(registryStore, { accessKey })
  yield* registry.products.create({ name: "Shop", tag: "shop", envs: [{ slug: "dev" }, { slug: "prd" }] })
  const store = (options.sessionStore ?? RegistrySessionStore.make)(registryStore)
  const sessions = yield* makeSessions(registry, store, { product: "shop", env: "prd", ...options.sessions })
  yield* sessions.create({ ...web, ...options.config })
  const opened: Opened = { sessions, registry, store, accessKey }
  return opened
})

/** A second process, as far as memory goes: the same workspace opened again over the same store. */
export const openAgain = Effect.fnUntraced(function* (first: Opened, options: SessionsOptions = {}) {
  const registry = yield* openRegistry(first.registry.store, { accessKey: first.accessKey })
  const sessions = yield* makeSessions(registry, first.store, { product: "shop", env: "prd", ...options })
  return { ...first, registry, sessions }
})

/** The claims and header of a token, unverified. */
export const decode = (token: string) => {
  const jwt = token.slice(token.lastIndexOf(":") + 1)
  const [header = "", payload = ""] = jwt.split(".")
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString())
  return { jwt, header: read(header), claims: read(payload) }
}
