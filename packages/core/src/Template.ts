import { isPlainObject } from "./Kind.ts"
import { TemplateError, templateError, templateErrorAt } from "./TemplateError.ts"
import {
  checked,
  Evaluation,
  evaluateNode,
  joinParts,
  maxValueDepth,
  type Programs,
  type TemplateScope
} from "./TemplateEvaluate.ts"
import { meansSomething, type TemplateMode } from "./TemplateHead.ts"
import type { Reference, Syntax } from "./TemplateNode.ts"
import { parseTemplate } from "./TemplateParse.ts"
import { type Literal, markerOf, type SecretReference, type TrustedTemplate } from "./TemplateTrust.ts"

/** A template or a value full of them, ready to be evaluated any number of times. */
export interface Compiled {
  /** Nothing resolves in it: `evaluate` returns the very value that was compiled. */
  readonly constant: boolean
  /** What it reads, each as often as written; without what stored definitions read in turn. */
  readonly references: ReadonlyArray<Reference>
  /** @throws {TemplateError} and whatever a source throws */
  readonly evaluate: (scope: TemplateScope) => unknown
}

/** A {@link Compiled} that takes part in a running evaluation. */
interface Program extends Compiled {
  readonly run: (evaluation: Evaluation) => unknown
}

const noReferences: ReadonlyArray<Reference> = []

const constant = (value: unknown): Program => ({
  constant: true,
  references: noReferences,
  evaluate: () => value,
  run: () => value
})

const program = (
  references: ReadonlyArray<Reference>,
  run: (evaluation: Evaluation) => unknown
): Program => ({
  constant: false,
  references,
  evaluate: (scope) => run(new Evaluation(scope)),
  run
})

const stored: Programs["stored"] = (template, evaluation) =>
  programOf(template, "definition", "", 0).run(evaluation)

const noHoles: Programs = {
  hole: () => undefined,
  stored
}

const programOfSyntax = ({ parts, references }: Syntax, source: string, programs: Programs): Program => {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) {
    if (typeof first !== "string") {
      return program(references, (evaluation) => checked(evaluateNode(first, evaluation, programs)))
    }
    return first === source ? constant(source) : program(references, () => first)
  }
  return program(references, (evaluation) =>
    checked(joinParts(parts, (node) => evaluateNode(node, evaluation, programs)))
  )
}

/** Compiled templates by source, least recently used first. */
class Recent {
  readonly #kept = new Map<string, Program>()
  #length = 0

  get(source: string): Program | undefined {
    const found = this.#kept.get(source)
    if (found !== undefined) {
      this.#kept.delete(source)
      this.#kept.set(source, found)
    }
    return found
  }

  set(source: string, made: Program): void {
    this.#kept.set(source, made)
    this.#length += source.length
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept && this.#length <= maxKeptLength) break
      this.#kept.delete(oldest)
      this.#length -= oldest.length
    }
  }
}

/** Templates kept per mode, and the characters of their sources together. */
const maxKept = 2_000
const maxKeptLength = 2_000_000

const recent: Readonly<Record<TemplateMode, Recent>> = { definition: new Recent(), input: new Recent() }

/** Marks everything that a plain input leads to, stored definitions included. */
const plainProgram = (made: Program): Program =>
  made.constant
    ? made
    : program(made.references, (evaluation) => {
        const before = evaluation.plain
        evaluation.plain = true
        try {
          return made.run(evaluation)
        } finally {
          evaluation.plain = before
        }
      })

/** Whether a text means nothing to the language, and is not so long that its length has to be checked. */
const isPlainText = (text: string, mode: TemplateMode): boolean =>
  (mode === "input" || text.length <= 16_384) && (!text.includes("$") || !meansSomething(text, mode))

const programOfString = (source: string, mode: TemplateMode): Program => {
  if (isPlainText(source, mode)) return constant(source)
  const kept = recent[mode].get(source)
  if (kept !== undefined) return kept
  const parsed = programOfSyntax(parseTemplate(source, mode), source, noHoles)
  const made = mode === "input" ? plainProgram(parsed) : parsed
  if (!made.constant) recent[mode].set(source, made)
  return made
}

const programOfSecret = ({ key }: SecretReference): Program => {
  const reference: Reference = { name: "Secret", segments: [key] }
  const node = { kind: "reference", reference, offset: 0 } as const
  return program([reference], (evaluation) => checked(evaluateNode(node, evaluation, noHoles)))
}

/** The syntax of tagged templates, which have one array of strings per place in the code. */
const tagged = new WeakMap<TemplateStringsArray, { readonly source: string; readonly syntax: Syntax }>()

const syntaxOf = (strings: TemplateStringsArray): { readonly source: string; readonly syntax: Syntax } => {
  const kept = tagged.get(strings)
  if (kept !== undefined) return kept
  const holes: Array<number> = []
  let source = ""
  for (const [i, text] of strings.entries()) {
    if (text === undefined) {
      throw templateError("TEMPLATE_SYNTAX", "The template literal has an invalid escape", {
        offset: source.length
      })
    }
    if (i > 0) {
      holes.push(source.length)
      source += "\0"
    }
    source += text
  }
  const made = { source, syntax: parseTemplate(source, "definition", holes) }
  tagged.set(strings, made)
  return made
}

const programOfTagged = (template: TrustedTemplate, path: string, depth: number): Program => {
  const { source, syntax } = syntaxOf(template.strings)
  const holes = template
    .values()
    .map((value) =>
      typeof value === "object" && value !== null && markerOf(value) !== undefined
        ? programOf(value, "input", path, depth + 1)
        : constant(value)
    )
  const references = [...syntax.references, ...holes.flatMap((hole) => hole.references)]
  return programOfSyntax({ parts: syntax.parts, references }, source, {
    hole: (index, evaluation) => holes[index]?.run(evaluation),
    stored
  })
}

