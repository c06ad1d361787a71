import { createHash } from "node:crypto"

const maxBytes = 63

/** `idx` + table + columns, cut to what PostgreSQL keeps of a name, with a hash so that cut names differ. */
export const defaultName = (
  prefix: "idx" | "uq" | "fk" | "chk" | "pk",
  table: string,
  columns: ReadonlyArray<string>
): string => {
  const name = [prefix, table.replace(".", "_"), ...columns].join("_")
  if (name.length <= maxBytes) return name
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8)
  return `${name.slice(0, maxBytes - 9)}_${hash}`
}

/** A table's schema as a prefix for the names of its indexes, quoted: `"app".` or nothing. */
export const schemaPrefix = (table: string): string => {
  const [schema, name] = table.split(".")
  return name === undefined ? "" : `"${schema}".`
}
