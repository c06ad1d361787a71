const test = (name: string) => `test/${name}.test.ts`

/** Bugs that the tests of the runtime have to notice; each `find` occurs once in its file. */
export default [
  {
    name: "path values are not encoded",
    file: "src/request/parameterStyle.ts",
    find: "return simpleText(field, value, encode)",
    replace: "return simpleText(field, value, (text) => text)",
    tests: [test("placement"), test("styles")]
  },
  {
    name: "dot segments pass",
    file: "src/request/RequestPlan.ts",
    find: 'if (text === "" || text === "." || text === "..") return refuseParam(name)',
    replace: 'if (text === "") return refuseParam(name)',
    tests: [test("placement")]
  },
  {
    name: "line breaks in headers pass",
    file: "src/request/headerRules.ts",
    find: "const value = /^[\\t\\x20-\\x7E\\x80-\\xFF]*$/",
    replace: "const value = /^[^]*$/",
    tests: [test("placement")]
  },
  {
    name: "the Host header can be given",
    file: "src/request/headerRules.ts",
    find: '  "host",\n',
    replace: "",
    tests: [test("placement")]
  },
  {
    name: "a conflict is resolved by guessing",
    file: "src/request/Placement.ts",
    find: "if (only !== undefined && candidates.length === 1) {",
    replace: "if (only !== undefined) {",
    tests: [test("placement")]
  },
  {
    name: "the later of two values for a target wins silently",
    file: "src/request/Placement.ts",
    find: "if (placement.has(section, name)) duplicate(section, name)",
    replace: "",
    tests: [test("placement")]
  },
  {
    name: "credentials win over the call",
    file: "src/request/Placement.ts",
    find: "if (!this.headers.has(name)) this.set(",
    replace: "this.set(",
    tests: [test("placement"), test("credentials")]
  },
  {
    name: "null is sent in queries",
    file: "src/request/Placement.ts",
    find: "} else if (value === null) return",
    replace: "}",
    tests: [test("placement")]
  },
  {
    name: "validation stops at required fields only",
    file: "src/request/fieldCheck.ts",
    find: "const wrong = typeFailure(field.type, value)",
    replace: "const wrong = undefined as string | undefined",
    tests: [test("validation")]
  },
  {
    name: "lengths count UTF-16 units",
    file: "src/request/fieldCheck.ts",
    find: "  for (const _ of value) count += 1\n",
    replace: "  count = value.length\n",
    tests: [test("validation")]
  },
  {
    name: "types of samples are enforced",
    file: "src/request/fieldCheck.ts",
    find: "if (field.inferred !== true) {\n    const wrong",
    replace: "{\n    const wrong",
    tests: [test("validation")]
  },
  {
    name: "pipes are written as commas",
    file: "src/request/parameterStyle.ts",
    find: 'pipeDelimited: "%7C"',
    replace: 'pipeDelimited: ","',
    tests: [test("styles")]
  },
  {
    name: "allowReserved lets an ampersand through",
    file: "src/request/parameterStyle.ts",
    find: "/%(?:3A|2F",
    replace: "/%(?:26|3A|2F",
    tests: [test("styles")]
  },
  {
    name: "form arrays are bracketed",
    file: "src/request/formBody.ts",
    find: "} else for (const item of present) write(name, anyText(item))",
    replace: '} else bracketPairs(name, value, "empty", write)',
    tests: [test("bodies")]
  },
  {
    name: "a part's name can hold a quote",
    file: "src/request/multipartBody.ts",
    find: '.replace(/\\n/g, "%0A").replace(/"/g, "%22")',
    replace: '.replace(/\\n/g, "%0A")',
    tests: [test("bodies")]
  },
  {
    name: "a part's name can break its line",
    file: "src/request/multipartBody.ts",
    find: '.replace(/\\r/g, "%0D").replace(/\\n/g, "%0A")',
    replace: "",
    tests: [test("bodies")]
  },
  {
    name: "the limit counts compressed bytes only",
    file: "src/http/decodeBody.ts",
    find: "{ maxOutputLength: limit }",
    replace: "{ maxOutputLength: 1e9 }",
    tests: [test("http")]
  },
  {
    name: "an endless body is collected",
    file: "src/http/Exchange.ts",
    find: "if (this.#size > this.#options.limit) this.#refuse(controller)",
    replace: "if (this.#size < 0) this.#refuse(controller)",
    tests: [test("http")]
  },
  {
    name: "a streamed body is retried",
    file: "src/http/HttpSender.ts",
    find: "      replayable &&\n",
    replace: "",
    tests: [test("http")]
  },
  {
    name: "every failure is retried",
    file: "src/http/HttpSender.ts",
    find: "      outcome.retryable &&\n",
    replace: "",
    tests: [test("http")]
  },
  {
    name: "Retry-After is not capped",
    file: "src/http/retryPolicy.ts",
    find: "return Math.min(asked, maxDelay)",
    replace: "return asked",
    tests: [test("http")]
  },
  {
    name: "each attempt has its own idempotency key",
    file: "src/run/ActionRunner.ts",
    find: "return writes && call.retries > 0 ? randomUUID() : undefined",
    replace: "return undefined",
    tests: [test("http")]
  },
  {
    name: "credentials follow a redirect to another origin",
    file: "src/http/redirect.ts",
    find: "url.origin === request.origin",
    replace: 'url.origin !== ""',
    tests: [test("network")]
  },
  {
    name: "redirects are followed without end",
    file: "src/http/HttpSender.ts",
    find: "hops < maxRedirects\n",
    replace: "hops < 500\n",
    tests: [test("network")]
  },
  {
    name: "POST is redirected",
    file: "src/http/redirect.ts",
    find: '(method === "GET" || method === "HEAD") && redirects.has(status)',
    replace: 'method !== "" && redirects.has(status)',
    tests: [test("network")]
  },
  {
    name: "IPv4-mapped addresses are not looked into",
    file: "src/http/EgressPolicy.ts",
    find: "[parsed, ...embedded(parsed)]",
    replace: "[parsed]",
    tests: [test("network")]
  },
  {
    name: "the first of several resolved addresses is checked alone",
    file: "src/http/EgressPolicy.ts",
    find: "for (const { address } of all) {",
    replace: "for (const { address } of all.slice(0, 1)) {",
    tests: [test("network")]
  },
  {
    name: "literal addresses are not checked",
    file: "src/http/EgressPolicy.ts",
    find: "if (this.#allow.has(host) || !ipaddr.isValid(host)) return",
    replace: 'if (host !== "") return',
    tests: [test("network")]
  },
  {
    name: "a waiter that leaves keeps its slot",
    file: "src/http/ConnectionGate.ts",
    find: "if (!this.#waiting.delete(granted)) this.give()",
    replace: "this.#waiting.size",
    tests: [test("network")]
  },
  {
    name: "twice the rate",
    file: "src/http/ConnectionGate.ts",
    find: "(burst / perSecond) * 1000",
    replace: "(burst / perSecond) * 500",
    tests: [test("network")]
  },
  {
    name: "secrets resolve from plain input",
    file: "src/run/ActionRunner.ts",
    find: 'mode: asking ? "definition" : "input",',
    replace: 'mode: "definition",',
    tests: [test("security")]
  },
  {
    name: "tokens are templates",
    file: "src/credentials/OAuthManager.ts",
    find: "return dangerous.length === 0 ? flat :",
    replace: "return dangerous.length >= 0 ? flat :",
    tests: [test("oauth")]
  },
  {
    name: "every run refreshes for itself",
    file: "src/credentials/OAuthManager.ts",
    find: "if (known !== undefined) return restore(Deferred.await(known))",
    replace: "",
    tests: [test("oauth")]
  },
  {
    name: "what another process refreshed is not looked at",
    file: "src/credentials/OAuthManager.ts",
    find: "if (record === undefined || record.generation === used) return false",
    replace: "if (record !== undefined) return false",
    tests: [test("oauth")]
  },
  {
    name: "a restart forgets the rotated token",
    file: "src/credentials/OAuthManager.ts",
    find: "if (known?.fingerprint === fingerprint) return yield* adopt(known)",
    replace: "",
    tests: [test("oauth")]
  },
  {
    name: "the refresh waits on itself",
    file: "src/run/ActionRunner.ts",
    find: "return entry === undefined || exempt?.has(entry.key) === true ? undefined : entry",
    replace: "return entry === undefined || exempt?.has(entry.owner.app) === true ? undefined : entry",
    tests: [test("oauth")]
  },
  {
    name: "a 401 is not replayed",
    file: "src/run/ActionRunner.ts",
    find: 'error.code === "UNAUTHORIZED" ? again',
    replace: 'error.code === "FORBIDDEN" ? again',
    tests: [test("oauth")]
  },
  {
    name: "credentials are left out of a cached call's identity",
    file: "src/run/identity.ts",
    find: ".filter(([name]) => !perAttempt.has(name))",
    replace: '.filter(([name]) => !perAttempt.has(name) && name !== "authorization")',
    tests: [test("credentials")]
  },
  {
    name: "a refresh empties the cache",
    file: "src/run/identity.ts",
    find: "if (rotating.length > 0) {",
    replace: "if (rotating.length > 99) {",
    tests: [test("credentials")]
  },
  {
    name: "the login action is sent the credentials that it is asked for",
    file: "src/run/ActionRunner.ts",
    find: "const ambient = asking ? withoutAuth(all) : all",
    replace: "const ambient = all",
    tests: [test("credentials")]
  },
  {
    name: "an old config() stays",
    file: "src/run/Preparation.ts",
    find: "if (this.#ambient?.version !== book.version) {",
    replace: "if (this.#ambient === undefined) {",
    tests: [test("credentials")]
  },
  {
    name: "the next page may be anywhere",
    file: "src/run/pageRequest.ts",
    find: "url === undefined || url.origin !== new URL(request.origin).origin",
    replace: "url === undefined",
    tests: [test("pages")]
  },
  {
    name: "a cursor that repeats goes on for ever",
    file: "src/pages/iteratePages.ts",
    find: "if (seen.has(mark)) return",
    replace: "if (seen.size > 50) return",
    tests: [test("pages")]
  },
  {
    name: "null does not clear a rule",
    file: "src/fieldRules.ts",
    find: ".filter(([, value]) => value !== undefined && value !== null)",
    replace: ".filter(([, value]) => value !== undefined)",
    tests: [test("actions")]
  },
  {
    name: "the answer is kept in the span",
    file: "src/Api.ts",
    find: "            answer = result(response)\n",
    replace: "            answer = result(response)\n            return answer\n",
    tests: [test("security")]
  }
]
