import type { Fields } from "@ductape/registry"

/** A path cut at its parameters: `texts[0] names[0] texts[1] names[1] … texts[n]`. */
export interface PathTemplate {
  readonly texts: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  /** A query that the path came with, without `?`. */
  readonly query: string
}

const undeclaredName = /^[A-Za-z_]\w*/

/** What is literal may be written unescaped in a definition; what a URL cannot hold is escaped. */
const literal = (text: string): string =>
  text.replace(/[^\x21\x24-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]/gu, (character) =>
    encodeURIComponent(character.toWellFormed())
  )

/**
 * Reads `:id` and `{id}`.
 *
 * `:name` is a parameter where `name` is declared (the longest declared name counts), or where it
 * begins a segment; every other colon is text, so `/:name:cancel` is `{name}` followed by `:cancel`.
 */
export const parsePath = (resource: string, declared: Fields | undefined): PathTemplate => {
  const hash = resource.indexOf("#")
  const whole = hash < 0 ? resource : resource.slice(0, hash)
  const mark = whole.indexOf("?")
  const path = mark < 0 ? whole : whole.slice(0, mark)
  const known = Object.keys(declared ?? {}).sort((a, b) => b.length - a.length)
  const texts: Array<string> = []
  const names: Array<string> = []
  let text = ""
  let at = 0
  while (at < path.length) {
    let name: string | undefined
    let length = 0
    if (path[at] === "{") {
      const end = path.indexOf("}", at)
      if (end > at + 1) {
        name = path.slice(at + 1, end)
        length = end - at + 1
      }
    } else if (path[at] === ":") {
      const rest = path.slice(at + 1)
      name =
        known.find(
          (candidate) =>
            candidate !== "" && rest.startsWith(candidate) && !/\w/.test(rest.charAt(candidate.length))
        ) ?? (at === 0 || path[at - 1] === "/" ? undeclaredName.exec(rest)?.[0] : undefined)
      length = (name?.length ?? 0) + 1
    }
    if (name === undefined) {
      text += path[at]
      at += 1
    } else {
      texts.push(literal(text))
      names.push(name)
      text = ""
      at += length
    }
  }
  texts.push(literal(text))
  return { texts, names, query: mark < 0 ? "" : literal(whole.slice(mark + 1)) }
}
