import { httpServer } from "@ductape/testkit"
import { describe, expect, it } from "vitest"
import type { PagesCall } from "../src/index.ts"
import { json, workspace } from "./support.ts"

const actions = [
  {
    tag: "list",
    name: "List",
    method: "GET",
    resource: "/items",
    query: { page: {}, cursor: {}, offset: {} }
  }
] as const

const opened = async (handler: Parameters<typeof httpServer>[0]) => {
  const server = await httpServer(handler)
  const made = await workspace({ url: server.url, actions })
  const dispose = async () => {
    await made.close()
    await server.close()
  }
  const pages = async (call: Partial<PagesCall>) => {
    const all: Array<unknown> = []
    for await (const page of made.api.pages({ app: "crm", action: "list", ...call })) all.push(page)
    return all
  }
  const urls = () => server.requests.map(({ url }) => url)
  return { server, ...made, pages, urls, [Symbol.asyncDispose]: dispose }
}

const query = (url: string | undefined) => new URL(url ?? "", "http://a.example").searchParams

const all = [1, 2, 3, 4, 5]

describe("api.pages", () => {
  it("follows Link headers, keeping credentials", async () => {
    await using made = await opened((request, response) => {
      const page = Number(query(request.url).get("p") ?? 1)
      json(
        response,
        [page],
        200,
        page < 3 ? { link: `</items?p=${page + 1}>; rel="next", </items?p=3>; rel="last"` } : {}
      )
    })
    made.api.config({ app: "crm", credentials: { "headers:X-Key": "k", "query:key": "q" } })
    expect(await made.pages({})).toEqual([[1], [2], [3]])
    expect(made.urls()).toEqual(["/items?key=q", "/items?p=2&key=q", "/items?p=3&key=q"])
    expect(made.server.requests.map(({ headers }) => headers["x-key"])).toEqual(["k", "k", "k"])
  })

  it("refuses a Link to another origin, before asking", async () => {
    await using other = await httpServer((_, response) => json(response, []))
    await using made = await opened((_, response) =>
      json(response, [1], 200, { link: `<${other.url}/items>; rel=next` })
    )
    await expect(made.pages({})).rejects.toMatchObject({ code: "REDIRECT_REFUSED" })
    expect(other.requests).toHaveLength(0)
  })

  it("carries cursors, until there is none, or one repeats, or a flag says so", async () => {
    await using made = await opened((request, response) => {
      const at = Number(query(request.url).get("cursor") ?? 0)
      json(response, { data: [at], next: at < 2 ? { cursor: at + 1 } : null, more: at < 1 })
    })
    const paging = { kind: "cursor", from: "next.cursor", into: "cursor" } as const
    expect((await made.pages({ pages: paging })).length).toBe(3)
    expect((await made.pages({ pages: { ...paging, more: "more" } })).length).toBe(2)
    await using stuck = await opened((_, response) => json(response, { next: "same" }))
    expect((await stuck.pages({ pages: { kind: "cursor", from: "next", into: "cursor" } })).length).toBe(2)
  })

  it("counts pages until one is empty, short or the last", async () => {
    await using made = await opened((request, response) => {
      const page = Number(query(request.url).get("page"))
      json(response, { items: all.slice((page - 1) * 2, page * 2), pages: 3 })
    })
    const items = async (pages: object) =>
      (
        (await made.pages({ pages: { kind: "page", into: "page", ...pages } })) as Array<{
          items: Array<number>
        }>
      ).flatMap((p) => p.items)
    expect(await items({})).toEqual(all)
    expect(made.urls()).toHaveLength(4)
    expect(await items({ size: 2, items: "items" })).toEqual(all)
    expect(made.urls()).toHaveLength(7)
    expect(await items({ last: "pages" })).toEqual(all)
    expect(made.urls()).toHaveLength(10)
    expect(await items({ start: 2 })).toEqual([3, 4, 5])
    expect(await items({ max: 2 })).toEqual([1, 2, 3, 4])
  })

  it("adds up offsets, in whichever form the input is", async () => {
    await using made = await opened((request, response) => {
      const offset = Number(query(request.url).get("offset"))
      json(response, { total: 5, rows: all.slice(offset, offset + 2) })
    })
    const paging = { kind: "offset", into: "offset", total: "total" } as const
    const pages = (await made.pages({ pages: paging, input: { query: { limit: 2 } } })) as Array<{
      rows: Array<number>
    }>
    expect(pages.flatMap(({ rows }) => rows)).toEqual(all)
    expect(made.urls()).toEqual([
      "/items?limit=2&offset=0",
      "/items?limit=2&offset=2",
      "/items?limit=2&offset=4"
    ])
  })

  it("asks for a page only when it is wanted, and not after the loop is left", async () => {
    await using made = await opened((_, response) => json(response, [1]))
    const iterable = made.api.pages({ app: "crm", action: "list", pages: { kind: "page", into: "page" } })
    expect(made.urls()).toHaveLength(0)
    for await (const _ of iterable) break
    expect(made.urls()).toHaveLength(1)
  })

  it.each([
    { kind: "x" },
    { kind: "cursor", from: "a" },
    { kind: "page" },
    { kind: "page", into: "p", max: 0 },
    "link"
  ])("refuses %j", async (pages) => {
    await using made = await opened((_, response) => json(response, []))
    await expect(made.pages({ pages: pages as never })).rejects.toMatchObject({ code: "VALIDATION_ERROR" })
  })

  it("fails with the very error of a page", async () => {
    await using made = await opened((_, response) => json(response, {}, 404))
    await expect(made.pages({})).rejects.toMatchObject({ code: "NOT_FOUND", status: 404, action: "list" })
  })
})
