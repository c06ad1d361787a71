import {
  arities,
  type MeasureName,
  type OperatorName,
  type ReferenceName,
  referenceNames
} from "./TemplateNode.ts"

/** What a `$` starts; `end` is where its brackets, or what follows it, begin. */
export type Head =
  | { readonly kind: "reference"; readonly name: ReferenceName; readonly end: number }
  | { readonly kind: "measure"; readonly name: MeasureName; readonly end: number }
  | { readonly kind: "call"; readonly name: OperatorName; readonly end: number }
  | { readonly kind: "now"; readonly end: number }
  | { readonly kind: "default"; readonly end: number }
  /** A capitalised name with a bracket that is not in the language. */
  | { readonly kind: "unknown"; readonly name: string; readonly bracket: "{" | "("; readonly end: number }

const references: ReadonlySet<string> = new Set(referenceNames)

const isReference = (name: string): name is ReferenceName => references.has(name)
const isOperator = (name: string): name is OperatorName => Object.hasOwn(arities, name)

const isNameUnit = (unit: number): boolean =>
  (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || unit === 95

/** Space, tab, CR, LF. */
export const isSpace = (unit: number): boolean => unit === 32 || unit === 9 || unit === 13 || unit === 10

const wordCharacter = /[\p{L}\p{N}_{]/u

/** Whether a bare name may end at `at`: no letter, digit, `_` or `{` follows. */
const mayEnd = (source: string, at: number): boolean => {
  const code = source.codePointAt(at)
  return code === undefined || !wordCharacter.test(String.fromCodePoint(code))
}

const now = (source: string, end: number): Head | undefined => {
  if (source[end] === "(") {
    let close = end + 1
    while (isSpace(source.charCodeAt(close))) close++
    if (source[close] === ")" && mayEnd(source, close + 1)) return { kind: "now", end: close + 1 }
  }
  return mayEnd(source, end) ? { kind: "now", end } : undefined
}

/** Recognises what the `$` at `at` starts; `undefined`: it is text. */
export const headAt = (source: string, at: number): Head | undefined => {
  const first = source.charCodeAt(at + 1)
  if (!(first >= 65 && first <= 90)) return undefined
  let end = at + 2
  while (isNameUnit(source.charCodeAt(end))) end++
  const name = source.slice(at + 1, end)
  const bracket = source[end]
  if (bracket === "{") {
    if (isReference(name)) return { kind: "reference", name, end }
    if (name === "Size" || name === "Length") return { kind: "measure", name, end }
    return { kind: "unknown", name, bracket, end }
  }
  if (bracket === "(") {
    if (name === "Size" || name === "Length") return { kind: "measure", name, end }
    if (isOperator(name)) return { kind: "call", name, end }
  }
  if (name === "Now") return now(source, end)
  if (name === "Default" && mayEnd(source, end)) return { kind: "default", end }
  return bracket === "(" ? { kind: "unknown", name, bracket, end } : undefined
}

/**
 * - `definition`: stored definitions, `config()` and `oauth()` credentials: everything resolves, and an
 *   unknown capitalised name is an error.
 * - `input`: plain input of a run, which may be text of an end user: `$Secret` and `$Auth` are text, and
 *   so is an unknown name.
 */
export type TemplateMode = "definition" | "input"

/** Whether only code that says so may read a namespace: `Secret` and `Auth`. */
export const isTrusted = (name: ReferenceName): boolean => name === "Secret" || name === "Auth"

/** Whether plain input takes what a `$` starts for text. */
export const isInert = (head: Head, mode: TemplateMode): boolean =>
  mode === "input" && (head.kind === "unknown" || (head.kind === "reference" && isTrusted(head.name)))

/** Whether any `$` of a text means something to the language in this mode. */
export const meansSomething = (source: string, mode: TemplateMode): boolean => {
  for (let at = source.indexOf("$"); at >= 0; at = source.indexOf("$", at + 1)) {
    const head = headAt(source, at)
    if (head !== undefined && (!isInert(head, mode) || source[at - 1] === "$")) return true
  }
  return false
}

/** Doubles every `$` that would start something, so that the text means itself in either mode. */
export const escapeTemplate = (text: string): string => {
  let result = ""
  let from = 0
  for (let at = text.indexOf("$"); at >= 0; at = text.indexOf("$", at + 1)) {
    if (headAt(text, at) === undefined) continue
    result += `${text.slice(from, at)}$`
    from = at
  }
  return result + text.slice(from)
}
