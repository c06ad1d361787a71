import type { Action } from "@ductape/registry"
import { ActionError } from "./ActionError.ts"
import { isPlainObject } from "./request/plainObject.ts"

/** What of an action can be changed; null clears what is optional. */
export type ActionPatch = {
  readonly [Key in Exclude<keyof Action, "tag">]?: Action[Key] | null | undefined
}

const changeable: ReadonlySet<string> = new Set([
  "name",
  "description",
  "folder",
  "method",
  "resource",
  "request_type",
  "params",
  "query",
  "headers",
  "cookies",
  "body",
  "bodyFormat",
  "base_url",
  "auth",
  "response"
] satisfies ReadonlyArray<keyof ActionPatch>)

const required: ReadonlySet<string> = new Set(["name", "method", "resource"])

/** @throws {ActionError} `VALIDATION_ERROR`, naming every property that cannot be changed */
export const patchAction = (patch: ActionPatch): ((old: Action) => Action) => {
  const failures: Array<{ readonly path: string; readonly rule: string; readonly message: string }> = []
  if (!isPlainObject(patch)) failures.push({ path: "", rule: "type", message: "must be an object" })
  for (const [path, value] of Object.entries(patch ?? {})) {
    if (!changeable.has(path)) failures.push({ path, rule: "unknown", message: "cannot be changed" })
    else if (value === null && required.has(path)) {
      failures.push({ path, rule: "required", message: "cannot be cleared" })
    }
  }
  if (failures.length > 0) {
    throw new ActionError({
      code: "VALIDATION_ERROR",
      message: `The action cannot be updated: ${failures.map(({ message, path }) => `'${path}' ${message}`).join("; ")}.`,
      details: failures
    })
  }
  return (old) =>
    Object.fromEntries(
      Object.entries({ ...old, ...patch }).filter(([, value]) => value !== undefined && value !== null)
    ) as unknown as Action
}
