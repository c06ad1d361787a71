import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** Answers every GET with the same item, every POST with what it was sent. */
const item = JSON.stringify({
  id: 7,
  name: "Item seven",
  price: 12.5,
  tags: ["a", "b", "c"],
  stock: { here: 3, there: 40 }
})
const json = { "content-type": "application/json" }

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { ...json, "content-length": Buffer.byteLength(item) }).end(item)
    return
  }
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.concat(chunks)
    response.writeHead(200, { ...json, "content-length": body.length }).end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port))
process.on("disconnect", () => process.exit(0))
