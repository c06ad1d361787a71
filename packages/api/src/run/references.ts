import { type Found, readPath, TemplateError, type TemplateScope, type VerifiedSession } from "@ductape/core"
import type { ResolvedConnection } from "@ductape/registry"

/**
 * Everything that templates of one run can read. Other connections and answers of `credential_access`
 * are fetched as they turn out to be needed: a source that has one not yet notes it in `wanted`.
 */
export class RunReferences {
  readonly connection: ResolvedConnection
  readonly session: VerifiedSession | undefined
  /** Other connections by the name they were asked for; `undefined`: there is none. */
  readonly others = new Map<string, ResolvedConnection | undefined>()
  /** Answers of `credential_access` by auth tag. */
  readonly answers = new Map<string, unknown>()
  secrets: ReadonlyMap<string, string> = new Map()
  readonly wanted = { apps: new Set<string>(), auths: new Set<string>() }
  readonly sources: TemplateScope["sources"]

  constructor(connection: ResolvedConnection, session: VerifiedSession | undefined) {
    this.connection = connection
    this.session = session
    this.sources = {
      Variable: (segments) => this.#variable(segments),
      Constant: (segments) => this.#constant(segments),
      Auth: (segments) => this.#auth(segments),
      Secret: ([key]) => {
        const value = key === undefined ? undefined : this.secrets.get(key)
        return value === undefined ? undefined : { value }
      },
      ...(session === undefined ? {} : { Session: (segments) => readSession(session, segments) })
    }
  }

  /** The connection that a first segment names, and the rest; the current one if it names none. */
  #owner(segments: ReadonlyArray<string>): readonly [ResolvedConnection, ReadonlyArray<string>] | undefined {
    const [first = ""] = segments
    const own = this.connection
    if (segments.length < 2) return [own, segments]
    if (first === own.accessTag || first === own.app.tag) return [own, segments.slice(1)]
    if (!this.others.has(first)) {
      this.wanted.apps.add(first)
      return undefined
    }
    const other = this.others.get(first)
    return other === undefined ? [own, segments] : [other, segments.slice(1)]
  }

  #variable(segments: ReadonlyArray<string>): Found | undefined {
    const owner = this.#owner(segments)
    if (owner === undefined) return undefined
    const [connection, path] = owner
    const template = readPath(connection.variables, path)
    if (template === undefined) return undefined
    return { template, id: `variable ${connection.accessTag} ${path.join(" ")}` }
  }

  #constant(segments: ReadonlyArray<string>): Found | undefined {
    const owner = this.#owner(segments)
    if (owner === undefined) return undefined
    const value = readPath(owner[0].constants, owner[1])
    return value === undefined ? undefined : { value }
  }

  #auth(segments: ReadonlyArray<string>): Found | undefined {
    const [first = "", ...rest] = segments
    const named = this.connection.auth.find((auth) => auth.tag === first)
    if (named !== undefined && rest.length > 0) return this.#authField(named, rest)
    const holding = this.connection.auth
      .map((auth) => this.#authField(auth, segments))
      .filter((found) => found !== undefined)
    if (holding.length > 1) {
      throw new TemplateError({
        code: "REFERENCE_AMBIGUOUS",
        message: `Several auth entries of '${this.connection.accessTag}' hold '${first}'. Name one: $Auth{tag}{${first}}.`,
        details: { offset: 0 }
      })
    }
    return holding[0]
  }

  #authField(
    { data, definition, tag }: ResolvedConnection["auth"][number],
    path: ReadonlyArray<string>
  ): Found | undefined {
    if (definition?.setup_type === "credential_access") {
      if (!this.answers.has(tag)) {
        this.wanted.auths.add(tag)
        return undefined
      }
      const value = readPath(this.answers.get(tag), path)
      return value === undefined ? undefined : { value }
    }
    const template = readPath(data, path)
    if (template === undefined) return undefined
    return { template, id: `auth ${this.connection.accessTag} ${tag} ${path.join(" ")}` }
  }
}

const readSession = (session: VerifiedSession, segments: ReadonlyArray<string>): Found | undefined => {
  const skip = segments[0] === session.tag && !Object.hasOwn(session.data, session.tag)
  const value = readPath(session.data, skip ? segments.slice(1) : segments)
  return value === undefined ? undefined : { value }
}
