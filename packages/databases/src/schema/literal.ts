import { invalid } from "../DatabaseError.ts"
import type { BaseType, ReadField } from "./FieldDef.ts"

/**
 * Text as an SQL literal. Statements that define things take no bound values, so these are the only
 * values that are written into SQL.
 */
export const textLiteral = (text: string, path: string): string => {
  if (text.includes("\0")) throw invalid(`${path}: text in PostgreSQL cannot hold a zero character.`, path)
  const quoted = text.replaceAll("'", "''")
  return quoted.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`
}

const now: Partial<Record<BaseType, string>> = {
  datetime: "now()",
  date: "CURRENT_DATE",
  time: "LOCALTIME"
}

const numberLiteral = (value: unknown, whole: boolean, path: string): string => {
  if (typeof value === "bigint") return String(value)
  const text = String(value)
  const fits =
    (typeof value === "number" && Number.isFinite(value)) ||
    (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value))
  if (!fits || (whole && !/^-?\d+$/.test(text))) {
    throw invalid(`${path}: expected a ${whole ? "whole " : ""}number.`, path)
  }
  return text
}

const scalar = (type: BaseType, value: unknown, path: string): string => {
  switch (type) {
    case "integer":
    case "smallint":
    case "bigint":
      return numberLiteral(value, true, path)
    case "double":
    case "decimal":
      return numberLiteral(value, false, path)
    case "boolean":
      if (typeof value !== "boolean") throw invalid(`${path}: expected true or false.`, path)
      return String(value)
    case "json":
      return `${textLiteral(JSON.stringify(value), path)}::jsonb`
    case "binary":
      if (!(value instanceof Uint8Array)) throw invalid(`${path}: expected bytes.`, path)
      return `'\\x${Buffer.from(value).toString("hex")}'::bytea`
    case "datetime":
    case "date":
    case "time": {
      if (value instanceof Date) return `${textLiteral(value.toISOString(), path)}`
      if (typeof value !== "string") throw invalid(`${path}: expected 'now', a date or its text.`, path)
      return value === "now" ? (now[type] ?? "now()") : textLiteral(value, path)
    }
    default:
      if (typeof value !== "string") throw invalid(`${path}: expected text.`, path)
      return textLiteral(value, path)
  }
}

/** What stands behind DEFAULT. @throws `VALIDATION_ERROR` */
export const defaultLiteral = (field: ReadField, sqlType: string, path: string): string => {
  const value = field.default
  if (value === null) return "NULL"
  if (field.enum !== undefined && !field.enum.includes(value as string)) {
    throw invalid(`${path}: not one of the field's values.`, path)
  }
  if (field.type !== "array") return scalar(field.type, value, path)
  if (!Array.isArray(value)) throw invalid(`${path}: expected a list.`, path)
  const items = value.map((item, i) => scalar(field.items ?? "text", item, `${path}[${i}]`))
  return `ARRAY[${items.join(", ")}]::${sqlType}`
}
