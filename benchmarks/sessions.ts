import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { underLoad } from "./measure.ts"
import {
  type Contender,
  type Group,
  type Shared,
  type Suite,
  type Tools,
  throughputMetrics
} from "./suite.ts"

const data = { userId: "4f1c2a58-2b5e-4d0c-9b3f-6f6f1c1f0a11", role: "admin", plan: "pro" }
const claims = { sid: "2f0d7c1e-7f51-4a36-8d43-0f2b1c4b9f10", data }
const issuer = "ductape:benchmark"
const audience = "shop/prd/web"
const secret = Buffer.alloc(32, 7)
const one = { concurrency: 1, calls: 100_000 }
const few = { concurrency: 4, calls: 2_000 }

/** A client with one session configuration, on a workspace of the kind that the group says. */
const open = async ({ context }: Tools) => {
  const { createWorkspace, default: Ductape } = await import("@ductape/sdk")
  const store = String(context["store"])
  const { accessKey } = await createWorkspace({ name: "Benchmark", store })
  const ductape = new Ductape({ accessKey, store, product: "shop", env: "prd" })
  await ductape.product.create({ name: "Shop" })
  await ductape.sessions.create({
    tag: "web",
    name: "Web",
    selector: "$Session{userId}",
    schema: data,
    expiry: 15,
    period: "mins"
  })
  return ductape
}

type Work = "verify" | "verify, first time" | "start" | "refresh"

const ours = (work: Work): Contender => ({
  name: "ductape",
  run: async (tools) => {
    const { sessions } = await open(tools)
    const start = () => sessions.start({ tag: "web", data })
    if (work === "start") return underLoad(start, few)
    if (work === "verify") {
      const { token } = await start()
      return underLoad(() => sessions.verify({ tag: "web", token }), one)
    }
    if (work === "verify, first time") {
      const tokens: Array<string> = []
      // A quarter more, for the calls that warm up.
      for (let i = 0; i < 2_500; i++) tokens.push((await start()).token)
      return underLoad(() => sessions.verify({ tag: "web", token: tokens.pop() ?? "" }), {
        concurrency: 1,
        calls: 2_000
      })
    }
    let turn = await start()
    return underLoad(
      async () => {
        turn = await sessions.refresh({ tag: "web", refreshToken: turn.refreshToken })
      },
      { ...few, concurrency: 1 }
    )
  }
})

interface Jwt {
  readonly sign: () => unknown
  readonly verify: (token: string) => unknown
}

/** What verifies a signature and claims, and knows of no session. */
const peer = (
  name: string,
  packages: Contender["packages"] & object,
  make: (load: Tools["load"]) => Promise<Jwt>
) => {
  return (work: Work): Contender => ({
    name,
    packages,
    run: async ({ load }) => {
      const { sign, verify } = await make(load)
      const token = String(await sign())
      const verified = async () => verify(token)
      const signed = async () => sign()
      if (work === "start") return underLoad(signed, few)
      if (work === "refresh")
        return underLoad(
          async () => {
            await verified()
            await signed()
          },
          { ...few, concurrency: 1 }
        )
      return underLoad(verified, one)
    }
  })
}

interface Jose {
  readonly jwtVerify: (token: string, key: CryptoKey, options: object) => Promise<unknown>
  readonly SignJWT: new (
    claims: object
  ) => {
    setProtectedHeader(header: object): InstanceType<Jose["SignJWT"]>
    setIssuer(issuer: string): InstanceType<Jose["SignJWT"]>
    setAudience(audience: string): InstanceType<Jose["SignJWT"]>
    setIssuedAt(): InstanceType<Jose["SignJWT"]>
    setExpirationTime(time: string): InstanceType<Jose["SignJWT"]>
    sign(key: CryptoKey): Promise<string>
  }
}

const jose = peer("jose jwtVerify", { jose: "6.2.17" }, async (load) => {
  const { SignJWT, jwtVerify } = (await load("jose")) as Jose
  const hmac = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", secret, hmac, false, ["sign", "verify"])
  return {
    sign: () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime("15m")
        .sign(key),
    verify: (token) => jwtVerify(token, key, { issuer, audience, algorithms: ["HS256"] })
  }
})

interface FastJwt {
  readonly createSigner: (options: object) => (claims: object) => string
  readonly createVerifier: (options: object) => (token: string) => unknown
}

const fastJwt = peer("fast-jwt", { "fast-jwt": "6.3.6" }, async (load) => {
  const { createSigner, createVerifier } = (await load("fast-jwt")) as FastJwt
  const sign = createSigner({
    key: secret,
    algorithm: "HS256",
    iss: issuer,
    aud: audience,
    expiresIn: 900_000
  })
  const verify = createVerifier({
    key: secret,
    algorithms: ["HS256"],
    allowedIss: issuer,
    allowedAud: audience
  })
  return { sign: () => sign({ ...claims }), verify }
})

interface JsonWebToken {
  readonly default: {
    readonly sign: (claims: object, key: Buffer, options: object) => string
    readonly verify: (token: string, key: Buffer, options: object) => unknown
  }
}

const jsonwebtoken = peer("jsonwebtoken", { jsonwebtoken: "9.0.3" }, async (load) => {
  const { default: jwt } = (await load("jsonwebtoken")) as JsonWebToken
  return {
    sign: () => jwt.sign({ ...claims }, secret, { algorithm: "HS256", issuer, audience, expiresIn: "15m" }),
    verify: (token) => jwt.verify(token, secret, { algorithms: ["HS256"], issuer, audience })
  }
})

const inMemory = async (): Promise<Shared> => ({
  context: { store: "memory://benchmark" },
  stop: async () => undefined
})

/** A folder for the round's files; each process makes its own workspace in it. */
const inFile = async (): Promise<Shared> => {
  const folder = await mkdtemp(join(tmpdir(), "ductape-bench-sessions-"))
  return { context: { folder }, stop: () => rm(folder, { recursive: true, force: true }) }
}

const group = (
  work: Work,
  store: "memory" | "SQLite",
  goals: Readonly<Record<string, number>> = {}
): Group => ({
  name: `${work}, ${store}`,
  setup: store === "memory" ? inMemory : inFile,
  ours: inOwnFile(ours(work)),
  peers: [jose(work), fastJwt(work), jsonwebtoken(work)],
  metrics: throughputMetrics(goals)
})

const inOwnFile = (contender: Contender): Contender => ({
  ...contender,
  run: async (tools) => {
    const folder = tools.context["folder"]
    if (typeof folder !== "string") return contender.run(tools)
    const own = await mkdtemp(join(folder, "round-"))
    return contender.run({ ...tools, context: { ...tools.context, store: join(own, "workspace.db") } })
  }
})

/** Ours checks the session at each verify, and writes it at start and refresh; peers know no session. */
export default {
  groups: [
    group("verify", "SQLite", { "jose jwtVerify": 5 }),
    group("verify", "memory", { "jose jwtVerify": 5 }),
    group("verify, first time", "memory"),
    group("start", "SQLite"),
    group("start", "memory"),
    group("refresh", "SQLite"),
    group("refresh", "memory")
  ]
} satisfies Suite
