import type { FieldOptions, Fields } from "../schema/FieldDef.ts"
import { inverseOf } from "./inverse.ts"
import { type Migration, MigrationHelpers, readMigration } from "./Migration.ts"
import type { Constraint, CreateCollection, CreateIndex, FieldChanges, Op } from "./Op.ts"

type Options<O, Needs extends string> = { readonly [K in Exclude<keyof O, Needs | "type">]?: O[K] }

/** What {@link migration} returns: one method per step, in the order in which they are to run. */
export class MigrationBuilder {
  readonly #name: string
  readonly #up: Array<Op> = []
  #down: ReadonlyArray<Op> | undefined
  #description: string | undefined
  #tag: string | undefined
  #transactional: boolean | undefined

  constructor(name: string) {
    this.#name = name
  }

  description(text: string): this {
    this.#description = text
    return this
  }

  /** Default: the moment of `build()` and the name. */
  tag(tag: string): this {
    this.#tag = tag
    return this
  }

  /** `false`: no transaction around it. */
  transactional(value: boolean): this {
    this.#transactional = value
    return this
  }

  createCollection(
    name: string,
    fields: Fields,
    options: Options<CreateCollection, "name" | "fields"> = {}
  ): this {
    return this.#add({ type: "createCollection", name, fields, ...options })
  }

  dropCollection(
    name: string,
    options: { readonly ifExists?: boolean; readonly cascade?: boolean } = {}
  ): this {
    return this.#add({ type: "dropCollection", name, ...options })
  }

  renameCollection(from: string, to: string): this {
    return this.#add({ type: "renameCollection", from, to })
  }

  /** The field with its name in it, or name and definition apart. */
  addField(collection: string, field: FieldOptions & { readonly name: string }): this
  addField(collection: string, name: string, field: FieldOptions): this
  addField(
    collection: string,
    first: string | (FieldOptions & { readonly name: string }),
    def?: FieldOptions
  ): this {
    const field = typeof first === "string" ? { ...(def as FieldOptions), name: first } : first
    return this.#add({ type: "addField", collection, field })
  }

  dropField(collection: string, field: string): this {
    return this.#add({ type: "dropField", collection, field })
  }

  renameField(collection: string, from: string, to: string): this {
    return this.#add({ type: "renameField", collection, from, to })
  }

  modifyField(collection: string, field: string, changes: FieldChanges): this {
    return this.#add({ type: "modifyField", collection, field, changes })
  }

  createIndex(
    collection: string,
    fields: ReadonlyArray<string>,
    options: Options<CreateIndex, "collection" | "fields"> = {}
  ): this {
    return this.#add({ type: "createIndex", collection, fields, ...options })
  }

  dropIndex(collection: string, name: string): this {
    return this.#add({ type: "dropIndex", collection, name })
  }

  addConstraint(collection: string, constraint: Constraint): this {
    return this.#add({ type: "addConstraint", collection, constraint })
  }

  dropConstraint(collection: string, name: string): this {
    return this.#add({ type: "dropConstraint", collection, name })
  }

  /** SQL for databases of that type (`postgresql`) or tag; other databases skip it. */
  raw(database: string, statement: string): this {
    return this.#add({ type: "raw", database, statement })
  }

  /** Steps written as data. */
  steps(ops: ReadonlyArray<Op>): this {
    this.#up.push(...ops)
    return this
  }

  /** The way back, where the generated one will not do. */
  down(ops: ReadonlyArray<Op>): this {
    this.#down = ops
    return this
  }

  /** @throws `VALIDATION_ERROR` */
  build(): Migration {
    const at = new Date()
    return readMigration({
      tag: this.#tag ?? MigrationHelpers.generateTag(this.#name, at),
      name: this.#name,
      ...(this.#description === undefined ? {} : { description: this.#description }),
      up: [...this.#up],
      down: this.#down ?? inverseOf(this.#up) ?? [],
      createdAt: at.toISOString(),
      ...(this.#transactional === undefined ? {} : { transactional: this.#transactional })
    })
  }

  #add(op: Op): this {
    this.#up.push(op)
    return this
  }
}

/**
 * Writes a migration.
 *
 * @example
 * migration("add users")
 *   .createCollection("users", { email: { type: "string", unique: true }, age: "integer" })
 *   .createIndex("users", ["age"])
 *   .build()
 */
export const migration = (name: string): MigrationBuilder => new MigrationBuilder(name)
