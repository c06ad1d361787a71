const attacks = "test/attacks.test.ts"
const lifecycle = "test/Sessions.test.ts"
const refresh = "test/refresh.test.ts"
const expiry = "test/expiry.test.ts"
const users = "test/users.test.ts"
const keys = "test/keys.test.ts"
const verifier = "test/verifier.test.ts"
const config = "test/SessionConfig.test.ts"

/** Bugs that the tests must catch. */
export default [
  {
    name: "a token may bring its own key or options in the header",
    file: "src/accessToken.ts",
    find: '!hasExactly(header, ["alg", "typ", "kid"])',
    replace: "false",
    tests: attacks
  },
  {
    name: "other spellings of a token's bytes are taken",
    file: "src/accessToken.ts",
    find: ' || !jwt.split(".").every(isCanonical)',
    replace: "",
    tests: attacks
  },
  {
    name: "the type of a token is compared loosely",
    file: "src/accessToken.ts",
    find: " || header.typ !== typ",
    replace: "",
    tests: attacks
  },
  {
    name: "claims may be of any type",
    file: "src/accessToken.ts",
    find: "!isClaims(payload) || ",
    replace: "",
    tests: attacks
  },
  {
    name: "the issuer is not compared",
    file: "src/accessToken.ts",
    find: "      issuer: expected.issuer,\n",
    replace: "",
    tests: attacks
  },
  {
    name: "the audience is that of the key, not that of the call",
    file: "src/accessToken.ts",
    find: "audience: scopeName(expected.scope)",
    replace: "audience: scopeName(key)",
    tests: attacks
  },
  {
    name: "compressed data is inflated",
    file: "src/accessToken.ts",
    find: '!hasExactly(inner, ["alg", "enc"])',
    replace: "false",
    tests: attacks
  },
  {
    name: "a token issued in the future is taken",
    file: "src/accessToken.ts",
    find: " || iat > at + leeway",
    replace: "",
    tests: attacks
  },
  {
    name: "tokens of any length are parsed",
    file: "src/accessToken.ts",
    find: "tokenLimit = 16_384",
    replace: "tokenLimit = 163_840",
    tests: attacks
  },
  {
    name: "a remembered token lives a second longer",
    file: "src/accessToken.ts",
    find: "exp <= at - leeway",
    replace: "exp < at - leeway",
    tests: expiry
  },
  {
    name: "the leeway is six seconds",
    file: "src/accessToken.ts",
    find: "leeway = 5",
    replace: "leeway = 6",
    tests: expiry
  },
  {
    name: "verified tokens are remembered without their signature",
    file: "src/VerifiedTokens.ts",
    find: 'hash("sha256", jwt, "hex")',
    replace: 'hash("sha256", jwt.slice(0, jwt.lastIndexOf(".")), "hex")',
    tests: attacks
  },
  {
    name: "a remembered token is good in every environment",
    file: "src/verify.ts",
    find: "      token.scope.env !== env ||\n",
    replace: "",
    tests: lifecycle
  },
  {
    name: "a remembered token is good behind any tag",
    file: "src/verify.ts",
    find: "      (text.tag !== undefined && text.tag !== tag) ||\n",
    replace: "",
    tests: lifecycle
  },
  {
    name: "a remembered token never expires",
    file: "src/verify.ts",
    find: " ||\n      timeRefusal(token, now) !== undefined",
    replace: "",
    tests: expiry
  },
  {
    name: "a remembered token is not checked against its session again",
    file: "src/verify.ts",
    find: "if (sync.version(token.sessionId) !== token.version) return undefined",
    replace: "",
    tests: lifecycle
  },
  {
    name: "a change of definitions leaves remembered tokens valid",
    file: "src/verify.ts",
    find: "      token.revision !== runtime.registry.knownRevision() ||\n",
    replace: "",
    tests: keys
  },
  {
    name: "a revoked session verifies",
    file: "src/verify.ts",
    find: "    record.revokedAt !== null ||\n",
    replace: "",
    tests: lifecycle
  },
  {
    name: "another session's id in front of a token is taken",
    file: "src/verify.ts",
    find: 'if (text.sessionId !== undefined && text.sessionId !== token.sessionId) return refused("wrong_context")',
    replace: "",
    tests: lifecycle
  },
  {
    name: "verified data can be changed by who gets it",
    file: "src/verify.ts",
    find: "data: freeze(opened.data)",
    replace: "data: opened.data",
    tests: lifecycle
  },
  {
    name: "an unknown tag in a token is told to who brought it",
    file: "src/verify.ts",
    find: 'cause.code === "SESSION_CONFIG_NOT_FOUND" && typeof session === "string"',
    replace: "false",
    tests: verifier
  },
  {
    name: "last_seen is written a little late",
    file: "src/verify.ts",
    find: "now - token.touchedAt < touchInterval",
    replace: "now - token.touchedAt <= touchInterval",
    tests: lifecycle
  },
  {
    name: "a refresh token's MAC is not compared",
    file: "src/refreshToken.ts",
    find: "if (!timingSafeEqual(id.subarray(21), macOf(keyring, scope, id.subarray(0, 21), digest))) return undefined",
    replace: "macOf(keyring, scope, id.subarray(0, 21), digest)",
    tests: attacks
  },
  {
    name: "other spellings of a refresh token are taken",
    file: "src/refreshToken.ts",
    find: 'if (id.toString("base64url") !== idText || secret.toString("base64url") !== secretText) return undefined',
    replace: "",
    tests: attacks
  },
  {
    name: "a write does not look whether another was first",
    file: "src/RegistrySessionStore.ts",
    find: "expiresAt: session.keepUntil,\n            expect\n",
    replace: "expiresAt: session.keepUntil\n",
    tests: ["test/SessionStore.test.ts", refresh]
  },
  {
    name: "a reuse does not end the session",
    file: "src/refresh.ts",
    find: "if (yield* revokeSession(runtime, record.id, record.scope, now)) {",
    replace: "if (record.id === undefined) {",
    tests: refresh
  },
  {
    name: "every earlier token passes within the leeway",
    file: "src/refresh.ts",
    find: "token.generation === generation - 1 &&",
    replace: "token.generation < generation &&",
    tests: refresh
  },
  {
    name: "the leeway is a millisecond short",
    file: "src/refresh.ts",
    find: "now - rotatedAt <= reuseLeeway * 1_000",
    replace: "now - rotatedAt < reuseLeeway * 1_000",
    tests: refresh
  },
  {
    name: "a refresh token lives a millisecond too long",
    file: "src/refresh.ts",
    find: "now >= record.refresh.until",
    replace: "now > record.refresh.until",
    tests: refresh
  },
  {
    name: "refreshing goes on past absolute_expiry",
    file: "src/refresh.ts",
    find: "Math.min(now + record.refreshExpiry * 1_000, record.absoluteEnd)",
    replace: "now + record.refreshExpiry * 1_000",
    tests: refresh
  },
  {
    name: "an access token outlives absolute_expiry",
    file: "src/refresh.ts",
    find: "Math.min(lifetimeEnd(iat, record.lifetime), Math.floor(record.absoluteEnd / 1_000))",
    replace: "lifetimeEnd(iat, record.lifetime)",
    tests: refresh
  },
  {
    name: "a sibling begins a turn of its own",
    file: "src/refresh.ts",
    find: "    generation: record.refresh.generation,\n    sibling: true",
    replace: "    generation: record.refresh.generation + 1,\n    sibling: true",
    tests: refresh
  },
  {
    name: "a sibling gets a token that has expired",
    file: "src/refresh.ts",
    find: "(issued - iat) * 2 >= full - iat",
    replace: "issued > 0",
    tests: refresh
  },
  {
    name: "listing stops after the first page of the store",
    file: "src/scan.ts",
    find: "page.length < pageSize",
    replace: "page.length <= pageSize",
    tests: lifecycle
  },
  {
    name: "a session past its end is active",
    file: "src/SessionRuntime.ts",
    find: "record.revokedAt === null && now < record.endAt",
    replace: "record.revokedAt === null && (now < record.endAt || true)",
    tests: users
  },
  {
    name: "two first starts of a user make two",
    file: "src/start.ts",
    find: '          expect: "absent"\n        }\n      : {',
    replace: '          expect: "any"\n        }\n      : {',
    tests: users
  },
  {
    name: "a cached start gives tokens that were refreshed since",
    file: "src/start.ts",
    find: "    record.refresh.generation === 0 &&\n",
    replace: "",
    tests: verifier
  },
  {
    name: "data may be a byte longer",
    file: "src/sessionData.ts",
    find: "dataLimit = 4_096",
    replace: "dataLimit = 4_097",
    tests: config
  },
  {
    name: "one key signs and encrypts",
    file: "src/SessionKeys.ts",
    find: 'derive("session-encrypt")',
    replace: 'derive("session-sign")',
    tests: keys
  },
  {
    name: "older keys are dropped before their last token has expired",
    file: "src/rotateKeys.ts",
    find: "((usedUntil.get(kid) ?? 0) + leeway) * 1_000 <= now",
    replace: "now > 0",
    tests: keys
  },
  {
    name: "a key is dropped before every process noticed its successor",
    file: "src/rotateKeys.ts",
    find: "successor.createdAt + noticed < now",
    replace: "now > 0",
    tests: keys
  },
  {
    name: "revoked sessions count as expired",
    file: "src/dashboard.ts",
    find: " && !revoked.has(key)",
    replace: "",
    tests: users
  },
  {
    name: "the week begins on Sunday",
    file: "src/dashboard.ts",
    find: "(new Date(today).getUTCDay() + 6) % 7",
    replace: "new Date(today).getUTCDay()",
    tests: users
  },
  {
    name: "a month after the 31st overflows into the month after",
    file: "src/period.ts",
    find: "Math.min(from.getUTCDate(), lastDay)",
    replace: "from.getUTCDate()",
    tests: expiry
  }
]
