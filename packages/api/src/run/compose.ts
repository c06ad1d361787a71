import {
  type Compiled,
  compileValue,
  secretsOf,
  TemplateError,
  type TemplateMode,
  type TemplateScope
} from "@ductape/core"
import type { RegistryShape, ResolvedConnection, SecretUse } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { Definition } from "../credentials/definitions.ts"
import type { RunFailure } from "../RunFailure.ts"
import type { Placement, Section } from "../request/Placement.ts"
import type { BuiltRequest, RequestPlan } from "../request/RequestPlan.ts"
import { attempt } from "./attempt.ts"
import type { RunReferences } from "./references.ts"

/** A value of a placement that something resolves in. */
interface Pending {
  readonly section: Section
  readonly name: string
  readonly compiled: Compiled
}

export interface Composed {
  readonly request: BuiltRequest
  /** The resolved call, for {@link identityOf}. */
  readonly placement: Placement
  /** Where OAuth credentials went. */
  readonly rotating: ReadonlyArray<readonly [Section, string]>
  /** Query parameters that are credentials. */
  readonly secretQuery: ReadonlyArray<string>
}

/** Fetches the answer of a `credential_access` definition of the connection. */
export type FetchAnswer = (
  connection: ResolvedConnection,
  authTag: string
) => Effect.Effect<unknown, RunFailure>

export interface ComposeOptions {
  readonly plan: RequestPlan
  readonly input: unknown
  /** `definition`: the input is a stored definition, in which everything resolves. */
  readonly mode: TemplateMode
  /** Highest priority first. */
  readonly credentials: ReadonlyArray<Placement>
  readonly references: RunReferences
  /** Epoch milliseconds that `$Now` stands for. */
  readonly now: number
  readonly registry: RegistryShape
  readonly fetchAnswer: FetchAnswer
}

interface Placed extends Omit<Composed, "request"> {
  readonly pending: ReadonlyArray<Pending>
}

const written = ({ placement, rotating, secretQuery }: Placed, plan: RequestPlan): Composed => ({
  request: plan.assemble(placement),
  placement,
  rotating,
  secretQuery
})

/**
 * Places the input, merges credentials, resolves templates and secrets, validates and writes the
 * request: at once where everything needed is in memory.
 *
 * @throws what it would fail with
 */
export const composeNow = (options: ComposeOptions): Composed | Effect.Effect<Composed, RunFailure> => {
  const placed = place(options)
  if (placed.pending.length > 0 && !resolveNow(placed, options)) {
    return Effect.flatMap(resolve(placed, options), () => attempt(() => written(placed, options.plan)))
  }
  return written(placed, options.plan)
}

const place = ({ credentials, input, mode, plan }: ComposeOptions): Placed => {
  const placement = plan.place(input)
  for (const layer of credentials) placement.merge(layer)
  const pending: Array<Pending> = []
  const rotating: Array<readonly [Section, string]> = []
  const secretQuery: Array<string> = []
  placement.forEach((value, section, name) => {
    const definition = value instanceof Definition ? value : undefined
    const compiled = definition === undefined ? compileInput(value, mode, section, name) : definition.compiled
    if (definition?.rotates === true) rotating.push([section, name])
    if (definition !== undefined && section === "query") secretQuery.push(name)
    if (!compiled.constant) pending.push({ section, name, compiled })
    else if (definition !== undefined) placement.replace(section, name, compiled.evaluate(noScope))
  })
  return { placement, pending, rotating, secretQuery }
}

const noScope: TemplateScope = { sources: {} }

const located = (cause: unknown, section: Section, name: string): unknown => {
  if (!(cause instanceof TemplateError)) return cause
  const details = typeof cause.details === "object" ? cause.details : {}
  return new TemplateError({
    code: cause.code,
    message: `${section}${name === "" ? "" : `:${name}`}: ${cause.message}`,
    details: { ...details, location: section, name }
  })
}

const compileInput = (value: unknown, mode: TemplateMode, section: Section, name: string): Compiled => {
  try {
    return compileValue(value, mode)
  } catch (cause) {
    throw located(cause, section, name)
  }
}

/** How often answers may lead to further references before it must be a cycle. */
const maxRounds = 16

/** Keys of all secrets that are needed; `references.wanted` then says what else is. */
const neededSecrets = (pending: ReadonlyArray<Pending>, scope: TemplateScope, references: RunReferences) => {
  references.wanted.apps.clear()
  references.wanted.auths.clear()
  const keys = new Set<string>()
  for (const { compiled } of pending) for (const key of secretsOf(compiled, scope)) keys.add(key)
  return keys
}

const scopeOf = ({ now, references }: ComposeOptions): TemplateScope => ({ now, sources: references.sources })

const secretUse = ({ references: { connection } }: ComposeOptions): SecretUse => ({
  env: connection.context.env,
  scopes: [connection.accessTag, connection.app.tag, connection.context.product]
})

/** Resolves what can be without waiting; `false`, with nothing changed, if that is not all. */
const resolveNow = ({ pending, placement }: Placed, options: ComposeOptions): boolean => {
  const { references, registry } = options
  const scope = scopeOf(options)
  const keys = neededSecrets(pending, scope, references)
  if (references.wanted.apps.size > 0 || references.wanted.auths.size > 0) return false
  if (keys.size > 0) {
    const kept = registry.kept.secrets([...keys], secretUse(options))
    if (kept === undefined) return false
    references.secrets = kept
  }
  evaluateAll(pending, placement, scope, options.plan)
  return true
}

const resolve = Effect.fnUntraced(function* (
  { pending, placement }: Placed,
  options: ComposeOptions
): Effect.fn.Return<void, RunFailure> {
  const { fetchAnswer, plan, references, registry } = options
  const { connection } = references
  const scope = scopeOf(options)
  let keys: ReadonlySet<string> = new Set()
  for (let round = 0; round < maxRounds; round += 1) {
    keys = yield* attempt(() => neededSecrets(pending, scope, references))
    const { apps, auths } = references.wanted
    if (apps.size === 0 && auths.size === 0) break
    for (const app of [...apps]) {
      references.others.set(
        app,
        yield* Effect.catch(registry.connection(connection.context, app), () => Effect.succeed(undefined))
      )
    }
    for (const tag of [...auths]) references.answers.set(tag, yield* fetchAnswer(connection, tag))
  }
  if (keys.size > 0) {
    references.secrets = yield* registry.secrets.resolve([...keys], secretUse(options))
  }
  yield* attempt(() => evaluateAll(pending, placement, scope, plan))
})

const evaluateAll = (
  pending: ReadonlyArray<Pending>,
  placement: Placement,
  scope: TemplateScope,
  plan: RequestPlan
): void => {
  for (const { compiled, name, section } of pending) {
    const defaultValue = plan.defaultOf(section, name)
    try {
      placement.replace(
        section,
        name,
        compiled.evaluate(defaultValue === undefined ? scope : { ...scope, defaultValue })
      )
    } catch (cause) {
      throw located(cause, section, name)
    }
  }
}
