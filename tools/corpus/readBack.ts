import type { OriginalParameter } from "./OriginalDocument.ts"
import { isJson } from "./OriginalDocument.ts"

/** What a form or a query says: text, lists and maps of it. */
export type Tree = string | ReadonlyArray<Tree> | { readonly [name: string]: Tree }

export type Pairs = ReadonlyArray<readonly [string, string]>

/** Pairs of a query, still encoded. */
export const rawPairs = (query: string): Pairs =>
  query === ""
    ? []
    : query.split("&").map((pair) => {
        const equals = pair.indexOf("=")
        return equals < 0 ? ([pair, ""] as const) : ([pair.slice(0, equals), pair.slice(equals + 1)] as const)
      })

export const formDecode = (text: string): string => decodeURIComponent(text.replaceAll("+", " "))

type Node = Map<string, Node | Array<string>>

/** `a[b][0]=1` as `{ a: { b: ["1"] } }`; a name that repeats is a list. */
export const parseBrackets = (pairs: Pairs): Readonly<Record<string, Tree>> => {
  const root: Node = new Map()
  for (const [name, value] of pairs) {
    const open = name.indexOf("[")
    const head = open > 0 && name.endsWith("]") ? name.slice(0, open) : name
    const rest = head === name ? [] : name.slice(open + 1, -1).split("][")
    let node = root
    for (const key of [head, ...rest].slice(0, -1)) {
      const next = node.get(key)
      const child: Node = next instanceof Map ? next : new Map()
      node.set(key, child)
      node = child
    }
    const last = rest.at(-1) ?? head
    const known = node.get(last)
    if (Array.isArray(known)) known.push(value)
    else node.set(last, [value])
  }
  return freeze(root) as Readonly<Record<string, Tree>>
}

const freeze = (node: Node): Tree => {
  const made: Record<string, Tree> = Object.create(null) as Record<string, Tree>
  for (const [key, child] of node) {
    made[key] = Array.isArray(child) ? (child.length === 1 ? (child[0] ?? "") : child) : freeze(child)
  }
  return made
}

export const textOf = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : String(value)

const isMissing = (tree: Tree | undefined): boolean => tree === undefined || tree === ""

