import { inspect } from "node:util"
import { TemplateError } from "./TemplateError.ts"

/**
 * Marks the classes below. A registered symbol, so that two copies of this package understand each
 * other; JSON cannot hold one, so no data can pass for a marker.
 */
const marker = Symbol.for("@ductape/core/TemplateMarker")

/** A secret, meant by the code that wrote it: resolves wherever templates do. */
export class SecretReference {
  readonly [marker] = "secret"
  readonly key: string
  constructor(key: string) {
    this.key = key
  }
  toString(): string {
    return `$Secret{${this.key}}`
  }
  toJSON(): unknown {
    return { $secret: this.key }
  }
  [inspect.custom](): string {
    return `secret("${this.key}")`
  }
}

/** A template written in code, which may read secrets; the values put into it are data. */
export class TrustedTemplate {
  readonly [marker] = "template"
  readonly strings: TemplateStringsArray
  readonly #values: ReadonlyArray<unknown>
  constructor(strings: TemplateStringsArray, values: ReadonlyArray<unknown>) {
    this.strings = strings
    this.#values = values
  }
  /** The values, for the evaluator: a method, so that nothing prints them. */
  values(): ReadonlyArray<unknown> {
    return this.#values
  }
  toString(): string {
    return this.strings.raw.join("${…}")
  }
  toJSON(): unknown {
    return { $template: this.toString() }
  }
  [inspect.custom](): string {
    return `template\`${this.toString()}\``
  }
}

/** A value in which nothing resolves. */
export class Literal<out T = unknown> {
  readonly [marker] = "literal"
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  /** The value, for the evaluator: a method, so that nothing prints it. */
  value(): T {
    return this.#value
  }
  toString(): string {
    return "literal(…)"
  }
  toJSON(): unknown {
    return { $literal: true }
  }
  [inspect.custom](): string {
    return "literal(…)"
  }
}

/** `secret`, `template`, `literal`, or `undefined` for anything else. */
export const markerOf = (value: object): "secret" | "template" | "literal" | undefined =>
  (value as { readonly [marker]?: "secret" | "template" | "literal" })[marker]

const keyPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/

/**
 * The value of a secret, in the input of a run, where the text `$Secret{…}` does not resolve.
 *
 * @throws {TemplateError} `TEMPLATE_SYNTAX` for something that is no key of a secret
 * @example
 * api.run({ app: "mailer", action: "send", input: { "headers:X-Key": secret("MAILER_KEY") } })
 */
export const secret = (key: string): SecretReference => {
  if (typeof key !== "string" || !keyPattern.test(key)) {
    throw new TemplateError({
      code: "TEMPLATE_SYNTAX",
      message: "The key of a secret is a letter or '_', then up to 127 letters, digits, '_', '.' or '-'.",
      details: { offset: 0 }
    })
  }
  return new SecretReference(key)
}

/**
 * A template that may read secrets, in the input of a run. Values put in with `${…}` are data and are
 * never read as templates; they stand in text or as whole arguments of operators, and may be other
 * markers (`secret`, `template`, `literal`).
 *
 * @example
 * template`Bearer $Secret{KEY}`
 * template`$Concat([${user.name}, $Session{city}], ", ")`
 */
export const template = (strings: TemplateStringsArray, ...values: ReadonlyArray<unknown>): TrustedTemplate =>
  new TrustedTemplate(strings, values)

/**
 * A value that reaches the other side as it is, whatever it looks like: for text of end users.
 *
 * @example
 * api.run({ app: "twilio", action: "send-sms", input: { to, body: literal(message) } })
 */
export const literal = <T>(value: T): Literal<T> => new Literal(value)
