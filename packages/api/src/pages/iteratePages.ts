import { readPath } from "@ductape/core"
import type { RunCall, RunResponse } from "../run/RunCall.ts"
import { nextLink } from "./nextLink.ts"
import { checkPaging, type PagesCall, type Paging } from "./PagesCall.ts"

/** Gets one page; `next` is the URL that the page before named, if it named one. */
export type FetchPage = (call: RunCall, next: string | undefined) => Promise<RunResponse>

/** What the next page is asked with; `undefined`: there is none. */
interface Step {
  readonly input?: Readonly<Record<string, unknown>>
  readonly next?: string
}

/** Bodies of all pages, one request at a time, each sent when its page is asked for. */
export const iteratePages = <T>(call: PagesCall, fetch: FetchPage): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => walk<T>(call ?? ({} as PagesCall), fetch)
})

async function* walk<T>(call: PagesCall, fetch: FetchPage): AsyncGenerator<T, void> {
  const { pages, ...plain } = call
  const paging = checkPaging(pages)
  const seen = new Set<string>()
  let step: Step | undefined = firstStep(paging)
  let position = { page: 0, items: 0 }
  while (step !== undefined && position.page < paging.max) {
    const input = withInput(call.input, step.input)
    const response = await fetch({ ...plain, ...(input === undefined ? {} : { input }) }, step.next)
    const items = itemsOf(paging, response.data)
    position = { page: position.page + 1, items: position.items + items }
    if (position.page > 1 && isCounted(paging) && items === 0) return
    yield response.data as T
    step = nextStep(paging, response, position, items)
    const mark = step === undefined ? "" : JSON.stringify(step)
    if (seen.has(mark)) return
    seen.add(mark)
  }
}

const isCounted = (paging: Paging): boolean => paging.kind === "page" || paging.kind === "offset"

const firstStep = (paging: Paging): Step => {
  if (paging.kind === "page") return { input: { [paging.into]: paging.start ?? 1 } }
  if (paging.kind === "offset") return { input: { [paging.into]: paging.start ?? 0 } }
  return {}
}

const at = (data: unknown, path: string): unknown => readPath(data, path.split("."))

const nextStep = (
  paging: Paging,
  response: RunResponse,
  position: { readonly page: number; readonly items: number },
  items: number
): Step | undefined => {
  switch (paging.kind) {
    case "link": {
      const next = nextLink(response.headers)
      return next === undefined ? undefined : { next }
    }
    case "cursor": {
      if (paging.more !== undefined && at(response.data, paging.more) !== true) return undefined
      const cursor = at(response.data, paging.from)
      return cursor === undefined || cursor === null || cursor === "" || cursor === false
        ? undefined
        : { input: { [paging.into]: cursor } }
    }
    case "page": {
      const number = (paging.start ?? 1) + position.page
      const last = paging.last === undefined ? undefined : at(response.data, paging.last)
      if (typeof last === "number" && number > last) return undefined
      return isShort(paging.size, items) ? undefined : { input: { [paging.into]: number } }
    }
    case "offset": {
      const offset = (paging.start ?? 0) + position.items
      const total = paging.total === undefined ? undefined : at(response.data, paging.total)
      if (typeof total === "number" && offset >= total) return undefined
      return isShort(paging.size, items) ? undefined : { input: { [paging.into]: offset } }
    }
  }
}

const isShort = (size: number | undefined, items: number): boolean => items === 0 || items < (size ?? 0)

const itemsOf = (paging: Paging, data: unknown): number => {
  if (paging.kind !== "page" && paging.kind !== "offset") return 0
  const found = paging.items === undefined ? firstArray(data) : at(data, paging.items)
  return Array.isArray(found) ? found.length : 0
}

const firstArray = (data: unknown): unknown =>
  Array.isArray(data) || typeof data !== "object" || data === null
    ? data
    : Object.values(data).find((value) => Array.isArray(value))

const sectionNames: ReadonlySet<string> = new Set(["body", "query", "params", "headers", "cookies"])

/** The call's input with a page's own field in it, in whichever form the input is. */
const withInput = (
  input: RunCall["input"],
  added: Readonly<Record<string, unknown>> | undefined
): RunCall["input"] => {
  if (added === undefined) return input
  const [[key = "", value] = []] = Object.entries(added)
  const keys = Object.keys(input ?? {})
  const structured =
    keys.length > 0 &&
    keys.every((name) => sectionNames.has(name)) &&
    Object.values(input ?? {}).every((section) => typeof section === "object")
  if (!structured) return { ...input, [key]: value }
  const colon = key.indexOf(":")
  const section = colon < 0 ? "query" : key.slice(0, colon)
  const name = colon < 0 ? key : key.slice(colon + 1)
  const old = (input as Record<string, Record<string, unknown> | undefined>)[section]
  return { ...input, [section]: { ...old, [name]: value } }
}
