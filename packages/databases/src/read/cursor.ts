import { createHmac, timingSafeEqual } from "node:crypto"
import { invalid } from "../DatabaseError.ts"
import type { OrderItem } from "../input.ts"
import type { Table } from "../sql/Catalogue.ts"
import { columnOf, ordered } from "../sql/filterSql.ts"
import type { StatementBuilder } from "../sql/Statement.ts"
import type { Row } from "../types.ts"

export interface CursorPlan {
  readonly order: ReadonlyArray<OrderItem>
}

/** The position of a row as PostgreSQL spells it: a `Date` would have lost the microseconds. */
export const cursorColumn = (table: Table, order: ReadonlyArray<OrderItem>): string =>
  `ARRAY[${order.map(({ column }) => `${columnOf(table, column, "orderBy").kind === "float" ? `"${column}"::float8` : `"${column}"`}::text`).join(", ")}]::text[] AS "ductape$cursor"`

const shape = (table: string, order: ReadonlyArray<OrderItem>): string =>
  JSON.stringify([table, order.map(({ column, descending }) => (descending ? `-${column}` : column))])

const sign = (key: Uint8Array, payload: string, shapeText: string): Buffer =>
  createHmac("sha256", key).update(shapeText).update("\0").update(payload).digest().subarray(0, 16)

/** `<position>.<signature>`, in base64url; it says nothing of the filter. */
export const sealCursor = (
  key: Uint8Array,
  table: string,
  order: ReadonlyArray<OrderItem>,
  row: Row
): string => {
  const payload = Buffer.from(JSON.stringify(row["ductape$cursor"])).toString("base64url")
  return `${payload}.${sign(key, payload, shape(table, order)).toString("base64url")}`
}

/** @throws `VALIDATION_ERROR` if it is not one of this database's, or of another table or order */
export const openCursor = (
  key: Uint8Array,
  cursor: string,
  table: string,
  order: ReadonlyArray<OrderItem>
): { readonly values: ReadonlyArray<string | null>; readonly nulls: string } => {
  const refuse = () =>
    invalid(
      "after: not a cursor of this table and order. Pass the nextCursor of the page before, with the same table and orderBy.",
      "after"
    )
  const [payload, signature, ...rest] = cursor.split(".")
  if (payload === undefined || signature === undefined || rest.length > 0) throw refuse()
  const given = Buffer.from(signature, "base64url")
  const wanted = sign(key, payload, shape(table, order))
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw refuse()
  const values = JSON.parse(Buffer.from(payload, "base64url").toString()) as ReadonlyArray<string | null>
  return { values, nulls: values.map((value) => (value === null ? "0" : "1")).join("") }
}

/**
 * The rows after a position, with nulls last when ascending and first when descending.
 *
 * @param nulls per column `0` where the position is null, else `1`
 */
export const keysetSql = (
  table: Table,
  order: ReadonlyArray<OrderItem>,
  nulls: string,
  statement: StatementBuilder
): string => {
  const columns = order.map(({ column, descending }, i) => {
    const known = columnOf(table, column, "orderBy")
    const index = statement.take()
    const at = () => `${statement.slot(index, (value) => value as string | null)}::${known.sql}`
    return {
      name: `"${column}"`,
      sorted: ordered(known, `"${column}"`),
      text: known.kind === "enum",
      nullable: known.nullable,
      descending,
      isNull: nulls[i] === "0",
      at
    }
  })
  const [first] = columns
  if (
    first !== undefined &&
    columns.every((c) => !c.nullable && c.descending === first.descending && !c.isNull && !c.text)
  ) {
    return `(${columns.map((c) => c.sorted).join(", ")}) ${first.descending ? "<" : ">"} (${columns.map((c) => c.at()).join(", ")})`
  }
  const branches: Array<string> = []
  const equal: Array<string> = []
  for (const [i, c] of columns.entries()) {
    const value = c.text ? () => `${c.at()}::text` : c.at
    let beyond: string
    if (c.descending) beyond = c.isNull ? `${c.name} IS NOT NULL` : `${c.sorted} < ${value()}`
    else if (c.isNull) beyond = "FALSE"
    else beyond = c.nullable ? `(${c.sorted} > ${value()} OR ${c.name} IS NULL)` : `${c.sorted} > ${value()}`
    branches.push(`(${[...equal, beyond].join(" AND ")})`)
    // A placeholder that no text uses would be refused.
    if (i < columns.length - 1) equal.push(c.isNull ? `${c.name} IS NULL` : `${c.name} = ${c.at()}`)
  }
  return `(${branches.join(" OR ")})`
}
