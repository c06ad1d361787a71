import { createHmac } from "node:crypto"
import { deflateRawSync } from "node:zlib"
import { MemoryStore } from "@ductape/registry"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as jose from "jose"
import { decode, type Opened, openSessions, web, wednesday } from "./openSessions.ts"

const data = { userId: "u1", role: "user" }
const base64url = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
const now = wednesday / 1_000
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const bytes = (key: Uint8Array) => new Uint8Array(key)

/** What only the workspace itself can do: its own keys, so that one rule at a time is put to the test. */
const insider = (opened: Opened, token: string) => {
  const { header, claims } = decode(token)
  const [product, env, tag] = claims.aud.split("/")
  const key = (purpose: string) =>
    bytes(opened.registry.keyring.subkey(JSON.stringify([purpose, product, env, tag, header.kid])))
  const signing = key("session-sign")
  const sign = (forgedHeader: object, payload: unknown) => {
    const text = `${encode(forgedHeader)}.${encode(payload)}`
    return `web:${text}.${createHmac("sha256", signing).update(text).digest("base64url")}`
  }
  return { header, claims, sign, encryption: key("session-encrypt") }
}

const setUp = Effect.gen(function* () {
  const opened = yield* openSessions()
  const { token } = yield* opened.sessions.start({ tag: "web", data })
  const verify = (forged: string, input: object = {}) =>
    opened.sessions
      .verify({ tag: "web", token: forged, ...input })
      .pipe(Effect.map(({ valid, reason }) => (valid ? "valid" : reason)))
  assert.strictEqual(yield* verify(token), "valid")
  return { ...opened, token, verify, ...insider(opened, token) }
})

