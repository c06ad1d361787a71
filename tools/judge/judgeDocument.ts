import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Api, type ImportedOperation, type RunResponse } from "@ductape/api"
import { type AuthDefinition, Registry } from "@ductape/registry"
import { testWorkspace } from "@ductape/registry/testing"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { namesIn } from "../corpus/checkRequest.ts"
import { asJson, asList, isJson, type Json, OriginalDocument } from "../corpus/OriginalDocument.ts"
import { type GeneratedInput, generateInput } from "../corpus/operationInput.ts"
import { SchemaCheck } from "../corpus/SchemaCheck.ts"
import { startPrism } from "./PrismServer.ts"

export interface Verdict {
  readonly name: string
  operations: number
  accepted: number
  /** Why a request was refused → operations. */
  readonly refused: Record<string, Array<string>>
  /** Accepted, but Prism could not make an answer that its own document allows → operations. */
  readonly answers: Record<string, Array<string>>
  /** Operations whose schema allows no input that could be made. */
  unjudged: number
}

const note = (record: Record<string, Array<string>>, cause: string, place: string): void => {
  record[cause] ??= []
  record[cause].push(place)
}

/** Prism's errors that are about the request. */
const refusals =
  /UNAUTHORIZED|UNPROCESSABLE_ENTITY|NO_PATH_MATCHED|NO_METHOD_MATCHED|NO_SERVER|INVALID_CONTENT_TYPE/

/** Runs every operation of a document against Prism. */
export const judgeDocument = async (name: string, file: string): Promise<Verdict> => {
  const folder = mkdtempSync(join(tmpdir(), "ductape-judge-"))
  const root = withoutServers(JSON.parse(readFileSync(file, "utf8")) as Json)
  const served = join(folder, "document.json")
  writeFileSync(served, JSON.stringify(root))
  const prism = await startPrism(served)
  try {
    return await Effect.runPromise(Effect.scoped(judge(name, root, prism.url)))
  } finally {
    await prism.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Prism serves the paths at its root, so the servers that the document names are left out. */
const withoutServers = (root: Json): Json => {
  const strip = ({ servers: _, ...rest }: Json): Json => rest
  const paths = Object.fromEntries(
    Object.entries(asJson(root["paths"])).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(strip(asJson(item))).map(([key, value]) => [key, isJson(value) ? strip(value) : value])
      )
    ])
  )
  return { ...strip(root), paths }
}

const context = { product: "judge", env: "prd" }

const judge = Effect.fnUntraced(function* (name: string, root: Json, url: string) {
  const registry = yield* testWorkspace()
  const layer = Api.layer({ defaults: context, timeout: 60_000 }).pipe(
    Layer.provide(Layer.succeed(Registry, registry))
  )
  const api = Context.get(yield* Layer.build(layer), Api)
  const operations: Array<ImportedOperation> = []
  const app = yield* api.import({
    file: root,
    type: "openapi",
    app: "judged",
    base_url: url,
    tags: (operation) => {
      operations.push(operation)
      return undefined
    }
  })
  yield* registry.products.create({ name: "Judge" })
  const { auths } = yield* registry.apps.fetch(app.app)
  yield* registry.products.apps.add("judge", {
    access_tag: "judged",
    app: app.app,
    envs: [{ slug: "prd", auth: auths.map(sampleCredentials) }]
  })
  const document = new OriginalDocument(root)
  const check = new SchemaCheck(document)
  const verdict: Verdict = { name, operations: 0, accepted: 0, refused: {}, answers: {}, unjudged: 0 }
  const judgeOne = Effect.fnUntraced(function* (operation: ImportedOperation, index: number) {
    const { method, path, tag } = operation
    const place = `${method} ${path}`
    verdict.operations++
    const original = document.operation(path, method)
    const { input, invalid } = generateInput(document, check, original, {
      seed: index + 1,
      pathNames: namesIn(path),
      bodiless: method === "GET" || method === "HEAD"
    })
    if (invalid !== undefined) {
      verdict.unjudged++
      return
    }
    const run = api.run<RunResponse>({ app: "judged", action: tag, input: flat(input), returns: "response" })
    const exit = yield* Effect.exit(run)
    if (Exit.isSuccess(exit)) {
      verdict.accepted++
      return
    }
    const error = Cause.squash(exit.cause)
    const data = error instanceof Error && "response" in error ? asJson(asJson(error.response)["data"]) : {}
    const type = /prism\/errors#(\w+)/.exec(String(data["type"]))?.[1]
    if (type === undefined && error instanceof Error && "attempts" in error && Number(error.attempts) > 0) {
      // An answer of the mocked API itself, a 404 for instance: the request got through.
      verdict.accepted++
    } else if (type === undefined) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "thrown"
      note(verdict.refused, `${code}: ${error instanceof Error ? error.message.slice(0, 120) : ""}`, place)
    } else {
      const list = asList(data["validation"]).map(asJson)
      const request = list.filter((one) => !asList(one["location"]).includes("response"))
      const own = refusals.test(type) || (type === "VIOLATIONS" && request.length > 0)
      const [first] = request
      const where =
        first === undefined
          ? ""
          : ` ${asList(first["location"]).slice(0, 2).join(".")} ${String(first["message"])}`
      if (own) note(verdict.refused, `${type}${where}`.slice(0, 200), place)
      else {
        // The request was looked at first and found right; only the answer failed.
        verdict.accepted++
        note(verdict.answers, type, place)
      }
    }
  })
  yield* Effect.forEach(operations, judgeOne, { concurrency: 8 })
  return verdict
})

/** Anything that looks like the sample; Prism only asks whether it is there. */
const sampleCredentials = ({ tag, tokens }: AuthDefinition) => ({
  auth_tag: tag,
  data: JSON.parse(
    JSON.stringify(tokens ?? {})
      .replace(/<base64[^>]*>/g, "dXNlcjpwYXNz")
      .replace(/<[^>]*>/g, "judge")
  ) as Record<string, unknown>
})

const flat = ({ body, cookies, headers, params, query }: GeneratedInput): Record<string, unknown> => {
  const input: Record<string, unknown> = {}
  for (const [section, values] of Object.entries({ params, query, headers, cookies })) {
    for (const [field, value] of Object.entries(values)) input[`${section}:${field}`] = value
  }
  if (isJson(body) && !(body instanceof Uint8Array)) {
    for (const [field, value] of Object.entries(body)) input[`body:${field}`] = value
  } else if (body !== undefined) {
    if (Object.keys(input).length === 0 && Array.isArray(body)) return { body }
    input["body"] = body
  }
  return input
}
