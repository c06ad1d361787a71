import { randomUUID } from "node:crypto"
import { TemplateError } from "@ductape/core"
import type { AuthDefinition, RegistryShape, ResolvedConnection, TokenPeriod } from "@ductape/registry"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RunFailure } from "../RunFailure.ts"
import { withLease } from "./Lease.ts"

/** Runs the action that answers with credentials. */
type RunAuthAction = (
  connection: ResolvedConnection,
  action: string,
  input: unknown
) => Effect.Effect<unknown, RunFailure>

interface Answer {
  readonly value: unknown
  /** Unix milliseconds. */
  readonly expiresAt: number
  /** Keyed digest of the data that it was asked with. */
  readonly asked: string
}

const kind = "auth-answer"
const purpose = "api.credential-access"

const day = 86_400_000

const periods: Readonly<Record<TokenPeriod, number>> = {
  secs: 1000,
  mins: 60_000,
  hours: 3_600_000,
  days: day,
  weeks: 7 * day,
  months: 30 * day,
  years: 365 * day
}

const lifetimeOf = ({ expiry, period }: AuthDefinition): number => (expiry ?? 1) * periods[period ?? "hours"]

/** Answers of `credential_access` definitions: sealed in the workspace, one request at a time. */
export class CredentialAccess {
  readonly #registry: RegistryShape
  readonly #scope: Scope.Scope
  readonly #run: RunAuthAction
  readonly #holder = randomUUID()
  readonly #kept = new Map<string, Answer>()
  readonly #flights = new Map<string, Deferred.Deferred<Answer, RunFailure>>()

  constructor(registry: RegistryShape, scope: Scope.Scope, run: RunAuthAction) {
    this.#registry = registry
    this.#scope = scope
    this.#run = run
  }

  /** The answer that `$Auth{tag}{…}` reads. */
  fetch(connection: ResolvedConnection, authTag: string): Effect.Effect<unknown, RunFailure> {
    return Clock.clockWith((clock) => {
      const { env, product } = connection.context
      const key = `${product}/${env}/${connection.accessTag}/${authTag}`
      const auth = connection.auth.find(({ tag }) => tag === authTag)
      const action = auth?.definition?.action_tag
      if (auth?.definition === undefined || action === undefined) {
        return Effect.fail(
          new TemplateError({
            code: "REFERENCE_NOT_FOUND",
            message: `$Auth{${authTag}}: the auth definition names no action_tag to ask for credentials.`,
            details: { offset: 0 }
          })
        )
      }
      const asked = this.#registry.keyring.mac(purpose, JSON.stringify([action, auth.data]))
      const kept = this.#kept.get(key)
      if (kept !== undefined && kept.asked === asked && clock.currentTimeMillisUnsafe() < kept.expiresAt) {
        return Effect.succeed(kept.value)
      }
      const lifetime = lifetimeOf(auth.definition)
      const ask = Effect.map(this.#run(connection, action, auth.data), (value) => ({
        value: value ?? null,
        asked,
        expiresAt: clock.currentTimeMillisUnsafe() + lifetime
      }))
      return Effect.map(this.#once(key, asked, ask), ({ value }) => value)
    })
  }

  #once(
    key: string,
    asked: string,
    ask: Effect.Effect<Answer, RunFailure>
  ): Effect.Effect<Answer, RunFailure> {
    return Effect.uninterruptibleMask((restore) => {
      const known = this.#flights.get(key)
      if (known !== undefined) return restore(Deferred.await(known))
      const flight = Deferred.makeUnsafe<Answer, RunFailure>()
      this.#flights.set(key, flight)
      const stored = this.#read(key, asked)
      const renewed = Effect.flatMap(stored, (found) =>
        found === undefined ? Effect.tap(ask, (answer) => this.#write(key, answer)) : Effect.succeed(found)
      )
      const work = restore(withLease(this.#registry, `auth:${key}`, this.#holder, stored, renewed)).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            this.#flights.delete(key)
            if (exit._tag === "Success") this.#kept.set(key, exit.value)
            Deferred.doneUnsafe(flight, exit)
          })
        )
      )
      return Effect.andThen(Effect.forkIn(work, this.#scope), restore(Deferred.await(flight)))
    })
  }

  #read(key: string, asked: string): Effect.Effect<Answer | undefined, RunFailure> {
    return Effect.flatMap(this.#registry.store.get(kind, key), (record) =>
      Clock.clockWith((clock) => {
        if (record === undefined) return Effect.succeed(undefined)
        const now = clock.currentTimeMillisUnsafe()
        try {
          const bytes = this.#registry.keyring.open(purpose, record.value, key)
          const answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as Answer
          return Effect.succeed(answer.asked === asked && now < answer.expiresAt ? answer : undefined)
        } catch {
          // What cannot be opened is asked for again and replaced.
          return Effect.succeed(undefined)
        }
      })
    )
  }

  #write(key: string, answer: Answer): Effect.Effect<void, RunFailure> {
    const value = this.#registry.keyring.seal(purpose, JSON.stringify(answer), key)
    return this.#registry.store.write([{ op: "put", kind, key, value, expiresAt: answer.expiresAt }], {
      definitions: false
    })
  }
}
