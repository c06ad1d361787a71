import { invalid } from "../DatabaseError.ts"
import type { FieldOptions, Fields } from "../schema/FieldDef.ts"

export interface UniqueConstraint {
  readonly name?: string | undefined
  readonly type: "unique"
  readonly columns: ReadonlyArray<string>
}

export interface CheckConstraint {
  readonly name?: string | undefined
  readonly type: "check"
  /** Part of the default name. */
  readonly columns?: ReadonlyArray<string> | undefined
  /** SQL, as written. */
  readonly expression: string
}

export interface ForeignKeyConstraint {
  readonly name?: string | undefined
  readonly type: "foreignKey"
  readonly columns: ReadonlyArray<string>
  readonly references: {
    readonly table: string
    readonly columns: ReadonlyArray<string>
    readonly onDelete?: string | undefined
    readonly onUpdate?: string | undefined
  }
}

/** Without a name: `uq_`, `chk_` or `fk_`, the table and the columns. */
export type Constraint = UniqueConstraint | CheckConstraint | ForeignKeyConstraint

export interface SqlOptions {
  readonly ifNotExists?: boolean | undefined
  readonly temporary?: boolean | undefined
  /** Not written to the log: faster, and empty after a crash. */
  readonly unlogged?: boolean | undefined
  readonly tablespace?: string | undefined
}

export interface CreateCollection {
  readonly type: "createCollection"
  readonly name: string
  readonly fields: Fields
  readonly ifNotExists?: boolean | undefined
  /** Adds `created_at` and `updated_at`. */
  readonly timestamps?: boolean | undefined
  readonly sqlOptions?: SqlOptions | undefined
}

export interface DropCollection {
  readonly type: "dropCollection"
  readonly name: string
  readonly ifExists?: boolean | undefined
  readonly cascade?: boolean | undefined
}

export interface RenameCollection {
  readonly type: "renameCollection"
  readonly from: string
  readonly to: string
}

export interface AddField {
  readonly type: "addField"
  readonly collection: string
  readonly field: FieldOptions & { readonly name: string }
}

export interface DropField {
  readonly type: "dropField"
  readonly collection: string
  readonly field: string
}

export interface RenameField {
  readonly type: "renameField"
  readonly collection: string
  readonly from: string
  readonly to: string
}

export type FieldChanges = { readonly [K in keyof FieldOptions]?: FieldOptions[K] }

export interface ModifyField {
  readonly type: "modifyField"
  readonly collection: string
  readonly field: string
  readonly changes: FieldChanges
}

export interface CreateIndex {
  readonly type: "createIndex"
  readonly collection: string
  /** Default: `idx_` or `uq_`, the table and the fields. */
  readonly name?: string | undefined
  readonly fields: ReadonlyArray<string>
  readonly unique?: boolean | undefined
  /** Condition of a partial index: SQL, as written. */
  readonly where?: string | undefined
  /** Without locking writers out; the migration then has no transaction around it. */
  readonly concurrently?: boolean | undefined
}

export interface DropIndex {
  readonly type: "dropIndex"
  readonly collection: string
  readonly name: string
}

export interface AddConstraint {
  readonly type: "addConstraint"
  readonly collection: string
  readonly constraint: Constraint
}

export interface DropConstraint {
  readonly type: "dropConstraint"
  readonly collection: string
  readonly name: string
}

export interface RawOp {
  readonly type: "raw"
  /** `postgresql`, or the tag of a database; elsewhere the statement is skipped. */
  readonly database: string
  /** One statement, or several with `;` between them. */
  readonly statement: string
}

/** One step of a migration. */
export type Op =
  | CreateCollection
  | DropCollection
  | RenameCollection
  | AddField
  | DropField
  | RenameField
  | ModifyField
  | CreateIndex
  | DropIndex
  | AddConstraint
  | DropConstraint
  | RawOp

const shapes: Readonly<
  Record<
    Op["type"],
    {
      readonly needs: Readonly<Record<string, "text" | "object" | "list">>
      readonly may: ReadonlyArray<string>
    }
  >
> = {
  createCollection: {
    needs: { name: "text", fields: "object" },
    may: ["ifNotExists", "timestamps", "sqlOptions"]
  },
  dropCollection: { needs: { name: "text" }, may: ["ifExists", "cascade"] },
  renameCollection: { needs: { from: "text", to: "text" }, may: [] },
  addField: { needs: { collection: "text", field: "object" }, may: [] },
  dropField: { needs: { collection: "text", field: "text" }, may: [] },
  renameField: { needs: { collection: "text", from: "text", to: "text" }, may: [] },
  modifyField: { needs: { collection: "text", field: "text", changes: "object" }, may: [] },
  createIndex: {
    needs: { collection: "text", fields: "list" },
    may: ["name", "unique", "where", "concurrently"]
  },
  dropIndex: { needs: { collection: "text", name: "text" }, may: [] },
  addConstraint: { needs: { collection: "text", constraint: "object" }, may: [] },
  dropConstraint: { needs: { collection: "text", name: "text" }, may: [] },
  raw: { needs: { database: "text", statement: "text" }, may: [] }
}

const fits = (value: unknown, shape: "text" | "object" | "list"): boolean =>
  shape === "text"
    ? typeof value === "string" && value !== ""
    : shape === "list"
      ? Array.isArray(value) && value.length > 0
      : typeof value === "object" && value !== null && !Array.isArray(value)

/** Checks the outer shape of a step; what is inside is read when its SQL is written. @throws `VALIDATION_ERROR` */
export const checkOp = (op: unknown, path: string): Op => {
  const given = op as Readonly<Record<string, unknown>> | null
  const type = typeof given === "object" ? given?.["type"] : undefined
  if (typeof type !== "string" || !Object.hasOwn(shapes, type)) {
    throw invalid(`${path}.type: expected one of ${Object.keys(shapes).join(", ")}.`, `${path}.type`)
  }
  const { may, needs } = shapes[type as Op["type"]]
  for (const [key, shape] of Object.entries(needs)) {
    if (!fits(given?.[key], shape)) {
      const what = shape === "text" ? "text" : shape === "list" ? "a list" : "an object"
      throw invalid(`${path}.${key}: ${type} needs ${what} here.`, `${path}.${key}`)
    }
  }
  for (const key of Object.keys(given ?? {})) {
    if (key !== "type" && !Object.hasOwn(needs, key) && !may.includes(key)) {
      throw invalid(`${path}.${key}: ${type} has no such option.`, `${path}.${key}`)
    }
  }
  return op as Op
}
