import { isForbiddenName } from "./ReadPath.ts"
import { type TemplateErrorCode, type TemplateErrorDetails, templateError } from "./TemplateError.ts"
import { type Head, headAt, isInert, isSpace, meansSomething, type TemplateMode } from "./TemplateHead.ts"
import {
  arities,
  type Node,
  printReference,
  type Reference,
  type ReferenceName,
  type Syntax
} from "./TemplateNode.ts"

/** Bytes of UTF-8 of a template. */
export const maxSource = 64 * 1024
/** Levels of calls, measures, arrays and objects within each other. */
export const maxNesting = 32

/** Whether the UTF-8 of a text is longer than `limit` bytes. */
export const isOver = (text: string, limit: number): boolean =>
  text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit)

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  n: "\n",
  t: "\t",
  r: "\r"
}

const numberPattern = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const identPattern = /[\p{L}_][\p{L}\p{N}_]*/uy
const hexPattern = /[0-9a-fA-F]{4}/y
const wordPattern = /(?:true|false|null)(?![\p{L}\p{N}_])/uy

/** A recursive-descent parser, one method per rule of the grammar. */
class Parser {
  readonly references: Array<Reference> = []
  readonly source: string
  readonly mode: TemplateMode
  /** Offsets at which a tagged template has a value, in order. */
  readonly holes: ReadonlyArray<number>
  at = 0
  depth = 0

  constructor(source: string, mode: TemplateMode, holes: ReadonlyArray<number>) {
    this.source = source
    this.mode = mode
    this.holes = holes
  }

  template(): Syntax {
    const { holes, mode, source } = this
    const parts: Array<string | Node> = []
    let text = ""
    let hole = 0
    while (this.at < source.length) {
      const dollar = source.indexOf("$", this.at)
      const next = Math.min(dollar < 0 ? source.length : dollar, holes[hole] ?? source.length)
      text += source.slice(this.at, next)
      this.at = next
      if (next === source.length) break
      if (next === holes[hole]) {
        if (text !== "") parts.push(text)
        text = ""
        parts.push({ kind: "hole", index: hole++, offset: next })
        this.at++
        continue
      }
      if (source[next + 1] === "$" && headAt(source, next + 1) !== undefined) {
        text += "$"
        this.at += 2
        continue
      }
      const head = headAt(source, next)
      if (head === undefined || isInert(head, mode)) {
        text += "$"
        this.at++
        continue
      }
      if (text !== "") parts.push(text)
      text = ""
      parts.push(this.expression(head))
      while ((holes[hole] ?? source.length) < this.at) hole++
    }
    if (text !== "" || parts.length === 0) parts.push(text)
    this.checkDefault(parts)
    return { parts, references: this.references }
  }

  /** `$Default` stands alone or not at all. */
  checkDefault(parts: ReadonlyArray<string | Node>): void {
    if (parts.length === 1) return
    for (const part of parts) {
      if (typeof part !== "string" && part.kind === "default") this.failDefault(part.offset)
    }
  }

  failDefault(offset: number): never {
    this.fail("'$Default' must be the whole template", offset)
  }

  fail(message: string, offset = this.at, code: TemplateErrorCode = "TEMPLATE_SYNTAX"): never {
    throw templateError(code, message, { offset })
  }

  failWith(code: TemplateErrorCode, message: string, details: TemplateErrorDetails): never {
    throw templateError(code, message, details)
  }

  space(): void {
    while (isSpace(this.source.charCodeAt(this.at))) this.at++
  }

  expect(character: string, what: string): void {
    if (this.source[this.at] !== character) this.fail(`${what}: expected '${character}'`)
    this.at++
  }

  expression(head: Head): Node {
    const offset = this.at
    this.at = head.end
    switch (head.kind) {
      case "reference":
        return this.reference(head.name, offset)
      case "measure":
        return this.nested(offset, () => {
          const close = this.source[this.at] === "{" ? "}" : ")"
          this.at++
          this.space()
          const value = this.value()
          this.space()
          this.expect(close, `'$${head.name}' is not closed`)
          return { kind: "measure", name: head.name, value, offset }
        })
      case "call":
        return this.nested(offset, () => {
          this.at++
          const args = this.list(")", `'$${head.name}' is not closed`)
          const [least, most] = arities[head.name]
          if (args.length < least || args.length > most) {
            const takes =
              least === most
                ? `${least}`
                : most === Number.POSITIVE_INFINITY
                  ? `at least ${least}`
                  : `${least} to ${most}`
            this.failWith(
              "OPERATOR_ARITY",
              `'$${head.name}' takes ${takes} argument(s), not ${args.length}`,
              {
                offset,
                operator: `$${head.name}`
              }
            )
          }
          return { kind: "call", operator: head.name, args, offset }
        })
      case "now":
        return { kind: "now" }
      case "default":
        return { kind: "default", offset }
      case "unknown":
        return head.bracket === "{"
          ? this.failWith("REFERENCE_UNKNOWN", `There is no reference '$${head.name}{…}'`, {
              offset,
              reference: `$${head.name}`
            })
          : this.failWith("OPERATOR_UNKNOWN", `There is no operator '$${head.name}(…)'`, {
              offset,
              operator: `$${head.name}`
            })
    }
  }

  nested<A>(offset: number, read: () => A): A {
    this.depth++
    if (this.depth > maxNesting) {
      this.fail(`Expressions nest deeper than ${maxNesting} levels`, offset, "TEMPLATE_LIMIT")
    }
    const result = read()
    this.depth--
    return result
  }

