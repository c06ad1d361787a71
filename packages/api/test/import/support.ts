import type { Action } from "@ductape/registry"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ActionError, type ImportPlan, type PlanOptions, planImport } from "../../src/index.ts"

export const plan = (file: PlanOptions["file"], options: Partial<PlanOptions> = {}): Promise<ImportPlan> =>
  Effect.runPromise(planImport({ file, type: "openapi", ...options }))

/** The error that an import fails with. */
export const fault = async (file: unknown, options: Partial<PlanOptions> = {}): Promise<ActionError> => {
  const exit = await Effect.runPromiseExit(
    planImport({ file: file as PlanOptions["file"], type: "openapi", ...options })
  )
  if (Exit.isSuccess(exit)) throw new Error("the import did not fail")
  const error = Cause.squash(exit.cause)
  if (!(error instanceof ActionError)) throw error
  return error
}

/** An OpenAPI document around some paths. */
export const openapi = (paths: object, rest: object = {}, version = "3.0.3"): object => ({
  openapi: version,
  info: { title: "Test API", version: "1.2" },
  servers: [{ url: "https://api.example.com/v1" }],
  paths,
  ...rest
})

/** The only action of a document with one operation. */
export const only = async (
  operation: object,
  options: { path?: string; method?: string; rest?: object; version?: string } = {}
): Promise<Action> => {
  const { method = "post", path = "/things", rest, version } = options
  const { actions } = await plan(openapi({ [path]: { [method]: operation } }, rest, version))
  const [action] = actions
  if (action === undefined || actions.length !== 1) throw new Error(`${actions.length} actions`)
  return action
}

export const jsonBody = (schema: object, rest: object = {}): object => ({
  requestBody: { content: { "application/json": { schema } }, ...rest }
})
