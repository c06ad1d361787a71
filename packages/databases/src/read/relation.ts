import type { Scope } from "../DatabaseConnection.ts"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import type { Column, ForeignKey, Table } from "../sql/Catalogue.ts"
import { isIdentifier } from "../sql/identifier.ts"
import type { Include, IncludeType } from "../types.ts"

/** How the rows of a target are found from those of the parent. */
export interface Relation {
  readonly type: IncludeType
  readonly target: Table
  readonly parentColumn: string
  /** Column of the target that is joined. */
  readonly targetColumn: string
  /** Column whose values are compared with the parent's. */
  readonly keyColumn: Column
  readonly through?:
    | { readonly table: Table; readonly toParent: string; readonly toTarget: string }
    | undefined
}

/** `order_lines` → `order_line`, `categories` → `category`; the schema goes. */
export const singular = (table: string): string => {
  const name = table.split(".").at(-1) ?? table
  if (/ies$/i.test(name)) return name.replace(/ies$/i, "y")
  if (/(?:ss|us|is)$/i.test(name)) return name
  if (/(?:x|ch|sh|ss|z)es$/i.test(name)) return name.slice(0, -2)
  return name.replace(/s$/i, "")
}

const plurals = (name: string): ReadonlyArray<string> => [
  `${name}s`,
  ...(name.endsWith("y") ? [`${name.slice(0, -1)}ies`] : []),
  ...(/(?:s|x|ch|sh|z)$/.test(name) ? [`${name}es`] : [])
]

const bare = (table: string): string => table.replace(/^public\./, "")
const sameTable = (a: string, b: string): boolean => bare(a) === bare(b)

const schemaError = (
  path: string,
  parent: Table,
  problem: string,
  columns: ReadonlyArray<string>
): DatabaseError =>
  new DatabaseError({
    code: "SCHEMA_ERROR",
    message: `${path}: ${problem}`,
    table: parent.name,
    columns
  })

const lookUp = async (scope: Scope, parent: Table, include: Include, path: string): Promise<Table> => {
  const schema = parent.name.includes(".") ? `${parent.name.split(".")[0]}.` : ""
  const names =
    include.table === undefined
      ? [include.relation, ...plurals(include.relation)].flatMap((name) =>
          schema === "" ? [name] : [`${schema}${name}`, name]
        )
      : [include.table]
  for (const name of names) {
    const table = await scope.connection.table(scope, name).catch((error: unknown) => {
      if (error instanceof DatabaseError && error.code === "TABLE_NOT_FOUND") return undefined
      throw error
    })
    if (table !== undefined) return table
  }
  // A foreign key of that name tells the table as well: author_id → users.
  const key = parent.references.find(
    (one) => one.columns.length === 1 && one.columns[0] === `${include.relation}_id`
  )
  if (key !== undefined && include.table === undefined) return scope.connection.table(scope, key.referenced)
  throw schemaError(
    path,
    parent,
    `no table for this relation; tried ${names.join(", ")}. Name it with 'table'.`,
    names
  )
}

const single = (keys: ReadonlyArray<ForeignKey>): ReadonlyArray<ForeignKey> =>
  keys.filter((key) => key.columns.length === 1)

/** The type that the foreign keys between two tables speak for. */
const inferType = (include: Include, parent: Table, target: Table): IncludeType => {
  if (include.through !== undefined) return "many-to-many"
  const { foreignKey } = include
  const out = single(parent.references).filter((key) => sameTable(key.referenced, target.name))
  const back = single(parent.referencedBy).filter((key) => sameTable(key.table, target.name))
  if (foreignKey !== undefined) {
    if (out.some((key) => key.columns[0] === foreignKey)) return "many-to-one"
    if (back.some((key) => key.columns[0] === foreignKey)) return "one-to-many"
    return parent.columns.has(foreignKey) && !target.columns.has(foreignKey) ? "many-to-one" : "one-to-many"
  }
  if (out.some((key) => key.columns[0] === `${include.relation}_id`)) return "many-to-one"
  if (out.length > 0 && back.length === 0) return "many-to-one"
  if (back.length > 0) return "one-to-many"
  return parent.columns.has(`${include.relation}_id`) ? "many-to-one" : "one-to-many"
}

const existing = (
  table: Table,
  candidates: ReadonlyArray<string | undefined>,
  path: string,
  parent: Table,
  option: string
): string => {
  const tried: Array<string> = []
  for (const name of candidates) {
    if (name === undefined) continue
    if (!isIdentifier(name))
      throw invalid(`${path}.${option}: expected the name of a column.`, `${path}.${option}`)
    if (table.columns.has(name)) return name
    if (!tried.includes(name)) tried.push(name)
  }
  throw schemaError(
    path,
    parent,
    `table '${table.name}' has no column ${tried.map((name) => `'${name}'`).join(" or ")} to join on. Name it with '${option}'.`,
    tried
  )
}

