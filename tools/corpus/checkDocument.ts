import { readFileSync } from "node:fs"
import {
  type BuiltRequest,
  compileAction,
  type ImportedOperation,
  type ImportPlan,
  planImport
} from "@ductape/api"
import { SchemaValues } from "@ductape/testkit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { checkRequest, nameInQuery, namesIn, plainPath } from "./checkRequest.ts"
import { OriginalDocument, type OriginalOperation } from "./OriginalDocument.ts"
import { type GeneratedInput, generateInput } from "./operationInput.ts"
import { SchemaCheck } from "./SchemaCheck.ts"

const maxBytes = 64 * 1024 * 1024
/** Where documents without a usable server are taken to live. */
const fallbackBase = "https://api.example.com"

export interface Imported {
  readonly plan: ImportPlan
  /** One for each action, in the same order. */
  readonly operations: ReadonlyArray<ImportedOperation>
  readonly milliseconds: number
}

export interface ImportFailure {
  readonly code: string
  readonly message: string
  readonly milliseconds: number
}

/** Processor time of this thread in milliseconds: other programs on the machine do not count. */
const cpuTime = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Reads and imports one document. */
export const importDocument = async (file: string): Promise<Imported | ImportFailure> => {
  const bytes = readFileSync(file)
  const started = cpuTime()
  const operations: Array<ImportedOperation> = []
  const run = (base_url: string | undefined) => {
    operations.length = 0
    return Effect.runPromiseExit(
      planImport({
        file: bytes,
        type: "openapi",
        base_url,
        maxBytes,
        tags: (operation) => {
          operations.push(operation)
          return undefined
        }
      })
    )
  }
  let exit = await run(undefined)
  if (Exit.isSuccess(exit) && exit.value.base_url === undefined) exit = await run(fallbackBase)
  const milliseconds = cpuTime() - started
  if (Exit.isSuccess(exit)) return { plan: exit.value, operations, milliseconds }
  const error = Cause.squash(exit.cause)
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "crash"
  return { code, message: error instanceof Error ? error.message : String(error), milliseconds }
}

export interface CheckCounts {
  /** Requests that were built from valid input and read back right. */
  right: number
  /** Built and read back right from input that the document's own schema refuses, whatever one makes. */
  unjudged: number
  /** What is wrong → where. */
  readonly wrong: Record<string, Array<string>>
  /** Why no valid input could be made → where. */
  readonly invalid: Record<string, Array<string>>
}

const note = (record: Record<string, Array<string>>, cause: string, place: string): void => {
  record[cause] ??= []
  record[cause].push(place)
}

/** Builds a request for every action and holds it against the document. */
export const checkDocument = (file: string, { operations, plan }: Imported): CheckCounts => {
  const document = new OriginalDocument(JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>)
  const check = new SchemaCheck(document)
  const counts: CheckCounts = { right: 0, unjudged: 0, wrong: {}, invalid: {} }
  for (const [index, action] of plan.actions.entries()) {
    const listed = operations[index]
    if (listed === undefined) continue
    const place = `${listed.method} ${listed.path}`
    const operation = document.operation(listed.path, listed.method)
    const bodiless = action.method === "GET" || action.method === "HEAD"
    const declared = operation.parameters.filter((one) => one.in === "path").map((one) => one.name)
    const pathNames = new Set(namesIn(listed.path))
    for (const name of declared) if (listed.path.includes(`/:${name}`)) pathNames.add(name)
    const { input, invalid } = generateInput(document, check, operation, {
      seed: index + 1,
      pathNames,
      bodiless
    })
    addUndeclared(document, operation, listed.path, pathNames, input)
    const wrong = build(action, plan, input, (request, base) =>
      checkRequest({ document, operation, path: listed.path, base, input, request })
    )
    if (invalid !== undefined) note(counts.invalid, invalid, place)
    if (wrong === undefined) {
      if (invalid === undefined) counts.right++
      else counts.unjudged++
    } else if (invalid === undefined) note(counts.wrong, wrong, place)
    else counts.unjudged++
  }
  return counts
}

/** Parameters that a path has without describing them, or has in a query of its own. */
const addUndeclared = (
  document: OriginalDocument,
  operation: OriginalOperation,
  path: string,
  names: ReadonlySet<string>,
  input: GeneratedInput
): void => {
  for (const name of names) input.params[name] ??= "value"
  for (const pair of plainPath(path).query.split("&")) {
    const [key = "", value = ""] = pair.split("=")
    const named = nameInQuery(key, value)
    if (named === undefined) continue
    const declared = operation.parameters.find((one) => one.in === "path" && one.name === named.name)
    const made =
      declared === undefined
        ? undefined
        : new SchemaValues({ root: document.root, seed: 1 }).value(declared.schema)
    input.query[named.key] ??= made ?? "value"
  }
}

const build = (
  action: ImportPlan["actions"][number],
  plan: ImportPlan,
  input: GeneratedInput,
  check: (request: BuiltRequest, base: string) => string | undefined
): string | undefined => {
  const baseUrl = plan.base_url ?? fallbackBase
  try {
    const request = compileAction(action, { baseUrl }).build(structured(input))
    return check(request, action.base_url ?? baseUrl)
  } catch (error) {
    if (error instanceof Error && "code" in error)
      return `${String(error.code)}: ${generalise(error.message)}`
    return `thrown: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The same cause under the same words, whatever the names. */
const generalise = (message: string): string =>
  message
    .replace(/(body|query|params|headers|cookies)\.[^\s;]*/g, "$1.…")
    .replace(/'[^']*'/g, "'…'")
    .slice(0, 160)

const structured = ({ body, cookies, headers, params, query }: GeneratedInput): Record<string, unknown> => {
  const whole = body !== undefined && (Array.isArray(body) || body instanceof Uint8Array || isPlain(body))
  if (body === undefined || whole) {
    return { params, query, headers, cookies, ...(body === undefined ? {} : { body }) }
  }
  // A body that is a scalar is only taken in flat form.
  const flat: Record<string, unknown> = { body }
  for (const [section, values] of Object.entries({ params, query, headers, cookies })) {
    for (const [name, value] of Object.entries(values)) flat[`${section}:${name}`] = value
  }
  return flat
}

const isPlain = (value: unknown): boolean => typeof value === "object" && value !== null
