import { randomUUID } from "node:crypto"
import { compileTemplate, secretsOf, TemplateError } from "@ductape/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Definitions, Found } from "./Definitions.ts"
import type { SecretMeta } from "./entities.ts"
import type { SecretInput, SecretPatch, Secrets, SecretUse } from "./Registry.ts"
import { type RegistryError, SecretError } from "./RegistryError.ts"
import type { Change } from "./RegistryStore.ts"
import { secretIssues, secretPatchIssues } from "./secretInput.ts"
import {
  isExpired,
  type OpenSecret,
  type SecretRow,
  secretExpired,
  secretMeta,
  secretNotFound,
  secretOutOfEnv,
  secretOutOfScope,
  secretRevoked,
  secretUnreadable
} from "./secretRecord.ts"
import { defined } from "./shapes.ts"

type Result<A> = Effect.Effect<A, SecretError | RegistryError>

const kind = "secret"
const table = "open-secret"

export const putSecret = (row: SecretRow, expect: "absent" | number): Change => ({
  op: "put",
  kind,
  key: row.key,
  value: JSON.stringify(row),
  expect
})

const associated = (definitions: Definitions, key: string, version: number): string =>
  `${definitions.workspace.id}/${key}/${version}`

type Labels = Pick<SecretRow, "description" | "token_type" | "scope" | "envs" | "owner">

const labels = ({ description, envs, owner, scope, token_type }: SecretInput): Labels =>
  Object.fromEntries(
    Object.entries({ description, token_type, scope, envs, owner }).filter(
      ([, member]) => member !== undefined && member !== null
    )
  )

interface TemplateUse {
  readonly env?: string
  readonly app?: string
}

const scopesOf = ({ app }: TemplateUse): ReadonlyArray<string> => (app === undefined ? [] : [app])

/** A new row for a secret that is not there yet. */
export const newSecret = (definitions: Definitions, input: SecretInput): SecretRow => {
  const time = definitions.time()
  return {
    ...labels(input),
    _id: randomUUID(),
    key: input.key,
    expires_at: input.expires_at ?? null,
    valueVersion: 1,
    sealed: definitions.keyring.seal(kind, input.value, associated(definitions, input.key, 1)),
    createdAt: time,
    updatedAt: time
  }
}

/** The row with a new value and whatever else the input says. */
const replaced = (definitions: Definitions, old: SecretRow, patch: SecretPatch): SecretRow => {
  const merged = Object.fromEntries(
    Object.entries({ ...old, ...defined(patch), updatedAt: definitions.time() }).filter(
      ([name, member]) => name !== "value" && (member !== null || name === "expires_at")
    )
  ) as unknown as SecretRow
  if (patch.value === undefined) return merged
  const valueVersion = old.valueVersion + 1
  return {
    ...merged,
    valueVersion,
    sealed: definitions.keyring.seal(kind, patch.value, associated(definitions, old.key, valueVersion))
  }
}

const open = (definitions: Definitions, row: SecretRow): string | undefined => {
  if (row.sealed === undefined) return undefined
  try {
    const bytes = definitions.keyring.open(
      kind,
      row.sealed,
      associated(definitions, row.key, row.valueVersion)
    )
    return Buffer.from(bytes).toString("utf8")
  } catch {
    return undefined
  }
}

/** The checks of every use but the decryption, in the order that decides which error is seen. */
const refusal = (
  key: string,
  row: SecretRow | undefined,
  use: SecretUse,
  now: number
): SecretError | undefined => {
  if (row === undefined) return secretNotFound(key)
  if (row.revokedAt !== undefined) return secretRevoked(key)
  if (isExpired(row, now)) return secretExpired(key)
  const { envs = [], scope = [] } = row
  const users = use.scopes ?? []
  if (scope.length > 0 && !users.some((user) => scope.includes(user))) {
    return secretOutOfScope(key, users[0] ?? "(none)")
  }
  if (envs.length > 0 && (use.env === undefined || !envs.includes(use.env))) {
    return secretOutOfEnv(key, use.env ?? "(none)")
  }
  return undefined
}

const asText = (value: unknown): string =>
  typeof value === "string"
    ? value
    : value === null || value === undefined
      ? ""
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value)

