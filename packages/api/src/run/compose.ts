import {
  type Compiled,
  compileValue,
  type DuctapeError,
  secretsOf,
  TemplateError,
  type TemplateMode,
  type TemplateScope
} from "@ductape/core"
import type { RegistryShape, ResolvedConnection } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { Definition } from "../credentials/definitions.ts"
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
) => Effect.Effect<unknown, DuctapeError>

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

/** Places the input, merges credentials, resolves templates and secrets, validates, writes the request. */
export const compose = (options: ComposeOptions): Effect.Effect<Composed, DuctapeError> =>
  Effect.suspend(() =>
    Effect.flatMap(
      attempt(() => place(options)),
      ({ pending, placement, rotating, secretQuery }) => {
        const written = () =>
          attempt(() => ({ request: options.plan.assemble(placement), placement, rotating, secretQuery }))
        return pending.length === 0
          ? written()
          : Effect.flatMap(resolve(pending, placement, options), written)
      }
    )
  )

const place = ({ credentials, input, mode, plan }: ComposeOptions) => {
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

const resolve = Effect.fnUntraced(function* (
  pending: ReadonlyArray<Pending>,
  placement: Placement,
  { fetchAnswer, now, plan, references, registry }: ComposeOptions
): Effect.fn.Return<void, DuctapeError> {
  const { connection } = references
  const scope: TemplateScope = { now, sources: references.sources }
  let keys = new Set<string>()
  for (let round = 0; round < maxRounds; round += 1) {
    references.wanted.apps.clear()
    references.wanted.auths.clear()
    keys = yield* attempt(() => {
      const found = new Set<string>()
      for (const { compiled } of pending) for (const key of secretsOf(compiled, scope)) found.add(key)
      return found
    })
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
    const use = {
      env: connection.context.env,
      scopes: [connection.accessTag, connection.app.tag, connection.context.product]
    }
    const wanted = [...keys]
    references.secrets = registry.kept.secrets(wanted, use) ?? (yield* registry.secrets.resolve(wanted, use))
  }
  yield* attempt(() => {
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
  })
})
