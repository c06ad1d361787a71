import { invalid } from "../DatabaseError.ts"

const name = /^[A-Za-z_][A-Za-z0-9_$]*$/
const maxBytes = 63

const checked = (part: unknown, path: string, whole: unknown): string => {
  if (typeof part !== "string" || !name.test(part) || part.length > maxBytes) {
    throw invalid(
      `${path}: ${typeof whole === "string" ? "not an identifier. Use letters, digits, _ and $, at most 63" : "expected a name"}.`,
      path
    )
  }
  return part
}

/** `order` → `"order"`. @throws `VALIDATION_ERROR` naming `path`, never the text */
export const quoteColumn = (column: unknown, path: string): string => `"${checked(column, path, column)}"`

/** `app.users` → `"app"."users"`. */
export const quoteTable = (table: unknown, path = "table"): string => {
  if (typeof table !== "string") throw invalid(`${path}: expected the name of a table.`, path)
  const parts = table.split(".")
  if (parts.length > 2) throw invalid(`${path}: not a table. Write 'table' or 'schema.table'.`, path)
  return parts.map((part) => `"${checked(part, path, table)}"`).join(".")
}

/** Whether `text` may stand where an identifier stands. */
export const isIdentifier = (text: unknown): text is string =>
  typeof text === "string" && name.test(text) && text.length <= maxBytes