const notText = (method: "resolve" | "validate"): SecretError =>
  new SecretError({
    code: "VALIDATION_ERROR",
    message: `secrets.${method} takes a template: text such as 'Bearer $Secret{KEY}'.`,
    details: [{ path: "template", rule: "type", message: "must be a string" }]
  })

/** Templates throw their own error; anything else is a defect. */
const templating = <A>(work: () => A): Effect.Effect<A, TemplateError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (cause) {
      return cause instanceof TemplateError ? Effect.fail(cause) : Effect.die(cause)
    }
  })

export const makeSecrets = (definitions: Definitions): Secrets => {
  const find = (key: string) => definitions.get<SecretRow>(kind, String(key))
  const need = (key: string): Result<Found<SecretRow>> =>
    Effect.flatMap(find(key), (found) =>
      found === undefined ? Effect.fail(secretNotFound(String(key))) : Effect.succeed(found)
    )
  const meta = (row: SecretRow): SecretMeta => secretMeta(row, definitions.workspace.id, definitions.now())

  const resolveWith = (
    keys: ReadonlyArray<string>,
    use: SecretUse,
    read: (key: string) => Result<OpenSecret | undefined>
  ): Result<ReadonlyMap<string, string>> =>
    Effect.gen(function* () {
      const values = new Map<string, string>()
      for (const key of new Set(keys)) {
        const secret = yield* read(key)
        const refused = refusal(key, secret?.row, use, definitions.now())
        if (refused !== undefined) return yield* refused
        if (secret?.value === undefined) return yield* secretUnreadable(key)
        values.set(key, secret.value)
      }
      return values
    })

  const readFresh = (key: string): Result<OpenSecret | undefined> =>
    Effect.map(find(key), (found) =>
      found === undefined ? undefined : { row: found.value, value: open(definitions, found.value) }
    )

  // One that does not exist is not kept: a table of wrong keys would grow with every typo.
  const readKept = (key: string): Result<OpenSecret | undefined> =>
    definitions.cached(
      table,
      key,
      Effect.flatMap(readFresh(key), (secret) =>
        secret === undefined ? Effect.fail(secretNotFound(key)) : Effect.succeed(secret)
      )
    )

  return {
    create: Effect.fn("Secrets.create")(function* (input: SecretInput) {
      const refused = secretIssues(input).secretError("The secret cannot be made")
      if (refused !== undefined) return yield* refused
      const row = newSecret(definitions, input)
      yield* definitions.commit([putSecret(row, "absent")]).pipe(
        Effect.catchIf(
          (error) => error.code === "WRITE_CONFLICT",
          () =>
            Effect.fail(
              new SecretError({
                code: "SECRET_EXISTS",
                message: `Secret '${input.key}' already exists`,
                details: { key: input.key }
              })
            )
        )
      )
      return meta(row)
    }),

    fetchAll: definitions.list<SecretRow>({ kind }).pipe(
      Effect.map((found) => found.map(({ value }) => meta(value))),
      Effect.withSpan("Secrets.fetchAll")
    ),

    fetch: Effect.fn("Secrets.fetch")(function* (key: string) {
      const { value: row } = yield* need(key)
      if (row.revokedAt !== undefined) return { ...meta(row), value: null }
      const value = open(definitions, row)
      if (value === undefined) return yield* secretUnreadable(key)
      return { ...meta(row), value }
    }),

    update: Effect.fn("Secrets.update")(function* (key: string, patch: SecretPatch) {
      const refused = secretPatchIssues(key, patch).secretError(
        `The secret '${String(key)}' cannot be updated`
      )
      if (refused !== undefined) return yield* refused
      return yield* definitions.repeat(
        Effect.gen(function* () {
          const { value: old, version } = yield* need(key)
          if (old.revokedAt !== undefined && patch.value !== undefined) return yield* secretRevoked(key)
          const { description, envs, expires_at, scope, token_type, value } = patch
          const row = replaced(
            definitions,
            old,
            defined({ description, envs, expires_at, scope, token_type, value }) as SecretPatch
          )
          yield* definitions.commit([putSecret(row, version)])
          return meta(row)
        })
      )
    }),

    delete: Effect.fn("Secrets.delete")(function* (key: string) {
      if ((yield* find(key)) === undefined) return false
      yield* definitions.commit([{ op: "delete", kind, key }])
      return true
    }),

    exists: Effect.fn("Secrets.exists")(function* (key: string) {
      return (yield* find(key)) !== undefined
    }),

    revoke: Effect.fn("Secrets.revoke")(function* (key: string) {
      return yield* definitions.repeat(
        Effect.gen(function* () {
          const { value: old, version } = yield* need(key)
          if (old.revokedAt !== undefined) return true
          const { sealed: _, ...rest } = old
          const time = definitions.time()
          yield* definitions.commit([putSecret({ ...rest, revokedAt: time, updatedAt: time }, version)])
          return true
        })
      )
    }),

    resolve: (keys, use) => resolveWith(keys, use, readKept),
    resolveFresh: (keys, use) => resolveWith(keys, use, readFresh),

    resolveTemplate: Effect.fn("Secrets.resolve")(function* (source: string, use: TemplateUse = {}) {
      if (typeof source !== "string") return yield* notText("resolve")
      const compiled = yield* templating(() => compileTemplate(source, "definition"))
      const keys = secretsOf(compiled, { sources: {} })
      const values = yield* resolveWith([...keys], { env: use.env, scopes: scopesOf(use) }, readKept)
      const read = ([key, ...rest]: ReadonlyArray<string>) => {
        const value = values.get(key ?? "")
        return value === undefined || rest.length > 0 ? undefined : { value }
      }
      return asText(
        yield* templating(() => compiled.evaluate({ now: definitions.now(), sources: { Secret: read } }))
      )
    }),

    validate: Effect.fn("Secrets.validate")(function* (source: string) {
      if (typeof source !== "string") return yield* notText("validate")
      const compiled = yield* Effect.option(templating(() => compileTemplate(source, "definition")))
      if (Option.isNone(compiled)) return { valid: false, references: [], missing: [] }
      const references = [...secretsOf(compiled.value, { sources: {} })]
      const found = yield* Effect.forEach(references, (key) =>
        Effect.map(find(key), (row) => row !== undefined)
      )
      const missing = references.filter((_, i) => found[i] === false)
      return { valid: missing.length === 0, references, missing }
    }),

    put: Effect.fn("Secrets.put")(function* (inputs: ReadonlyArray<SecretInput>) {
      for (const [i, input] of inputs.entries()) {
        const refused = secretIssues(input, `[${i}].`).secretError("The secrets cannot be kept")
        if (refused !== undefined) return yield* refused
      }
      yield* definitions.repeat(
        Effect.gen(function* () {
          const changes: Array<Change> = []
          for (const input of inputs) {
            const found = yield* find(input.key)
            const old = found?.value
            if (old?.revokedAt !== undefined) return yield* secretRevoked(input.key)
            if (old !== undefined && input.owner !== undefined && old.owner !== input.owner) {
              return yield* new SecretError({
                code: "SECRET_EXISTS",
                message: `Secret '${input.key}' already exists and belongs to something else`,
                details: { key: input.key }
              })
            }
            const { key: _, owner: __, ...patch } = input
            changes.push(
              old === undefined
                ? putSecret(newSecret(definitions, input), "absent")
                : putSecret(replaced(definitions, old, patch), found?.version ?? 0)
            )
          }
          yield* definitions.commit(changes)
        })
      )
    })
  }
}

/** All values without waiting, if all are kept and allowed; else ask `resolve`, which says why not. */
export const keptSecrets = (
  definitions: Definitions,
  keys: ReadonlyArray<string>,
  use: SecretUse
): ReadonlyMap<string, string> | undefined => {
  if (!definitions.isFresh()) return undefined
  const kept = definitions.table<OpenSecret>(table)
  const now = definitions.now()
  const values = new Map<string, string>()
  for (const key of keys) {
    const secret = kept.get(key)
    if (secret?.value === undefined || refusal(key, secret.row, use, now) !== undefined) return undefined
    values.set(key, secret.value)
  }
  return values
}