describe("attacks on access tokens", () => {
  it.effect("the insider's own signature is good: what is refused below is refused for its own sake", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims } = yield* setUp
      assert.strictEqual(yield* verify(sign(header, { ...claims, jti: "another" })), "valid")
    })
  )

  it.effect("alg none, in any spelling, with and without a signature", () =>
    Effect.gen(function* () {
      const { verify, token, header, claims } = yield* setUp
      const signature = token.split(".")[2]
      for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
        const text = `${encode({ ...header, alg })}.${encode(claims)}`
        assert.strictEqual(yield* verify(`web:${text}.${signature}`), "signature")
        assert.strictEqual(yield* verify(`web:${text}.`), "malformed")
        assert.strictEqual(yield* verify(`web:${text}`), "malformed")
      }
    })
  )

  it.effect("another algorithm in the header, even one that the key could compute", () =>
    Effect.gen(function* () {
      const { registry, verify, header, claims } = yield* setUp
      const purpose = JSON.stringify(["session-sign", "shop", "prd", "web", header.kid])
      for (const [alg, digest] of [
        ["HS512", "sha512"],
        ["HS384", "sha384"],
        ["RS256", "sha256"],
        ["ES256", "sha256"],
        ["hs256", "sha256"]
      ] as const) {
        const text = `${encode({ ...header, alg })}.${encode(claims)}`
        const mac = createHmac(digest, bytes(registry.keyring.subkey(purpose))).update(text)
        assert.strictEqual(yield* verify(`web:${text}.${mac.digest("base64url")}`), "signature")
      }
    })
  )

  it.effect("kid as a path, as SQL, as another record's key, as nothing, as no text", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims, store } = yield* setUp
      for (const kid of [
        "../../../../dev/null",
        "/etc/passwd",
        "' OR '1'='1",
        "x' UNION SELECT 'aaaa' --",
        "'; DELETE FROM record; --",
        claims.sid,
        "shop/prd/web",
        "A".repeat(22),
        "__proto__",
        "constructor",
        "",
        "\u0000"
      ]) {
        assert.strictEqual(yield* verify(sign({ ...header, kid }, claims)), "signature", kid)
      }
      for (const kid of [null, 1, {}, [header.kid]]) {
        assert.strictEqual(yield* verify(sign({ ...header, kid }, claims)), "malformed")
      }
      const { kid: _, ...without } = header
      assert.strictEqual(yield* verify(sign(without, claims)), "malformed")
      assert.isDefined(yield* store.get(claims.sid))
    })
  )

  it.effect("keys and key locations that the token brings along", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims } = yield* setUp
      const own = Buffer.alloc(32, 1)
      const jwk = { kty: "oct", k: own.toString("base64url") }
      for (const extra of [
        { jwk },
        { jku: "https://attacker.example/keys" },
        { x5u: "https://attacker.example/cert" },
        { x5c: ["MIIB"] },
        { x5t: "x" },
        { crit: [] },
        { crit: ["b64"], b64: false },
        { crit: ["exp"], exp: 0 },
        { b64: true },
        { zip: "DEF" },
        { cty: "JWT" }
      ]) {
        assert.strictEqual(yield* verify(sign({ ...header, ...extra }, claims)), "malformed")
        const text = `${encode({ ...header, ...extra })}.${encode(claims)}`
        const mac = createHmac("sha256", own).update(text).digest("base64url")
        assert.strictEqual(yield* verify(`web:${text}.${mac}`), "malformed")
      }
    })
  )

  it.effect("a header or payload altered under the old signature", () =>
    Effect.gen(function* () {
      const { verify, token, header, claims } = yield* setUp
      const [first = "", second = "", signature = ""] = decode(token).jwt.split(".")
      for (const forged of [
        `${first}.${encode({ ...claims, exp: claims.exp + 9_999 })}.${signature}`,
        `${first}.${encode({ ...claims, sub: "admin" })}.${signature}`,
        `${encode({ typ: header.typ, kid: header.kid, alg: header.alg })}.${second}.${signature}`,
        `${first}.${second}.${Buffer.alloc(32).toString("base64url")}`
      ]) {
        assert.strictEqual(yield* verify(`web:${forged}`), "signature")
      }
      for (const forged of [
        `${first}.${second}`,
        `${first}.${second}.`,
        `${first}..${signature}`,
        `.${second}.${signature}`,
        `${first}.${second}.${signature}.x`,
        `${first}.${second}.${signature}.${first}.${second}`,
        "",
        ".."
      ]) {
        assert.strictEqual(yield* verify(`web:${forged}`), "malformed")
      }
      assert.strictEqual(
        yield* verify(`web:${first}.${second}.${signature.slice(0, 42)}`).pipe(
          Effect.map((r) => r !== "valid")
        ),
        true
      )
    })
  )

  it.effect("every byte of a token in turn, changed to any of several others, or left out", () =>
    Effect.gen(function* () {
      const { verify, token } = yield* setUp
      const alphabet = [...base64url, ..."=.:+/ \u00e9"]
      for (let i = 0; i < token.length; i++) {
        const next = String.fromCharCode(token.charCodeAt(i) ^ 1)
        // The last of a group of base64url characters has bits that decoding drops: the neighbours are what tells.
        const others =
          i % 7 === 0 || token[i + 1] === "." || i === token.length - 1 ? [...alphabet, next] : [next]
        for (const other of others) {
          if (other === token[i]) continue
          const forged = token.slice(0, i) + other + token.slice(i + 1)
          assert.notStrictEqual(yield* verify(forged), "valid", `byte ${i} as ${other}`)
        }
        const shorter = token.slice(0, i) + token.slice(i + 1)
        assert.notStrictEqual(yield* verify(shorter), "valid", `without byte ${i}`)
      }
      assert.strictEqual(yield* verify(token), "valid")
    })
  )

  it.effect(
    "another JWT of the same workspace, under the same key: type, and every claim, must be ours",
    () =>
      Effect.gen(function* () {
        const { verify, sign, header, claims } = yield* setUp
        for (const typ of [
          "JWT",
          "at+jwt",
          "",
          "ductape-session",
          "DUCTAPE-SESSION+JWT",
          "application/ductape-session+jwt"
        ]) {
          assert.strictEqual(yield* verify(sign({ ...header, typ }, claims)), "malformed", typ)
        }
        for (const name of Object.keys(claims)) {
          const { [name]: _, ...without } = claims
          assert.notStrictEqual(yield* verify(sign(header, without)), "valid", `without ${name}`)
          for (const other of [
            null,
            true,
            {},
            [claims[name]],
            typeof claims[name] === "number" ? String(claims[name]) : 1
          ]) {
            assert.notStrictEqual(
              yield* verify(sign(header, { ...claims, [name]: other })),
              "valid",
              `${name} as ${JSON.stringify(other)}`
            )
          }
        }
        for (const payload of [null, [], "text", 1, [claims]]) {
          assert.strictEqual(yield* verify(sign(header, payload)), "malformed")
        }
      })
  )

  it.effect("issuer, audience, subject and session of another", () =>
    Effect.gen(function* () {
      const { sessions, verify, sign, header, claims } = yield* setUp
      const other = decode((yield* sessions.start({ tag: "web", data: { userId: "u2" } })).token).claims
      const withClaims = (changed: object) => verify(sign(header, { ...claims, ...changed }))
      assert.strictEqual(yield* withClaims({ iss: "ductape:another" }), "wrong_context")
      assert.strictEqual(yield* withClaims({ iss: claims.iss.toUpperCase() }), "wrong_context")
      assert.notStrictEqual(yield* withClaims({ aud: "shop/prd/app" }), "valid")
      assert.notStrictEqual(yield* withClaims({ aud: ["shop/prd/web", "x"] }), "valid")
      assert.strictEqual(yield* withClaims({ sid: other.sid }), "revoked")
      assert.strictEqual(yield* withClaims({ sub: other.sub }), "revoked")
      assert.strictEqual(yield* withClaims({ sid: "00000000-0000-4000-8000-000000000000" }), "revoked")
      assert.strictEqual(yield* withClaims({ sid: "' OR 1=1 --" }), "revoked")
    })
  )

  it.effect("tokens of another tag, product, environment", () =>
    Effect.gen(function* () {
      const { sessions, registry, verify, token } = yield* setUp
      yield* sessions.create({ ...web, tag: "app" })
      yield* registry.products.create({ name: "Other", tag: "other", envs: [{ slug: "prd" }] })
      yield* sessions.create("other", web)
      const { jwt } = decode(token)
      assert.strictEqual(yield* verify(token, { tag: "app" }), "wrong_tag")
      assert.strictEqual(yield* verify(`app:${jwt}`, { tag: "app" }), "wrong_tag")
      assert.strictEqual(yield* verify(jwt, { tag: "app" }), "wrong_tag")
      assert.strictEqual(yield* verify(token, { env: "dev" }), "wrong_context")
      assert.strictEqual(yield* verify(token, { product: "other" }), "wrong_context")
      // From memory, too, once its own scope has verified it.
      assert.strictEqual(yield* verify(token), "valid")
      assert.strictEqual(yield* verify(token, { env: "dev" }), "wrong_context")
    })
  )

  it.effect("tokens of another workspace with the same product, environment and tag", () =>
    Effect.gen(function* () {
      const { verify } = yield* setUp
      const foreign = yield* openSessions({ registryStore: yield* MemoryStore.make() })
      const { token } = yield* foreign.sessions.start({ tag: "web", data })
      assert.strictEqual(yield* verify(token), "signature")
    })
  )

  it.effect("compressed, foreign and re-used data", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims, encryption } = yield* setUp
      const plain = new TextEncoder().encode(JSON.stringify({ userId: "u1", role: "admin" }))
      const encrypt = (
        protectedHeader: jose.CompactJWEHeaderParameters,
        text: Uint8Array,
        key = encryption
      ) =>
        Effect.promise(() => new jose.CompactEncrypt(text).setProtectedHeader(protectedHeader).encrypt(key))
      const withData = (jwe: unknown) => verify(sign(header, { ...claims, data: jwe }))
      const good = { alg: "dir", enc: "A256GCM" }
      assert.strictEqual(yield* withData(yield* encrypt(good, plain)), "valid")
      const zipped = yield* encrypt({ ...good, zip: "DEF" } as jose.CompactJWEHeaderParameters, plain)
      assert.strictEqual(yield* withData(zipped), "malformed")
      const bomb = yield* encrypt(good, new Uint8Array(deflateRawSync(Buffer.alloc(1_000_000))))
      assert.strictEqual(
        yield* withData(bomb).pipe(Effect.catchDefect(() => Effect.succeed("defect"))),
        "malformed"
      )
      assert.strictEqual(yield* withData(yield* encrypt(good, plain, new Uint8Array(32))), "malformed")
      assert.strictEqual(
        yield* withData(
          yield* encrypt({ ...good, crit: [] }, plain).pipe(Effect.catchDefect(() => Effect.succeed("x.y.z")))
        ),
        "malformed"
      )
      for (const jwe of ["", ".", "a.b.c.d.e", JSON.stringify(data), `${encode({ alg: "none" })}....`]) {
        assert.strictEqual(yield* withData(jwe), "malformed")
      }
    })
  )

  it.effect("times that are none, far off, or infinite", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims } = yield* setUp
      const withClaims = (changed: object) => verify(sign(header, { ...claims, ...changed }))
      assert.strictEqual(yield* withClaims({ exp: now - 6 }), "expired")
      assert.strictEqual(yield* withClaims({ nbf: now + 6 }), "not_yet_valid")
      assert.strictEqual(yield* withClaims({ iat: now + 6 }), "not_yet_valid")
      const raw = JSON.stringify(claims)
      for (const exp of ["1e999", "-1e999", '"9999999999"', "null"]) {
        const payload = Buffer.from(raw.replace(/"exp":\d+/, `"exp":${exp}`)).toString("base64url")
        const text = `${encode(header)}.${payload}`
        const forged = yield* verify(`web:${text}.${decode(sign(header, claims)).jwt.split(".")[2]}`)
        assert.strictEqual(forged, "signature")
      }
      assert.notStrictEqual(yield* withClaims({ exp: null }), "valid")
    })
  )

  it.effect("an oversized token is not even parsed", () =>
    Effect.gen(function* () {
      const { verify, sign, header, claims } = yield* setUp
      assert.strictEqual(yield* verify(sign(header, { ...claims, more: "x".repeat(16_384) })), "malformed")
      assert.strictEqual(yield* verify("a:".repeat(8_000)), "wrong_tag")
    })
  )

  it.effect("a refused token is refused again, and spoils nothing for a good one", () =>
    Effect.gen(function* () {
      const { verify, token, sign, header, claims } = yield* setUp
      const forged = sign(header, { ...claims, aud: "shop/dev/web" })
      for (const _ of [1, 2, 3]) {
        assert.notStrictEqual(yield* verify(forged), "valid")
        assert.strictEqual(yield* verify(token), "valid")
      }
    })
  )
})