/** Whether text that was read back is the value that was given. */
export const matches = (given: unknown, tree: Tree | undefined): boolean => {
  if (isEmpty(given)) return isMissing(tree)
  // Lists within lists have no serialisation in OpenAPI; JSON says what was meant.
  if (typeof given === "object" && tree === JSON.stringify(given)) return true
  if (Array.isArray(given)) {
    const present = given.filter((item) => item !== null && item !== undefined)
    if (present.length === 0) return isMissing(tree)
    if (Array.isArray(tree)) {
      return tree.length === present.length && present.every((item, index) => matches(item, tree[index]))
    }
    if (typeof tree === "object") {
      const map = tree as Record<string, Tree>
      return (
        Object.keys(map).every((key) => Number(key) < given.length) &&
        given.every((item, index) => isEmpty(item) || matches(item, map[String(index)]))
      )
    }
    return present.length === 1 && matches(present[0], tree)
  }
  if (isJson(given)) {
    const names = Object.keys(given).filter((name) => !isEmpty(given[name]))
    if (names.length === 0) return isMissing(tree)
    if (typeof tree !== "object" || Array.isArray(tree)) return false
    const map = tree as Record<string, Tree>
    return (
      Object.keys(map).every((name) => name in given) &&
      names.every((name) => matches(given[name], map[name]))
    )
  }
  return tree === String(given)
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (Array.isArray(value) && value.every(isEmpty)) ||
  (isJson(value) && Object.values(value).every(isEmpty))

const isFlat = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every((item) => typeof item !== "object" || item === null)
    : isJson(value) && Object.values(value).every((item) => typeof item !== "object" || item === null)

const split = (text: string, delimiter: RegExp, decode: (text: string) => string): ReadonlyArray<string> =>
  text.split(delimiter).map(decode)

/** A list of `k,v,k,v` or of `k=v` against an object. */
const sameMembers = (given: object, parts: ReadonlyArray<string>, exploded: boolean): boolean => {
  const expected = Object.entries(given).filter(([, value]) => value !== null && value !== undefined)
  const flat = exploded
    ? expected.map(([key, value]) => `${key}=${textOf(value)}`)
    : expected.flatMap(([key, value]) => [key, textOf(value)])
  return flat.length === parts.length && flat.every((part, index) => part === parts[index])
}

const sameItems = (given: ReadonlyArray<unknown>, parts: ReadonlyArray<string>): boolean =>
  given.length === parts.length && given.every((item, index) => textOf(item) === parts[index])

/** `simple`, `label` and `matrix` text (OpenAPI "Style Values") against the value that was given. */
export const simpleMatches = (
  parameter: OriginalParameter,
  given: unknown,
  raw: string,
  decode: (text: string) => string
): boolean => {
  const { explode, name, style } = parameter
  if (parameter.contentType !== undefined && /json/i.test(parameter.contentType)) {
    return decode(raw) === JSON.stringify(given)
  }
  let text = raw
  let delimiter = /,/
  if (style === "label") {
    if (!text.startsWith(".")) return false
    text = text.slice(1)
    if (explode) delimiter = /\./
  } else if (style === "matrix") {
    if (!explode || !isJson(given)) {
      const prefix = `;${name}=`
      if (!text.startsWith(prefix)) return false
      text = text.slice(prefix.length)
      if (explode && Array.isArray(given)) {
        return sameItems(given, text.split(prefix).map(decode))
      }
    } else {
      text = text.slice(1)
      delimiter = /;/
    }
  }
  if (Array.isArray(given)) return sameItems(given, split(text, delimiter, decode))
  if (isJson(given)) return sameMembers(given, split(text, delimiter, decode), explode)
  return decode(text) === textOf(given)
}

const delimiters: Readonly<Record<string, RegExp>> = {
  form: /,/,
  spaceDelimited: /%20|\+/,
  pipeDelimited: /\||%7C/i
}

/**
 * A query or cookie parameter against what was given. Returns the names that it used up, or
 * `undefined` if it is not there as given.
 */
export const queryMatches = (
  parameter: OriginalParameter,
  given: unknown,
  pairs: Pairs,
  decode: (text: string) => string
): ReadonlyArray<string> | undefined => {
  const { explode, name, style } = parameter
  const own = pairs.filter(([key]) => decode(key) === name).map(([, value]) => value)
  if (parameter.contentType !== undefined && /json/i.test(parameter.contentType)) {
    return own.length === 1 && decode(own[0] ?? "") === JSON.stringify(given) ? [name] : undefined
  }
  if (isEmpty(given) || typeof given !== "object") {
    if (isEmpty(given)) return own.length === 0 ? [] : undefined
    return own.length === 1 && decode(own[0] ?? "") === textOf(given) ? [name] : undefined
  }
  const delimiter = delimiters[style]
  if (delimiter !== undefined && !explode && isFlat(given)) {
    if (own.length !== 1) return undefined
    const parts = split(own[0] ?? "", delimiter, decode)
    const same = Array.isArray(given) ? sameItems(given, parts) : sameMembers(given as object, parts, false)
    return same ? [name] : undefined
  }
  if (explode && style === "form" && Array.isArray(given) && isFlat(given)) {
    return sameItems(given, own.map(decode)) ? [name] : undefined
  }
  const tree = parseBrackets(pairs.map(([key, value]) => [decode(key), decode(value)]))
  if (style === "form" && !Array.isArray(given)) {
    const keys = Object.keys(given as object)
    const all = keys.every((key) => matches((given as Record<string, unknown>)[key], tree[key]))
    return all ? keys : undefined
  }
  // Values inside values have no serialisation in OpenAPI but for what JSON parameters do: as text.
  if (!explode && delimiter !== undefined) return own.length > 0 || name in tree ? [name] : undefined
  return matches(given, tree[name]) ? [name] : undefined
}