const columnOf = (table: Table, name: string): Column => table.columns.get(name) as Column

/**
 * As the tables are now; kept until one of them changes.
 *
 * @throws `SCHEMA_ERROR` naming the tables and columns that were tried
 */
export const resolveRelation = async (
  scope: Scope,
  parent: Table,
  include: Include,
  path: string
): Promise<Relation> => {
  const { connection } = scope
  const { foreignKey, primaryKey, relation, table, through, throughForeignKey, throughRelatedKey, type } =
    include
  const key = `relation ${JSON.stringify([
    parent.name,
    relation,
    type,
    table,
    foreignKey,
    primaryKey,
    through,
    throughForeignKey,
    throughRelatedKey
  ])}`
  const kept = connection.known<Relation>(key)
  if (kept !== undefined) return kept
  const found = await resolve(scope, parent, include, path)
  const tables = [parent, found.target, ...(found.through === undefined ? [] : [found.through.table])]
  const current = tables.every((one) => connection.catalogue.peek(one.name) === one)
  return current ? connection.keep(key, found) : found
}

const resolve = async (scope: Scope, parent: Table, include: Include, path: string): Promise<Relation> => {
  const target = await lookUp(scope, parent, include, path)
  const type = include.type ?? inferType(include, parent, target)
  switch (type) {
    case "many-to-one": {
      const keys = single(parent.references).filter((key) => sameTable(key.referenced, target.name))
      const known =
        keys.find((key) => key.columns[0] === (include.foreignKey ?? `${include.relation}_id`)) ??
        (include.foreignKey === undefined && keys.length === 1 ? keys[0] : undefined)
      const parentColumn = existing(
        parent,
        include.foreignKey === undefined
          ? [known?.columns[0], `${include.relation}_id`, `${include.relation}Id`]
          : [include.foreignKey],
        path,
        parent,
        "foreignKey"
      )
      const targetColumn = existing(
        target,
        include.primaryKey === undefined ? [known?.referencedColumns[0], "id"] : [include.primaryKey],
        path,
        parent,
        "primaryKey"
      )
      return { type, target, parentColumn, targetColumn, keyColumn: columnOf(target, targetColumn) }
    }
    case "one-to-many": {
      const own = singular(parent.name)
      const keys = single(parent.referencedBy).filter((key) => sameTable(key.table, target.name))
      const known =
        keys.find((key) => key.columns[0] === (include.foreignKey ?? `${own}_id`)) ??
        (include.foreignKey === undefined && keys.length === 1 ? keys[0] : undefined)
      const targetColumn = existing(
        target,
        include.foreignKey === undefined
          ? [known?.columns[0], `${own}_id`, `${own}Id`]
          : [include.foreignKey],
        path,
        parent,
        "foreignKey"
      )
      const parentColumn = existing(
        parent,
        include.primaryKey === undefined ? [known?.referencedColumns[0], "id"] : [include.primaryKey],
        path,
        parent,
        "primaryKey"
      )
      return { type, target, parentColumn, targetColumn, keyColumn: columnOf(target, targetColumn) }
    }
    case "many-to-many": {
      if (include.through === undefined)
        throw invalid(`${path}.through: missing. Name the table between.`, `${path}.through`)
      const between = await scope.connection.table(scope, include.through)
      const refersTo = (to: Table): ForeignKey | undefined => {
        const keys = single(between.references).filter((key) => sameTable(key.referenced, to.name))
        return keys.length === 1 ? keys[0] : undefined
      }
      const toParentKey = refersTo(parent)
      const toTargetKey = refersTo(target)
      const toParent = existing(
        between,
        include.throughForeignKey === undefined
          ? [toParentKey?.columns[0], `${singular(parent.name)}_id`]
          : [include.throughForeignKey],
        path,
        parent,
        "throughForeignKey"
      )
      const toTarget = existing(
        between,
        include.throughRelatedKey === undefined
          ? [toTargetKey?.columns[0], `${singular(target.name)}_id`, `${singular(include.relation)}_id`]
          : [include.throughRelatedKey],
        path,
        parent,
        "throughRelatedKey"
      )
      const parentColumn = existing(
        parent,
        [include.primaryKey ?? toParentKey?.referencedColumns[0] ?? "id"],
        path,
        parent,
        "primaryKey"
      )
      const targetColumn = existing(
        target,
        [toTargetKey?.referencedColumns[0] ?? "id"],
        path,
        parent,
        "primaryKey"
      )
      return {
        type,
        target,
        parentColumn,
        targetColumn,
        keyColumn: columnOf(between, toParent),
        through: { table: between, toParent, toTarget }
      }
    }
    default:
      throw invalid(`${path}.type: expected 'many-to-one', 'one-to-many' or 'many-to-many'.`, `${path}.type`)
  }
}
