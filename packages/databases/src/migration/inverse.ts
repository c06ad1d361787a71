import { defaultName } from "../schema/names.ts"
import {
  type Read,
  readSnapshot,
  restoreColumn,
  restoreColumnState,
  restoreConstraint,
  restoreIndex,
  restoreTable,
  type TableSnapshot
} from "../schema/restoreSql.ts"
import type { Op } from "./Op.ts"
import { constraintName, indexName, isFor, type SqlTarget } from "./operationSql.ts"

/** What undoes a step, or why nothing can. */
export type Inverse = { readonly ops: ReadonlyArray<Op> } | { readonly irreversible: string }

/** What undoes a step, when that can be told without looking at the database. */
const knownInverse = (op: Op): Op | undefined => {
  switch (op.type) {
    case "createCollection":
      return { type: "dropCollection", name: op.name }
    case "renameCollection": {
      const [schema, name] = op.from.split(".")
      const bare = op.to.split(".").pop() ?? op.to
      return name === undefined
        ? { type: "renameCollection", from: bare, to: op.from }
        : { type: "renameCollection", from: `${schema}.${bare}`, to: name }
    }
    case "addField":
      return { type: "dropField", collection: op.collection, field: op.field.name }
    case "renameField":
      return { type: "renameField", collection: op.collection, from: op.to, to: op.from }
    case "createIndex":
      return { type: "dropIndex", collection: op.collection, name: indexName(op) }
    case "addConstraint": {
      const name = constraintName(op.collection, op.constraint)
      return { type: "dropConstraint", collection: op.collection, name }
    }
    default:
      return undefined
  }
}

/**
 * The whole way back, newest step first, if it can be told from the steps alone; `undefined` when one
 * of them drops or changes something (its inverse is read from the catalogue when it runs) or is raw.
 */
export const inverseOf = (up: ReadonlyArray<Op>): ReadonlyArray<Op> | undefined => {
  const down: Array<Op> = []
  for (const op of up) {
    const inverse = knownInverse(op)
    if (inverse === undefined) return undefined
    down.unshift(inverse)
  }
  return down
}

const rawOps = (statements: ReadonlyArray<string> | undefined): Inverse => ({
  // What is not there fails when the step runs, with PostgreSQL's own words.
  ops: (statements ?? []).map((statement) => ({ type: "raw", database: "postgresql", statement }))
})

/** What will undo a step, read before it runs. */
export const readInverse = async (read: Read, op: Op, target: SqlTarget): Promise<Inverse> => {
  const known = knownInverse(op)
  if (op.type === "createCollection" && (op.ifNotExists === true || op.sqlOptions?.ifNotExists === true)) {
    if ((await readSnapshot(read, op.name)) !== undefined) return { ops: [] }
  }
  if (known !== undefined) return { ops: [known] }
  const from = async (
    table: string,
    restore: (snapshot: TableSnapshot) => ReadonlyArray<string> | undefined
  ): Promise<Inverse> => {
    const snapshot = await readSnapshot(read, table)
    return rawOps(snapshot === undefined ? undefined : restore(snapshot))
  }
  switch (op.type) {
    case "dropCollection":
      return from(op.name, restoreTable)
    case "dropField":
      return from(op.collection, (snapshot) => restoreColumn(snapshot, op.field))
    case "modifyField": {
      const name = (prefix: "chk" | "uq" | "idx", ...more: ReadonlyArray<string>): string =>
        defaultName(prefix, op.collection, [op.field, ...more])
      const names = [name("chk"), name("chk", "min"), name("chk", "max"), name("uq")]
      return from(op.collection, (snapshot) => restoreColumnState(snapshot, op.field, names, name("idx")))
    }
    case "dropIndex":
      return from(op.collection, (snapshot) => restoreIndex(snapshot, op.name))
    case "dropConstraint":
      return from(op.collection, (snapshot) => restoreConstraint(snapshot, op.name))
    default:
      return op.type === "raw" && !isFor(op.database, target)
        ? { ops: [] }
        : { irreversible: "a raw statement has no inverse; write 'down' by hand" }
  }
}
