import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A request as it came over the wire. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as sent: case, order and repeats kept. */
  readonly rawHeaders: ReadonlyArray<string>
  /** What has arrived of the body so far, as UTF-8. */
  readonly body: string
  /** The same as bytes. */
  readonly bytes: Buffer
}

export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest
) => unknown

export interface HttpServerOptions {
  /**
   * When the handler is called. `"body"` (the default): once the body is there, or as much of it as is
   * read ahead (64 KiB); `"headers"`: at once, for tests that answer while the body is still coming.
   */
  readonly callOn?: "body" | "headers"
}

export interface TestHttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Every request, in order of arrival. */
  readonly requests: Array<RecordedRequest>
  readonly close: () => Promise<void>
}

const recording = (request: IncomingMessage, ready: () => void): RecordedRequest => {
  const chunks: Array<Buffer> = []
  const push = request.push.bind(request)
  let called = false
  const once = () => {
    if (called) return
    called = true
    // After the push, so that the handler finds the body in the stream.
    queueMicrotask(ready)
  }
  // Copied as it arrives, so that the handler may read the stream in its own way, or not at all.
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk !== null) chunks.push(Buffer.from(chunk))
    const more = push(chunk, encoding)
    if (chunk === null || !more) once()
    return more
  }
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    get body() {
      return Buffer.concat(chunks).toString("utf8")
    },
    get bytes() {
      return Buffer.concat(chunks)
    }
  }
}

/** A real HTTP server on a free port of 127.0.0.1 that remembers what it was asked. A handler that throws answers 500. */
export const httpServer = async (
  handler: RequestHandler,
  options: HttpServerOptions = {}
): Promise<TestHttpServer> => {
  const requests: Array<RecordedRequest> = []
  const server = createServer((request, response) => {
    const answer = async () => {
      try {
        await handler(request, response, recorded)
      } catch (cause) {
        if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" })
        response.end(`the test's handler threw: ${cause instanceof Error ? cause.stack : String(cause)}`)
      }
    }
    const recorded = recording(request, () => {
      if (options.callOn !== "headers") void answer()
    })
    requests.push(recorded)
    if (options.callOn === "headers") void answer()
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, port, requests, close, [Symbol.asyncDispose]: close }
}
