import type { Action, Field, Fields, RegistryError, StoredAction } from "@ductape/registry"
import * as Effect from "effect/Effect"
import { ActionError } from "../ActionError.ts"
import { foldTag } from "./tags.ts"

export interface Reconciled {
  readonly actions: ReadonlyArray<Action>
  readonly created: ReadonlyArray<string>
  readonly updated: ReadonlyArray<string>
}

interface Before {
  readonly app: string
  readonly update: boolean
  readonly fetchAll: Effect.Effect<ReadonlyArray<StoredAction>, RegistryError>
}

/**
 * Imported actions beside those that the app has. Tags that differ only in letter case, `_` or `-`
 * are one: the stored spelling stays.
 */
export const reconcile = (
  planned: ReadonlyArray<Action>,
  tags: ReadonlyArray<string>,
  before: Before
): Effect.Effect<Reconciled, ActionError | RegistryError> =>
  Effect.gen(function* () {
    const known = new Map(tags.map((tag) => [foldTag(tag), tag]))
    const clashes = planned.filter(({ tag }) => known.has(foldTag(tag))).map(({ tag }) => tag)
    if (clashes.length === 0) {
      return { actions: planned, created: planned.map(({ tag }) => tag), updated: [] }
    }
    if (!before.update) {
      const shown = clashes.slice(0, 10).join(", ")
      const more = clashes.length > 10 ? ` and ${clashes.length - 10} more` : ""
      return yield* new ActionError({
        code: "IMPORT_CONFLICT",
        message: `The app '${before.app}' has ${shown}${more} already. Import with updateIfExists: true to overwrite.`,
        details: { app: before.app, tags: clashes }
      })
    }
    const stored = new Map((yield* before.fetchAll).map((action) => [action.tag, action]))
    const created: Array<string> = []
    const updated: Array<string> = []
    const actions = planned.map((action) => {
      const tag = known.get(foldTag(action.tag))
      const old = tag === undefined ? undefined : stored.get(tag)
      if (old === undefined) {
        created.push(action.tag)
        return action
      }
      updated.push(old.tag)
      return keepRules({ ...action, tag: old.tag }, old)
    })
    return { actions, created, updated }
  })

const sections = ["params", "query", "headers", "cookies", "body"] as const

const keepRules = (action: Action, old: Action): Action => {
  const kept: { -readonly [K in (typeof sections)[number]]?: Fields } = {}
  for (const section of sections) {
    const fields = keepFields(action[section], old[section])
    if (fields !== undefined) kept[section] = fields
  }
  return { ...action, ...kept }
}

const keepFields = (next: Fields | undefined, old: Fields | undefined): Fields | undefined => {
  if (old === undefined) return next
  const merged: Record<string, Field> = { ...next }
  for (const [name, before] of Object.entries(old)) {
    const field = keepField(Object.hasOwn(merged, name) ? merged[name] : undefined, before)
    if (field !== undefined) merged[name] = field
  }
  return next === undefined && Object.keys(merged).length === 0 ? undefined : merged
}

/** The imported field with what was set by hand; a field that only a rule made stays. */
const keepField = (next: Field | undefined, old: Field): Field | undefined => {
  const fields = keepFields(next?.fields, old.fields)
  const manual = old.manual ?? []
  if (manual.length === 0) {
    if (fields === undefined || fields === next?.fields) return next
    return next === undefined && !Object.values(fields).some(hasRule) ? undefined : { ...next, fields }
  }
  const field: Record<string, unknown> = { ...next, manual }
  for (const property of manual) {
    // A rule that was cleared by hand stays cleared.
    if (Object.hasOwn(old, property)) field[property] = old[property as keyof Field]
    else delete field[property]
  }
  if (manual.includes("type")) delete field["inferred"]
  return (fields === undefined ? field : { ...field, fields }) as Field
}

const hasRule = (field: Field): boolean =>
  (field.manual?.length ?? 0) > 0 || Object.values(field.fields ?? {}).some(hasRule)