const located = <A>(path: string, run: () => A): A => {
  try {
    return run()
  } catch (error) {
    throw error instanceof TemplateError && path !== "" ? templateErrorAt(path, error) : error
  }
}

const inner = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`

/** Whether nothing can resolve in a value: the quick answer for most input. */
const isInertValue = (value: unknown, mode: TemplateMode, depth: number): boolean => {
  if (typeof value === "string") return isPlainText(value, mode)
  if (typeof value !== "object" || value === null) return true
  if (depth >= maxValueDepth) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isInertValue(value[i], mode, depth + 1)) return false
    return true
  }
  if (!isPlainObject(value)) return markerOf(value) === undefined
  for (const key in value) if (!isInertValue(value[key], mode, depth + 1)) return false
  return true
}

const set = (target: Record<string, unknown>, key: string, value: unknown): void => {
  // Plain assignment to `__proto__` would change the prototype.
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

const programOfArray = (
  value: ReadonlyArray<unknown>,
  mode: TemplateMode,
  path: string,
  depth: number
): Program => {
  const items = value.map((element, i) => programOf(element, mode, inner(path, i), depth + 1))
  if (items.every((item) => item.constant)) return constant(value)
  return program(
    items.flatMap((item) => item.references),
    (evaluation) => items.map((item, i) => located(inner(path, i), () => item.run(evaluation)))
  )
}

const programOfObject = (
  value: Record<string, unknown>,
  mode: TemplateMode,
  path: string,
  depth: number
): Program => {
  const members = Object.keys(value).map(
    (key) => [key, programOf(value[key], mode, inner(path, key), depth + 1)] as const
  )
  if (members.every(([, member]) => member.constant)) return constant(value)
  return program(
    members.flatMap(([, member]) => member.references),
    (evaluation) => {
      const result: Record<string, unknown> = {}
      for (const [key, member] of members) {
        set(
          result,
          key,
          member.constant ? value[key] : located(inner(path, key), () => member.run(evaluation))
        )
      }
      return result
    }
  )
}

const programOf = (value: unknown, mode: TemplateMode, path: string, depth: number): Program => {
  if (typeof value === "string") return located(path, () => programOfString(value, mode))
  if (typeof value !== "object" || value === null) return constant(value)
  if (depth >= maxValueDepth) {
    throw templateError("TEMPLATE_LIMIT", `A value nests deeper than ${maxValueDepth} levels`, { offset: 0 })
  }
  if (Array.isArray(value)) return programOfArray(value, mode, path, depth)
  if (isPlainObject(value)) return programOfObject(value, mode, path, depth)
  switch (markerOf(value)) {
    case "secret":
      return programOfSecret(value as SecretReference)
    case "template":
      return located(path, () => programOfTagged(value as TrustedTemplate, path, depth))
    case "literal": {
      const own = (value as Literal).value()
      return program(noReferences, () => own)
    }
    case undefined:
      return constant(value)
  }
}

/**
 * Compiles one string. Compiled templates are kept (the 2,000 last used of each mode).
 *
 * @throws {TemplateError} `TEMPLATE_SYNTAX`, `TEMPLATE_LIMIT`, `OPERATOR_ARITY`, `REFERENCE_FORBIDDEN`;
 *   in `definition` mode also `REFERENCE_UNKNOWN`, `OPERATOR_UNKNOWN`
 */
export const compileTemplate = (source: string, mode: TemplateMode): Compiled => programOfString(source, mode)

/**
 * Compiles a value: the strings in it, through arrays and plain objects, and `secret()`, `` template`` ``
 * and `literal()`. Keys of objects are never templates; dates, buffers and class instances pass as they
 * are. Evaluating gives a new value of the same form and never changes the one compiled.
 *
 * In `input` mode a plain string reads no secret, not even by way of a stored definition: that is
 * `REFERENCE_UNAVAILABLE`. The markers beside it do.
 *
 * Errors say the path of the string at fault (`details.path`).
 *
 * @throws {TemplateError} as {@link compileTemplate}
 */
export const compileValue = (value: unknown, mode: TemplateMode): Compiled =>
  isInertValue(value, mode, 0) ? constant(value) : programOf(value, mode, "", 0)

/**
 * The keys of all secrets that an evaluation may need, also by way of stored definitions, so that they
 * can be checked and decrypted before anything is sent. Never asks the source of `Secret`; what is not
 * found or not available is left for the evaluation to report.
 */
export const secretsOf = (compiled: Compiled, scope: TemplateScope): ReadonlySet<string> => {
  const keys = new Set<string>()
  const visited = new Set<string>()
  const visit = (references: ReadonlyArray<Reference>): void => {
    for (const { name, segments } of references) {
      if (name === "Secret") {
        keys.add(segments[0] ?? "")
        continue
      }
      const found = scope.sources[name]?.(segments)
      if (found === undefined || !("template" in found) || visited.has(found.id)) continue
      visited.add(found.id)
      visit(compileValue(found.template, "definition").references)
    }
  }
  visit(compiled.references)
  return keys
}

/**
 * Checks a template as stored definitions have it, without evaluating anything.
 *
 * @throws {TemplateError}
 */
export const validateTemplate = (source: string): { readonly references: Array<Reference> } => ({
  references: [...compileTemplate(source, "definition").references]
})