describe("attacks on refresh tokens", () => {
  const refreshing = Effect.gen(function* () {
    const opened = yield* openSessions({ config: { reuse_leeway: 60 } })
    const started = yield* opened.sessions.start({ tag: "web", data })
    const refresh = (refreshToken: unknown, input: object = {}) =>
      opened.sessions
        .refresh({ tag: "web", refreshToken: refreshToken as string, ...input })
        .pipe(Effect.match({ onFailure: (error) => error.code, onSuccess: () => "refreshed" }))
    return { ...opened, ...started, refresh }
  })

  it.effect("every character in turn, changed or left out; none of it ends the session", () =>
    Effect.gen(function* () {
      const { sessions, refresh, refreshToken, token } = yield* refreshing
      for (let i = 0; i < refreshToken.length; i++) {
        // The last character of each part has bits that decoding drops: there, every other one.
        const others =
          refreshToken[i + 1] === ":" || i === refreshToken.length - 1
            ? base64url
            : ["A", "B", "_", "8", String.fromCharCode(refreshToken.charCodeAt(i) ^ 1)]
        for (const other of others) {
          if (other === refreshToken[i]) continue
          const forged = refreshToken.slice(0, i) + other + refreshToken.slice(i + 1)
          assert.strictEqual(yield* refresh(forged), "REFRESH_INVALID", `character ${i} as ${other}`)
        }
        const shorter = refreshToken.slice(0, i) + refreshToken.slice(i + 1)
        assert.strictEqual(yield* refresh(shorter), "REFRESH_INVALID")
      }
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
      assert.strictEqual(yield* refresh(refreshToken), "refreshed")
    })
  )

  it.effect("a session id with a made-up secret ends nothing", () =>
    Effect.gen(function* () {
      const { sessions, refresh, refreshToken, sessionId, token } = yield* refreshing
      const [id = "", secret = ""] = refreshToken.split(":")
      const made = Buffer.alloc(32, 9).toString("base64url")
      for (const forged of [
        `${id}:${made}`,
        `${sessionId}:${secret}`,
        `${sessionId}:${made}`,
        token,
        "",
        null,
        7,
        {},
        "a:b"
      ]) {
        assert.strictEqual(yield* refresh(forged), "REFRESH_INVALID")
      }
      assert.isTrue((yield* sessions.verify({ tag: "web", token })).valid)
    })
  )

  it.effect("a generation or kind that was never issued", () =>
    Effect.gen(function* () {
      const { refresh, refreshToken } = yield* refreshing
      const [id = "", secret = ""] = refreshToken.split(":")
      for (const [at, value] of [
        [19, 1],
        [16, 255],
        [20, 1]
      ] as const) {
        const changed = Buffer.from(id, "base64url")
        changed[at] = value
        assert.strictEqual(yield* refresh(`${changed.toString("base64url")}:${secret}`), "REFRESH_INVALID")
      }
    })
  )

  it.effect("one session's id with another's secret", () =>
    Effect.gen(function* () {
      const { sessions, refresh, refreshToken } = yield* refreshing
      const other = yield* sessions.start({ tag: "web", data: { userId: "u2" } })
      const [id] = refreshToken.split(":")
      const [, secret] = other.refreshToken.split(":")
      assert.strictEqual(yield* refresh(`${id}:${secret}`), "REFRESH_INVALID")
    })
  )

  it.effect("another tag, product, environment or workspace", () =>
    Effect.gen(function* () {
      const { sessions, registry, refresh, refreshToken } = yield* refreshing
      yield* sessions.create({ ...web, tag: "app" })
      yield* registry.products.create({ name: "Other", tag: "other", envs: [{ slug: "prd" }] })
      yield* sessions.create("other", web)
      for (const input of [{ tag: "app" }, { product: "other" }, { env: "dev" }]) {
        assert.strictEqual(yield* refresh(refreshToken, input), "REFRESH_INVALID")
      }
      const foreign = yield* openSessions()
      const theirs = yield* foreign.sessions.start({ tag: "web", data })
      assert.strictEqual(yield* refresh(theirs.refreshToken), "REFRESH_INVALID")
      assert.strictEqual(yield* refresh(refreshToken), "refreshed")
    })
  )
})
