import { field, Issues, isPlainObject } from "./Issues.ts"
import { secretKeyPattern, secretKeyRule } from "./names.ts"

/** Above this, a number of seconds is surely one of milliseconds: the year 5138. */
const maxSeconds = 1e11

const checkList = (issues: Issues, path: string, list: unknown): void => {
  if (list === undefined || list === null || !issues.array(path, list)) return
  for (const [i, entry] of list.entries()) {
    if (typeof entry !== "string" || entry === "")
      issues.add(`${path}[${i}]`, "type", "must be a non-empty string")
  }
}

const checkMembers = (issues: Issues, path: string, input: unknown): void => {
  const at = (name: string) => `${path}${name}`
  issues.text(at("description"), field(input, "description"))
  issues.text(at("token_type"), field(input, "token_type"), { max: 200 })
  checkList(issues, at("scope"), field(input, "scope"))
  checkList(issues, at("envs"), field(input, "envs"))
  const expires = field(input, "expires_at")
  if (expires === undefined || expires === null) return
  if (!Number.isInteger(expires) || Number(expires) < 0) {
    issues.add(at("expires_at"), "type", "must be whole Unix seconds, or null")
  } else if (Number(expires) > maxSeconds) {
    issues.add(at("expires_at"), "seconds", "must be Unix seconds; this looks like milliseconds")
  }
}

// Never says anything of the value but that it is missing.
const checkValue = (issues: Issues, path: string, value: unknown): void => {
  if (typeof value !== "string") issues.add(path, "type", "must be a string")
  else if (value === "") issues.add(path, "required", "must not be empty")
  else if (!value.isWellFormed()) issues.add(path, "text", "must be well-formed text")
}

export const secretIssues = (input: unknown, path = ""): Issues => {
  const issues = new Issues()
  if (!isPlainObject(input)) {
    issues.add(path, "type", "must be an object")
    return issues
  }
  issues.pattern(`${path}key`, input["key"], secretKeyPattern, secretKeyRule)
  checkValue(issues, `${path}value`, input["value"])
  checkMembers(issues, path, input)
  return issues
}

export const secretPatchIssues = (key: string, patch: unknown): Issues => {
  const issues = new Issues()
  if (!issues.object("", patch)) return issues
  if (patch["key"] !== undefined && patch["key"] !== key) issues.add("key", "readonly", "never changes")
  if (patch["value"] !== undefined) checkValue(issues, "value", patch["value"])
  checkMembers(issues, "", patch)
  return issues
}
