import type { FilterOperator } from "@ductape/core"
import { invalid } from "../DatabaseError.ts"

const literal = (text: string): string => text.replace(/[\\%_]/g, "\\$&")

/** The pattern that `LIKE` gets. */
export const likeText = (operator: FilterOperator, text: string): string => {
  switch (operator) {
    case "startsWith":
      return `${literal(text)}%`
    case "endsWith":
      return `%${literal(text)}`
    case "contains":
      return `%${literal(text)}%`
    case "ilike":
      return lower(text)
    default:
      return text
  }
}

/** In lower case, but for the character after a backslash that is not a letter anyway. */
const lower = (pattern: string): string => pattern.toLowerCase()

const classes: Readonly<Record<string, string>> = {
  d: "[0-9]",
  D: "[^0-9]",
  w: "[A-Za-z0-9_]",
  W: "[^A-Za-z0-9_]",
  s: "[ \\f\\n\\r\\t\\v]",
  S: "[^ \\f\\n\\r\\t\\v]",
  b: "\\y",
  B: "\\Y"
}

const inClass: Readonly<Record<string, string>> = {
  d: "0-9",
  w: "A-Za-z0-9_",
  s: " \\f\\n\\r\\t\\v",
  b: "\\x08"
}

/**
 * A regular expression of JavaScript in the syntax of PostgreSQL's advanced ones
 * (https://www.postgresql.org/docs/current/functions-matching.html#POSIX-SYNTAX-DETAILS), with
 * JavaScript's meaning of `.`, `\b`, `\d`, `\w` and `\s`.
 *
 * @throws `VALIDATION_ERROR` for what PostgreSQL lacks: named groups, `\p{…}`, inline flags
 */
export const regexText = (source: string, path: string): string => {
  const refuse = (what: string): Error =>
    invalid(`${path}: PostgreSQL's regular expressions have no ${what}.`, path)
  // Says which flavour follows, so that nothing in the pattern can.
  let out = "***:"
  let set = false
  for (let i = 0; i < source.length; i++) {
    const char = source[i] as string
    if (char === "\\") {
      const next = source[++i] ?? ""
      if (next === "k" || next === "p" || next === "P") throw refuse(`\\${next}`)
      if (set && (next === "D" || next === "W" || next === "S")) throw refuse(`\\${next} inside brackets`)
      const known = (set ? inClass : classes)[next]
      if (known !== undefined) out += known
      else if (next === "u" && /^[0-9a-fA-F]{4}/.test(source.slice(i + 1))) out += "\\u"
      else if (next === "x" && /^[0-9a-fA-F]{2}/.test(source.slice(i + 1))) {
        out += `\\u00${source.slice(i + 1, i + 3)}`
        i += 2
      } else if (/[nrtfv1-9]/.test(next)) out += `\\${next}`
      else if (next === "0") throw refuse("\\0")
      else if (/[A-Za-z]/.test(next)) out += next
      else out += `\\${next}`
    } else if (set) {
      if (char === "]") set = false
      out += char === "[" ? "\\[" : char
    } else if (char === "[") {
      set = true
      out += "["
      if (source[i + 1] === "^") {
        out += "^"
        i++
      }
      if (source[i + 1] === "]") throw refuse("empty brackets")
    } else if (char === ".") {
      out += "[^\\n\\r\\u2028\\u2029]"
    } else if (char === "(" && source[i + 1] === "?" && !/^\?(?:[:=!]|<[=!])/.test(source.slice(i + 1))) {
      throw refuse("named groups or inline flags")
    } else if (char === "{" && !/^\{\d+(?:,\d*)?\}/.test(source.slice(i))) {
      out += "\\{"
    } else {
      out += char
    }
  }
  return out
}
