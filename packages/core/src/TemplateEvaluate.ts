import { jsonText } from "./JsonText.ts"
import { TemplateError, type TemplateErrorCode, templateError, templateErrorAt } from "./TemplateError.ts"
import { isTrusted } from "./TemplateHead.ts"
import { type Node, printReference, type Reference, type ReferenceName } from "./TemplateNode.ts"
import { maxResult, measure, operators } from "./TemplateOperators.ts"

/**
 * What a reference leads to: a value, or a stored definition that is a template of its own. `id` names
 * the definition, so that one that needs itself is noticed.
 */
export type Found = { readonly value: unknown } | { readonly template: unknown; readonly id: string }

/** What a template is evaluated against. */
export interface TemplateScope {
  /** Epoch milliseconds, read once per evaluation. Default: `Date.now()`. */
  readonly now?: number
  /**
   * Where each namespace is read. A namespace without a source is `REFERENCE_UNAVAILABLE`; a source
   * that returns `undefined` says `REFERENCE_NOT_FOUND`. `readPath` walks the rest of a path.
   */
  readonly sources: {
    readonly [N in ReferenceName]?: ((segments: ReadonlyArray<string>) => Found | undefined) | undefined
  }
  /** What `$Default` stands for. */
  readonly defaultValue?: unknown
}

/** Stored definitions within stored definitions. */
const maxStored = 32
/** Expressions evaluated for one call, over all definitions that they lead to. */
const maxSteps = 100_000
/** Bytes that all operators of one evaluation may produce together. */
const maxWork = 16 * maxResult
/** Levels of arrays and objects in a value. */
export const maxValueDepth = 512

/** The state of one evaluation. */
export class Evaluation {
  readonly scope: TemplateScope
  /** Ids of the stored definitions being evaluated, outermost first. */
  readonly active: Array<string> = []
  /** Whether plain input led here, from where no secret can be read, not even by a stored definition. */
  plain = false
  #now: number | undefined
  #steps = 0
  #work = 0

  constructor(scope: TemplateScope) {
    this.scope = scope
    this.#now = scope.now
  }

  now(): number {
    this.#now ??= Date.now()
    return this.#now
  }

  step(offset: number): void {
    this.#steps++
    if (this.#steps > maxSteps) limit(`A template evaluates at most ${maxSteps} expressions`, offset)
  }

  /** Counts what an operator or a literal produced. */
  produced(value: unknown, offset: number): unknown {
    this.#work += sizeOf(value, offset)
    if (this.#work > maxWork) limit(`The operators of a template produce at most ${maxWork} bytes`, offset)
    return value
  }
}

const limit = (message: string, offset: number): never => {
  throw templateError("TEMPLATE_LIMIT", message, { offset })
}

const spend = (value: unknown, left: number, depth: number, offset: number): number => {
  let rest = left
  if (typeof value === "string") rest -= Buffer.byteLength(value)
  else if (typeof value !== "object" || value === null) rest -= 8
  else if (ArrayBuffer.isView(value)) rest -= value.byteLength
  else {
    if (depth >= maxValueDepth) limit(`A value nests deeper than ${maxValueDepth} levels`, offset)
    rest -= 2
    if (Array.isArray(value)) {
      for (const element of value) {
        rest = spend(element, rest - 1, depth + 1, offset)
      }
    } else {
      for (const [key, element] of Object.entries(value)) {
        rest = spend(element, rest - key.length - 1, depth + 1, offset)
      }
    }
  }
  return rest < 0 ? limit(`A result holds at most ${maxResult} bytes`, offset) : rest
}

/** About how many bytes a value is worth; stops at the limit. */
const sizeOf = (value: unknown, offset: number): number => maxResult - spend(value, maxResult, 0, offset)

/** The value of a whole template, if it is not too large. */
export const checked = (value: unknown): unknown => {
  if (typeof value === "string" || (typeof value === "object" && value !== null)) sizeOf(value, 0)
  return value
}

/** A value as part of a longer text. */
const textOf = (value: unknown, offset: number): string => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
    case "boolean":
    case "bigint":
      return String(value)
    case "undefined":
      return ""
    case "object":
      if (value === null) return ""
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
      if (ArrayBuffer.isView(value)) break
      sizeOf(value, offset)
      return jsonText(value)
  }
  throw templateError("OPERATOR_TYPE", "A value that is neither data nor text cannot stand within text", {
    offset
  })
}

