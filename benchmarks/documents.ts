/** The API of `servers/json.ts`, as its document says it. */
export const itemsDocument = (url: string) => ({
  openapi: "3.0.3",
  info: { title: "Items", version: "1.0.0" },
  servers: [{ url }],
  paths: {
    "/items/{id}": {
      get: {
        operationId: "get-item",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
        responses: {
          "200": { description: "The item", content: { "application/json": { schema: { type: "object" } } } }
        }
      }
    },
    "/items": {
      post: {
        operationId: "create-item",
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["name", "price"],
                properties: {
                  name: { type: "string", maxLength: 200 },
                  price: { type: "number" },
                  tags: { type: "array", items: { type: "string" } },
                  stock: {
                    type: "object",
                    properties: { here: { type: "integer" }, there: { type: "integer" } }
                  }
                }
              }
            }
          }
        },
        responses: {
          "200": { description: "The item", content: { "application/json": { schema: { type: "object" } } } }
        }
      }
    }
  }
})

/** A document of as many operations as asked for, none of them called. */
export const fillerDocument = (title: string, operations: number) => ({
  openapi: "3.0.3",
  info: { title, version: "1.0.0" },
  servers: [{ url: "https://filler.invalid" }],
  paths: Object.fromEntries(
    Array.from({ length: operations }, (_, index) => [
      `/things-${index}/{id}`,
      {
        get: {
          operationId: `get-thing-${index}`,
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "limit", in: "query", schema: { type: "integer" } }
          ],
          responses: { "200": { description: "A thing" } }
        }
      }
    ])
  )
})
