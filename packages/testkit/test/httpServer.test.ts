import { request as httpRequest } from "node:http"
import { assert, describe, it } from "vitest"
import { httpServer } from "../src/index.ts"

describe("httpServer", () => {
  it("records method, path, headers and body, and the handler still reads the stream", async () => {
    await using server = await httpServer(async (request, response, recorded) => {
      let read = ""
      for await (const chunk of request) read += chunk
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ read, recorded: recorded.body }))
    })
    const answer = await fetch(`${server.url}/a%20b?c=d`, {
      method: "POST",
      body: "héllo",
      headers: { "X-Two": "2" }
    })
    assert.deepStrictEqual(await answer.json(), { read: "héllo", recorded: "héllo" })
    const [recorded] = server.requests
    assert.strictEqual(recorded?.method, "POST")
    assert.strictEqual(recorded?.url, "/a%20b?c=d")
    assert.strictEqual(recorded?.headers["x-two"], "2")
    assert.strictEqual(recorded?.body, "héllo")
    assert.include(recorded?.rawHeaders ?? [], "X-Two")
  })

  it("records the body that the handler does not read", async () => {
    await using server = await httpServer((_, response) => response.end("ok"))
    await (await fetch(server.url, { method: "PUT", body: "unread" })).text()
    assert.strictEqual(server.requests[0]?.body, "unread")
  })

  it("reads more than is kept ahead, byte for byte", async () => {
    const body = Buffer.alloc(1_000_000, 7)
    await using server = await httpServer(async (request, response) => {
      for await (const _ of request);
      response.end()
    })
    await (await fetch(server.url, { method: "POST", body })).text()
    assert.isTrue(server.requests[0]?.bytes.equals(body))
  })

  it("answers before the body is complete when asked to", async () => {
    await using server = await httpServer((_, response) => response.writeHead(413).end(), {
      callOn: "headers"
    })
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        server.url,
        { method: "POST", headers: { "content-length": "10" } },
        (response) => {
          resolve(response.statusCode)
          request.destroy()
        }
      )
      request.on("error", reject)
      request.write("half")
    })
    assert.strictEqual(status, 413)
  })

  it("answers 500 with the reason when the handler throws", async () => {
    await using server = await httpServer(() => {
      throw new Error("mistake in the test")
    })
    const answer = await fetch(server.url)
    assert.strictEqual(answer.status, 500)
    assert.include(await answer.text(), "mistake in the test")
  })

  it("closes although a connection is kept alive", async () => {
    const server = await httpServer((_, response) => response.end())
    await (await fetch(server.url)).text()
    await server.close()
    assert.strictEqual(await fetch(server.url).catch((error) => error.cause.code), "ECONNREFUSED")
  })
})