  reference(name: ReferenceName, offset: number): Node {
    const segments: Array<string> = []
    while (this.source[this.at] === "{") segments.push(this.segment(name))
    const reference: Reference = { name, segments }
    const forbidden = segments.find((segment) => segment.split(".").some(isForbiddenName))
    if (forbidden !== undefined) {
      this.failWith("REFERENCE_FORBIDDEN", `'${forbidden}' cannot be read`, {
        offset,
        reference: printReference(reference)
      })
    }
    if (name === "Secret" && segments.length > 1) {
      this.fail("'$Secret' takes one segment, the key of the secret", offset)
    }
    this.references.push(reference)
    return { kind: "reference", reference, offset }
  }

  segment(name: string): string {
    const open = this.at
    let text = ""
    this.at++
    for (;;) {
      const character = this.source[this.at]
      if (character === undefined || character === "{") this.fail(`'$${name}{' is not closed`, open)
      if (this.holes.includes(this.at)) this.fail("A value cannot stand within a reference")
      this.at++
      if (character === "}") break
      if (character !== "\\") {
        text += character
        continue
      }
      const escaped = this.source[this.at]
      if (escaped !== "{" && escaped !== "}" && escaped !== "\\") {
        this.fail("In a reference '\\' stands only before '{', '}' or '\\'", this.at - 1)
      }
      text += escaped
      this.at++
    }
    if (text === "") this.fail(`'$${name}' has an empty segment`, open)
    return text
  }

  list(close: string, unclosed: string): Array<Node> {
    const values: Array<Node> = []
    this.space()
    while (this.source[this.at] !== close) {
      values.push(this.value())
      this.space()
      if (this.source[this.at] !== ",") break
      this.at++
      this.space()
    }
    this.expect(close, unclosed)
    return values
  }

  value(): Node {
    const { source } = this
    const offset = this.at
    const hole = this.holes.indexOf(offset)
    if (hole >= 0) {
      this.at++
      return { kind: "hole", index: hole, offset }
    }
    switch (source[offset]) {
      case "$": {
        const head = headAt(source, offset)
        if (head === undefined) this.fail("'$' starts no reference or operator")
        if (isInert(head, this.mode)) {
          if (head.kind === "reference") {
            this.fail(
              `'$${head.name}' does not resolve in plain input; mark it with secret() or template\`\``
            )
          }
          this.fail("'$' starts no reference or operator")
        }
        if (head.kind === "default") this.failDefault(offset)
        return this.expression(head)
      }
      case '"':
      case "'":
        return { kind: "value", value: this.string() }
      case "[":
        return this.nested(offset, () => {
          this.at++
          return { kind: "array", items: this.list("]", "An array is not closed"), offset }
        })
      case "{":
        return this.nested(offset, () => this.object(offset))
    }
    const word = this.match(wordPattern)
    if (word !== undefined) {
      return { kind: "value", value: word === "null" ? null : word === "true" }
    }
    const number = this.match(numberPattern)
    if (number === undefined) {
      this.fail(
        "Expected a reference, an operator, a quoted string, a number, an array, an object, true, false or null"
      )
    }
    const value = Number(number)
    if (!Number.isFinite(value)) this.fail("The number is too large", offset)
    return { kind: "value", value }
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.source)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  object(offset: number): Node {
    const members: Array<readonly [string, Node]> = []
    this.at++
    this.space()
    if (this.source[this.at] === "}") {
      this.at++
      return { kind: "object", members, offset }
    }
    for (;;) {
      const start = this.at
      const quote = this.source[start]
      const key = quote === '"' || quote === "'" ? this.string() : this.match(identPattern)
      if (key === undefined) this.fail("Expected the name of a member")
      if (isForbiddenName(key)) this.fail(`'${key}' cannot be the name of a member`, start)
      this.space()
      this.expect(":", "A member needs a value")
      this.space()
      members.push([key, this.value()])
      this.space()
      if (this.source[this.at] !== ",") break
      this.at++
      this.space()
    }
    this.expect("}", "An object is not closed")
    return { kind: "object", members, offset }
  }

  string(): string {
    const open = this.at
    const quote = this.source[open]
    let text = ""
    this.at++
    for (;;) {
      const character = this.source[this.at]
      if (character === undefined) this.fail("A quoted string is not closed", open)
      if (this.holes.includes(this.at)) this.fail("A value cannot stand within a quoted string")
      this.at++
      if (character === quote) return text
      if (character !== "\\") {
        text += character
        continue
      }
      const escaped = this.source[this.at] ?? ""
      this.at++
      if (escaped === "u") {
        const hex = this.match(hexPattern)
        if (hex === undefined) this.fail("'\\u' needs four hexadecimal digits", this.at - 2)
        text += String.fromCharCode(Number.parseInt(hex, 16))
        continue
      }
      const plain = Object.hasOwn(escapes, escaped) ? escapes[escaped] : undefined
      if (plain === undefined) this.fail("Unknown escape in a quoted string", this.at - 2)
      text += plain
    }
  }
}

/**
 * Parses a template.
 *
 * @throws {TemplateError}
 */
export const parseTemplate = (
  source: string,
  mode: TemplateMode,
  holes: ReadonlyArray<number> = []
): Syntax => {
  if (isOver(source, maxSource)) {
    // Long text without expressions, such as an encoded file, is no template at all.
    if (mode === "input" && !meansSomething(source, mode)) return { parts: [source], references: [] }
    throw templateError("TEMPLATE_LIMIT", `A template holds at most ${maxSource} bytes`, { offset: 0 })
  }
  return new Parser(source, mode, holes).template()
}
