import * as Effect from "effect/Effect"
import { needApp, putApp, type SharedAuth } from "./appRecord.ts"
import type { Definitions } from "./Definitions.ts"
import type { AuthDefinition } from "./entities.ts"
import { envNotFound } from "./failures.ts"
import { field, Issues } from "./Issues.ts"
import { memberKeyPattern, memberKeyRule, slugPattern, slugRule } from "./names.ts"
import type { RegistryShape, SecretInput } from "./Registry.ts"
import { RegistryError, SecretError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { newSecret, putSecret } from "./secrets.ts"

type AuthInput = Parameters<RegistryShape["auth"]["create"]>[0]

const types = ["api_key", "bearer", "basic", "oauth2"] as const

const defaults = {
  api_key: { header: "X-API-Key", prefix: "" },
  bearer: { header: "Authorization", prefix: "Bearer" },
  oauth2: { header: "Authorization", prefix: "Bearer" },
  basic: { header: "Authorization", prefix: "Basic" }
} as const

const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/

const check = (input: unknown): RegistryError | undefined => {
  const issues = new Issues()
  if (issues.object("", input)) {
    issues.text("app", input["app"], { required: true, max: 256 })
    issues.oneOf("type", input["type"], types)
    if (input["tag"] !== undefined) issues.pattern("tag", input["tag"], memberKeyPattern, memberKeyRule)
    const header = field(input["config"], "header_name")
    if (header !== undefined)
      issues.pattern("config.header_name", header, headerName, "must be a header's name")
    issues.text("config.prefix", field(input["config"], "prefix"), { max: 100 })
    const envs = input["envs"]
    if (issues.array("envs", envs)) {
      if (envs.length === 0) issues.add("envs", "required", "must not be empty")
      for (const [i, env] of envs.entries()) {
        issues.pattern(`envs[${i}].slug`, field(env, "slug"), slugPattern, slugRule)
        issues.text(`envs[${i}].value`, field(env, "value"), { required: true, max: 65_536 })
      }
    }
  }
  return issues.registryError("The auth definition cannot be made")
}

const upper = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9]/g, "_")

/** `user:password` is what RFC 7617 encodes; a value without a colon is taken as encoded already. */
const secretValue = (type: AuthInput["type"], value: string): string =>
  type === "basic" && value.includes(":") ? Buffer.from(value, "utf8").toString("base64") : value

/** `auth.create`: a `token_access` definition for a header, its values kept as secrets of the app. */
export const makeAuth = (definitions: Definitions): RegistryShape["auth"] => ({
  create: Effect.fn("Auth.create")(function* (
    input: AuthInput
  ): Effect.fn.Return<AuthDefinition, RegistryError | SecretError> {
    const refused = check(input)
    if (refused !== undefined) return yield* refused
    const tag = input.tag ?? input.type.replaceAll("_", "-")
    const header = input.config?.header_name ?? defaults[input.type].header
    const word = (input.config?.prefix ?? defaults[input.type].prefix).trimEnd()
    const prefix = word === "" ? "" : `${word} `
    const definition: AuthDefinition = {
      tag,
      name: tag,
      setup_type: "token_access",
      tokens: { headers: { [header]: prefix } }
    }
    return yield* definitions.repeat(
      Effect.gen(function* () {
        const { app, shared, version } = yield* needApp(definitions, input.app)
        if (app.auths.some((auth) => auth.tag === tag)) {
          return yield* new RegistryError({
            code: "AUTH_EXISTS",
            message: `The auth '${tag}' of the app '${app.tag}' already exists. Give another tag.`,
            details: { app: app.tag, tag }
          })
        }
        const secrets: Array<Change> = []
        const byEnv: Record<string, SharedAuth[string][string]> = {}
        for (const { slug, value } of input.envs) {
          if (!app.envs.some((env) => env.slug === slug)) {
            return yield* envNotFound(
              { kind: "app", tag: app.tag },
              slug,
              app.envs.map((env) => env.slug)
            )
          }
          const key = `AUTH_${upper(app.tag)}_${upper(tag)}_${upper(slug)}`
          if ((yield* definitions.store.get("secret", key)) !== undefined) {
            return yield* new SecretError({
              code: "SECRET_EXISTS",
              message: `Secret '${key}' already exists`,
              details: { key }
            })
          }
          const secret: SecretInput = {
            key,
            value: secretValue(input.type, value),
            description: `Auth '${tag}' of the app '${app.tag}' in '${slug}'`,
            token_type: input.type,
            scope: [app.tag]
          }
          secrets.push(putSecret(newSecret(definitions, secret), "absent"))
          byEnv[slug] = { headers: { [header]: `${prefix}$Secret{${key}}` } }
        }
        const next = { ...app, auths: [...app.auths, definition], updatedAt: definitions.time() }
        yield* definitions.commit([
          putApp(definitions, next, { ...shared, [tag]: byEnv }, version),
          ...secrets
        ])
        return definition
      })
    )
  })
})
