import { type Compiled, compileValue } from "@ductape/core"
import type { ResolvedConnection } from "@ductape/registry"
import { Placement } from "../request/Placement.ts"
import { isPlainObject } from "../request/plainObject.ts"
import type { RequestPlan } from "../request/RequestPlan.ts"
import type { FlatCredentials } from "./CredentialBook.ts"

/** A credential's value, to be evaluated in each run: `$Secret` and `$Auth` resolve in it. */
export class Definition {
  readonly compiled: Compiled
  /** Changes with each refresh, so a cache knows the call by the initial tokens instead. */
  readonly rotates: boolean

  constructor(compiled: Compiled, rotates: boolean) {
    this.compiled = compiled
    this.rotates = rotates
  }
}

/** Flat credentials, placed for an action, their values compiled. */
export const placeDefinitions = (
  plan: RequestPlan,
  credentials: FlatCredentials,
  rotates: boolean
): Placement => {
  const placement = plan.placeCredentials(credentials)
  placement.forEach((value, section, name) => {
    placement.replace(section, name, new Definition(compileValue(value, "definition"), rotates))
  })
  return placement
}

const sections = ["headers", "query", "body", "params", "cookies"] as const

/** The parts of `token_access` data that say where they go; bare keys are only for `$Auth`. */
const attached = (data: Readonly<Record<string, unknown>>): FlatCredentials => {
  const flat: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    const section = sections.find((name) => key === name || (name === "headers" && key === "header"))
    if (section !== undefined && isPlainObject(value)) {
      for (const [name, inner] of Object.entries(value)) flat[`${section}:${name}`] = inner
    } else if (/^(?:body|query|params|headers?|cookies):./.test(key)) flat[key] = value
  }
  return flat
}

/**
 * The auth entries of a connection that go with an action: all, or the one that it names, or none.
 * A name that the connection has no data for leaves all, since a document's scheme and the one that was
 * set up by hand may be called differently.
 */
const authsFor = (plan: RequestPlan, connection: ResolvedConnection): ResolvedConnection["auth"] => {
  const wanted = plan.action.auth
  if (wanted === false) return []
  if (wanted === undefined) return connection.auth
  const named = connection.auth.filter((auth) => auth.tag === wanted)
  return named.length > 0 ? named : connection.auth
}

/** What every run of the action gets by itself: `config()` above the connection's auth data. */
export const ambientCredentials = (
  plan: RequestPlan,
  connection: ResolvedConnection,
  config: FlatCredentials | undefined
): Placement => {
  const placement = config === undefined ? new Placement() : placeDefinitions(plan, config, false)
  for (const { data, definition } of authsFor(plan, connection)) {
    if (definition?.setup_type === "credential_access") continue
    placement.merge(placeDefinitions(plan, attached(data), false))
  }
  return placement
}

/** Those that do not depend on `$Auth`: for the action that is asked for what `$Auth` reads. */
export const withoutAuth = (placement: Placement): Placement => {
  const kept = new Placement()
  kept.merge(placement)
  placement.forEach((value, section, name) => {
    if (!(value instanceof Definition)) return
    if (value.compiled.references.some((reference) => reference.name === "Auth")) kept.remove(section, name)
  })
  return kept
}
