/** What hides a `;`, tried at one place of the text; each ends where it ends, or with the text. */
const opaque =
  /--[^\n]*|[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$([A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*?(?:\$\1\$|$)/y

/** Block comments nest in PostgreSQL. */
const commentEnd = (text: string, from: number): number => {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    if (text.startsWith("/*", i)) {
      depth++
      i++
    } else if (text.startsWith("*/", i)) {
      depth--
      i++
      if (depth === 0) return i + 1
    }
  }
  return text.length
}

const wordCharacter = /[A-Za-z0-9_$\u0080-\uffff]/

/** Text without its comments, trimmed. */
const bare = (text: string): string =>
  text
    .replace(/--[^\n]*/g, "")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .trim()

/**
 * The statements of an SQL text, split at each `;` outside of strings, names, comments, dollar quotes
 * and the bodies of `BEGIN ATOMIC … END`. Parts without a statement are left out.
 */
export const splitStatements = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let from = 0
  let atomic = 0
  let i = 0
  const close = (to: number): void => {
    const part = text.slice(from, to).trim()
    if (bare(part) !== "") parts.push(part)
    from = to + 1
  }
  while (i < text.length) {
    if (text.startsWith("/*", i)) {
      i = commentEnd(text, i)
      continue
    }
    const inWord = i > 0 && wordCharacter.test(text[i - 1] ?? "")
    opaque.lastIndex = i
    const hidden = inWord && /[eE$]/.test(text[i] ?? "") ? null : opaque.exec(text)
    if (hidden !== null) {
      i += hidden[0].length
      continue
    }
    if (!inWord) {
      const word = /^(?:begin\s+atomic|case|end)\b/i.exec(text.slice(i, i + 40))?.[0].toLowerCase()
      if (word !== undefined) {
        if (word.startsWith("begin")) atomic++
        else if (word === "case" && atomic > 0) atomic++
        else if (word === "end" && atomic > 0) atomic--
        i += word.length
        continue
      }
    }
    if (text[i] === ";" && atomic === 0) close(i)
    i++
  }
  close(text.length)
  return parts
}

const leading = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/

/** Statements that PostgreSQL refuses inside a transaction. */
export const runsAlone = (statement: string): boolean =>
  /^(?:create\s+(?:unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\s+(?:\([^)]*\)\s*)?(?:\w+\s+)?concurrently|reindex\s+(?:database|system)|vacuum|alter\s+system|(?:create|drop)\s+(?:database|tablespace)|(?:create|drop|alter)\s+subscription|alter\s+table\s[\s\S]*\bdetach\s+partition\b[\s\S]*\bconcurrently)/i.test(
    statement.replace(leading, "")
  )

/** Statements that would end, or begin, the transaction around them. */
export const movesTransaction = (statement: string): boolean =>
  /^(?:begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction|savepoint|release)\b/i.test(
    statement.replace(leading, "")
  )

/** The index that `CREATE INDEX CONCURRENTLY` makes, as written, if it names one. */
export const concurrentIndex = (statement: string): string | undefined =>
  /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?((?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*))?)\s+on\b/i.exec(
    statement.replace(leading, "")
  )?.[1]
