import type { Scope } from "../DatabaseConnection.ts"
import { invalid } from "../DatabaseError.ts"
import { QueryResult } from "../results.ts"
import { encodeLoose } from "../sql/encode.ts"
import type { RawInput } from "../types.ts"

/** A statement that begins so changes nothing, however it ends. */
const reads =
  /^\s*(?:select|values|table|show|explain)\b(?![\s\S]*\b(?:into|for\s+update|for\s+share|nextval|setval)\b)/i

export const raw = async (scope: Scope, input: RawInput): Promise<QueryResult> => {
  const text = input.query ?? input.sql
  if (typeof text !== "string" || text.trim() === "")
    throw invalid("query: expected one SQL statement.", "query")
  const params = input.params ?? []
  if (!Array.isArray(params)) throw invalid("params: expected an array.", "params")
  const bound = params.map((value, i) => encodeLoose(value, `params[${i}]`))
  const { connection } = scope
  try {
    const result = await connection.run(scope, text, bound, { prepare: false, write: !reads.test(text) })
    return new QueryResult(
      result.rows,
      result.count,
      result.fields.map((field) => field.name)
    )
  } finally {
    connection.noticeStatement(text)
  }
}
