import type { Action, DataType, Field, Fields } from "@ductape/registry"
import { ActionError } from "./ActionError.ts"
import { isPlainObject } from "./request/plainObject.ts"

/** What `validation` sets; null clears. */
export type FieldRules = {
  readonly [Key in
    | "description"
    | "required"
    | "type"
    | "minLength"
    | "maxLength"
    | "decorator"
    | "decoratorPosition"
    | "defaultValue"
    | "sampleValue"]?: Field[Key] | null | undefined
}

type RuledSection = "body" | "query" | "params" | "headers"

interface Selection {
  readonly action: string
  readonly section: RuledSection
  readonly path: ReadonlyArray<string>
}

const sections: ReadonlyMap<string, RuledSection> = new Map([
  ["Body", "body"],
  ["Query", "query"],
  ["Params", "params"],
  ["Header", "headers"],
  ["Headers", "headers"]
])

const types: ReadonlySet<unknown> = new Set([
  "string",
  "nospaces_string",
  "email_string",
  "numberstring",
  "number",
  "float",
  "double",
  "uuid",
  "boolean",
  "object",
  "array",
  "array-string",
  "array-number",
  "array-float",
  "array-double",
  "array-uuid",
  "array-boolean"
] satisfies ReadonlyArray<DataType>)

const isLength = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0
const isText = (value: unknown): boolean => typeof value === "string"

const rules: Readonly<Record<keyof FieldRules, readonly [(value: unknown) => boolean, string]>> = {
  description: [isText, "must be text"],
  required: [(value) => typeof value === "boolean", "must be true or false"],
  type: [(value) => types.has(value), "must be a data type"],
  minLength: [isLength, "must be a whole number of at least 0"],
  maxLength: [isLength, "must be a whole number of at least 0"],
  decorator: [isText, "must be text"],
  decoratorPosition: [
    (value) => value === "BEFORE" || value === "AFTER" || value === "",
    "must be BEFORE, AFTER or empty"
  ],
  defaultValue: [() => true, ""],
  sampleValue: [() => true, ""]
}

const whole = /^\$(Body|Query|Params|Headers?)((?:\{(?:[^{}\\]|\\[{}\\])+\})+)$/
const segment = /\{((?:[^{}\\]|\\[{}\\])+)\}/g

/**
 * Reads `$Body{action}{field}{field}` and checks the rules.
 *
 * @throws {ActionError} `SELECTOR_INVALID`, `VALIDATION_ERROR`
 */
export const parseSelector = (selector: string, given: FieldRules): Selection => {
  const match = typeof selector === "string" ? whole.exec(selector) : null
  const section = sections.get(match?.[1] ?? "")
  const [action, ...path] = [...(match?.[2] ?? "").matchAll(segment)].map(([, text = ""]) =>
    text.replace(/\\([{}\\])/g, "$1")
  )
  if (section === undefined || action === undefined || path.length === 0) {
    throw new ActionError({
      code: "SELECTOR_INVALID",
      message: "A selector looks like $Body{action}{field}; $Query, $Params and $Header are the others."
    })
  }
  checkRules(given)
  return { action, section, path }
}

const checkRules = (given: FieldRules): void => {
  const failures: Array<{ readonly path: string; readonly rule: string; readonly message: string }> = []
  if (!isPlainObject(given)) failures.push({ path: "", rule: "type", message: "must be an object of rules" })
  for (const [path, value] of Object.entries(given ?? {})) {
    const rule = Object.hasOwn(rules, path) ? rules[path as keyof FieldRules] : undefined
    if (rule === undefined) failures.push({ path, rule: "unknown", message: "is no rule" })
    else if (value !== null && value !== undefined && !rule[0](value)) {
      failures.push({ path, rule: "type", message: rule[1] })
    }
  }
  if (failures.length === 0) return
  throw new ActionError({
    code: "VALIDATION_ERROR",
    message: `The rules are not valid: ${failures.map(({ message, path }) => `'${path}' ${message}`).join("; ")}.`,
    details: failures
  })
}

/** The action with rules merged into one field, which is made if it is not there. */
export const withRules = (
  action: Action,
  section: RuledSection,
  path: ReadonlyArray<string>,
  given: FieldRules
): Action => ({ ...action, [section]: ruled(action[section] ?? {}, path, given, section === "headers") })

const ruled = (
  fields: Fields,
  [first = "", ...rest]: ReadonlyArray<string>,
  given: FieldRules,
  anyCase: boolean
): Fields => {
  const name = anyCase
    ? (Object.keys(fields).find((key) => key.toLowerCase() === first.toLowerCase()) ?? first)
    : first
  const old = Object.hasOwn(fields, name) ? fields[name] : undefined
  const field: Field =
    rest.length === 0
      ? merged(old ?? {}, given)
      : { type: "object", ...old, fields: ruled(old?.fields ?? {}, rest, given, false) }
  return Object.fromEntries([...Object.entries(fields).filter(([key]) => key !== name), [name, field]])
}

const merged = (old: Field, given: FieldRules): Field => {
  // A type set by hand is a rule, no longer a hint from a sample.
  const { inferred, ...known } = old
  const base = given.type === undefined && inferred !== undefined ? { ...known, inferred } : known
  // A later import leaves alone what is named here.
  const set = Object.keys(given).filter((key) => given[key as keyof FieldRules] !== undefined)
  const manual = [...new Set([...(old.manual ?? []), ...set])]
  return Object.fromEntries(
    Object.entries({ ...base, ...given, manual }).filter(([, value]) => value !== undefined && value !== null)
  ) as Field
}
