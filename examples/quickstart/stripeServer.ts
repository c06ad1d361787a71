// A stand-in for Stripe on this machine: routes, accepted fields and answers all come from Stripe's
// published document, so what is sent has to be right.
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<Schema>
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly nullable?: boolean
  readonly maxLength?: number
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const fill = (document: Document, schema: Schema, known: Readonly<Record<string, unknown>>): unknown => {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)
    return fill(document, document.components.schemas[name] ?? {}, known)
  }
  if (schema.nullable) return null
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf !== undefined) return fill(document, schema.anyOf[0] ?? {}, known)
  switch (schema.type) {
    case "object": {
      const properties = Object.entries(schema.properties ?? {})
      return Object.fromEntries(
        properties
          .filter(([name]) => name in known || schema.required?.includes(name))
          .map(([name, property]) => [name, known[name] ?? fill(document, property, {})])
      )
    }
    case "array":
      return []
    case "boolean":
      return false
    case "integer":
    case "number":
      return 0
    default:
      return ""
  }
}

const read = async (request: IncomingMessage): Promise<string> => {
  let text = ""
  for await (const chunk of request) text += chunk
  return text
}

const fault = (type: string, code: string, message: string) => ({ error: { type, code, message } })

/** Starts the server; `key` is the one that it accepts. */
export const startStripe = async (document: Document, key: string) => {
  let hiccups = 0
  const charges = new Map<string, unknown>()

  const answer = async (request: IncomingMessage): Promise<readonly [number, unknown, object?]> => {
    const path = new URL(request.url ?? "/", "http://stripe").pathname
    const operation = document.paths[path]?.[(request.method ?? "").toLowerCase()]
    if (operation === undefined)
      return [404, fault("invalid_request_error", "url_invalid", `No such path: ${path}`)]
    if (request.headers.authorization !== `Bearer ${key}`)
      return [401, fault("invalid_request_error", "api_key_invalid", "Invalid API Key provided")]

    const fields = new URLSearchParams(await read(request))
    const accepted =
      operation.requestBody?.content["application/x-www-form-urlencoded"]?.schema.properties ?? {}
    for (const name of fields.keys())
      if (!((name.split("[")[0] ?? "") in accepted))
        return [
          400,
          fault("invalid_request_error", "parameter_unknown", `Received unknown parameter: ${name}`)
        ]

    if (fields.get("source") === "tok_chargeDeclined")
      return [402, fault("card_error", "card_declined", "Your card was declined.")]
    if (fields.get("description") === "Survives a hiccup" && hiccups++ === 0)
      return [503, fault("api_error", "lock_timeout", "Try again."), { "retry-after": "0" }]

    const idempotency = String(request.headers["idempotency-key"] ?? randomUUID())
    const metadata = Object.fromEntries(
      [...fields].flatMap(([name, value]) => {
        const key = /^metadata\[(.+)\]$/.exec(name)?.[1]
        return key === undefined ? [] : [[key, value]]
      })
    )
    const charge =
      charges.get(idempotency) ??
      fill(document, operation.responses["200"]?.content["application/json"]?.schema ?? {}, {
        id: `ch_${randomUUID().replaceAll("-", "").slice(0, 24)}`,
        object: "charge",
        amount: Number(fields.get("amount")),
        currency: fields.get("currency"),
        description: fields.get("description"),
        created: Math.floor(Date.now() / 1000),
        paid: true,
        captured: true,
        status: "succeeded",
        metadata
      })
    charges.set(idempotency, charge)
    return [200, charge]
  }

  const server = createServer((request, response) => {
    answer(request).then(([status, body, headers]) => {
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
