import { ImportFault } from "./ImportFault.ts"

export const defaultMaxBytes = 20 * 1024 * 1024
const maxDepth = 100
const maxAliasCount = 100

export interface ReadDocument {
  readonly value: unknown
  /** Line (from 1) of a place in the text, where that is known. */
  readonly lineOf: (path: ReadonlyArray<string | number>) => number | undefined
}

/**
 * Parses JSON or YAML, or takes what is parsed already. Refused: more than `maxBytes`, nesting above
 * 100 levels, cycles, YAML whose aliases multiply.
 */
export const readDocument = async (file: unknown, maxBytes: number): Promise<ReadDocument> => {
  if (typeof file === "string" || file instanceof Uint8Array) {
    const size = typeof file === "string" ? Buffer.byteLength(file) : file.byteLength
    if (size > maxBytes) {
      throw new ImportFault(
        `the document has ${size} bytes, more than the limit of ${maxBytes}; raise it with maxBytes if you trust the document`
      )
    }
    const read = await parse(decode(file))
    if (typeof read.value !== "object" || read.value === null) {
      throw new ImportFault("the document must be an object; `file` takes what is in the file, not its path")
    }
    checkDepth(read.value, read.shared)
    return read
  }
  if (typeof file !== "object" || file === null) {
    throw new ImportFault("`file` must be text, bytes or a parsed document", undefined, "VALIDATION_ERROR")
  }
  checkDepth(file, true)
  return { value: file, lineOf: () => undefined }
}

const decode = (file: string | Uint8Array): string => {
  if (typeof file === "string") return file.charCodeAt(0) === 0xfeff ? file.slice(1) : file
  const utf16 = file[0] === 0xff && file[1] === 0xfe
  try {
    return new TextDecoder(utf16 ? "utf-16le" : "utf-8", { fatal: true }).decode(file)
  } catch {
    throw new ImportFault(
      "the document is not text in UTF-8; a compressed or binary file has to be unpacked first"
    )
  }
}

interface Parsed extends ReadDocument {
  /** Whether an object may be there more than once. */
  readonly shared: boolean
}

const parse = async (text: string): Promise<Parsed> => {
  const first = /\S/.exec(text)?.[0]
  if (first === undefined) throw new ImportFault("the document is empty")
  if (first === "<") throw new ImportFault("the document is HTML or XML, not JSON or YAML (line 1)")
  if (first === "{" || first === "[") {
    try {
      return { value: JSON.parse(text), shared: false, lineOf: () => undefined }
    } catch (error) {
      const fault = jsonFault(text, error)
      // YAML may begin with a brace too, but a large broken JSON file is not worth a second parse.
      if (text.length > 1024 * 1024) throw fault
      try {
        return await parseYaml(text)
      } catch {
        throw fault
      }
    }
  }
  return parseYaml(text)
}

const jsonFault = (text: string, error: unknown): ImportFault => {
  const message = error instanceof Error ? error.message : ""
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position === undefined) {
    return new ImportFault("the document is not valid JSON: it ends too early")
  }
  const before = text.slice(0, Number(position))
  const line = before.split("\n").length
  const column = before.length - before.lastIndexOf("\n")
  return new ImportFault(`the document is not valid JSON: unexpected text at line ${line}, column ${column}`)
}

const parseYaml = async (text: string): Promise<Parsed> => {
  const { LineCounter, parseDocument, isNode } = await import("yaml")
  const lines = new LineCounter()
  let document: ReturnType<typeof parseDocument>
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      logLevel: "silent",
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: false
    })
  } catch {
    throw tooDeep()
  }
  const [error] = document.errors
  if (error !== undefined) {
    if (/call stack/i.test(error.message)) throw tooDeep()
    const { line, col } = lines.linePos(error.pos[0])
    throw new ImportFault(
      `the document is not valid YAML: ${firstLine(error.message)} at line ${line}, column ${col}`
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount })
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep()
    throw new ImportFault("the YAML's aliases multiply beyond reason, or one of them has no anchor")
  }
  return {
    value,
    shared: true,
    lineOf: (path) => {
      for (let end = path.length; end > 0; end--) {
        const node = document.getIn(path.slice(0, end), true)
        const start = isNode(node) ? node.range?.[0] : undefined
        if (start !== undefined) return lines.linePos(start).line
      }
      return undefined
    }
  }
}

const tooDeep = () => new ImportFault(`the YAML is nested deeper than ${maxDepth} levels`)

const firstLine = (text: string): string => text.split("\n", 1)[0]?.replace(/[.:\s]+$/, "") ?? text

/**
 * Walks without recursion, level by level. `shared`: objects may be in several places (YAML aliases)
 * or within themselves; each is then looked at once per level.
 */
const checkDepth = (root: unknown, shared: boolean): void => {
  const depths = shared ? new Map<object, number>() : undefined
  let level: Array<object> = typeof root === "object" && root !== null ? [root] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) {
      throw new ImportFault(`the document is nested deeper than ${maxDepth} levels, or contains itself`)
    }
    const next: Array<object> = []
    for (const node of level) {
      for (const key in node) {
        const child: unknown = (node as Record<string, unknown>)[key]
        if (typeof child !== "object" || child === null) continue
        if (depths !== undefined) {
          if (depths.get(child) === depth) continue
          depths.set(child, depth)
        }
        next.push(child)
      }
    }
    level = next
  }
}