/** Joins text and values into one string. */
export const joinParts = (parts: ReadonlyArray<string | Node>, run: (node: Node) => unknown): string => {
  let text = ""
  for (const part of parts) {
    text += typeof part === "string" ? part : textOf(run(part), offsetOf(part))
    if (text.length > maxResult) limit(`A result holds at most ${maxResult} bytes`, offsetOf(part))
  }
  return text
}

const offsetOf = (part: string | Node): number =>
  typeof part !== "string" && "offset" in part ? part.offset : 0

const referenceError = (code: TemplateErrorCode, message: string, reference: Reference, offset: number) =>
  templateError(code, message, { offset, reference: printReference(reference) })

/** How the values of a tagged template and stored definitions are evaluated; `Template.ts` gives them. */
export interface Programs {
  readonly hole: (index: number, evaluation: Evaluation) => unknown
  readonly stored: (template: unknown, evaluation: Evaluation) => unknown
}

const readReference = (
  reference: Reference,
  offset: number,
  evaluation: Evaluation,
  programs: Programs
): unknown => {
  const { active, scope } = evaluation
  const written = printReference(reference)
  if (evaluation.plain && isTrusted(reference.name)) {
    throw referenceError(
      "REFERENCE_UNAVAILABLE",
      `'${written}' cannot be read from plain input; mark the input with template\`\``,
      reference,
      offset
    )
  }
  const source = scope.sources[reference.name]
  if (source === undefined) {
    throw referenceError(
      "REFERENCE_UNAVAILABLE",
      `'${written}': there is no ${reference.name} here`,
      reference,
      offset
    )
  }
  const found = source(reference.segments)
  if (found !== undefined && "template" in found) {
    if (active.includes(found.id)) {
      throw referenceError("REFERENCE_CYCLE", `'${written}' leads back to itself`, reference, offset)
    }
    if (active.length >= maxStored)
      limit(`Definitions lead to each other over more than ${maxStored} steps`, offset)
    active.push(found.id)
    try {
      return programs.stored(found.template, evaluation)
    } catch (error) {
      throw error instanceof TemplateError ? templateErrorAt(written, error) : error
    } finally {
      active.pop()
    }
  }
  if (found?.value === undefined) {
    throw referenceError("REFERENCE_NOT_FOUND", `'${written}' was not found`, reference, offset)
  }
  return found.value
}

const isMissing = (error: unknown): boolean =>
  error instanceof TemplateError && error.code === "REFERENCE_NOT_FOUND"

export const evaluateNode = (node: Node, evaluation: Evaluation, programs: Programs): unknown => {
  const run = (inner: Node): unknown => evaluateNode(inner, evaluation, programs)
  switch (node.kind) {
    case "value":
      return node.value
    case "now":
      return evaluation.now()
    case "default":
      if (evaluation.scope.defaultValue === undefined) {
        throw templateError("REFERENCE_UNAVAILABLE", "'$Default': this field has no default value", {
          offset: node.offset,
          reference: "$Default"
        })
      }
      return evaluation.scope.defaultValue
  }
  evaluation.step(node.offset)
  switch (node.kind) {
    case "reference":
      return readReference(node.reference, node.offset, evaluation, programs)
    case "hole":
      return programs.hole(node.index, evaluation)
    case "array":
      return evaluation.produced(node.items.map(run), node.offset)
    case "object": {
      const result: Record<string, unknown> = {}
      for (const [key, value] of node.members) result[key] = run(value)
      return evaluation.produced(result, node.offset)
    }
    case "measure":
      return measure(node.name, run(node.value), node.offset)
    case "call": {
      if (node.operator === "Default") {
        const [value, fallback] = node.args as readonly [Node, Node]
        let found: unknown = null
        try {
          found = run(value)
        } catch (error) {
          if (!isMissing(error)) throw error
        }
        return found ?? run(fallback)
      }
      const args = node.args.map(run)
      const at = { operator: `$${node.operator}`, offset: node.offset }
      return evaluation.produced(operators[node.operator](args, at), node.offset)
    }
  }
}
